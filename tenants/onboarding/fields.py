"""What an application asks, part by part, and how each answer is checked: alike while typing, saving and declaring.

An answer that is wrong is refused by a code, for which web/onboarding_words.py has the words. An empty one is no
mistake: an application is filled in over days. What is missing is told when it is declared.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from phonenumbers import PhoneNumberType
from stdnum.exceptions import ValidationError as Unsound
from stdnum.nl import bsn, btw, postcode

from tenants.declaration import Prohibition, Purpose
from tenants.onboarding.models import Part
from tenants.privacy_page import LONGEST, secure_page

YES = "yes"
# Where the number lives now: each asks something else before it can be registered.
NUMBER_NOW = ("NEW", "BUSINESS_APP", "OTHER_BSP")
# Kinds of numbers that Meta can reach by SMS or by a call from abroad. Source: Meta, "Phone numbers" (2026-05-21).
_REACHABLE = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
        PhoneNumberType.UAN,
    }
)
SHORTEST_REACHABLE = 7  # digits without the country's
_SEPARATORS = re.compile(r"[\s.\-/]+")


class Unfit(Exception):
    """An answer that cannot be. code: which of the mistakes it is."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


Check = Callable[[str], str]


def plain(value: str) -> str:
    """Return a text as it is."""
    return value


def kvk(value: str) -> str:
    """Return a number of the Chamber of Commerce: eight digits.  Raises Unfit."""
    digits = _SEPARATORS.sub("", value)
    if not re.fullmatch(r"[0-9]{8}", digits) or digits == "00000000":
        raise Unfit("kvk")
    return digits


def oin(value: str) -> str:
    """Return an organisation's identification number: 20 digits, which name by what they were given.

    00000001 and an RSIN, which passes the eleven test, and 000; others by their prefix alone.  Raises Unfit.
    """
    digits = _SEPARATORS.sub("", value)
    if not re.fullmatch(r"[0-9]{20}", digits):
        raise Unfit("oin_length")
    if not re.match(r"0000000[1-9]", digits):
        raise Unfit("oin_prefix")
    if digits.startswith("00000001") and not (bsn.is_valid(digits[8:17]) and digits.endswith("000")):
        raise Unfit("oin_rsin")
    return digits


def vat(value: str) -> str:
    """Return a Dutch BTW number, as NL000099998B57.  Raises Unfit."""
    try:
        return f"NL{btw.validate(value)}"
    except Unsound:
        raise Unfit("vat") from None


def postal_code(value: str) -> str:
    """Return a postcode as 1234 AB.  Raises Unfit."""
    try:
        return str(postcode.validate(value))
    except Unsound:
        raise Unfit("postcode") from None


def email(value: str) -> str:
    """Return an e-mail address.  Raises Unfit."""
    try:
        validate_email(value)
    except ValidationError:
        raise Unfit("email") from None
    return value


def phone(value: str) -> str:
    """Return a telephone number as +31…; without a country it is Dutch.  Raises Unfit."""
    return phonenumbers.format_number(_number(value), phonenumbers.PhoneNumberFormat.E164)


def whatsapp_number(value: str) -> str:
    """Return a telephone number that can be on WhatsApp.  Raises Unfit: none, or one that Meta cannot reach."""
    number = _number(value)
    # What is short, as the 14 numbers of municipalities are, can be called from within the country alone.
    is_short = len(str(number.national_number)) < SHORTEST_REACHABLE
    if is_short or phonenumbers.number_type(number) not in _REACHABLE:
        raise Unfit("number_unreachable")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def privacy_page(value: str) -> str:
    """Return the address of a page that citizens can open.  Raises Unfit."""
    url = secure_page(url=value)
    if url is None:
        raise Unfit("page")
    return url


def day(value: str) -> str:
    """Return a day as 2026-11-25.  Raises Unfit."""
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise Unfit("date") from None


def accepted(value: str) -> str:
    """Return a ticked box.  Raises Unfit: something else than a box was sent."""
    if value != YES:
        raise Unfit("box")
    return value


