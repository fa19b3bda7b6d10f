"""Whether a municipality is open at a moment, and when it opens next. Reads; what is set is written by setting.py.

Hours are those of the clock on the wall in the Netherlands, also on the two nights that it is put forward or back. A
special day goes before a holiday, a holiday before the weekday. Where nothing was chosen it is always open, so that no
citizen hears of hours that nobody set.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from messaging.models import Office, OpenPeriod, SpecialDay
from messaging.models.office import DAY_MINUTES
from messaging.office.holidays import Holiday, holiday_on
from tenants.clock import AMSTERDAM

LOOKS_AHEAD_DAYS = 60

Window = tuple[int, int]  # minutes of a day: opens, closes


@dataclass(frozen=True, slots=True)
class Hours:
    """What a municipality chose, as read once; many moments may be asked of it."""

    week: Mapping[int, tuple[Window, ...]]  # by weekday, 0: Monday
    holidays: frozenset[Holiday]
    special: Mapping[date, SpecialDay]

    def windows(self, *, day: date) -> tuple[Window, ...]:
        """Return when it is open on a day, in order; none: closed."""
        special = self.special.get(day)
        if special is not None:
            opens, closes = special.opens_minute, special.closes_minute
            return () if opens is None or closes is None else ((opens, closes),)
        if holiday_on(day=day, among=self.holidays) is not None:
            return ()
        return self.week.get(day.weekday(), ())

    def is_open(self, *, at: datetime) -> bool:
        """Return whether somebody answers at a moment."""
        local = at.astimezone(AMSTERDAM)
        minute = local.hour * 60 + local.minute
        return any(opens <= minute < closes for opens, closes in self.windows(day=local.date()))

    def opens_next(self, *, at: datetime) -> datetime | None:
        """Return the first moment after this one at which it opens, in UTC; None: not within LOOKS_AHEAD_DAYS."""
        return next((opens for opens in self._openings(at.astimezone(AMSTERDAM).date()) if opens > at), None)

    def _openings(self, first: date) -> Iterator[datetime]:
        for day in (first + timedelta(days=ahead) for ahead in range(LOOKS_AHEAD_DAYS + 1)):
            for opens, _ in self.windows(day=day):
                local = datetime.combine(day, time(opens // 60, opens % 60), tzinfo=AMSTERDAM)
                yield local.astimezone(UTC)


def find_hours() -> Hours | None:
    """Return what the municipality chose, by three queries; None: nothing yet."""
    office = Office.objects.first()
    if office is None:
        return None
    week: dict[int, tuple[Window, ...]] = {}
    for period in OpenPeriod.objects.order_by("weekday", "opens_minute"):
        week[period.weekday] = (*week.get(period.weekday, ()), (period.opens_minute, period.closes_minute))
    return Hours(
        week=week,
        holidays=frozenset(Holiday(name) for name in office.holidays if name in set(Holiday)),
        special={day.date: day for day in SpecialDay.objects.all()},
    )


def is_open(*, at: datetime) -> bool:
    """Return whether somebody of the municipality answers at a moment; always, where no hours were chosen."""
    hours = find_hours()
    return hours is None or hours.is_open(at=at)


def opens_next(*, at: datetime) -> datetime | None:
    """Return when it opens next, in UTC; None: no hours were chosen, or not within LOOKS_AHEAD_DAYS."""
    hours = find_hours()
    return None if hours is None else hours.opens_next(at=at)


def clock_word(*, minute: int) -> str:
    """Return a minute of the day as on the clock, such as 09:00; midnight at its end is 24:00."""
    return "24:00" if minute == DAY_MINUTES else f"{minute // 60:02}:{minute % 60:02}"
