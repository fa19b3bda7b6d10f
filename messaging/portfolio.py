"""The console's first page: all municipalities at a glance, from rows in `public` alone, by a fixed number of queries.

No municipality's schema is looked into: what is counted in them was counted before (messaging/measuring.py, hours.py).
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import TruncDate

from messaging.core.models import InboxFigures, NumberHour
from messaging.flow import LATE_SECONDS, WAITS_TOO_LONG
from messaging.templates import judging
from tenants.clock import AMSTERDAM
from tenants.models import Municipality, Number, NumberHealth, Onboarding, StageMove, Trouble
from tenants.onboarding import redeclaring
from tenants.stages import Stage
from tenants.trouble import open_troubles

TRAFFIC_DAYS = 14
MOST_FOUND = 20
MOST_TROUBLED = 50
# Whom a municipality waits for in a stage; in the others it waits for nobody.
WAITS_FOR = {
    Stage.APPLIED: "MUNICIPALITY",
    Stage.DECLARED: "BSP",
    Stage.APPROVED: "MUNICIPALITY",
    Stage.CONNECTED: "BSP",
    Stage.GOVERNMENT_APPROVAL_PENDING: "META",
    Stage.REGISTERED: "BSP",
}


@dataclass(frozen=True, slots=True)
class InStage:
    """How many municipalities are in a stage."""

    stage: Stage
    count: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits. what: a stage, or a code of web/words.py; since: of what waits longest."""

    what: str
    for_whom: str  # BSP, MUNICIPALITY or META
    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Troubled:
    """A number that somebody should look at. quality: YELLOW or RED, else nothing; lag_seconds: of today, when late."""

    number: Number
    troubles: tuple[Trouble, ...]
    quality: str
    limit: str
    paused: int
    lag_seconds: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day in Amsterdam: what citizens wrote, and statuses of what was written to them."""

    day: date
    messages: int
    statuses: int


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The whole page. more_troubled: how many numbers in trouble are not listed."""

    stages: tuple[InStage, ...]
    waiting: tuple[Waiting, ...]
    troubled: tuple[Troubled, ...]
    more_troubled: int
    traffic: tuple[Day, ...]
    total: int


def portfolio(*, at: datetime) -> Portfolio:
    """Return what the BSP looks at first."""
    counted = {
        Stage(stage): (count, since)
        for stage, count, since in Onboarding.objects.values_list("stage").annotate(Count("id"), Min("stage_since"))
    }
    figures = {each.municipality_id: each for each in InboxFigures.objects.all()}
    troubled = _troubled(figures, at)
    return Portfolio(
        stages=tuple(InStage(stage, counted[stage][0]) for stage in Stage if stage in counted),
        waiting=(*_waiting_in_stages(counted), *_waiting_for_us(figures, at)),
        troubled=tuple(troubled[:MOST_TROUBLED]),
        more_troubled=max(0, len(troubled) - MOST_TROUBLED),
        traffic=_traffic(at),
        total=sum(count for count, _ in counted.values()),
    )


def search(*, words: str) -> list[Municipality]:
    """Return the municipalities that a name, schema, CBS code or part of a number points at, by name."""
    return list(Municipality.objects.filter(pointed_at(words=words)).distinct().order_by("name")[:MOST_FOUND])


def pointed_at(*, words: str) -> Q:
    """Return the condition of what some words point at; it goes through numbers, so ask for distinct rows."""
    digits = "".join(sign for sign in words if sign.isdecimal()).removeprefix("0")
    named = Q(name__icontains=words) | Q(schema_name__icontains=words) | Q(cbs_code__iexact=words)
    if len(digits) >= 3:
        named |= Q(numbers__display_phone_number__contains=digits) | Q(numbers__phone_number_id=words)
    return named


def _waiting_in_stages(counted: dict[Stage, tuple[int, datetime]]) -> list[Waiting]:
    return [
        Waiting(what=stage.value, for_whom=whom, count=counted[stage][0], since=counted[stage][1])
        for stage, whom in WAITS_FOR.items()
        if stage in counted
    ]


