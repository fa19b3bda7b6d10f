"""Reads the account fields that are about citizens: what they prefer, which id they have now, that they called.

Each reader takes the payload of an event of kind ACCOUNT and returns what it can read of it; parts that it cannot are
left out and counted in `unread`. Raises MalformedPayload only where the field's list is not there at all.
Source: Meta, "Business-scoped user IDs" (2026-05-07), user_preferences and calls references, read 2026-11-22.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from whatsapp.payloads.parts import MalformedPayload, Person, as_bsuid, as_wa_id, element_of, person, stamp, text

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Read(Generic[Part]):
    """What a field's list held. unread: how many of its parts were of no readable form."""

    parts: tuple[Part, ...]
    unread: int


@dataclass(frozen=True, slots=True)
class Preference:
    """A citizen wants marketing messages no more, or again. value: Meta's (stop, resume)."""

    person: Person
    category: str
    value: str
    stamped_at: datetime


@dataclass(frozen=True, slots=True)
class IdUpdate:
    """A citizen has another id. The only update that names the old one by itself."""

    wa_id: str | None
    old_bsuid: str
    new_bsuid: str
    new_parent_bsuid: str | None
    stamped_at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """Something about one call. event: Meta's (connect, terminate, …); by_citizen: else the business called."""

    id: str
    person: Person
    event: str
    by_citizen: bool
    stamped_at: datetime


def parse_preferences(*, payload: dict[str, Any]) -> Read[Preference]:
    """Read the field `user_preferences`."""
    contacts = element_of(payload)[1].get("contacts")

    def read(part: dict[str, Any]) -> Preference:
        return Preference(
            person=_person(part.get("wa_id"), part.get("user_id"), contacts),
            category=text(part.get("category")) or "",
            value=(text(part.get("value")) or "").lower(),
            stamped_at=stamp(part.get("timestamp")),
        )

    return _read(payload, "user_preferences", read)


def parse_id_updates(*, payload: dict[str, Any]) -> Read[IdUpdate]:
    """Read the field `user_id_update`."""

    def read(part: dict[str, Any]) -> IdUpdate:
        ids, parents = part.get("user_id"), part.get("parent_user_id")
        old = as_bsuid(ids.get("previous")) if isinstance(ids, dict) else None
        new = as_bsuid(ids.get("current")) if isinstance(ids, dict) else None
        if old is None or new is None:
            raise MalformedPayload("an id is missing or of no known form")
        parent = as_bsuid(parents.get("current")) if isinstance(parents, dict) else None
        return IdUpdate(as_wa_id(part.get("wa_id")), old, new, parent, stamp(part.get("timestamp")))

    return _read(payload, "user_id_update", read)


def parse_calls(*, payload: dict[str, Any]) -> Read[Call]:
    """Read the field `calls`."""
    contacts = element_of(payload)[1].get("contacts")

    def read(part: dict[str, Any]) -> Call:
        by_citizen = (text(part.get("direction")) or "USER_INITIATED").upper() == "USER_INITIATED"
        whose = "from" if by_citizen else "to"
        call_id = text(part.get("id"))
        if call_id is None:
            raise MalformedPayload("id is missing or no text")
        return Call(
            id=call_id,
            person=_person(part.get(whose), part.get(f"{whose}_user_id"), contacts),
            event=(text(part.get("event")) or "").lower(),
            by_citizen=by_citizen,
            stamped_at=stamp(part.get("timestamp")),
        )

    return _read(payload, "calls", read)


def _person(wa_id: object, bsuid: object, contacts: object) -> Person:
    found = person(ids=[wa_id], bsuids=[bsuid], parent=None, contacts=contacts)
    if found.wa_id is None and found.bsuid is None:
        raise MalformedPayload("nobody is named")
    return found


def _read(payload: dict[str, Any], name: str, read: Callable[[dict[str, Any]], Part]) -> Read[Part]:
    return read_parts(given=element_of(payload)[1].get(name), name=name, read=read)


def read_parts(*, given: object, name: str, read: Callable[[dict[str, Any]], Part]) -> Read[Part]:
    """Return what `read` makes of each part of a list.  Raises MalformedPayload: it is no list."""
    if not isinstance(given, list):
        raise MalformedPayload(f"{name} is no list")
    parts: list[Part] = []
    for each in given:
        try:
            parts.append(read(each if isinstance(each, dict) else {}))
        except MalformedPayload:
            continue
    return Read(tuple(parts), len(given) - len(parts))
