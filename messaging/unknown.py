"""What Meta sends that we do not know yet: counted by field and kind, so that somebody learns of it and builds it.

Unknown is no failure: the event is kept, and a message of an unknown kind is shown as one. Only words of the form of
Meta's own are noted; whatever else stands in their place is noted as "other", for it may be a citizen's.
Source: Meta, messages webhook reference and the list of webhook fields (read 2026-11-22).
"""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from messaging.account_updates.dispatching import CITIZEN_FIELDS, HANDLERS, KEPT_FIELDS
from messaging.models import InboxEvent
from tenants.models import Municipality
from whatsapp.payloads import EventKind

MESSAGE_KINDS = frozenset(
    {
        *("text", "image", "video", "audio", "document", "sticker", "location", "contacts", "interactive", "button"),
        *("reaction", "order", "system", "edit", "revoke", "unsupported", "request_welcome", "poll"),
    }
)
# What WhatsApp tells of a citizen in a message of kind "system"; by these their ids are followed.
SYSTEM_CHANGES = frozenset({"user_changed_number", "customer_changed_number", "user_changed_user_id"})
STATUSES = frozenset({"sent", "delivered", "read", "played", "failed", "deleted", "warning"})
# The fields that something is done with, or on purpose nothing.
FIELDS = frozenset({"messages", *HANDLERS, *CITIZEN_FIELDS, *KEPT_FIELDS})
# Of which events the kind is looked at: what is known, and where it stands.
KNOWN: dict[str, tuple[frozenset[str], str]] = {
    EventKind.MESSAGE: (MESSAGE_KINDS, "type"),
    EventKind.STATUS: (STATUSES, "status"),
}
OTHER = "other"
_WORD = re.compile(r"[a-z][a-z_]{1,60}")

COUNT = """
    INSERT INTO public.messaging_core_unknownupdate AS known (municipality_id, field, kind, times, first_at, last_at)
    SELECT %s::uuid, field, kind, times, %s, %s
    FROM unnest(%s::text[], %s::text[], %s::int[]) AS counted (field, kind, times)
    ON CONFLICT (municipality_id, field, kind)
    DO UPDATE SET times = known.times + excluded.times, last_at = excluded.last_at
"""


def count(*, municipality: Municipality, events: Iterable[InboxEvent], at: datetime) -> None:
    """Count the events of unknown fields and kinds; one that was put back is not counted again."""
    found = Counter(unknown for event in events if not event.replays and (unknown := _unknown(event)) is not None)
    if not found:
        return
    fields, kinds = zip(*sorted(found), strict=True)
    times = [found[key] for key in sorted(found)]
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [municipality.id, at, at, list(fields), list(kinds), times])


def _unknown(event: InboxEvent) -> tuple[str, str] | None:
    """Return the field and kind of an event that is unknown, or None."""
    if event.field not in FIELDS:
        return _word(event.field), ""
    element = event.payload.get("element") if isinstance(event.payload, dict) else None
    if event.kind not in KNOWN or not isinstance(element, dict):
        return None
    known, name = KNOWN[event.kind]
    kind = element.get(name)
    if kind == "system" and isinstance(element.get("system"), dict):
        known, kind = SYSTEM_CHANGES, element["system"].get("type")
    return (event.field, _word(kind)) if isinstance(kind, str) and kind not in known else None


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) else OTHER
