"""What messages and statuses have in common: who, when, and what went wrong. For the two readers beside it alone."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from whatsapp.errors import as_code, details_of, loggable_title

# A business-scoped user id: two letters of a country, "ENT." for one of a parent portfolio, letters and digits.
BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
# A WhatsApp id: a phone number in international form without "+"; leading zeros do not occur.
_WA_ID = re.compile(r"\+?([0-9]{5,20})")


class MalformedPayload(ValueError):
    """An event lacks what it cannot do without. `reason` names the part and never holds what was in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An error as a webhook reports it. details: Meta's words, not for logs (they can hold a phone number)."""

    code: int
    title: str
    details: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Who a message is from or a status is about; either id may be absent, as may the names."""

    wa_id: str | None
    bsuid: str | None
    parent_bsuid: str | None
    profile_name: str | None
    username: str | None


def element_of(payload: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an event's payload and its element.  Raises MalformedPayload: either is no object."""
    if not isinstance(payload, dict):
        raise MalformedPayload("payload is no object")
    element = payload.get("element")
    if not isinstance(element, dict):
        raise MalformedPayload("element is no object")
    return payload, element


def text(value: object) -> str | None:
    """Return text that says something, else None."""
    return value if isinstance(value, str) and value else None


def required(element: dict[str, Any], name: str) -> str:
    """Return a part that must be text.  Raises MalformedPayload: it is not."""
    value = text(element.get(name))
    if value is None:
        raise MalformedPayload(f"{name} is missing or no text")
    return value


def stamp(value: object) -> datetime:
    """Return Meta's stamp (seconds since 1970, as text or number) as aware UTC.  Raises MalformedPayload: it is not."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise MalformedPayload("timestamp is missing or no number")
    try:
        return datetime.fromtimestamp(int(value), tz=UTC)
    except (ValueError, OverflowError, OSError):
        # Without its cause, whose text would hold the value.
        raise MalformedPayload("timestamp is no moment") from None


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list, leaving out what is none; nothing when it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def person(*, ids: Iterable[object], bsuids: Iterable[object], parent: object, contacts: object) -> Person:
    """Return who is meant, from the element's own words first and its contact's after.

    ids: what may hold a phone number or, as happens, a business-scoped id; bsuids: what should hold the latter.
    An id that is of neither form is left out.
    """
    ids, bsuids = list(ids), list(bsuids)
    contact = _contact_of(contacts, [*ids, *bsuids])
    profile = contact.get("profile")
    profile = profile if isinstance(profile, dict) else {}
    ids.append(contact.get("wa_id"))
    bsuids.append(contact.get("user_id"))
    username = text(profile.get("username"))
    return Person(
        wa_id=next((found for value in ids if (found := as_wa_id(value))), None),
        bsuid=next((found for value in (*bsuids, *ids) if (found := as_bsuid(value))), None),
        parent_bsuid=as_bsuid(parent) or as_bsuid(contact.get("parent_user_id")),
        profile_name=text(profile.get("name")),
        username=(username.removeprefix("@") or None) if username else None,
    )


def as_wa_id(value: object) -> str | None:
    """Return a phone number's digits, without "+"; None when it is anything else."""
    match = _WA_ID.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else None


def as_bsuid(value: object) -> str | None:
    """Return a business-scoped user id; None when it is anything else."""
    return value if isinstance(value, str) and BSUID.fullmatch(value) else None


def errors_of(value: object) -> tuple[ErrorReport, ...]:
    """Return the errors of a list, each with what it has."""
    return tuple(
        ErrorReport(
            code=as_code(error.get("code")),
            title=loggable_title(error.get("title")),
            details=details_of(error) or text(error.get("message")),
        )
        for error in objects(value)
    )


def _contact_of(contacts: object, ids: list[object]) -> dict[str, Any]:
    """Return the contact that one of the ids names, or the only one there is if no id of it says otherwise.

    A wrong name is a nuisance, a wrong id joins two citizens: so of strangers none is taken.
    """
    known = objects(contacts)
    names = [value for value in ids if isinstance(value, str)]
    for contact in known:
        if contact.get("user_id") in names or contact.get("wa_id") in names:
            return contact
    if len(known) != 1:
        return {}
    theirs = [known[0].get("wa_id"), known[0].get("user_id")]
    for form in (as_wa_id, as_bsuid):
        ours = {found for value in names if (found := form(value))}
        if ours and any(found not in ours for value in theirs if (found := form(value))):
            return {}
    return known[0]
