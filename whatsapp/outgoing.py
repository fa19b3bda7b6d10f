"""Typed values into Meta's JSON: the last step before a message leaves. Limits are checked here, before any call.

A content is any value with a `type` and an `as_meta()`; a new kind needs nothing else (see `Content`).
Source: Meta, "Send messages" reference pages and "Business-scoped user IDs", read 2026-11-22.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from whatsapp import limits
from whatsapp.limits import check
from whatsapp.payloads.parts import BSUID

# The kinds of media that may have a caption.
CAPTIONED = frozenset({"document", "image", "video"})

_WA_ID = re.compile(r"[0-9]{5,20}")
_TEMPLATE_NAME = re.compile(r"[a-z0-9_]+")
_PARAMETER_NAME = re.compile(r"[a-z0-9_]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")
_COMPONENT_TYPES = frozenset({"body", "button", "carousel", "header", "limited_time_offer"})


class InvalidContent(ValueError):
    """A message that Meta would refuse whatever its length. `code` is stable: higher rooms translate it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Content(Protocol):
    """What a message says. Kinds to come (interactive, location, reaction) only have to look like this."""

    @property
    def type(self) -> str:
        """Meta's name of the kind, which is the key of its object too."""

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's object of this kind.  Raises LimitExceeded, InvalidContent."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message goes to: by phone number where it is known, else by business-scoped user id.

    wa_id: digits, without "+".  Raises InvalidContent: neither id, or one that is none.
    """

    wa_id: str | None = None
    bsuid: str | None = None

    def __post_init__(self) -> None:
        if self.wa_id is None and self.bsuid is None:
            raise InvalidContent("recipient_missing")
        if self.wa_id is not None and not _WA_ID.fullmatch(self.wa_id):
            raise InvalidContent("recipient_wa_id_invalid")
        if self.bsuid is not None and not BSUID.fullmatch(self.bsuid):
            raise InvalidContent("recipient_bsuid_invalid")

    def as_meta(self) -> dict[str, str]:
        """Return the one key that names the recipient; with both ids Meta would take the phone number anyway."""
        if self.wa_id is not None:
            # Without "+" Meta puts the country code of the sending number before it: another person's number.
            return {"to": f"+{self.wa_id}"}
        assert self.bsuid is not None
        return {"recipient": self.bsuid}


@dataclass(frozen=True, slots=True)
class Text:
    """A free-form text."""

    body: str
    preview_url: bool = False

    @property
    def type(self) -> str:
        """Meta's name of the kind."""
        return "text"

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's text object.  Raises InvalidContent: nothing to read. LimitExceeded: too long."""
        if not self.body.strip():
            raise InvalidContent("text_empty")
        check(code="text_too_long", limit=limits.TEXT_BODY_CHARACTERS, actual=len(self.body))
        return {"body": self.body, "preview_url": self.preview_url}


@dataclass(frozen=True, slots=True)
class TemplateMessage:
    """A template with its variables filled in.

    components: Meta's, as in {"type": "body", "parameters": [{"type": "text", "text": "…"}]}.
    """

    name: str
    language: str
    components: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def with_body(
        cls,
        *,
        name: str,
        language: str,
        values: Sequence[str] | Mapping[str, str],
        others: Sequence[Mapping[str, Any]] = (),
    ) -> "TemplateMessage":
        """Return a template message with its body's variables filled in.

        values: in order for positional variables, by name for named ones; others: header and button components.
        Raises InvalidContent: a name that no variable can have.
        """
        body = _body_component(values)
        return cls(name=name, language=language, components=(*others, *([body] if body else [])))

    @property
    def type(self) -> str:
        """Meta's name of the kind."""
        return "template"

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's template object.  Raises LimitExceeded, InvalidContent."""
        check(code="template_name_too_long", limit=limits.TEMPLATE_NAME_CHARACTERS, actual=len(self.name))
        if not _TEMPLATE_NAME.fullmatch(self.name):
            raise InvalidContent("template_name_invalid")
        if not _LANGUAGE.fullmatch(self.language):
            raise InvalidContent("template_language_invalid")
        for component in self.components:
            _check_component(component)
        buttons = sum(1 for component in self.components if component["type"] == "button")
        check(code="template_too_many_buttons", limit=limits.TEMPLATE_BUTTONS, actual=buttons)
        template: dict[str, Any] = {"name": self.name, "language": {"code": self.language}}
        if self.components:
            template["components"] = [dict(component) for component in self.components]
        return template


