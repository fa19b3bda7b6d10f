"""Fields that take exactly what the OpenAPI document says: no number for a text, no unknown names.

A lenient field would take what a later version may have to refuse.
"""

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from api.naming import camel
from billing.months import parse_month

MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
READABLE = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
STORABLE = r"^[^\u0000]*$"
VALUE_NAME = re.compile(r"[a-z0-9_]{1,100}")
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_WHOLE = re.compile(r"0|[1-9][0-9]{0,9}")


class Text(serializers.CharField):
    """A text; blanks around it are part of it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        """Return the text.  Raises ValidationError: it is none."""
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        return text


class Pattern(Text):
    """A text of one form."""

    default_error_messages = {
        "form": "This is not of the form that is asked for.",
        "blank": "There is nothing to read in it.",
    }

    def __init__(self, pattern: str, *, code: str = "form", **options: Any) -> None:
        super().__init__(**options)
        # Python's $ also stands before a last line break.
        whole = re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)
        self.validators.append(RegexValidator(whole, self.error_messages[code], code))


class Readable(Pattern):
    """A text in which there is something to read."""

    def __init__(self, **options: Any) -> None:
        super().__init__(READABLE, **{"code": "blank", "min_length": 1, **options})


class PhoneNumber(serializers.CharField):
    """A wa_id, shown as the phone number that it is."""

    def to_representation(self, value: str) -> str:
        """Return the number with its plus."""
        return f"+{value}"


class Id(serializers.UUIDField):
    """An id of ours, in its usual form."""

    def to_internal_value(self, data: Any) -> uuid.UUID:
        """Return the id.  Raises ValidationError: it is none."""
        try:
            found = uuid.UUID(data) if isinstance(data, str) else None
        except ValueError:
            found = None
        if found is None or str(found) != data.lower():
            raise serializers.ValidationError("This is no id.", code="form")
        return found


class WholeNumber(serializers.IntegerField):
    """A whole number of a query: plain digits."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number.  Raises ValidationError: it is none."""
        if not isinstance(data, str) or not _WHOLE.fullmatch(data):
            self.fail("invalid")
        return int(data)


class Flag(serializers.BooleanField):
    """`true` or `false` in a query."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the truth.  Raises ValidationError: it is neither word."""
        if data not in {"true", "false"}:
            self.fail("invalid", input="it")
        return bool(data == "true")


class Truth(serializers.BooleanField):
    """`true` or `false` in a body; no text, no number."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the truth.  Raises ValidationError: it is none."""
        if not isinstance(data, bool):
            self.fail("invalid", input="it")
        return bool(data)


class Position(serializers.IntegerField):
    """A whole number of a body; no text."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number.  Raises ValidationError: it is none."""
        if isinstance(data, bool) or not isinstance(data, int | float) or data % 1 != 0:
            self.fail("invalid")
        return int(data)


class Degrees(serializers.FloatField):
    """A number of degrees; no text."""

    def to_internal_value(self, data: Any) -> float:
        """Return the degrees.  Raises ValidationError: it is no number."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return float(data)


class CamelCase(serializers.Serializer):
    """A shape whose names are camelCase outside and snake_case inside; what it does not know it refuses."""

    def get_fields(self) -> dict[str, Any]:
        """Return the fields under their outer names."""
        fields = {}
        for name, field in super().get_fields().items():
            outer = camel(name)
            if outer != name and field.source is None:
                field.source = name
            fields[outer] = field
        return fields

    def to_internal_value(self, data: Any) -> Any:
        """Return the values by inner names.  Raises ValidationError: with everything that is wrong, at once."""
        errors: dict[str, Any] = {}
        if isinstance(data, Mapping):
            errors = {
                str(name): [serializers.ErrorDetail("There is no such member.", code="unknown")]
                for name in data
                if name not in self.fields
            }
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **errors}) from None
        if errors:
            raise serializers.ValidationError(errors)
        return values


class Choice(serializers.ChoiceField):
    """One of a few words; a refusal does not repeat what was sent."""

    default_error_messages = {"invalid_choice": "This is none of the words that are allowed."}

    def to_internal_value(self, data: Any) -> str:
        """Return the word.  Raises ValidationError: it is none of them."""
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice")
        return str(data)


class Moment(serializers.DateTimeField):
    """A moment, written in UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"default_timezone": UTC, **options})


class Instant(Moment):
    """A moment that a caller gives, in the form of RFC 3339 with its offset."""

    def to_internal_value(self, value: Any) -> datetime:
        """Return the moment in UTC.  Raises ValidationError: it is none, or has no offset."""
        wrong = serializers.ValidationError("Write it as 2026-03-02T10:00:00+01:00.", code="invalid")
        if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
            raise wrong
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise wrong from None


class Month(Pattern):
    """A month of the calendar in Amsterdam, written YYYY-MM; a date of its first day inside."""

    def __init__(self, **options: Any) -> None:
        super().__init__(MONTH, **options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Return the first day.  Raises ValidationError: it is no month."""
        return parse_month(text=super().run_validation(data))

    def to_representation(self, value: date) -> str:
        """Return the month of a date."""
        return f"{value:%Y-%m}"


class Values(serializers.DictField):
    """Texts by name, such as a template's variables."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Return the texts.  Raises ValidationError: it is no object of texts."""
        if isinstance(data, dict) and not all(VALUE_NAME.fullmatch(name) for name in data):
            raise serializers.ValidationError("A name is lower-case letters, digits and underscores.", code="name")
        found: dict[str, str] = super().to_internal_value(data)
        return found
