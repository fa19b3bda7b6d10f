"""The inbox of one municipality: stored webhook events, applied exactly once, in batches.

The rows are the queue. A batch is claimed, applied and marked in one transaction, so that whatever dies, it either
happened or did not. One drain at a time works on a municipality; another one finds the lock taken and leaves.
An event that cannot be applied becomes a dead letter with its reason and never stands in the way of the rest; after a
batch that did not end, its events are tried few at a time and alone (messaging/suspects.py): so a guilty one is found.
"""

import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from django.db import DatabaseError, OperationalError, connection, transaction
from django_tenants.utils import schema_context
from psycopg.errors import DeadlockDetected

from messaging import applying, suspects
from messaging.claiming import FIRST_TRY, claim, end_tries, took_too_long
from messaging.models import InboxEvent
from tenants import clock
from tenants.models import Municipality

BATCH = 500
# A busy municipality gives its worker back to the others after this long; what is left is woken again.
TURN_SECONDS = 1.0
LOCK_SECONDS = 1.0
MOST_DEADLOCKS = 5

WHAT_IS_OPEN = """
    SELECT EXISTS (SELECT FROM inbox_event WHERE state = 'OPEN' AND attempts = 0),
        EXISTS (SELECT FROM inbox_event WHERE state = 'OPEN' AND attempts > 0)
"""

log = structlog.get_logger(__name__)


class _DidNotEnd(Exception):
    """The batch before this one killed its process, or one of this one's events takes too long."""


def drain(*, schema_name: str) -> bool:
    """Apply the open events of one municipality, for one turn; return whether some are left that can be applied now.

    Safe to repeat and to run twice at once. Returns False for a schema that is nobody's (any more). What did not end
    or was locked by somebody else waits for the sweep.
    """
    municipality = Municipality.objects.filter(schema_name=schema_name).first()
    if municipality is None:
        log.warning("inbox_of_nobody", schema=schema_name)
        return False
    until = time.monotonic() + TURN_SECONDS
    with schema_context(schema_name), suppress(suspects.LockedOut):
        while (applied := _drain_or_find_out(municipality=municipality, until=until)) is not None:
            if applied == BATCH and time.monotonic() < until:
                continue
            # Looked at without the lock: whoever found it taken until now left us events that were stored before.
            fresh, suspect = _what_is_open()
            if time.monotonic() > until:
                return fresh
            if not fresh:
                if suspect:
                    suspects.drain(municipality=municipality, until=until)
                return False
    return False


def _drain_or_find_out(*, municipality: Municipality, until: float) -> int | None:
    """Apply a batch; where it does not end, events few at a time."""
    try:
        return _drain_or_again(municipality=municipality)
    except _DidNotEnd:
        return suspects.drain(municipality=municipality, until=until)


def _drain_or_again(*, municipality: Municipality) -> int | None:
    """Drain one batch; a batch that PostgreSQL chose to break a deadlock is tried again at once."""
    for attempt in range(MOST_DEADLOCKS + 1):
        try:
            try:
                return _drain_batch(municipality=municipality, apply=applying.apply_batch)
            except applying.CannotTogether:
                return _drain_batch(municipality=municipality, apply=applying.apply_each)
        except OperationalError as error:
            if took_too_long(error):
                log.warning("inbox_batch_too_long", schema=municipality.schema_name)
                raise _DidNotEnd from error
            if attempt == MOST_DEADLOCKS or not isinstance(error.__cause__, DeadlockDetected):
                raise
            log.warning("inbox_deadlock", schema=municipality.schema_name)
    raise AssertionError


def _what_is_open() -> tuple[bool, bool]:
    """Return whether events are open that were not tried alone, and whether some are that were."""
    with connection.cursor() as cursor:
        cursor.execute(WHAT_IS_OPEN)
        fresh, suspect = cursor.fetchone()
        return fresh, suspect


def _drain_batch(*, municipality: Municipality, apply: Callable[..., None]) -> int | None:
    """Apply one batch; return how many events it held, or None when another drain has the inbox.

    Raises _DidNotEnd: the one before it killed its process. What `apply` raises: nothing happened.
    """
    at = clock.now()
    try:
        with transaction.atomic():
            tries = claim(municipality=municipality, lock_seconds=LOCK_SECONDS)
            if tries is None:
                return None
            if tries > FIRST_TRY:
                raise _DidNotEnd
            fresh = InboxEvent.objects.filter(state=InboxEvent.State.OPEN, attempts=0)
            events = list(fresh.order_by("id")[:BATCH])
            if events:
                apply(municipality=municipality, events=events, at=at)
                applying.count(municipality=municipality, events=events, at=at)
            else:
                end_tries()
    except _DidNotEnd:
        raise
    except Exception:
        with suppress(DatabaseError):  # the connection may be gone
            end_tries()
        raise
    return len(events)
