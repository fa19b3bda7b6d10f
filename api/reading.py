"""Reading what a caller sent: checked as a whole, with everything that is wrong told at once."""

from datetime import date, datetime
from functools import cache
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from billing.months import month_of


def checked(shape: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """Return the values of a body or a query by our own names.  Raises ValidationError."""
    if isinstance(data, QueryDict):
        twice = [name for name in data if len(data.getlist(name)) > 1]
        if twice:
            raise serializers.ValidationError({name: ["Give it once."] for name in twice})
        data = data.dict()
    if data is None:
        shape(data=None).is_valid(raise_exception=True)
    values: dict[str, Any] = made(shape).run_validation(data)  # type: ignore[arg-type]  # a class can be hashed
    return values


@cache
def made(shape: type[serializers.Serializer[Any]], **context: bool) -> serializers.Serializer[Any]:
    """Return the one instance of a shape that checks or shows for all: it keeps nothing of what it is handed.

    To make one is to copy all of its fields, which takes longer than to check a body by them.
    context: what its fields ask of it, the same for all.
    """
    return shape(context=context)


def months_of(query: dict[str, Any], *, at: datetime) -> tuple[date, date]:
    """Return the first and last month of a query of usage; from the current one where nothing is said."""
    first: date = query.get("from_month") or month_of(moment=at)
    ahead = first.month - 1 + query["months"] - 1
    return first, date(first.year + ahead // 12, ahead % 12 + 1, 1)
