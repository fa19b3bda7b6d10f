"""Events of a batch that did not end, few at a time, then alone, so that the guilty one is found and the others go on.

Each event's attempt is counted and committed before it is tried: an event that kills its process, hangs it or makes the
database work without end is laid aside after three attempts, as a dead letter. Most batches that did not end were
guilty of nothing (a process was killed, the database went away), so the first attempt is shared by some, which takes a
tenth of the time; whoever was among them when it did not end is tried alone. Those never tried come first, so that a
guilty one stands in nobody's way. One that somebody else's lock keeps waiting is not guilty and stays open.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import structlog
from django.db import OperationalError, transaction
from django.db.models import F, QuerySet
from psycopg.errors import DeadlockDetected

from messaging.applying import CannotTogether, apply_batch, apply_each, count, lay_aside
from messaging.claiming import claim, end_tries, took_too_long, was_locked_out
from messaging.models import InboxEvent
from tenants import clock
from tenants.models import Municipality

MOST_ATTEMPTS = 3
MOST_EVENTS = 200
TOGETHER = 20  # share their first attempt
LOCK_SECONDS = 0.2
MOST_LOCKED = 3  # in one turn; then it is not these events that are locked
UNFINISHED = f"unfinished: it ended its process or took too long, {MOST_ATTEMPTS} times"

log = structlog.get_logger(__name__)


class LockedOut(Exception):
    """Somebody holds locks in this schema, so that nothing can be applied: the sweep comes back."""


class _Taken(Exception):
    """Another drain has the inbox."""


def drain(*, municipality: Municipality, until: float) -> int | None:
    """Try open events, few at a time; return how many were looked at, or None when another drain has the inbox.

    until: by time.monotonic(), when to stop; some at least are tried.  Raises LockedOut.
    """
    dealt = locked = 0
    try:
        for event_ids in _suspects(municipality):
            locked += not _try(municipality, event_ids)
            dealt += len(event_ids)
            if locked >= MOST_LOCKED:
                raise LockedOut
            if time.monotonic() > until:
                return dealt  # the next turn goes on like this
    except _Taken:
        return None
    end_tries()
    return dealt


def _suspects(municipality: Municipality) -> Iterator[Sequence[int]]:
    """Return the events to try, each inner sequence together."""
    try:
        with transaction.atomic():
            _claim(municipality)
            found = InboxEvent.objects.filter(state=InboxEvent.State.OPEN).order_by("attempts", "id")
            known = list(found.values_list("id", "attempts")[:MOST_EVENTS])
    except OperationalError as error:
        if was_locked_out(error):
            raise LockedOut from error
        raise
    untried = [event_id for event_id, attempts in known if not attempts]
    yield from (untried[first : first + TOGETHER] for first in range(0, len(untried), TOGETHER))
    yield from ([event_id] for event_id, attempts in known if attempts)


def _try(municipality: Municipality, event_ids: Sequence[int]) -> bool:
    """Count an attempt of each, then apply them; return whether they were not locked."""
    try:
        if _count_attempts(municipality, event_ids):
            _apply(municipality, event_ids)
    except OperationalError as error:
        if not took_too_long(error) and not isinstance(error.__cause__, DeadlockDetected):
            raise
        if was_locked_out(error) or not took_too_long(error):
            _acquit(event_ids)
            return False
        log.warning("inbox_events_too_long", event_ids=list(event_ids), schema=municipality.schema_name)
    return True


def _count_attempts(municipality: Municipality, event_ids: Sequence[int]) -> int:
    """Return how many are to be tried: not what was dealt with meanwhile, nor what had all its attempts."""
    with transaction.atomic():
        _claim(municipality)
        for event in _open(event_ids).filter(attempts__gte=MOST_ATTEMPTS):
            lay_aside(municipality=municipality, event=event, at=clock.now(), reason=UNFINISHED)
        return _open(event_ids).update(attempts=F("attempts") + 1)


def _apply(municipality: Municipality, event_ids: Sequence[int]) -> None:
    """Apply what is open of these, in one transaction."""
    try:
        _apply_as(apply_batch, municipality, event_ids)
    except CannotTogether:
        _apply_as(apply_each, municipality, event_ids)


def _apply_as(apply: Callable[..., None], municipality: Municipality, event_ids: Sequence[int]) -> None:
    with transaction.atomic():
        _claim(municipality)
        events = list(_open(event_ids).order_by("id"))
        if events:
            at = clock.now()
            apply(municipality=municipality, events=events, at=at)
            count(municipality=municipality, events=events, at=at)
            # It ended this try, but the others of the batch are still suspects: whoever comes next finds that out.
            _claim(municipality)


def _acquit(event_ids: Sequence[int]) -> None:
    """Count the attempt as none: it was somebody else's lock. They are tried alone from now on."""
    with transaction.atomic():
        _open(event_ids).update(attempts=1)


def _claim(municipality: Municipality) -> None:
    if claim(municipality=municipality, lock_seconds=LOCK_SECONDS) is None:
        raise _Taken


def _open(event_ids: Sequence[int]) -> QuerySet[InboxEvent]:
    return InboxEvent.objects.filter(id__in=event_ids, state=InboxEvent.State.OPEN)
