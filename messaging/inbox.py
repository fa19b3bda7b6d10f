"""The inbox of one municipality: stored webhook events, applied exactly once, in batches.

The rows are the queue. A batch is claimed, applied and marked in one transaction, so that whatever dies, it either
happened or did not. One drain at a time works on a municipality; another one finds the lock taken and leaves.
An event that cannot be applied becomes a dead letter with its reason and never stands in the way of the rest.
"""

import time
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django_tenants.utils import schema_context
from psycopg.errors import DeadlockDetected

from messaging import receiving
from messaging.figures import EVENTS_APPLIED
from messaging.models import InboxEvent
from tenants import clock
from tenants.models import Municipality
from whatsapp.payloads import MalformedPayload

BATCH = 200
# A busy municipality gives its worker back to the others after this long; what is left is woken again.
TURN_SECONDS = 1.0
MOST_DEADLOCKS = 5

log = structlog.get_logger(__name__)


def drain(*, schema_name: str) -> bool:
    """Apply the open events of one municipality, for one turn; return whether some are left.

    Safe to repeat and to run twice at once. Returns False for a schema that is nobody's (any more).
    """
    municipality = Municipality.objects.filter(schema_name=schema_name).first()
    if municipality is None:
        log.warning("inbox_of_nobody", schema=schema_name)
        return False
    until = time.monotonic() + TURN_SECONDS
    with schema_context(schema_name):
        while (applied := _drain_or_again(municipality=municipality)) is not None:
            if time.monotonic() > until:
                return applied == BATCH or _has_open()
            # Looked at without the lock: whoever found it taken until now left us events that were stored before.
            if applied < BATCH and not _has_open():
                return False
    return False


def _drain_or_again(*, municipality: Municipality) -> int | None:
    """Drain one batch; a batch that PostgreSQL chose to break a deadlock is tried again at once."""
    for _ in range(MOST_DEADLOCKS):
        try:
            return _drain_batch(municipality=municipality)
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
            log.warning("inbox_deadlock", schema=municipality.schema_name)
    return _drain_batch(municipality=municipality)


def _has_open() -> bool:
    return InboxEvent.objects.filter(state=InboxEvent.State.OPEN).exists()


def _drain_batch(*, municipality: Municipality) -> int | None:
    """Apply one batch; return how many events it held, or None when another drain has the inbox."""
    at = clock.now()
    with transaction.atomic():
        if not _is_ours(municipality):
            return None
        events = list(InboxEvent.objects.filter(state=InboxEvent.State.OPEN).order_by("id")[:BATCH])
        if not events:
            return 0
        try:
            with transaction.atomic():
                _apply(municipality, events, at)
        except Exception as error:
            if _is_the_databases(error):
                raise
            _apply_one_by_one(municipality=municipality, events=events, at=at)
        else:
            _mark(events, state=InboxEvent.State.APPLIED, at=at)
    return len(events)


def _apply(municipality: Municipality, events: list[InboxEvent], at: datetime) -> None:
    receiving.apply(municipality=municipality, events=events, at=at)
    # What is checked at the commit is checked here, where an event can still be laid aside.
    connection.check_constraints()


def _is_ours(municipality: Municipality) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"inbox {municipality.id}"])
        return bool(cursor.fetchone()[0])


def _apply_one_by_one(*, municipality: Municipality, events: list[InboxEvent], at: datetime) -> None:
    """Apply each event for itself, and lay those aside that cannot be."""
    for event in events:
        try:
            with transaction.atomic():
                _apply(municipality, [event], at)
        except MalformedPayload as error:
            _mark([event], state=InboxEvent.State.DEAD, at=at, reason=f"malformed: {error.reason}")
        except Exception as error:
            if _is_the_databases(error):
                raise
            # The text of an unforeseen error may hold the citizen's words: only its kind is kept.
            _mark([event], state=InboxEvent.State.DEAD, at=at, reason=f"failed: {type(error).__name__}")
            schema = municipality.schema_name
            log.error("inbox_event_dead", event_id=event.id, kind=event.kind, schema=schema, exc_info=error)
        else:
            _mark([event], state=InboxEvent.State.APPLIED, at=at)


def _is_the_databases(error: Exception) -> bool:
    """Return whether an error says nothing about the event: a lost connection, a deadlock, a lock not had in time."""
    return isinstance(error, OperationalError | InterfaceError)


def _mark(events: list[InboxEvent], *, state: InboxEvent.State, at: datetime, reason: str = "") -> None:
    EVENTS_APPLIED.labels(state).inc(len(events))
    InboxEvent.objects.filter(id__in=[event.id for event in events]).update(state=state, applied_at=at, reason=reason)
