"""Events → what they mean, all of a batch or each for itself; what cannot be applied is laid aside with its reason.

Runs in the transaction of whoever claimed the events (messaging/inbox.py, messaging/suspects.py).
"""

from datetime import datetime

import structlog
from django.db import connection, transaction

from messaging import hours, receiving, unknown
from messaging.claiming import end_tries, finish, is_the_databases, mark
from messaging.models import InboxEvent
from tenants.models import Municipality
from whatsapp.payloads import MalformedPayload

MALFORMED = "malformed"  # how the reason of what is not as Meta documents it begins

log = structlog.get_logger(__name__)


class CannotTogether(Exception):
    """At least one event of a batch cannot be applied."""


def apply_batch(*, municipality: Municipality, events: list[InboxEvent], at: datetime) -> None:
    """Apply events together, and end the try.

    Raises CannotTogether: one of them cannot be; the transaction must be rolled back. OperationalError, InterfaceError:
    the database's own trouble.
    """
    try:
        receiving.apply(municipality=municipality, events=events, at=at)
        finish(events=events, municipality=municipality, at=at)
    except Exception as error:
        if is_the_databases(error):
            raise
        raise CannotTogether from error


def apply_each(*, municipality: Municipality, events: list[InboxEvent], at: datetime) -> None:
    """Apply each event for itself, or lay it aside, and end the try.  Raises OperationalError, InterfaceError."""
    for event in events:
        apply_one(municipality=municipality, event=event, at=at)
    end_tries()


def apply_one(*, municipality: Municipality, event: InboxEvent, at: datetime) -> None:
    """Apply one event, or lay it aside.  Raises OperationalError, InterfaceError: the database's own trouble."""
    try:
        with transaction.atomic():
            receiving.apply(municipality=municipality, events=[event], at=at)
            # What is checked at the commit is checked here, where the event can still be laid aside.
            connection.check_constraints()
    except MalformedPayload as error:
        lay_aside(municipality=municipality, event=event, at=at, reason=f"{MALFORMED}: {error.reason}")
    except Exception as error:
        if is_the_databases(error):
            raise
        # The text of an unforeseen error may hold the citizen's words: only its kind is kept.
        lay_aside(municipality=municipality, event=event, at=at, reason=f"failed: {type(error).__name__}", error=error)
    else:
        mark(events=[event], municipality=municipality, state=InboxEvent.State.APPLIED, at=at)


def count(*, municipality: Municipality, events: list[InboxEvent], at: datetime) -> None:
    """Add events, whatever became of them, to the counts that operators see."""
    hours.count(municipality=municipality, events=events, at=at)
    unknown.count(municipality=municipality, events=events, at=at)


def lay_aside(
    *, municipality: Municipality, event: InboxEvent, at: datetime, reason: str, error: Exception | None = None
) -> None:
    """Make an event a dead letter. reason: without a citizen's word; error: what nobody foresaw."""
    mark(events=[event], municipality=municipality, state=InboxEvent.State.DEAD, at=at, reason=reason)
    if not reason.startswith(MALFORMED):
        schema = municipality.schema_name
        log.error("inbox_event_dead", event_id=event.id, kind=event.kind, schema=schema, reason=reason, exc_info=error)
