"""Months of the calendar in Europe/Amsterdam: the periods of invoices, written as the date of their first day.

Pure. A month begins and ends at midnight there, so in UTC its edges lie at 22:00 or 23:00 of the day before.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


class BadMonth(ValueError):
    """A text or date that is no month."""


def day_of(*, moment: datetime) -> date:
    """Return the calendar day in Amsterdam of an aware moment."""
    return moment.astimezone(AMSTERDAM).date()


def month_of(*, moment: datetime) -> date:
    """Return the month of an aware moment, as the date of its first day."""
    return day_of(moment=moment).replace(day=1)


def next_month(*, month: date) -> date:
    """Return the month after this one."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def previous_month(*, month: date) -> date:
    """Return the month before this one."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def start_of(*, month: date) -> datetime:
    """Return the moment, in UTC, at which the month begins.  Raises BadMonth: the date is no first day."""
    if month.day != 1:
        raise BadMonth(f"{month} is not the first day of a month")
    return datetime(month.year, month.month, 1, tzinfo=AMSTERDAM).astimezone(UTC)


def end_of(*, month: date) -> datetime:
    """Return the moment, in UTC, at which the month is over: the start of the next."""
    return start_of(month=next_month(month=month))


def parse_month(*, text: str) -> date:
    """Return the month written as YYYY-MM.  Raises BadMonth: it is written otherwise."""
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        month = None
    if month is None or len(text) != 7:
        raise BadMonth(f"{text!r} is not a month: write YYYY-MM, such as 2026-10")
    return month
