"""A citizen's medium as it comes in: a row beside its message, in the same transaction, and a wake-up after it."""

from datetime import datetime, timedelta

from django.db.models.functions import Now

from messaging.models import Medium
from whatsapp.limits import INBOUND_MEDIA_DAYS
from whatsapp.payloads import InboundMessage

LONGEST_ID = 128  # of Meta's are some twenty digits; what is longer is none, and could not be asked for


def awaited(*, message: InboundMessage, at: datetime) -> Medium | None:
    """Return the medium that a message brought, to be fetched, or None when it brought none. The caller saves it."""
    reference = message.media
    if reference is None:
        return None
    fits = len(reference.id) <= LONGEST_ID
    return Medium(
        kind=message.type,
        state=Medium.State.PENDING if fits else Medium.State.FAILED,
        reason="" if fits else "BAD_REFERENCE",
        filename=reference.filename or "",
        is_voice=reference.voice,
        created_at=at,
        phone_number_id=message.phone_number_id,
        meta_id=reference.id[:LONGEST_ID],
        meta_url=reference.url or "",
        declared_type=(reference.mime_type or "")[:200],
        declared_sha256=(reference.sha256 or "")[:100],
        expires_at=message.stamped_at + timedelta(days=INBOUND_MEDIA_DAYS),
        due_at=Now(),
    )
