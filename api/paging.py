"""Pages: a list is read with `limit` and the `cursor` of the page before. A cursor is opaque, and names no person."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleLessThan
from rest_framework import serializers

from api.fields import CamelCase, Pattern, WholeNumber
from messaging.listing import Position

MOST = 100
USUAL = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Cursor(Pattern):
    """Where the page before ended: 8 bytes of microseconds since 1970 and 16 of an id, as base64 without padding."""

    def __init__(self, **options: Any) -> None:
        super().__init__(r"^[A-Za-z0-9_-]{32}$", **options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Return the position, or None for the first page.  Raises ValidationError: it is no cursor."""
        text = super().run_validation(data)
        return None if text is None else read_cursor(text)


def read_cursor(text: str) -> Position:
    """Return the position in a cursor; any text of its form is one, so that its form is all that can be wrong."""
    raw = base64.urlsafe_b64decode(text)
    microseconds = int.from_bytes(raw[1:8], "big")  # up to the year 4253; the first byte is for forms to come
    return Position(at=EPOCH + timedelta(microseconds=microseconds), id=UUID(bytes=raw[8:]))


def write_cursor(position: Position) -> str:
    """Return a position as a cursor."""
    microseconds = (position.at - EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(microseconds.to_bytes(8, "big") + position.id.bytes).decode()


class PageQuery(CamelCase):
    """Which page."""

    limit = WholeNumber(min_value=1, max_value=MOST, default=USUAL, help_text="How many at most.")
    cursor = Cursor(required=False, default=None, help_text="`nextCursor` of the page before; absent: the first page.")


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a page, and the cursor of the next."""

    items: Sequence[Any]
    next_cursor: str | None


def page(*, rows: Sequence[Any], limit: int, moment: str) -> Page:
    """Return a page of rows, fetched with one more than the limit; moment: the attribute they are ordered by."""
    if len(rows) <= limit:
        return Page(items=rows, next_cursor=None)
    last = rows[limit - 1]
    position = Position(at=getattr(last, moment), id=last.id)
    return Page(items=rows[:limit], next_cursor=write_cursor(position))


def older(*, rows: QuerySet[Any], moment: str, after: Position | None) -> QuerySet[Any]:
    """Return rows from the newest on, or from a position on."""
    ordered = rows.order_by(f"-{moment}", "-id")
    if after is None:
        return ordered
    return ordered.filter(TupleLessThan(Tuple(F(moment), F("id")), (after.at, after.id)))


class PageShape(CamelCase):
    """What every page has beside its items."""

    next_cursor = serializers.CharField(
        allow_null=True, read_only=True, help_text="The cursor of the next page; null on the last."
    )
