"""What a webhook carries: updates, and the body that Meta makes of them.

An update is one element of `messages[]` or `statuses[]`, or one account field's value. Many may share a body, over
numbers and businesses.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.world import Number


@dataclass(slots=True, eq=False)
class Update:
    """One update on its way to the platform."""

    waba_id: str
    number: Number | None
    url: str
    # "messages", "statuses", "errors" or "calls" (an element of that list), or "value" (a whole account field).
    kind: str
    element: dict[str, Any]
    field: str = "messages"
    contact: dict[str, Any] | None = None
    inbound_wamid: str | None = None
    on_acknowledged: Callable[[], None] | None = None
    attempts: int = 0
    first_at: float = 0.0


def copy_of(update: Update) -> Update:
    """Make a second delivery of the same update."""
    return Update(
        waba_id=update.waba_id,
        number=update.number,
        url=update.url,
        kind=update.kind,
        element=update.element,
        field=update.field,
        contact=update.contact,
        inbound_wamid=update.inbound_wamid,
    )


def encode(*, updates: list[Update], now: float) -> bytes:
    """Write the body of a POST: entries by business, changes by field and number, elements in the order given.

    Non-ASCII is escaped as \\uXXXX, as Meta does, so that only the raw bytes match the signature.
    """
    entries: dict[str, dict[str, Any]] = {}
    changes: dict[tuple[str, str | None, str, str, bool], dict[str, Any]] = {}
    contacts: set[tuple[Any, ...]] = set()
    for update in updates:
        entry = entries.setdefault(update.waba_id, {"id": update.waba_id, "changes": []})
        if update.kind == "value":
            entry["time"] = int(now)
            entry["changes"].append({"field": update.field, "value": update.element})
            continue
        number = update.number
        key = (update.waba_id, number.id if number else None, update.field, update.kind, update.contact is None)
        value = changes.get(key)
        if value is None:
            value = changes[key] = {"messaging_product": "whatsapp"}
            if number is not None:
                value["metadata"] = {"display_phone_number": number.digits, "phone_number_id": number.id}
            if update.contact is not None:
                value["contacts"] = []
            value[update.kind] = []
            entry["changes"].append({"field": update.field, "value": value})
        if update.contact is not None:
            shown = (*key, update.contact.get("wa_id"), update.contact.get("user_id"))
            if shown not in contacts:
                contacts.add(shown)
                value["contacts"].append(update.contact)
        value[update.kind].append(update.element)
    body = {"object": "whatsapp_business_account", "entry": list(entries.values())}
    raw = orjson.dumps(body)
    return raw if raw.isascii() else json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()
