"""Reads one stored event of kind MESSAGE: what a citizen wrote, sent, tapped or changed, as a typed value.

Kinds that are unknown keep their name and content and have no text, so that nothing a citizen sends is lost.
Source: Meta, messages webhook reference and "Business-scoped user IDs", read 2026-11-22.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from whatsapp.payloads.parts import (
    BSUID,
    ErrorReport,
    MalformedPayload,
    Person,
    as_bsuid,
    as_wa_id,
    element_of,
    errors_of,
    objects,
    person,
    required,
    stamp,
    text,
)
from whatsapp.payloads.storable import storable

MEDIA_TYPES = frozenset({"audio", "document", "image", "sticker", "video"})


@dataclass(frozen=True, slots=True)
class MediaReference:
    """Where a medium can be fetched: by its id for 7 days, by its url for minutes and with the token only."""

    id: str
    mime_type: str | None
    sha256: str | None
    filename: str | None
    voice: bool
    url: str | None


@dataclass(frozen=True, slots=True)
class SystemChange:
    """A change of who a contact is. kind: Meta's (user_changed_number, user_changed_user_id, …).

    old_bsuid: read from Meta's sentence, the only place where it stands.
    """

    kind: str
    new_wa_id: str | None
    new_bsuid: str | None
    old_bsuid: str | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message of a citizen, or one change that WhatsApp tells about a citizen (type "system").

    type: Meta's; text: what a person would read in it, if anything; content: Meta's object for this type,
    {"items": […]} where that is a list. context_wamid: the message this one answers, reacts to, edits or revokes.
    At least one of sender_wa_id and sender_bsuid is there, except for type "system".
    """

    wamid: str
    sender_wa_id: str | None
    sender_bsuid: str | None
    parent_bsuid: str | None
    profile_name: str | None
    username: str | None
    phone_number_id: str
    stamped_at: datetime
    type: str
    text: str | None
    content: dict[str, Any]
    media: MediaReference | None
    context_wamid: str | None
    forwarded: bool
    referral: dict[str, Any] | None
    errors: tuple[ErrorReport, ...]
    system: SystemChange | None
    group_id: str | None


def parse_message(*, payload: dict[str, Any]) -> InboundMessage:
    """Read the payload of an event of kind MESSAGE.

    Raises MalformedPayload: no id, stamp, type, number or sender.
    """
    payload, message = element_of(payload)
    metadata = payload.get("metadata")
    if not isinstance(metadata, dict):
        raise MalformedPayload("metadata is no object")
    kind = required(message, "type")
    content = _content(message.get(kind))
    sender = _sender(message, payload.get("contacts"))
    if kind != "system" and sender.wa_id is None and sender.bsuid is None:
        raise MalformedPayload("sender is missing or of no known form")
    context = _content(message.get("context"))
    referral = message.get("referral")
    return InboundMessage(
        wamid=required(message, "id"),
        sender_wa_id=sender.wa_id,
        sender_bsuid=sender.bsuid,
        parent_bsuid=sender.parent_bsuid,
        profile_name=sender.profile_name,
        username=sender.username,
        phone_number_id=_phone_number_id(metadata),
        stamped_at=stamp(message.get("timestamp")),
        type=kind,
        text=_readable(kind, content),
        content=content,
        media=_media(kind, content),
        context_wamid=_refers_to(kind, content, context),
        forwarded=context.get("forwarded") is True or context.get("frequently_forwarded") is True,
        referral=referral if isinstance(referral, dict) else None,
        errors=errors_of(message.get("errors")),
        system=_system(content) if kind == "system" else None,
        group_id=text(message.get("group_id")),
    )


def _sender(message: dict[str, Any], contacts: object) -> Person:
    return person(
        ids=[message.get("from")],
        bsuids=[message.get("from_user_id")],
        parent=message.get("from_parent_user_id"),
        contacts=contacts,
    )


def _phone_number_id(metadata: dict[str, Any]) -> str:
    value = metadata.get("phone_number_id")
    return (
        str(value) if isinstance(value, int) and not isinstance(value, bool) else required(metadata, "phone_number_id")
    )