def _waiting_for_us(figures: dict[UUID, InboxFigures], at: datetime) -> list[Waiting]:
    changes = redeclaring.waiting().order_by().aggregate(count=Count("id"), since=Min("asked_at"))
    drafts = judging.waiting().order_by().aggregate(count=Count("id"), since=Min("asked_at"))
    dead = [letter for each in figures.values() for letter in each.dead]
    ended = StageMove.objects.filter(data_until_date__lt=at.astimezone(AMSTERDAM).date())
    kept = ended.aggregate(count=Count("id"), until=Min("data_until_date"))
    open_since = [each.oldest_open_at for each in figures.values() if each.oldest_open_at]
    late = [moment for moment in open_since if at - moment > WAITS_TOO_LONG]
    found = [
        Waiting("DECLARATION_CHANGES", "BSP", changes["count"], changes["since"]),
        Waiting("DRAFTS", "BSP", drafts["count"], drafts["since"]),
        Waiting(
            "DEAD_LETTERS",
            "BSP",
            sum(letter["count"] for letter in dead),
            min((datetime.fromisoformat(letter["oldest_at"]) for letter in dead), default=None),
        ),
        Waiting("EVENTS", "BSP", len(late), min(late, default=None)),
        Waiting("DATA_OF_ENDED", "BSP", kept["count"], _day_after(kept["until"]) if kept["count"] else None),
    ]
    return [each for each in found if each.count]


def _day_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, AMSTERDAM)


def _troubled(figures: dict[UUID, InboxFigures], at: datetime) -> list[Troubled]:
    """Return the numbers that somebody should look at, those in open trouble first, longest first."""
    troubles: dict[int, list[Trouble]] = defaultdict(list)
    numbers: dict[int, Number] = {}
    for trouble in open_troubles():
        troubles[trouble.number_id].append(trouble)
        numbers[trouble.number_id] = trouble.number
    weak: dict[int, NumberHealth] = {}
    for health in NumberHealth.objects.filter(number__closed_at=None, quality__in=["YELLOW", "RED"]).select_related(
        "number__municipality"
    ):
        weak[health.number_id] = health
        numbers.setdefault(health.number_id, health.number)
    today = datetime.combine(at.astimezone(AMSTERDAM).date(), time.min, AMSTERDAM)
    late = dict(
        NumberHour.objects.filter(hour__gte=today, lag_seconds__gte=LATE_SECONDS)
        .values_list("phone_number_id")
        .annotate(Max("lag_seconds"))
    )
    paused = {id_: each.templates_paused for id_, each in figures.items() if each.templates_paused}
    of_others = Q(phone_number_id__in=list(late)) | Q(municipality_id__in=list(paused))
    for number in Number.objects.filter(of_others, closed_at=None).select_related("municipality").order_by("id"):
        numbers.setdefault(number.id, number)
    return [
        Troubled(
            number=number,
            troubles=tuple(troubles[id_]),
            quality=weak[id_].quality if id_ in weak else "",
            limit=weak[id_].messaging_limit if id_ in weak else "",
            paused=paused.get(number.municipality_id, 0),
            lag_seconds=late.get(number.phone_number_id, 0),
        )
        for id_, number in numbers.items()
    ]


def _traffic(at: datetime) -> tuple[Day, ...]:
    today = at.astimezone(AMSTERDAM).date()
    first = today - timedelta(days=TRAFFIC_DAYS - 1)
    begins = datetime.combine(first, time.min, AMSTERDAM)
    counted = {
        day: (messages, statuses)
        for day, messages, statuses in NumberHour.objects.filter(hour__gte=begins)
        .annotate(day=TruncDate("hour", tzinfo=AMSTERDAM))
        .values_list("day")
        .annotate(Sum("messages"), Sum("statuses"))
    }
    days = [first + timedelta(days=each) for each in range(TRAFFIC_DAYS)]
    return tuple(Day(day, *counted.get(day, (0, 0))) for day in days)
