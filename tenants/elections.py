"""Election periods: the days on which a municipality starts no conversation but in a crisis; answers always leave.

Set by the BSP for all municipalities or by a municipality for itself; asked when a message is queued and again by the
lane that sends it (messaging/replying.py, messaging/lanes).
"""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.record import Actor, record
from tenants.clock import AMSTERDAM
from tenants.models import ElectionPeriod, Municipality

LONGEST_DAYS = 120
NAME_CHARACTERS = 100


class BadPeriod(Exception):
    """The period cannot be; `code`: name_missing, name_too_long, ends_before_begin, over_already, too_long."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def running(*, schema_name: str, at: datetime) -> ElectionPeriod | None:
    """Return the period in which a municipality is, the one that ends last, or None; by one query."""
    day = at.astimezone(AMSTERDAM).date()
    found = ElectionPeriod.objects.filter(lifted_at=None, begins_date__lte=day, ends_date__gte=day)
    of_it = Q(municipality=None) | Q(municipality__schema_name=schema_name)
    return found.filter(of_it).order_by("-ends_date", "id").first()


def periods(*, municipality: Municipality | None) -> QuerySet[ElectionPeriod]:
    """Return a municipality's own periods and those for all, the latest first; None: every one."""
    found = ElectionPeriod.objects.select_related("municipality").order_by("-begins_date", "id")
    return found if municipality is None else found.filter(Q(municipality=None) | Q(municipality=municipality))


@transaction.atomic
def set_period(
    *, municipality: Municipality | None, name: str, begins_date: date, ends_date: date, actor: Actor, at: datetime
) -> ElectionPeriod:
    """Set a period, both days in it; it counts at once.  Raises BadPeriod."""
    name = name.strip()
    if not name:
        raise BadPeriod("name_missing")
    if len(name) > NAME_CHARACTERS:
        raise BadPeriod("name_too_long")
    if ends_date < begins_date:
        raise BadPeriod("ends_before_begin")
    if ends_date < at.astimezone(AMSTERDAM).date():
        raise BadPeriod("over_already")
    if (ends_date - begins_date).days >= LONGEST_DAYS:
        raise BadPeriod("too_long")
    period = ElectionPeriod.objects.create(
        municipality=municipality,
        name=name,
        begins_date=begins_date,
        ends_date=ends_date,
        set_by=actor.name[:200],
        set_at=at,
    )
    details = {"begins": begins_date.isoformat(), "ends": ends_date.isoformat()}
    details["of"] = "all" if municipality is None else municipality.schema_name
    record(action="election_period.set", actor=actor, at=at, subject=f"election period {period.id}", details=details)
    return period


@transaction.atomic
def lift(*, period_id: UUID, municipality: Municipality | None, actor: Actor, at: datetime) -> ElectionPeriod:
    """End a period before its time.  Safe to repeat.

    municipality: whose it must be; None: the BSP, who may lift every one.  Raises ElectionPeriod.DoesNotExist.
    """
    every = ElectionPeriod.objects.select_for_update(of=("self",))
    period = (every if municipality is None else every.filter(municipality=municipality)).get(id=period_id)
    if period.lifted_at is None:
        period.lifted_at = at
        period.save(update_fields=["lifted_at"])
        record(action="election_period.lift", actor=actor, at=at, subject=f"election period {period.id}")
    return period