def number_now(value: str) -> str:
    """Return where the number lives now.  Raises Unfit."""
    if value not in NUMBER_NOW:
        raise Unfit("choice")
    return value


def _number(value: str) -> phonenumbers.PhoneNumber:
    try:
        number = phonenumbers.parse(value, "NL")
    except phonenumbers.NumberParseException:
        raise Unfit("phone") from None
    if not phonenumbers.is_valid_number(number):
        raise Unfit("phone")
    return number


@dataclass(frozen=True, slots=True)
class Field:
    """One question. kind: how it is asked; is_wanted: whether it may stay empty when the application is declared."""

    name: str
    check: Check = plain
    kind: str = "text"
    most: int = 200
    is_wanted: bool = True

    def read(self, value: str) -> str:
        """Return the answer as it is kept; empty as it is.  Raises Unfit."""
        value = value.replace("\0", "").strip()
        if not value:
            return ""
        if len(value) > self.most:
            raise Unfit("too_long")
        if self.kind != "long" and any(ord(letter) < 32 for letter in value):
            raise Unfit("one_line")
        return self.check(value)


def _purposes() -> tuple[Field, ...]:
    fields: list[Field] = []
    for purpose in Purpose:
        fields.append(Field(f"use_{purpose}", accepted, "box", is_wanted=False))
        fields.append(Field(f"describe_{purpose}", kind="long", most=1000, is_wanted=False))
    return tuple(fields)


FIELDS: Mapping[Part, tuple[Field, ...]] = {
    Part.ORGANISATION: (
        Field("legal_entity"),
        Field("kvk_number", kvk, "digits", 20),
        Field("oin", oin, "digits", 40),
        Field("vat_number", vat, most=30),
        Field("visiting_address"),
        Field("visiting_postcode", postal_code, most=10),
        Field("visiting_city", most=100),
        Field("postal_address", is_wanted=False),
        Field("postal_postcode", postal_code, most=10, is_wanted=False),
        Field("postal_city", most=100, is_wanted=False),
        Field("order_reference", most=50),
        # One of the two; who fills this in may not know, so finance asks before the first invoice is approved.
        Field("cost_centre", most=50, is_wanted=False),
        Field("has_no_cost_centre", accepted, "box", is_wanted=False),
    ),
    Part.CONTACTS: (
        Field("contact_name"),
        Field("contact_function", is_wanted=False),
        Field("contact_email", email, "email"),
        Field("contact_phone", phone, "tel", 30),
        Field("invoice_email", email, "email"),
        Field("admin_email", email, "email"),
        Field("whatsapp_number", whatsapp_number, "tel", 30),
        Field("number_now", number_now, "choice"),
    ),
    Part.PRIVACY: (
        Field("officer_name"),
        Field("officer_email", email, "email"),
        Field("officer_phone", phone, "tel", 30, is_wanted=False),
        Field("privacy_page", privacy_page, "url", LONGEST),
        Field("agreement", most=200),
        Field("agreement_date", day, "date"),
    ),
    Part.PURPOSES: _purposes(),
    Part.PROHIBITIONS: tuple(Field(f"accept_{each}", accepted, "box") for each in Prohibition),
    Part.SIGNING: (Field("signatory_name"), Field("signatory_function"), Field("signed_date", day, "date")),
}


def field_of(*, part: Part, name: str) -> Field | None:
    """Return a question of a part, or None."""
    return next((each for each in FIELDS[part] if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Read:
    """A part as it was given: what is kept of it, and by field the code of each mistake."""

    values: dict[str, str]
    mistakes: dict[str, str]


def read_part(*, part: Part, given: Mapping[str, str]) -> Read:
    """Read the answers to a part; questions that it does not ask are passed over."""
    values, mistakes = {}, {}
    for field in FIELDS[part]:
        try:
            values[field.name] = field.read(given.get(field.name, ""))
        except Unfit as unfit:
            mistakes[field.name] = unfit.code
    return Read(values=values, mistakes=mistakes)
