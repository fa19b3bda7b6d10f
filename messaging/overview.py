"""What the BSP's support and a municipality's admin see: numbers, their lanes, traffic of today. Counts, no words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from django_tenants.utils import schema_context
from psycopg import sql

from messaging.core.models import Lane
from messaging.models import FirstWrite, OutboxItem, Template, Thread
from messaging.portfolio import pointed_at
from messaging.window import SERVICE_WINDOW
from tenants.clock import AMSTERDAM
from tenants.models import Municipality, Number, NumberHealth
from tenants.register import checked_schema_name

RESTING, SENDING, CLOSED = "RESTING", "SENDING", "CLOSED"

# One query for all schemas: messages since a moment, by direction, and what failed or is uncertain of these.
TRAFFIC = """
    SELECT {name} AS schema_name,
        count(*) FILTER (WHERE direction = 'INBOUND'), count(*) FILTER (WHERE direction = 'OUTBOUND'),
        count(*) FILTER (WHERE state = 'FAILED'), count(*) FILTER (WHERE state = 'UNCERTAIN')
    FROM {schema}.messaging_message WHERE created_at >= %(since)s
"""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Messages of today (in Amsterdam) so far."""

    inbound: int = 0
    outbound: int = 0
    failed: int = 0
    uncertain: int = 0


@dataclass(frozen=True, slots=True)
class NumberView:
    """A number and what its lane does: SENDING, RESTING (Meta refused; `reason` is Meta's), or CLOSED.

    health: what Meta last said of it; None: nothing yet.
    """

    number: Number
    state: str
    reason: str
    health: NumberHealth | None


@dataclass(frozen=True, slots=True)
class MunicipalityView:
    """One municipality, with what support looks at first."""

    municipality: Municipality
    numbers: tuple[NumberView, ...]
    traffic: Traffic


@dataclass(frozen=True, slots=True)
class MunicipalityDetails:
    """One municipality, more closely."""

    view: MunicipalityView
    host: str
    purposes: tuple[str, ...]
    open_threads: int
    waiting_threads: int
    waiting_longest_since: datetime | None
    outbox: int
    templates: tuple[Template, ...]


def municipalities(*, at: datetime, words: str = "") -> list[MunicipalityView]:
    """Return all municipalities by name, or those that some words point at, with numbers and today's traffic.

    By a fixed number of queries.
    """
    every = Municipality.objects.filter(pointed_at(words=words)).distinct() if words else Municipality.objects.all()
    found = list(every.order_by("name").prefetch_related("numbers__health"))
    lanes = _resting(Lane.objects.all())
    traffic = _traffic(schema_names=[row.schema_name for row in found], at=at)
    return [_view(row, lanes, traffic, at) for row in found]


def municipality(*, schema_name: str, at: datetime) -> MunicipalityDetails:
    """Return one municipality.  Raises Municipality.DoesNotExist."""
    found = Municipality.objects.prefetch_related("numbers__health").get(schema_name=schema_name)
    lanes = _resting(Lane.objects.filter(municipality_id=found.id))
    view = _view(found, lanes, _traffic(schema_names=[schema_name], at=at), at)
    host = found.domains.order_by("-is_primary", "domain").values_list("domain", flat=True).first()
    purposes = tuple(found.declared_purposes.order_by("purpose").values_list("purpose", flat=True))
    with schema_context(schema_name):
        open_threads = Thread.objects.filter(state=Thread.State.OPEN)
        waiting = open_threads.exclude(waiting_since=None)
        longest = waiting.order_by("waiting_since").values_list("waiting_since", flat=True).first()
        return MunicipalityDetails(
            view=view,
            host=host or "",
            purposes=purposes,
            open_threads=open_threads.count(),
            waiting_threads=waiting.count(),
            waiting_longest_since=longest,
            outbox=OutboxItem.objects.count(),
            templates=tuple(Template.objects.order_by("name", "language")),
        )


def numbers(*, municipality: Municipality, at: datetime) -> tuple[NumberView, ...]:
    """Return a municipality's numbers, those in use first."""
    found = municipality.numbers.select_related("health").order_by("closed_at", "display_phone_number")
    lanes = _resting(Lane.objects.filter(municipality_id=municipality.id))
    return tuple(_number(row, lanes, at) for row in sorted(found, key=lambda row: row.closed_at is not None))


def written_first(*, at: datetime) -> int:
    """Return to how many citizens the municipality of this schema wrote first in 24 hours, as its lanes count them."""
    recent = FirstWrite.objects.filter(written_at__gt=at - SERVICE_WINDOW)
    return recent.values("contact").distinct().count()


def _view(row: Municipality, lanes: dict[str, Lane], traffic: dict[str, Traffic], at: datetime) -> MunicipalityView:
    return MunicipalityView(
        municipality=row,
        numbers=tuple(_number(number, lanes, at) for number in row.numbers.all()),
        traffic=traffic.get(row.schema_name, Traffic()),
    )


def _number(number: Number, resting: dict[str, Lane], at: datetime) -> NumberView:
    health = getattr(number, "health", None)  # the other side of a one-to-one may not be there
    if number.closed_at is not None and number.closed_at <= at:
        return NumberView(number=number, state=CLOSED, reason="", health=health)
    lane = resting.get(number.phone_number_id)
    state, reason = (RESTING, lane.paused_reason) if lane else (SENDING, "")
    return NumberView(number=number, state=state, reason=reason, health=health)


def _resting(lanes: QuerySet[Lane]) -> dict[str, Lane]:
    """Return the lanes that rest now: on real time, as leases run, so that a moved clock ends no pause."""
    return {lane.phone_number_id: lane for lane in lanes.filter(paused_until__gt=Now())}


def _traffic(*, schema_names: Sequence[str], at: datetime) -> dict[str, Traffic]:
    if not schema_names:
        return {}
    since = datetime.combine(at.astimezone(AMSTERDAM).date(), time.min, AMSTERDAM)
    each = [
        sql.SQL(TRAFFIC).format(name=sql.Literal(name), schema=sql.Identifier(checked_schema_name(name=name)))
        for name in schema_names
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(each), {"since": since})
        return {name: Traffic(*counts) for name, *counts in cursor.fetchall()}
