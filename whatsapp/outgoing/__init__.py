"""Typed values into Meta's JSON: the last step before a message leaves. Limits are checked here, before any call.

A content is any value with a `type`, an `as_meta()` and a `readable()`; a new kind needs nothing else (see `Content`).
Source: Meta, "Send messages" reference pages and "Business-scoped user IDs", read 2026-11-22.
"""

from typing import Any

import orjson

from whatsapp import limits
from whatsapp.limits import check
from whatsapp.outgoing.interactive import (
    Button,
    ContactRequest,
    CtaUrl,
    ListMessage,
    LocationRequest,
    ReplyButtons,
    Row,
    Section,
)
from whatsapp.outgoing.media import CAPTIONED, MediaMessage, MediaPart
from whatsapp.outgoing.parts import Content, InvalidContent, Recipient
from whatsapp.outgoing.plain import Card, Contacts, Location, Reaction, Text
from whatsapp.outgoing.templates import (
    CopyCodeButton,
    FlowButton,
    QuickReplyButton,
    TemplateButton,
    TemplateHeader,
    TemplateMessage,
    UrlButton,
)

__all__ = [
    "CAPTIONED",
    "Button",
    "Card",
    "ContactRequest",
    "Contacts",
    "Content",
    "CopyCodeButton",
    "CtaUrl",
    "FlowButton",
    "InvalidContent",
    "ListMessage",
    "Location",
    "LocationRequest",
    "MediaMessage",
    "MediaPart",
    "QuickReplyButton",
    "Reaction",
    "Recipient",
    "ReplyButtons",
    "Row",
    "Section",
    "TemplateButton",
    "TemplateHeader",
    "TemplateMessage",
    "Text",
    "UrlButton",
    "addressed",
    "read_receipt_body",
    "request_body",
]


def request_body(*, recipient: Recipient, content: Content, our_id: str, reply_to: str | None = None) -> dict[str, Any]:
    """Return the body of a send.

    our_id: given along as biz_opaque_callback_data and echoed in every status: the only way to know a message again
    whose answer was lost, because Meta has no idempotency key. reply_to: the wamid that this message answers.
    Raises LimitExceeded, InvalidContent.
    """
    if not our_id:
        raise InvalidContent("our_id_missing")
    check(code="our_id_too_long", limit=limits.OUR_ID_CHARACTERS, actual=len(our_id))
    if reply_to is not None and content.type == "reaction":
        raise InvalidContent("quote_not_allowed")  # a reaction names its message itself
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **recipient.as_meta(),
        "type": content.type,
        content.type: content.as_meta(),
        "biz_opaque_callback_data": our_id,
    }
    if reply_to is not None:
        body["context"] = {"message_id": reply_to}
    return body


def addressed(*, request: str, recipient: Recipient) -> bytes:
    """Return the body of a send as it leaves.

    request: of `request_body`, as JSON, without the key that says whom it is for.
    """
    return orjson.dumps(recipient.as_meta())[:-1] + b"," + request.encode()[1:]


def read_receipt_body(*, wamid: str, typing: bool = False) -> dict[str, Any]:
    """Return the body that marks a message, and all before it, as read.

    typing: also show that someone is typing, until the reply or for 25 seconds.
    """
    body: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    if typing:
        body["typing_indicator"] = {"type": "text"}
    return body
