"""A declaration that changes: asked for by the municipality, approved by the BSP's compliance as the first one was.

Until it is approved nothing changes: drafts, templates and sends are held to what was declared before. Approving writes
the purposes anew and has higher rooms follow, in one transaction: what is no longer declared is not sent any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.module_loading import import_string
from django_tenants.utils import schema_context
from psycopg.errors import UniqueViolation

from audit.record import Actor, record
from tenants.clock import AMSTERDAM
from tenants.declaration import Purpose, Terms, terms_of
from tenants.models import DeclarationChange, DeclaredPurpose, Municipality
from tenants.onboarding.application import load
from tenants.onboarding.fields import FIELDS, YES, Field, read_part
from tenants.onboarding.models import Part

State = DeclarationChange.State
# What is filled in, as in the application: a person's name and function stand for the signature's.
ASKED: tuple[Part, ...] = (Part.PURPOSES, Part.PROHIBITIONS, Part.SIGNING)
REASON_LETTERS = 1000


class Unfit(Exception):
    """It cannot be asked so; codes: by field."""

    def __init__(self, codes: Mapping[str, str]) -> None:
        super().__init__(", ".join(sorted(codes)))
        self.codes = codes


class NothingChanges(Exception):
    """The same purposes are declared already."""


class WaitsAlready(Exception):
    """Another change of this municipality waits for approval."""


class AlreadyDecided(Exception):
    """It waits no longer: somebody decided, or took it back."""


class ReasonMissing(Exception):
    """Who rejects says why: the municipality reads it."""


class ReasonTooLong(Exception):
    """A reason has at most REASON_LETTERS."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What higher rooms are told of a change that was approved."""

    municipality: Municipality
    added: tuple[str, ...]
    withdrawn: tuple[str, ...]
    at: datetime


def questions() -> dict[Part, tuple[Field, ...]]:
    """Return what is asked, by part; the day is that on which it is asked."""
    return {part: tuple(each for each in FIELDS[part] if each.name != "signed_date") for part in ASKED}


def declared(*, municipality: Municipality) -> list[str]:
    """Return what holds now, in order."""
    return list(municipality.declared_purposes.order_by("purpose").values_list("purpose", flat=True))


def before_it(*, municipality: Municipality) -> dict[str, str]:
    """Return the answers that a form begins with: what holds now, described as it last was."""
    described = _described(municipality)
    begun = {f"use_{purpose}": YES for purpose in declared(municipality=municipality)}
    return begun | {f"describe_{purpose}": words for purpose, words in described.items()}


def changes(*, municipality: Municipality) -> QuerySet[DeclarationChange]:
    """Return a municipality's changes, the latest first."""
    return DeclarationChange.objects.filter(municipality=municipality).order_by("-asked_at", "id")


def last_decided(*, municipality: Municipality) -> DeclarationChange | None:
    """Return the change of a municipality's that was approved or rejected last."""
    decided = DeclarationChange.objects.filter(municipality=municipality, state__in=[State.APPROVED, State.REJECTED])
    return decided.order_by("-decided_at", "id").first()


def waiting() -> QuerySet[DeclarationChange]:
    """Return the changes that wait for the BSP, longest first."""
    found = DeclarationChange.objects.filter(state=State.WAITING).select_related("municipality")
    return found.order_by("asked_at", "id")


@transaction.atomic
def ask(*, municipality: Municipality, given: Mapping[str, str], actor: Actor, at: datetime) -> DeclarationChange:
    """Ask for other purposes, with each prohibition accepted anew, and the name of who stands for it.

    given: by field, as the application's parts have them. Raises Unfit, NothingChanges, WaitsAlready.
    """
    terms = terms_of(day=at.astimezone(AMSTERDAM).date())
    wanted = _read(given, terms)
    before = declared(municipality=municipality)
    if sorted(wanted) == before:
        raise NothingChanges
    change = DeclarationChange(
        municipality=municipality,
        before=before,
        purposes=wanted,
        terms_version=terms.version,
        signatory_name=given["signatory_name"].strip(),
        signatory_function=given["signatory_function"].strip(),
        asked_at=at,
        asked_by_schema=actor.schema,
        asked_by_id=actor.id,
        asked_by_name=actor.name[:200],
    )
    try:
        with transaction.atomic():
            change.save(force_insert=True)
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise WaitsAlready from None
    _recorded("declaration.ask", change, actor, at)
    return change


