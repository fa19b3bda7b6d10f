"""Which threads whoever asks may see: the one place that pages, live changes, files, lists and searches go by.

As the schema is on the connection, so the sight is on the request: a door sets it (web/access.py), and everything that
finds threads asks `seen`. Without one, all is seen: systems and tasks act for the municipality, not for a team.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from messaging.models import Thread


@dataclass(frozen=True, slots=True)
class Sight:
    """Somebody who sees only what their teams have, what is given to them, and what no team has."""

    viewer_id: UUID
    teams: frozenset[UUID]


_sight: ContextVar[Sight | None] = ContextVar("sight", default=None)


@contextmanager
def limited_to(sight: Sight | None) -> Iterator[None]:
    """Let what is found within the block be what somebody may see; None: all."""
    token = _sight.set(sight)
    try:
        yield
    finally:
        _sight.reset(token)


def seen(path: str = "") -> Q:
    """Return the condition of the threads that may be seen. path: from what is looked for to its thread: "thread__"."""
    sight = _sight.get()
    if sight is None:
        return Q()
    return (
        Q(**{f"{path}team_id": None})
        | Q(**{f"{path}team_id__in": sight.teams})
        | Q(**{f"{path}assignee_id": sight.viewer_id})
    )


def visible(*, thread_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return those of some threads that may be seen."""
    return frozenset(Thread.objects.filter(seen(), id__in=thread_ids).values_list("id", flat=True))


def may_see(*, thread_id: UUID) -> bool:
    """Return whether a thread may be seen; by no query where all may. Of one that is not there: no."""
    return _sight.get() is None or Thread.objects.filter(seen(), id=thread_id).exists()
