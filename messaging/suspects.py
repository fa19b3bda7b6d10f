"""Events of a batch that did not end, one at a time, so that the guilty one is found and the others go on.

Each event's attempt is counted and committed before it is tried: an event that kills its process, hangs it or makes the
database work without end is laid aside after three attempts, as a dead letter. Those never tried alone come first, so
that it stands in nobody's way meanwhile. One that somebody else's lock keeps waiting is not guilty and stays open.
"""

import time

import structlog
from django.db import OperationalError, transaction
from django.db.models import F, QuerySet
from psycopg.errors import DeadlockDetected

from messaging.applying import apply_one, count, lay_aside
from messaging.claiming import claim, end_tries, took_too_long, was_locked_out
from messaging.models import InboxEvent
from tenants import clock
from tenants.models import Municipality

MOST_ATTEMPTS = 3
MOST_EVENTS = 200
LOCK_SECONDS = 0.2
MOST_LOCKED = 3  # in one turn; then it is not these events that are locked
UNFINISHED = f"unfinished: it ended its process or took too long, {MOST_ATTEMPTS} times"

log = structlog.get_logger(__name__)


class LockedOut(Exception):
    """Somebody holds locks in this schema, so that nothing can be applied: the sweep comes back."""


class _Taken(Exception):
    """Another drain has the inbox."""


def drain(*, municipality: Municipality, until: float) -> int | None:
    """Try open events one at a time; return how many were looked at, or None when another drain has the inbox.

    until: by time.monotonic(), when to stop; one at least is tried.  Raises LockedOut.
    """
    dealt = locked = 0
    try:
        for event_id in _suspects(municipality):
            locked += not _try(municipality, event_id)
            dealt += 1
            if locked >= MOST_LOCKED:
                raise LockedOut
            if time.monotonic() > until:
                return dealt  # the next turn goes on like this
    except _Taken:
        return None
    end_tries()
    return dealt


def _suspects(municipality: Municipality) -> list[int]:
    try:
        with transaction.atomic():
            _claim(municipality)
            found = InboxEvent.objects.filter(state=InboxEvent.State.OPEN).order_by("attempts", "id")
            return list(found.values_list("id", flat=True)[:MOST_EVENTS])
    except OperationalError as error:
        if was_locked_out(error):
            raise LockedOut from error
        raise


def _try(municipality: Municipality, event_id: int) -> bool:
    """Count an attempt, then apply the event; return whether it was not locked."""
    try:
        attempts = _count_attempt(municipality, event_id)
        if attempts:
            _apply(municipality, event_id)
    except OperationalError as error:
        if not took_too_long(error) and not isinstance(error.__cause__, DeadlockDetected):
            raise
        if was_locked_out(error) or not took_too_long(error):
            _acquit(event_id)
            return False
        log.warning("inbox_event_too_long", event_id=event_id, schema=municipality.schema_name)
    return True


def _count_attempt(municipality: Municipality, event_id: int) -> int:
    """Return which attempt this is; 0 when there is to be none, because it was dealt with or had all its attempts."""
    with transaction.atomic():
        _claim(municipality)
        event = _open(event_id).first()
        if event is None:
            return 0
        if event.attempts >= MOST_ATTEMPTS:
            lay_aside(municipality=municipality, event=event, at=clock.now(), reason=UNFINISHED)
            return 0
        _open(event_id).update(attempts=F("attempts") + 1)
        return event.attempts + 1


def _apply(municipality: Municipality, event_id: int) -> None:
    with transaction.atomic():
        _claim(municipality)
        event = _open(event_id).first()
        if event is not None:
            at = clock.now()
            apply_one(municipality=municipality, event=event, at=at)
            count(municipality=municipality, events=[event], at=at)


def _acquit(event_id: int) -> None:
    """Count the attempt as none: it was somebody else's lock."""
    with transaction.atomic():
        _open(event_id).update(attempts=1)


def _claim(municipality: Municipality) -> None:
    if claim(municipality=municipality, lock_seconds=LOCK_SECONDS) is None:
        raise _Taken


def _open(event_id: int) -> QuerySet[InboxEvent]:
    return InboxEvent.objects.filter(id=event_id, state=InboxEvent.State.OPEN)
