"""What the BSP's operators see of the stream of messages: counts, ages and reasons, by a fixed number of queries.

Everything shown was counted before (messaging/hours.py, messaging/measuring.py): no inbox is looked into for a page.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from django.db.models import Count, Max, Sum

from messaging import quarantine
from messaging.core.models import InboxFigures, NumberHour, Replay, UnknownUpdate
from messaging.quarantine import Unowned
from tenants.clock import AMSTERDAM
from tenants.models import Municipality, Trouble
from tenants.trouble import open_troubles

STALE = timedelta(minutes=5)  # measured every minute; older figures mean that nobody measures
WAITS_TOO_LONG = timedelta(minutes=2)
LATE_SECONDS = 60  # an update that was longer under way came late
UNKNOWN_DAYS = 30
MOST_REPLAYS = 5


@dataclass(frozen=True, slots=True)
class InboxView:
    """One municipality's inbox. inbound, lag_seconds: of today (in Amsterdam); lag: the longest by Meta's own stamp."""

    municipality: Municipality
    inbound: int
    outbound: int
    lag_seconds: int
    open: int
    oldest_open_at: datetime | None
    dead: int
    troubles: tuple[Trouble, ...]
    waits: bool

    @property
    def is_late(self) -> bool:
        """Return whether updates came late today."""
        return self.lag_seconds >= LATE_SECONDS

    @property
    def needs_somebody(self) -> bool:
        """Return whether a person should look."""
        return bool(self.dead or self.troubles or self.waits)


@dataclass(slots=True)
class DeadLetters:
    """The dead letters of one kind, field and reason. of: how many each municipality has, by schema."""

    kind: str
    field: str
    reason: str
    count: int
    oldest_at: datetime
    of: dict[str, int]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A field or kind of Meta's that we do not know: how often it came, to how many municipalities, and when last."""

    field: str
    kind: str
    times: int
    municipalities: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Flow:
    """The whole page."""

    inboxes: tuple[InboxView, ...]
    dead: tuple[DeadLetters, ...]
    unowned: tuple[Unowned, ...]
    unknown: tuple[Unknown, ...]
    replays: tuple[Replay, ...]
    measured_at: datetime | None  # the oldest figure
    is_stale: bool

    @property
    def inbound(self) -> int:
        """Return what citizens wrote today."""
        return sum(each.inbound for each in self.inboxes)

    @property
    def outbound(self) -> int:
        """Return what was written to citizens today."""
        return sum(each.outbound for each in self.inboxes)

    @property
    def oldest_open_at(self) -> datetime | None:
        """Return since when the event that waits longest waits."""
        return min((each.oldest_open_at for each in self.inboxes if each.oldest_open_at), default=None)

    @property
    def dead_count(self) -> int:
        """Return how many dead letters there are."""
        return sum(each.count for each in self.dead)

    @property
    def unowned_count(self) -> int:
        """Return how many events are nobody's."""
        return sum(each.count for each in self.unowned)


def message_flow(*, at: datetime) -> Flow:
    """Return how messages flow now: municipalities that need somebody first, then by name."""
    everyone = list(Municipality.objects.order_by("name"))
    figures = {each.municipality_id: each for each in InboxFigures.objects.all()}
    today = datetime.combine(at.astimezone(AMSTERDAM).date(), time.min, AMSTERDAM)
    inbound = {
        municipality_id: (messages, lag)
        for municipality_id, messages, lag in NumberHour.objects.filter(hour__gte=today)
        .values_list("municipality_id")
        .annotate(Sum("messages"), Max("lag_seconds"))
    }
    troubles: dict[UUID, list[Trouble]] = defaultdict(list)
    for trouble in open_troubles():
        troubles[trouble.number.municipality_id].append(trouble)
    inboxes = [
        _inbox(each, figures.get(each.id), inbound.get(each.id, (0, 0)), troubles[each.id], at) for each in everyone
    ]
    measured = [figures[each.id].measured_at for each in everyone if each.id in figures]
    return Flow(
        inboxes=tuple(sorted(inboxes, key=lambda view: not view.needs_somebody)),
        dead=_dead(everyone, figures),
        unowned=tuple(quarantine.counts()),
        unknown=_unknown(at),
        replays=tuple(Replay.objects.order_by("-asked_at")[:MOST_REPLAYS]),
        measured_at=min(measured, default=None),
        is_stale=len(measured) < len(everyone) or any(at - moment > STALE for moment in measured),
    )


def _inbox(
    municipality: Municipality,
    figures: InboxFigures | None,
    inbound: tuple[int, int],
    troubles: list[Trouble],
    at: datetime,
) -> InboxView:
    oldest = figures.oldest_open_at if figures else None
    measured_today = figures is not None and figures.measured_at.astimezone(AMSTERDAM).date() == (
        at.astimezone(AMSTERDAM).date()
    )
    return InboxView(
        municipality=municipality,
        inbound=inbound[0],
        outbound=figures.outbound_today if figures and measured_today else 0,
        lag_seconds=inbound[1],
        open=figures.open if figures else 0,
        oldest_open_at=oldest,
        dead=sum(each["count"] for each in figures.dead) if figures else 0,
        troubles=tuple(troubles),
        waits=oldest is not None and at - oldest > WAITS_TOO_LONG,
    )


def _dead(everyone: list[Municipality], figures: dict[UUID, InboxFigures]) -> tuple[DeadLetters, ...]:
    found: dict[tuple[str, str, str], DeadLetters] = {}
    for municipality in everyone:
        for each in figures[municipality.id].dead if municipality.id in figures else ():
            key = (each["kind"], each["field"], each["reason"])
            oldest_at = datetime.fromisoformat(each["oldest_at"])
            letters = found.setdefault(key, DeadLetters(*key, count=0, oldest_at=oldest_at, of={}))
            letters.count += each["count"]
            letters.oldest_at = min(letters.oldest_at, oldest_at)
            letters.of[municipality.schema_name] = each["count"]
    return tuple(sorted(found.values(), key=lambda letters: (-letters.count, letters.reason)))


def _unknown(at: datetime) -> tuple[Unknown, ...]:
    recent = UnknownUpdate.objects.filter(last_at__gte=at - timedelta(days=UNKNOWN_DAYS))
    counts = {"all_times": Sum("times"), "municipalities": Count("municipality_id"), "latest": Max("last_at")}
    rows = recent.values_list("field", "kind").annotate(**counts)
    return tuple(sorted((Unknown(*row) for row in rows), key=lambda each: (each.last_at, each.field), reverse=True))
