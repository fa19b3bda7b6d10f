"""Takes a POST of Meta's apart into webhook events, each complete in itself, with the key that makes it count once.

The first thing after the signature, and hot: plain work on dicts, nothing copied, nothing understood. Whatever does not
have the expected shape becomes a MALFORMED event, and the good parts beside it still come out.
Meta puts together anew what it sends again, so a key never depends on the POST, the entry or the order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson

from whatsapp.payloads.storable import storable


class EventKind(StrEnum):
    """What an update is about, as far as can be seen from outside."""

    MESSAGE = "MESSAGE"
    STATUS = "STATUS"
    ERROR = "ERROR"
    ACCOUNT = "ACCOUNT"
    MALFORMED = "MALFORMED"


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One update as Meta delivered it.

    payload: {"field", "entry_id", "entry_time"?, "metadata"?, "contacts"?, "element"}; element is the message, status
    or error, the whole value of any other field, or the raw part that could not be read.
    phone_number_id, waba_id: what the municipality is found by; dedup_key: 32 bytes.
    """

    kind: EventKind
    field: str
    phone_number_id: str | None
    waba_id: str | None
    payload: dict[str, Any]
    dedup_key: bytes


_MESSAGE, _STATUS, _ERROR, _ACCOUNT, _MALFORMED = EventKind
_LISTS = (("messages", _MESSAGE), ("statuses", _STATUS), ("errors", _ERROR))
_MESSAGES_FIELD = "messages"
# Under which names an element names the person it is about; contacts name the same under their own two.
_PERSON_IN_ELEMENT = ("from", "from_user_id", "recipient_id", "recipient_user_id", "recipient_participant_id")
_PERSON_IN_CONTACT = ("wa_id", "user_id")


def split(*, body: object, received_at: datetime) -> list[WebhookEvent]:
    """Take a webhook's parsed body apart into its events, in the order in which they stand.

    received_at: aware; its UTC hour is part of the key of errors, which carry nothing of their own to know them by.
    Never raises, whatever JSON `body` is. Values that no database stores are repaired first (see `storable`).
    """
    body = storable(body)
    entries = body.get("entry") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        return [_malformed({"field": "", "entry_id": None, "element": body}, None, None)]
    events: list[WebhookEvent] = []
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, dict) else None
        entry_id = _id(entry.get("id")) if isinstance(entry, dict) else None
        if not isinstance(changes, list):
            events.append(_malformed({"field": "", "entry_id": entry_id, "element": entry}, None, entry_id))
            continue
        base: dict[str, Any] = {"entry_id": entry_id}
        if "time" in entry:
            base["entry_time"] = entry["time"]
        for change in changes:
            events.extend(_of_change(change, base, received_at))
    return events


def _of_change(change: Any, base: dict[str, Any], received_at: datetime) -> Iterator[WebhookEvent]:
    waba_id: str | None = base["entry_id"]
    value = change.get("value") if isinstance(change, dict) else None
    field = change.get("field") if isinstance(change, dict) else None
    if not isinstance(value, dict) or not isinstance(field, str) or not field:
        yield _malformed({"field": field if isinstance(field, str) else "", **base, "element": change}, None, waba_id)
        return
    metadata = value.get("metadata")
    phone_number_id = _id(metadata.get("phone_number_id")) if isinstance(metadata, dict) else None
    if field == _MESSAGES_FIELD:
        yield from _of_messages(value, {"field": field, **base}, phone_number_id, received_at)
        return
    if field == "account_update" and str(value.get("event")).startswith("PARTNER_"):
        # These come under the partner's own portfolio; the customer's WABA is inside.
        info = value.get("waba_info")
        waba_id = _id(info.get("waba_id")) if isinstance(info, dict) else None
    payload = {"field": field, **base, "element": value}
    key = _key(_ACCOUNT, field, base["entry_id"], _canonical(base.get("entry_time")), _canonical(value))
    yield WebhookEvent(_ACCOUNT, field, phone_number_id, waba_id, payload, key)