def _content(value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    return {"items": value} if isinstance(value, list) else {}


def _media(kind: str, content: dict[str, Any]) -> MediaReference | None:
    media_id = text(content.get("id"))
    if kind not in MEDIA_TYPES or media_id is None:
        return None
    return MediaReference(
        id=media_id,
        mime_type=text(content.get("mime_type")),
        sha256=text(content.get("sha256")),
        filename=text(content.get("filename")),
        voice=content.get("voice") is True,
        url=text(content.get("url")),
    )


def _refers_to(kind: str, content: dict[str, Any], context: dict[str, Any]) -> str | None:
    if kind == "reaction":
        return text(content.get("message_id"))
    if kind in {"edit", "revoke"}:
        return text(content.get("original_message_id"))
    return text(context.get("id"))


def _system(content: dict[str, Any]) -> SystemChange:
    new_bsuid = as_bsuid(content.get("user_id"))
    sentence = text(content.get("body")) or ""
    old = [found for found in BSUID.findall(sentence) if found != new_bsuid] if new_bsuid else []
    return SystemChange(
        kind=text(content.get("type")) or "unknown",
        new_wa_id=as_wa_id(content.get("wa_id")),
        new_bsuid=new_bsuid or as_bsuid(content.get("wa_id")),
        old_bsuid=old[0] if len(old) == 1 else None,
    )


def _readable(kind: str, content: dict[str, Any]) -> str | None:
    if kind == "edit":
        inner = _content(content.get("message"))
        inner_kind = text(inner.get("type"))
        # An edit within an edit does not exist; reading one would let a payload nest without end.
        return _READERS[inner_kind](_content(inner.get(inner_kind))) if inner_kind in _READERS else None
    reader = _READERS.get(kind)
    return reader(content) if reader else None


def _part(name: str) -> Callable[[dict[str, Any]], str | None]:
    return lambda content: text(content.get(name))


def _place(content: dict[str, Any]) -> str | None:
    """Return a place by name and address; one without either, such as where somebody is now, by its coordinates."""
    named = ", ".join(part for name in ("name", "address") if (part := text(content.get(name))))
    at = [content.get("latitude"), content.get("longitude")]
    degrees = [f"{each:.6f}" for each in at if isinstance(each, int | float) and not isinstance(each, bool)]
    if not named and len(degrees) == 2:
        return ", ".join(each.rstrip("0").rstrip(".") for each in degrees)
    return named or None


def _cards(content: dict[str, Any]) -> str | None:
    """Return who stands on contact cards, each with the numbers on it."""
    lines = []
    for card in objects(content.get("items")):
        name = text(_content(card.get("name")).get("formatted_name"))
        phones = ", ".join(found for phone in objects(card.get("phones")) if (found := text(phone.get("phone"))))
        if name or phones:
            lines.append(f"{name} ({phones})" if name and phones else name or phones)
    return "\n".join(lines) or None


def _answer(content: dict[str, Any]) -> str | None:
    kind = text(content.get("type")) or ""
    answer = _content(content.get(kind))
    if kind == "nfm_reply":
        return _form(answer) or text(answer.get("body"))
    chosen = [text(answer.get("title")) or text(answer.get("body")), text(answer.get("description"))]
    return "\n".join(filter(None, chosen)) or None


def _form(answer: dict[str, Any]) -> str | None:
    """Return what somebody filled in on a form (a Flow), a line for each field; its token is nobody's answer."""
    try:
        # Written within the payload as text, so what no database stores was not repaired before.
        filled = storable(orjson.loads(text(answer.get("response_json")) or "null"))
    except orjson.JSONDecodeError:
        return None
    fields = filled.items() if isinstance(filled, dict) else ()
    lines = (f"{name}: {_written(value)}" for name, value in fields if name != "flow_token" and value not in (None, ""))
    return "\n".join(lines) or None


def _written(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _order(content: dict[str, Any]) -> str | None:
    """Return what was ordered, a line for each product, below what was written with it."""
    lines = [text(content.get("text"))]
    for item in objects(content.get("product_items")):
        price = " ".join(str(item[name]) for name in ("item_price", "currency") if item.get(name) is not None)
        product = f"{item.get('quantity', 1)} × {item.get('product_retailer_id', '?')}"
        lines.append(f"{product} ({price})" if price else product)
    return "\n".join(filter(None, lines)) or None


def _tapped(content: dict[str, Any]) -> str | None:
    return text(content.get("text")) or text(content.get("payload"))


_READERS: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "text": _part("body"),
    "image": _part("caption"),
    "video": _part("caption"),
    "document": _part("caption"),
    "location": _place,
    "contacts": _cards,
    "interactive": _answer,
    "button": _tapped,
    "reaction": _part("emoji"),
    "order": _order,
    "system": _part("body"),
}
