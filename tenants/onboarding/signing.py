"""The application on paper: a PDF to sign, made from what is filled in, and the signed copy as it came back.

The copy is encrypted with FIELD_ENCRYPTION_KEYS before it is kept: it holds names, functions and a signature.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from uuid import UUID

import typst
from django.conf import settings
from django.db import transaction

from audit.record import Actor, record
from tenants.clock import AMSTERDAM
from tenants.declaration import terms_of
from tenants.encryption import decrypt, encrypt
from tenants.models import Onboarding, SignedCopy
from tenants.onboarding.application import Application, Closed, load
from tenants.onboarding.fields import YES
from tenants.onboarding.models import COPY_BYTES, Deed, Part
from tenants.stages import Stage

_LAYOUT = Path(__file__).parent / "application.typ"
_BEGIN, _END, _END_WITHIN = b"%PDF-", b"%%EOF", 2048
MARK_LETTERS = 12


class NoPdf(Exception):
    """What was uploaded is no PDF, by its content. code: no_pdf, too_large, empty."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def make_pdf(*, application: Application, at: datetime) -> bytes:
    """Return the application as a tagged PDF (PDF/UA-1), in Dutch; the same for the same answers and terms."""
    terms = terms_of(day=at.astimezone(AMSTERDAM).date())
    described, accepted = application.values(Part.PURPOSES), application.values(Part.PROHIBITIONS)
    given = {
        "name": application.onboarding.name,
        "cbs_code": application.onboarding.cbs_code,
        "terms": terms.version,
        "mark": application.sha256().hex()[:MARK_LETTERS],
        "seller": settings.SELLER["NAME"],
        "parts": {str(part): application.values(part) for part in Part},
        "purposes": [
            {"word": each.label, "description": described.get(f"describe_{each}", "")}
            for each in application.purposes()
        ],
        "prohibitions": [
            {"word": each.label, "accepted": accepted.get(f"accept_{each}") == YES} for each in terms.prohibitions
        ],
    }
    made = typst.compile(
        str(_LAYOUT),
        format="pdf",
        sys_inputs={"application": json.dumps(given)},
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
    )
    assert isinstance(made, bytes)
    return made


@transaction.atomic
def take_signed_copy(*, onboarding_id: UUID, content: bytes, actor: Actor, at: datetime) -> SignedCopy:
    """Keep the signed copy of what is filled in now.  Raises NoPdf; Closed: it is declared already."""
    if not content:
        raise NoPdf("empty")
    if len(content) > COPY_BYTES:
        raise NoPdf("too_large")
    if not content.startswith(_BEGIN) or _END not in content[-_END_WITHIN:]:
        raise NoPdf("no_pdf")
    # Nothing is moved or saved while the copy is bound to what is filled in.
    onboarding = Onboarding.objects.select_for_update().get(id=onboarding_id)
    if onboarding.stage != Stage.APPLIED:
        raise Closed(onboarding.stage)
    copy = SignedCopy.objects.create(
        onboarding=onboarding,
        sha256=hashlib.sha256(content).digest(),
        application_sha256=load(onboarding_id=onboarding_id).sha256(),
        size_bytes=len(content),
        content_encrypted=encrypt(plain=content),
        **Deed.of(actor=actor, at=at),
    )
    details = {"sha256": bytes(copy.sha256).hex(), "bytes": copy.size_bytes}
    record(action="onboarding.sign", actor=actor, at=at, subject=f"onboarding {onboarding.cbs_code}", details=details)
    return copy


def last_copy(*, onboarding: Onboarding) -> SignedCopy | None:
    """Return the copy that counts, without its content, or None."""
    return onboarding.signed_copies.defer("content_encrypted").order_by("id").last()


@transaction.atomic
def read_copy(*, copy: SignedCopy, actor: Actor, at: datetime) -> bytes:
    """Return what a copy holds, and have the trail know who read it."""
    content = decrypt(encrypted=bytes(copy.content_encrypted))
    details = {"sha256": bytes(copy.sha256).hex()}
    subject = f"onboarding {copy.onboarding.cbs_code}"
    record(action="onboarding.read_copy", actor=actor, at=at, subject=subject, details=details)
    return content
