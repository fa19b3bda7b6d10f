"""Charts as figures for a template's SVG: a column for each day. The table beside it says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from billing.overview import DayCount

WIDTH, HEIGHT, GAP = 6200, 1400, 40  # whole numbers: no language writes them with a comma


@dataclass(frozen=True, slots=True)
class Column:
    """One column, in the units of the SVG."""

    x: int
    y: int
    width: int
    height: int
    day: int
    count: int


def columns(*, days: Sequence[DayCount]) -> list[Column]:
    """Return a column for each day, the highest as high as the chart."""
    highest = max((each.count for each in days), default=0) or 1
    width = WIDTH // max(1, len(days))
    return [
        Column(
            x=place * width + GAP // 2,
            y=HEIGHT - HEIGHT * each.count // highest,
            width=width - GAP,
            height=HEIGHT * each.count // highest,
            day=each.day.day,
            count=each.count,
        )
        for place, each in enumerate(days)
    ]
