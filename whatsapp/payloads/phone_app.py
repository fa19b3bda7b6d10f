"""Reads what comes of a number that also lives in the Business app on a phone: its messages now, and those of before.

A message is read as any other; its sender is then the citizen at the other side, whoever wrote it. So that a message
from the phone and one from the citizen can be kept, altered and found alike.
Source: Meta, smb_message_echoes and history webhook references, read 2026-11-22.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from whatsapp.payloads.citizens import Read, read_parts
from whatsapp.payloads.messages import InboundMessage, parse_message
from whatsapp.payloads.parts import MalformedPayload, as_bsuid, as_wa_id, element_of, objects, text


@dataclass(frozen=True, slots=True)
class PastMessage:
    """One message of a shared history. state: Meta's word for how far it came, upper case, of ours only."""

    message: InboundMessage
    by_contact: bool
    state: str


def parse_echoes(*, payload: dict[str, Any]) -> Read[InboundMessage]:
    """Read the field `smb_message_echoes`: messages that left from the phone; sender: the citizen they are to."""
    value = element_of(payload)[1]

    def read(part: dict[str, Any]) -> InboundMessage:
        return _message(value, {**part, "from": part.get("to"), "from_user_id": part.get("to_user_id")})

    return read_parts(given=value.get("message_echoes"), name="message_echoes", read=read)


def parse_history(*, payload: dict[str, Any]) -> Read[PastMessage]:
    """Read the field `history`; a declined sharing has no messages."""
    value = element_of(payload)[1]
    messages: list[PastMessage] = []
    unread = 0
    if not isinstance(value.get("history"), list):
        raise MalformedPayload("history is no list")
    for chunk in objects(value["history"]):
        for thread in objects(chunk.get("threads")):
            read = read_parts(given=thread.get("messages") or [], name="messages", read=partial(_past, value, thread))
            messages += read.parts
            unread += read.unread
    return Read(tuple(messages), unread)


def _past(value: dict[str, Any], thread: dict[str, Any], part: dict[str, Any]) -> PastMessage:
    """Read one message; a thread's id is the citizen's number, or their business-scoped id."""
    citizen = thread.get("id")
    context = thread.get("context")
    citizen_bsuid = context.get("user_id") if isinstance(context, dict) else None
    by_contact = part.get("from") == citizen or part.get("from_user_id") == citizen
    about = part.get("history_context")
    state = text(about.get("status")) if isinstance(about, dict) else None
    ids = {"from": as_wa_id(citizen) or as_bsuid(citizen), "from_user_id": citizen_bsuid}
    if not by_contact:
        ids["from_user_id"] = ids["from_user_id"] or part.get("to_user_id")
    else:
        ids["from_user_id"] = ids["from_user_id"] or part.get("from_user_id")
    return PastMessage(_message(value, {**part, **ids}), by_contact, (state or "").upper())


def _message(value: dict[str, Any], element: dict[str, Any]) -> InboundMessage:
    read: InboundMessage = parse_message(
        payload={"metadata": value.get("metadata"), "contacts": value.get("contacts"), "element": element}
    )
    if read.system is not None:
        raise MalformedPayload("WhatsApp's own line is nobody's message")
    return read
