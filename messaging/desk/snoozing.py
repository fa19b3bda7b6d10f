"""Putting a thread aside until later: it leaves the lists, and comes back at its time or when the citizen writes.

No process wakes it: a list compares the time with the clock, so nothing can be forgotten.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.record import Actor
from messaging.desk.acting import hold, note
from messaging.models import Thread, ThreadNote

LONGEST = timedelta(days=90)


class BadMoment(ValueError):
    """The moment lies in the past, or further away than `LONGEST`."""


@transaction.atomic
def snooze(*, thread_id: UUID, until: datetime, actor: Actor, at: datetime) -> Thread:
    """Put an open thread aside until a moment.  Raises BadMoment, Thread.DoesNotExist, ThreadClosed."""
    if not at < until <= at + LONGEST:
        raise BadMoment
    thread = hold(thread_id=thread_id)
    if thread.snoozed_until != until:
        thread.snoozed_until = until
        thread.save(update_fields=["snoozed_until"])
        note(thread=thread, kind=ThreadNote.Kind.SNOOZED, actor=actor, at=at, text=until.isoformat())
    return thread


@transaction.atomic
def wake(*, thread_id: UUID, actor: Actor, at: datetime) -> Thread:
    """Put a thread back in the lists now. Safe to repeat.  Raises Thread.DoesNotExist, ThreadClosed."""
    thread = hold(thread_id=thread_id)
    if thread.snoozed_until is not None:
        thread.snoozed_until = None
        thread.save(update_fields=["snoozed_until"])
        note(thread=thread, kind=ThreadNote.Kind.WOKEN, actor=actor, at=at)
    return thread


def asleep(*, at: datetime) -> Q:
    """Return the condition of an open thread that was put aside and whose time has not come."""
    return Q(state=Thread.State.OPEN, snoozed_until__gt=at)


def awake(*, at: datetime) -> Q:
    """Return the condition of an open thread that stands in the lists."""
    return Q(state=Thread.State.OPEN) & (Q(snoozed_until=None) | Q(snoozed_until__lte=at))
