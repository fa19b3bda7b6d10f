"""The lists of the inbox: one's own threads, nobody's, those that wait, all, those put aside, and the closed ones.

Reads only, by keys and never by counting rows off: a page deep in a long list costs what the first one costs. Each list
carries a version, a digest of what is shown, which the live connection (web/live.py) compares with the page's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery

from accounts.teams import team_names
from messaging import window
from messaging.desk.labelling import labels_of
from messaging.desk.noting import unseen
from messaging.desk.snoozing import asleep, awake
from messaging.models import Label, Message, Thread, ThreadLabel
from messaging.reading import digest, name_of, names_of, open_troubles_here
from messaging.seeing import seen
from messaging.sensitive import mask

_LAST = ("text", "kind", "direction", "state", "revoked_at", "author_id")
THREADS_A_PAGE = 50
_MOMENT = "%Y%m%dT%H%M%S.%f"


class Choice(StrEnum):
    """Which threads a list shows, and in which order."""

    MINE = "mine"  # open and given to who looks, last message first
    UNASSIGNED = "unassigned"  # open and nobody's, last message first
    WAITING = "waiting"  # open, and the contact waits for an answer, longest first
    ALL = "all"  # open, last message first
    SNOOZED = "snoozed"  # put aside, the first to come back first
    CLOSED = "closed"  # last closed first


@dataclass(frozen=True, slots=True)
class Key:
    """Where a page of a list begins: after the thread with this moment and id."""

    moment: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.moment.astimezone(UTC):{_MOMENT}}~{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Key | None":
        """Return what `str` made of one, or None when it is none."""
        moment, _, id_ = text.partition("~")
        try:
            return cls(moment=datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC), id=UUID(id_))
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Row:
    """One thread in a list, with its last message."""

    thread: Thread
    name: str
    assignee: str  # who has it; '' for nobody
    is_mine: bool
    is_unread: bool  # the contact waits, and nobody of the municipality has seen their last message
    is_mentioned: bool  # a colleague named who looks in a note that they did not see yet
    labels: tuple[Label, ...]
    team: str  # to which it was handed; '' for none
    window_open: bool
    last_text: str  # masked: messaging/sensitive.py
    last_kind: str
    last_is_ours: bool
    last_is_mine: bool
    last_author: str  # of our message; '' for the system
    last_state: str
    last_is_revoked: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many threads each list has; of the closed ones nobody counts. newest: since when who last began to wait."""

    mine: int
    unassigned: int
    waiting: int
    all: int
    snoozed: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who waits for an answer, as a thread's page shows it."""

    count: int
    newest: datetime | None  # since when who last began to
    next: UUID | None  # who waits longest, of what is somebody's own or nobody's


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page of one list. Counts are of whole lists, not of the page."""

    rows: tuple[Row, ...]
    choice: Choice
    label_id: UUID | None  # only threads with this label are shown; the counts are of all
    team_id: UUID | None  # and only those of this team
    counts: Counts
    is_first: bool
    next: Key | None  # where the next page begins; None: there is none
    version: str
    at: datetime


def inbox(
    *,
    choice: Choice = Choice.WAITING,
    label_id: UUID | None = None,
    team_id: UUID | None = None,
    viewer_id: UUID | None = None,
    after: Key | None = None,
    at: datetime,
) -> Inbox:
    """Return one page of a list of the schema that the connection is in, by seven queries at most.

    viewer_id: whose list "mine" is.
    """
    page = _page(choice, viewer_id, after, at)
    if label_id is not None:
        page = page.filter(Exists(ThreadLabel.objects.filter(thread=OuterRef("pk"), label_id=label_id)))
    if team_id is not None:
        page = page.filter(team_id=team_id)
    threads: list[Any] = list(_with_last_message(page)[: THREADS_A_PAGE + 1])
    shown = threads[:THREADS_A_PAGE]
    names = names_of({id_ for thread in shown for id_ in (thread.assignee_id, thread.last_author_id) if id_})
    teams = team_names(team_ids={thread.team_id for thread in shown if thread.team_id})
    named = set(unseen(user_id=viewer_id).values_list("note__thread_id", flat=True)) if viewer_id else set()
    labels = labels_of(thread_ids=[thread.id for thread in shown])
    marks = [(thread.id in named, labels.get(thread.id, ()), teams.get(thread.team_id, "")) for thread in shown]
    rows = tuple(_row(thread, names, mark, viewer_id, at) for thread, mark in zip(shown, marks, strict=True))
    counts = _counts(viewer_id, at)
    said: list[object] = []
    for row in rows:
        said += [row.thread.id, row.thread.last_message_at, row.last_state, row.name, row.last_text]
        said += [row.last_is_revoked, row.assignee, row.is_unread, row.is_mentioned, row.team]
        said += [(label.name, label.colour) for label in row.labels]
    return Inbox(
        rows=rows,
        choice=choice,
        label_id=label_id,
        team_id=team_id,
        counts=counts,
        is_first=after is None,
        next=_key(choice, shown[-1]) if len(threads) > THREADS_A_PAGE else None,
        version=digest([*open_troubles_here(), counts, *said]),
        at=at,
    )


def waiting(*, viewer_id: UUID, but: UUID | None = None, at: datetime) -> Waiting:
    """Return who waits for an answer, by two queries.  but: the thread that somebody is in, which is not the next."""
    found = Thread.objects.filter(seen(), awake(at=at), waiting_since__isnull=False)
    counted = found.aggregate(count=Count("id"), newest=Max("waiting_since"))
    own = found.filter(Q(assignee_id=None) | Q(assignee_id=viewer_id))
    if but is not None:
        own = own.exclude(id=but)
    following = own.order_by("waiting_since", "id").values_list("id", flat=True).first()
    return Waiting(next=following, **counted)


def _page(choice: Choice, viewer_id: UUID | None, after: Key | None, at: datetime) -> QuerySet[Thread]:
    chosen: dict[Choice, Q] = {
        Choice.MINE: awake(at=at) & Q(assignee_id=viewer_id, assignee_id__isnull=False),
        Choice.UNASSIGNED: awake(at=at) & Q(assignee_id=None),
        Choice.WAITING: awake(at=at) & Q(waiting_since__isnull=False),
        Choice.ALL: awake(at=at),
        Choice.SNOOZED: asleep(at=at),
        Choice.CLOSED: Q(state=Thread.State.CLOSED, imported=False),
    }
    field, falls = _order(choice)
    threads = Thread.objects.filter(seen(), chosen[choice]).order_by(f"-{field}" if falls else field, "id")
    if after is not None:
        beyond = Q(**{f"{field}__{'lt' if falls else 'gt'}": after.moment})
        threads = threads.filter(beyond | Q(**{field: after.moment}, id__gt=after.id))
    return threads


def _order(choice: Choice) -> tuple[str, bool]:
    """Return by which moment a list is ordered, and whether the latest comes first."""
    if choice is Choice.WAITING:
        return "waiting_since", False
    if choice is Choice.SNOOZED:
        return "snoozed_until", False
    return ("closed_at", True) if choice is Choice.CLOSED else ("last_message_at", True)


def _key(choice: Choice, thread: Thread) -> Key:
    return Key(moment=getattr(thread, _order(choice)[0]), id=thread.id)


def _counts(viewer_id: UUID | None, at: datetime) -> Counts:
    now = awake(at=at)
    found = Thread.objects.filter(seen(), state=Thread.State.OPEN).aggregate(
        mine=Count("id", filter=now & Q(assignee_id=viewer_id, assignee_id__isnull=False)),
        unassigned=Count("id", filter=now & Q(assignee_id=None)),
        waiting=Count("id", filter=now & Q(waiting_since__isnull=False)),
        all=Count("id", filter=now),
        snoozed=Count("id", filter=asleep(at=at)),
        newest=Max("waiting_since", filter=now),
    )
    return Counts(**found)


def _with_last_message(threads: QuerySet[Thread]) -> QuerySet[Any]:
    last = Message.objects.filter(thread=OuterRef("pk")).order_by("-stamped_at", "-created_at", "-id")
    columns = {f"last_{name}": Subquery(last.values(name)[:1]) for name in _LAST}
    return threads.select_related("contact").annotate(**columns)


def _row(
    found: Any,
    names: dict[UUID, str],
    marks: tuple[bool, tuple[Label, ...], str],
    viewer_id: UUID | None,
    at: datetime,
) -> Row:
    heard = found.last_inbound_at
    is_mentioned, labels, team = marks
    return Row(
        thread=found,
        name=name_of(contact=found.contact),
        assignee=names.get(found.assignee_id, "") if found.assignee_id else "",
        is_mine=found.assignee_id is not None and found.assignee_id == viewer_id,
        is_unread=found.waiting_since is not None and (found.read_until is None or found.read_until < heard),
        is_mentioned=is_mentioned,
        labels=labels,
        team=team,
        window_open=window.is_open(last_inbound_at=heard, at=at),
        last_text=mask(text=found.last_text or ""),
        last_kind=found.last_kind or "",
        last_is_ours=found.last_direction == Message.Direction.OUTBOUND,
        last_is_mine=found.last_author_id is not None and found.last_author_id == viewer_id,
        last_author=names.get(found.last_author_id, "") if found.last_author_id else "",
        last_state=found.last_state or "",
        last_is_revoked=found.last_revoked_at is not None,
    )
