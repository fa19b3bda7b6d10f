"""The holidays that a Dutch municipality may be closed on, and on which day each falls in a year.

A list to choose from, never a rule: town halls differ on Good Friday, 5 May and the Friday after Ascension Day.
Source: Algemene termijnenwet, article 3 (read 2026-11-22).
"""

from collections.abc import Collection
from datetime import date, timedelta
from enum import StrEnum

from dateutil.easter import easter


class Holiday(StrEnum):
    """One of them, in the order of the year."""

    NEW_YEAR = "NEW_YEAR"
    GOOD_FRIDAY = "GOOD_FRIDAY"
    EASTER_SUNDAY = "EASTER_SUNDAY"
    EASTER_MONDAY = "EASTER_MONDAY"
    KINGS_DAY = "KINGS_DAY"
    LIBERATION_DAY = "LIBERATION_DAY"  # 5 May, every year
    LIBERATION_JUBILEE = "LIBERATION_JUBILEE"  # 5 May once in five years: 2025, 2030
    ASCENSION_DAY = "ASCENSION_DAY"
    DAY_AFTER_ASCENSION = "DAY_AFTER_ASCENSION"
    WHIT_SUNDAY = "WHIT_SUNDAY"
    WHIT_MONDAY = "WHIT_MONDAY"
    CHRISTMAS_DAY = "CHRISTMAS_DAY"
    SECOND_CHRISTMAS_DAY = "SECOND_CHRISTMAS_DAY"


# What a new municipality begins with: the days on which nearly all are closed.
USUAL = frozenset(Holiday) - {Holiday.GOOD_FRIDAY, Holiday.LIBERATION_DAY, Holiday.DAY_AFTER_ASCENSION}

_FIXED = {
    Holiday.NEW_YEAR: (1, 1),
    Holiday.LIBERATION_DAY: (5, 5),
    Holiday.CHRISTMAS_DAY: (12, 25),
    Holiday.SECOND_CHRISTMAS_DAY: (12, 26),
}
_DAYS_AFTER_EASTER = {
    Holiday.GOOD_FRIDAY: -2,
    Holiday.EASTER_SUNDAY: 0,
    Holiday.EASTER_MONDAY: 1,
    Holiday.ASCENSION_DAY: 39,
    Holiday.DAY_AFTER_ASCENSION: 40,
    Holiday.WHIT_SUNDAY: 49,
    Holiday.WHIT_MONDAY: 50,
}


def date_of(*, holiday: Holiday, year: int) -> date | None:
    """Return on which day a holiday falls in a year; None: not in this one."""
    if holiday in _FIXED:
        return date(year, *_FIXED[holiday])
    if holiday is Holiday.LIBERATION_JUBILEE:
        return date(year, 5, 5) if year % 5 == 0 else None
    if holiday is Holiday.KINGS_DAY:
        birthday = date(year, 4, 27)
        return birthday - timedelta(days=1) if birthday.isoweekday() == 7 else birthday  # never on a Sunday
    sunday: date = easter(year)
    return sunday + timedelta(days=_DAYS_AFTER_EASTER[holiday])


def holiday_on(*, day: date, among: Collection[Holiday]) -> Holiday | None:
    """Return which of some holidays a day is, or None; the first by the order of the year where two meet."""
    return next((each for each in Holiday if each in among and date_of(holiday=each, year=day.year) == day), None)
