"""Silence: a number that normally talks at this hour, and from which nothing at all comes.

Compared with its own counts at the same hours of the same weekday in the weeks before (on a public holiday: of the
Sundays before). Only where nearly every one of those days was busy is silence no accident: a quiet municipality and a
night never raise an alarm. The next event that comes in ends it (messaging/hours.py).
"""

import statistics
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Sum

from messaging.core.models import NumberHour
from tenants.clock import AMSTERDAM
from tenants.models import Number, Trouble
from tenants.trouble import open_trouble

DAYS_COMPARED = 6
FEWEST_DAYS = 4  # known of a number before it can be silent
WEEKS_BACK = 9
# So many messages of citizens' came in those hours on all of those days but one, at least: that none comes by chance is
# less likely than one in a million.
FEWEST_MESSAGES = 15
HOURS = (1, 2, 4, 6)  # a number with more traffic is missed sooner


def find_silences(*, at: datetime) -> int:
    """Open a trouble for every number that is silent; return how many are news.  Safe to repeat."""
    numbers = dict(Number.objects.filter(closed_at=None).values_list("phone_number_id", "opened_at"))
    found: dict[str, str] = {}
    for hours in HOURS:
        for number, usual in _silent(numbers, hours, at).items():
            found.setdefault(number, f"nothing for {hours} hours or more, where {usual} messages are usual")
    return sum(
        open_trouble(phone_number_id=number, kind=Trouble.Kind.SILENT, at=at, detail=detail)
        for number, detail in found.items()
    )


def _silent(numbers: dict[str, datetime], hours: int, at: datetime) -> dict[str, int]:
    """Return the numbers from which nothing came in the last full hours and since, with what is usual there."""
    days = list(_days_to_compare(at.astimezone(AMSTERDAM).date()))
    now = _hour(at)
    heard = set(
        NumberHour.objects.filter(hour__gt=now - timedelta(hours=hours + 1), hour__lte=at).values_list(
            "phone_number_id", flat=True
        )
    )
    known: dict[str, list[int]] = defaultdict(list)
    for day in days:
        until = _same_hour(day, at)
        counted = dict(
            NumberHour.objects.filter(hour__gte=until - timedelta(hours=hours), hour__lt=until)
            .values_list("phone_number_id")
            .annotate(Sum("messages"))
        )
        for number, opened_at in numbers.items():
            if opened_at < until - timedelta(hours=hours):
                known[number].append(counted.get(number, 0))
    return {
        number: round(statistics.median(counts))
        for number, counts in known.items()
        if number not in heard and len(counts) >= FEWEST_DAYS and sorted(counts)[1] >= FEWEST_MESSAGES
    }


def _days_to_compare(today: date) -> Iterator[date]:
    weekday = 6 if is_holiday(today) else today.weekday()
    first = today - timedelta(days=(today.weekday() - weekday) % 7 or 7)
    days = (first - timedelta(weeks=week) for week in range(WEEKS_BACK))
    compared = [day for day in days if weekday == 6 or not is_holiday(day)]
    yield from compared[:DAYS_COMPARED]


def _same_hour(day: date, at: datetime) -> datetime:
    """Return the beginning of the present hour, by the clock on the wall, on another day."""
    local = at.astimezone(AMSTERDAM)
    return datetime.combine(day, time(local.hour), AMSTERDAM).astimezone(UTC)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def is_holiday(day: date) -> bool:
    """Return whether Dutch municipalities are closed on a day: public holidays, and the days between that many take.

    Source: Algemene termijnenwet, article 3, and the collective agreement of municipalities (read 2026-11-22).
    """
    easter = _easter(day.year)
    movable = {easter + timedelta(days=days) for days in (-2, 0, 1, 39, 49, 50)}
    king = date(day.year, 4, 27)
    fixed = {date(day.year, 1, 1), king - timedelta(days=king.weekday() == 6), date(day.year, 5, 5)}
    fixed |= {date(day.year, 12, number) for number in (24, 25, 26, 31)}
    return day in movable | fixed


def _easter(year: int) -> date:
    """Return Easter Sunday by the rule of the Gregorian calendar (Gauss, as corrected by Butcher)."""
    century, in_century = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (in_century // 4) - epact - in_century % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
