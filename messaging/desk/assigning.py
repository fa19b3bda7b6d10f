"""Who answers a thread: one agent at a time, or nobody yet."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from accounts.permissions import ROLES_WITH, Permission
from audit.record import Actor
from messaging.desk.acting import hold, note, person
from messaging.models import Thread, ThreadNote


class NoAnswerer(Exception):
    """The user does not answer citizens here: unknown, not active, or without a role that may."""


class TakenMeanwhile(Exception):
    """Another agent took the thread since the page was made. by: who has it now."""

    def __init__(self, *, by: UUID) -> None:
        super().__init__("another agent has the thread")
        self.by = by


def answerers() -> Sequence[User]:
    """Return who may answer citizens here, by name."""
    roles = ROLES_WITH[Permission.ANSWER_THREADS]
    return list(User.objects.filter(is_active=True, role_grants__role__in=roles).distinct().order_by("name", "id"))


@transaction.atomic
def take(*, thread_id: UUID, actor: Actor, at: datetime) -> Thread:
    """Give a thread to who asks for it, if nobody has it. Safe to repeat.

    Raises TakenMeanwhile: somebody has it (`assign` takes it over, knowingly). Thread.DoesNotExist, ThreadClosed.
    """
    thread = hold(thread_id=thread_id)
    me = person(actor=actor)
    if thread.assignee_id is not None and thread.assignee_id != me:
        raise TakenMeanwhile(by=thread.assignee_id)
    return _give(thread, to=me, actor=actor, at=at)


@transaction.atomic
def assign(*, thread_id: UUID, to: UUID | None, actor: Actor, at: datetime) -> Thread:
    """Give a thread to an agent, or to nobody. Safe to repeat.

    Raises NoAnswerer: they do not answer citizens here. Thread.DoesNotExist, ThreadClosed.
    """
    thread = hold(thread_id=thread_id)
    if to is not None and not any(user.id == to for user in answerers()):
        raise NoAnswerer
    return _give(thread, to=to, actor=actor, at=at)


@transaction.atomic
def release_all(*, user_id: UUID, actor: Actor, at: datetime) -> int:
    """Give every open thread of a user back to nobody, when they leave; return how many. Safe to repeat."""
    held = Thread.objects.select_for_update(no_key=True).filter(assignee_id=user_id, state=Thread.State.OPEN)
    threads = list(held.order_by("id"))
    for thread in threads:
        _give(thread, to=None, actor=actor, at=at)
    return len(threads)


def _give(thread: Thread, *, to: UUID | None, actor: Actor, at: datetime) -> Thread:
    if thread.assignee_id == to:
        return thread
    thread.assignee_id = to
    thread.save(update_fields=["assignee_id"])
    kind = ThreadNote.Kind.RELEASED if to is None else ThreadNote.Kind.ASSIGNED
    note(thread=thread, kind=kind, actor=actor, at=at, about_id=to, details={"to": str(to)} if to else None)
    return thread