def _of_messages(
    value: dict[str, Any], base: dict[str, Any], phone_number_id: str | None, received_at: datetime
) -> Iterator[WebhookEvent]:
    waba_id: str | None = base["entry_id"]
    if isinstance(value.get("metadata"), dict):
        base["metadata"] = value["metadata"]
    contacts = value.get("contacts")
    if contacts is not None and not isinstance(contacts, list):
        yield _malformed({**base, "element": {"contacts": contacts}}, phone_number_id, waba_id)
        contacts = None
    persons = _Contacts(contacts) if contacts else None
    nothing = True
    for name, kind in _LISTS:
        elements = value.get(name)
        if elements is None:
            continue
        nothing = False
        if not isinstance(elements, list):
            yield _malformed({**base, "element": {name: elements}}, phone_number_id, waba_id)
            continue
        for element in elements:
            payload = {**base, "element": element}
            key = _key_of(kind, element, phone_number_id, received_at)
            if key is None:
                yield _malformed(payload, phone_number_id, waba_id)
                continue
            if persons is not None and kind is not _ERROR:
                payload["contacts"] = persons.of(element)
            yield WebhookEvent(kind, _MESSAGES_FIELD, phone_number_id, waba_id, payload, key)
    if nothing:
        yield _malformed({**base, "element": value}, phone_number_id, waba_id)


class _Contacts:
    """A change's contacts, found by whom an element is about, so that no event carries another person's name."""

    __slots__ = ("_all", "_by_id")

    def __init__(self, contacts: list[Any]) -> None:
        self._all = [contact for contact in contacts if isinstance(contact, dict)]
        self._by_id: dict[str, list[dict[str, Any]]] = {}
        if len(self._all) > 1:
            for contact in self._all:
                for name in _PERSON_IN_CONTACT:
                    person = contact.get(name)
                    if isinstance(person, str):
                        self._by_id.setdefault(person, []).append(contact)

    def of(self, element: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the contacts that the element names, or all of them where that cannot be told."""
        if not self._by_id:
            return self._all
        found: list[dict[str, Any]] = []
        for name in _PERSON_IN_ELEMENT:
            person = element.get(name)
            if isinstance(person, str):
                found.extend(contact for contact in self._by_id.get(person, ()) if contact not in found)
        return found or self._all


def _key_of(kind: EventKind, element: Any, phone_number_id: str | None, received_at: datetime) -> bytes | None:
    """Return an element's key, or None when it lacks what the key is made of."""
    if not isinstance(element, dict):
        return None
    if kind is _ERROR:
        hour = received_at.astimezone(UTC).strftime("%Y-%m-%dT%H")
        return _key(_ERROR, phone_number_id, _canonical(element), hour)
    wamid = element.get("id")
    if not isinstance(wamid, str) or not wamid or phone_number_id is None:
        return None
    if kind is _MESSAGE:
        return _key(_MESSAGE, phone_number_id, wamid, None, None)
    status = element.get("status")
    participant = element.get("recipient_participant_id")
    if not isinstance(status, str) or not status or not (participant is None or isinstance(participant, str)):
        return None
    return _key(_STATUS, phone_number_id, wamid, status.lower(), participant or None)


def _malformed(payload: dict[str, Any], phone_number_id: str | None, waba_id: str | None) -> WebhookEvent:
    field = payload["field"]
    key = _key(_MALFORMED, field, payload["entry_id"], phone_number_id, _canonical(payload["element"]))
    return WebhookEvent(_MALFORMED, field, phone_number_id, waba_id, payload, key)


def _key(*parts: str | None) -> bytes:
    # Each part with its length: no two lists of parts can ever be written alike.
    return sha256("".join(["-" if part is None else f"{len(part)}:{part}" for part in parts]).encode()).digest()


def _canonical(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _id(value: Any) -> str | None:
    """Return an id of Meta's, which is text, at times written as a number."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
