"""Taking an inbox in hand: the lock of one drain at a time, the limits of its transaction, and what becomes of events.

A try that never ends (its process killed, out of memory, hung until it was ended) can note nothing itself. So every try
takes a number from a sequence, which no rollback takes back, and a try that ends in whatever way starts it anew: who
draws a higher number than 1 knows that the one before him died at it.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection
from psycopg.errors import LockNotAvailable, QueryCanceled

from messaging.core.partitions import TRIES
from messaging.figures import EVENTS_APPLIED
from messaging.models import InboxEvent
from tenants.models import Municipality

STATEMENT_SECONDS = 10.0  # an event on which the database works longer than this is one that hangs
FIRST_TRY = 1

CLAIM = f"""
    SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true),
        CASE WHEN pg_try_advisory_xact_lock(hashtextextended(%s, 0)) THEN nextval('{TRIES}') END
"""
FRESH = f"SELECT setval('{TRIES}', {FIRST_TRY}, false)"
MARK = """
    UPDATE inbox_event SET state = %s, applied_at = %s, reason = %s
    WHERE municipality_id = %s AND id = ANY(%s) AND state = 'OPEN'
"""
# What is checked at the commit is checked here, where an event can still be laid aside; one errand for all three.
FINISH = f"SET CONSTRAINTS ALL IMMEDIATE; {MARK}; {FRESH}"


def claim(*, municipality: Municipality, lock_seconds: float) -> int | None:
    """Take the inbox until the transaction ends; return which try in a row this is, or None when another has it.

    lock_seconds: how long a statement of this transaction waits for a lock that somebody else holds.
    """
    with connection.cursor() as cursor:
        limits = [f"{1000 * STATEMENT_SECONDS:.0f}", f"{1000 * lock_seconds:.0f}"]
        cursor.execute(CLAIM, [*limits, f"inbox {municipality.id}"])
        tries: int | None = cursor.fetchone()[2]
        return tries


def end_tries() -> None:
    """Note that a try ended, well or not: nothing in this inbox kills processes, as far as is known."""
    with connection.cursor() as cursor:
        cursor.execute(FRESH)


def finish(*, events: Collection[InboxEvent], municipality: Municipality, at: datetime) -> None:
    """Check what was applied, mark its events as applied, and note that the try ended."""
    with connection.cursor() as cursor:
        ids = [event.id for event in events]
        cursor.execute(FINISH, [InboxEvent.State.APPLIED, at, "", municipality.id, ids])
    EVENTS_APPLIED.labels(InboxEvent.State.APPLIED).inc(len(events))


def mark(
    *,
    events: Collection[InboxEvent],
    municipality: Municipality,
    state: InboxEvent.State,
    at: datetime,
    reason: str = "",
) -> None:
    """Write down what became of events."""
    with connection.cursor() as cursor:
        cursor.execute(MARK, [state, at, reason, municipality.id, [event.id for event in events]])
    EVENTS_APPLIED.labels(state).inc(len(events))


def is_the_databases(error: Exception) -> bool:
    """Return whether an error says nothing about the event: a lost connection, a deadlock, a lock not had in time."""
    return isinstance(error, OperationalError | InterfaceError)


def took_too_long(error: Exception) -> bool:
    """Return whether an error is one that a single event may be the cause of: it worked or waited too long."""
    return isinstance(error.__cause__, QueryCanceled | LockNotAvailable)


def was_locked_out(error: Exception) -> bool:
    """Return whether a lock that somebody else holds was not had in time."""
    return isinstance(error.__cause__, LockNotAvailable)