@dataclass(frozen=True, slots=True)
class MediaMessage:
    """An image, video, document, audio or sticker: one that was uploaded (media_id) or one on the web (link)."""

    kind: str
    media_id: str | None = None
    link: str | None = None
    caption: str | None = None
    filename: str | None = None
    voice: bool = False

    @property
    def type(self) -> str:
        """Meta's name of the kind."""
        return self.kind

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's media object.  Raises LimitExceeded, InvalidContent."""
        self._check()
        medium: dict[str, Any] = {"id": self.media_id} if self.media_id else {"link": self.link}
        if self.caption:
            medium["caption"] = self.caption
        if self.filename:
            medium["filename"] = self.filename
        if self.voice:
            medium["voice"] = True
        return medium

    def _check(self) -> None:
        if self.kind not in limits.MEDIA_BYTES:
            raise InvalidContent("media_kind_unknown")
        if bool(self.media_id) == bool(self.link):
            raise InvalidContent("media_needs_id_or_link")
        if self.link and not self.link.startswith("https://"):
            raise InvalidContent("media_link_not_https")
        if self.caption and self.kind not in CAPTIONED:
            raise InvalidContent("media_caption_not_allowed")
        if self.filename and self.kind != "document":
            raise InvalidContent("media_filename_not_allowed")
        if self.voice and self.kind != "audio":
            raise InvalidContent("media_voice_not_allowed")
        check(code="media_link_too_long", limit=limits.LINK_CHARACTERS, actual=len(self.link or ""))
        check(code="media_caption_too_long", limit=limits.CAPTION_CHARACTERS, actual=len(self.caption or ""))
        check(code="media_filename_too_long", limit=limits.FILENAME_CHARACTERS, actual=len(self.filename or ""))


def request_body(*, recipient: Recipient, content: Content, our_id: str, reply_to: str | None = None) -> dict[str, Any]:
    """Return the body of a send.

    our_id: given along as biz_opaque_callback_data and echoed in every status: the only way to know a message again
    whose answer was lost, because Meta has no idempotency key. reply_to: the wamid that this message answers.
    Raises LimitExceeded, InvalidContent.
    """
    if not our_id:
        raise InvalidContent("our_id_missing")
    check(code="our_id_too_long", limit=limits.OUR_ID_CHARACTERS, actual=len(our_id))
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


def read_receipt_body(*, wamid: str, typing: bool = False) -> dict[str, Any]:
    """Return the body that marks a message, and all before it, as read.

    typing: also show that someone is typing, until the reply or for 25 seconds.
    """
    body: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    if typing:
        body["typing_indicator"] = {"type": "text"}
    return body


def _body_component(values: Sequence[str] | Mapping[str, str]) -> dict[str, Any] | None:
    if isinstance(values, str):
        # Text is a sequence too, of letters: surely not what was meant.
        raise InvalidContent("template_values_invalid")
    if isinstance(values, Mapping):
        if not all(_PARAMETER_NAME.fullmatch(name) for name in values):
            raise InvalidContent("template_parameter_name_invalid")
        parameters = [{"type": "text", "parameter_name": name, "text": value} for name, value in values.items()]
    else:
        parameters = [{"type": "text", "text": value} for value in values]
    return {"type": "body", "parameters": parameters} if parameters else None


def _check_component(component: Mapping[str, Any]) -> None:
    kind, parameters = component.get("type"), component.get("parameters", [])
    if kind not in _COMPONENT_TYPES or not isinstance(parameters, list | tuple):
        raise InvalidContent("template_component_invalid")
    longest = limits.TEMPLATE_HEADER_CHARACTERS if kind == "header" else limits.TEMPLATE_BODY_CHARACTERS
    for parameter in parameters:
        if not isinstance(parameter, Mapping) or not isinstance(parameter.get("type"), str):
            raise InvalidContent("template_parameter_invalid")
        if parameter["type"] == "text":
            value = parameter.get("text")
            if not isinstance(value, str) or not value.strip():
                raise InvalidContent("template_parameter_empty")
            check(code="template_parameter_too_long", limit=longest, actual=len(value))