@transaction.atomic
def withdraw(*, change_id: UUID, municipality: Municipality, actor: Actor, at: datetime) -> None:
    """Take a change back.  Raises AlreadyDecided, DeclarationChange.DoesNotExist: it is another's."""
    change = DeclarationChange.objects.select_for_update().get(id=change_id, municipality=municipality)
    _settle(change, State.WITHDRAWN, "", actor, at)
    _recorded("declaration.withdraw", change, actor, at)


@transaction.atomic
def decide(*, change_id: UUID, approve: bool, reason: str, actor: Actor, at: datetime) -> DeclarationChange:
    """Approve a change, which then holds at once, or reject it. Runs in `public`; both trails and its admins know.

    Raises ReasonMissing, ReasonTooLong, AlreadyDecided, DeclarationChange.DoesNotExist: nothing was changed.
    """
    reason = reason.replace("\0", "").strip()
    if not approve and not reason:
        raise ReasonMissing
    if len(reason) > REASON_LETTERS:
        raise ReasonTooLong
    change = DeclarationChange.objects.select_for_update(of=("self",)).select_related("municipality").get(id=change_id)
    _settle(change, State.APPROVED if approve else State.REJECTED, reason, actor, at)
    _recorded("declaration.decide", change, actor, at)
    if approve:
        _declare(change, at)
    with schema_context(change.municipality.schema_name):
        _recorded("declaration.decide", change, actor, at)
        if approve:
            followed = Followed(change.municipality, tuple(change.added), tuple(change.withdrawn), at)
            for path in settings.DECLARATION_STEPS:
                import_string(path)(followed=followed)
        for path in settings.DECLARATION_TOLD:
            import_string(path)()
    return change


def _declare(change: DeclarationChange, at: datetime) -> None:
    of_it = DeclaredPurpose.objects.filter(municipality=change.municipality)
    of_it.exclude(purpose__in=list(change.purposes)).delete()
    DeclaredPurpose.objects.bulk_create(
        [
            DeclaredPurpose(municipality=change.municipality, purpose=purpose, declared_at=at)
            for purpose in change.purposes
        ],
        ignore_conflicts=True,
    )


def _settle(change: DeclarationChange, state: str, reason: str, actor: Actor, at: datetime) -> None:
    if change.state != State.WAITING:
        raise AlreadyDecided
    change.state, change.reason, change.decided_at, change.decided_by_name = state, reason, at, actor.name[:200]
    change.save(update_fields=["state", "reason", "decided_at", "decided_by_name"])


def _read(given: Mapping[str, str], terms: Terms) -> dict[str, str]:
    """Return what is to be declared, with each description.  Raises Unfit."""
    codes: dict[str, str] = {}
    values: dict[str, str] = {}
    for part, fields in questions().items():
        read = read_part(part=part, given={each.name: given.get(each.name, "") for each in fields})
        values |= read.values
        codes |= read.mistakes
    wanted = [str(each) for each in Purpose if values.get(f"use_{each}") == YES]
    if not wanted:
        codes[f"use_{Purpose.CRISIS}"] = "no_purpose"
    codes |= {f"describe_{each}": "wanted" for each in wanted if not values.get(f"describe_{each}")}
    codes |= {f"use_{each}": "purpose_gone" for each in wanted if each not in terms.purposes}
    codes |= {f"accept_{each}": "unaccepted" for each in terms.prohibitions if values.get(f"accept_{each}") != YES}
    signed = ("signatory_name", "signatory_function")
    codes |= {name: "wanted" for name in signed if name not in codes and not values.get(name)}
    if codes:
        raise Unfit(codes)
    return {each: values[f"describe_{each}"] for each in wanted}


def _described(municipality: Municipality) -> dict[str, str]:
    last = changes(municipality=municipality).filter(state=State.APPROVED).first()
    if last is not None:
        return {str(purpose): str(words) for purpose, words in last.purposes.items()}
    values = load(onboarding_id=municipality.onboarding.id).values(Part.PURPOSES)
    return {str(each): values.get(f"describe_{each}", "") for each in Purpose if values.get(f"use_{each}") == YES}


def _recorded(action: str, change: DeclarationChange, actor: Actor, at: datetime) -> None:
    details = {"state": str(change.state), "added": change.added, "withdrawn": change.withdrawn}
    record(action=action, actor=actor, at=at, subject=f"declaration change {change.id}", details=details)
