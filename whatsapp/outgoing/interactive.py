"""Messages that ask for a tap: reply buttons, lists, a link button, a request for a location or for a contact card.

Source: Meta, interactive messages, read 2026-11-22.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from whatsapp import limits
from whatsapp.outgoing.media import MediaPart
from whatsapp.outgoing.parts import InvalidContent, count, lines, need, sized, web_address

_CHOICE = "▸ "


@dataclass(frozen=True, slots=True)
class Button:
    """A reply button. id: comes back when it is tapped."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """One choice of a list. id: comes back when it is chosen."""

    id: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Choices under a heading; the heading may only be left out where there is one section."""

    rows: Sequence[Row]
    title: str = ""


class _Interactive:
    """What the kinds below share: Meta calls them all "interactive"."""

    __slots__ = ()

    @property
    def type(self) -> str:
        """Meta's name of the kind."""
        return "interactive"


@dataclass(frozen=True, slots=True)
class ReplyButtons(_Interactive):
    """A text with one to three buttons. header: words, or a medium."""

    body: str
    buttons: Sequence[Button]
    header: str | MediaPart | None = None
    footer: str = ""

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's interactive object.  Raises LimitExceeded, InvalidContent."""
        count(len(self.buttons), "buttons_count", least=1, most=limits.REPLY_BUTTONS)
        for button in self.buttons:
            need(button.id, "button_id_missing")
            sized(button.id, "button_id_too_long", limits.BUTTON_ID_CHARACTERS)
            need(button.title, "button_title_missing")
            sized(button.title, "button_title_too_long", limits.BUTTON_TITLE_CHARACTERS)
        _unique([button.id for button in self.buttons], "button_ids_repeat")
        _unique([button.title for button in self.buttons], "button_titles_repeat")
        replies = [{"type": "reply", "reply": {"id": each.id, "title": each.title}} for each in self.buttons]
        return _whole("button", self.body, self.header, self.footer, {"buttons": replies})

    def readable(self) -> str:
        """Return header, text, footer and buttons."""
        return _read(self.header, self.body, self.footer, [button.title for button in self.buttons])


@dataclass(frozen=True, slots=True)
class ListMessage(_Interactive):
    """A text with a button that opens up to ten choices."""

    body: str
    button: str
    sections: Sequence[Section]
    header: str | None = None
    footer: str = ""

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's interactive object.  Raises LimitExceeded, InvalidContent."""
        need(self.button, "list_button_missing")
        sized(self.button, "list_button_too_long", limits.LIST_BUTTON_CHARACTERS)
        count(len(self.sections), "list_sections_count", least=1, most=limits.LIST_SECTIONS)
        rows = [row for section in self.sections for row in section.rows]
        count(len(rows), "list_rows_count", least=1, most=limits.LIST_ROWS)
        for section in self.sections:
            if not section.rows:
                raise InvalidContent("list_section_empty")
            if len(self.sections) > 1:
                need(section.title, "list_section_title_missing")
            sized(section.title, "list_section_title_too_long", limits.LIST_SECTION_TITLE_CHARACTERS)
        for row in rows:
            _check_row(row)
        _unique([row.id for row in rows], "list_row_ids_repeat")
        action = {"button": self.button, "sections": [_section(section) for section in self.sections]}
        return _whole("list", self.body, self.header, self.footer, action, most=limits.LIST_BODY_CHARACTERS)

    def readable(self) -> str:
        """Return header, text, footer and choices under their headings."""
        choices: list[str] = []
        for section in self.sections:
            choices += [section.title] if section.title else []
            choices += [
                _CHOICE + row.title + (f": {row.description}" if row.description else "") for row in section.rows
            ]
        return lines(self.header, self.body, self.footer, *choices)


@dataclass(frozen=True, slots=True)
class CtaUrl(_Interactive):
    """A text with one button that opens a page. label: what the button says."""

    body: str
    label: str
    url: str
    header: str | MediaPart | None = None
    footer: str = ""

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's interactive object.  Raises LimitExceeded, InvalidContent."""
        need(self.label, "cta_label_missing")
        sized(self.label, "cta_label_too_long", limits.CTA_LABEL_CHARACTERS)
        web_address(self.url, "cta_url_invalid", too_long="cta_url_too_long", schemes=("https", "http"))
        parameters = {"display_text": self.label, "url": self.url}
        return _whole("cta_url", self.body, self.header, self.footer, {"name": "cta_url", "parameters": parameters})

    def readable(self) -> str:
        """Return header, text, footer, and the button with its page."""
        return _read(self.header, self.body, self.footer, [f"{self.label}: {self.url}"])


@dataclass(frozen=True, slots=True)
class LocationRequest(_Interactive):
    """A text with a button by which the citizen sends where they are."""

    body: str

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's interactive object.  Raises LimitExceeded, InvalidContent."""
        return _whole("location_request_message", self.body, None, "", {"name": "send_location"})

    def readable(self) -> str:
        """Return the text."""
        return self.body


@dataclass(frozen=True, slots=True)
class ContactRequest(_Interactive):
    """A text with a button by which the citizen gives their phone number."""

    body: str

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's interactive object.  Raises LimitExceeded, InvalidContent."""
        return _whole("contact_request", self.body, None, "", {"name": "request_contact_info"})

    def readable(self) -> str:
        """Return the text."""
        return self.body


def _whole(
    form: str,
    body: str,
    header: str | MediaPart | None,
    footer: str,
    action: dict[str, Any],
    *,
    most: int = limits.INTERACTIVE_BODY_CHARACTERS,
) -> dict[str, Any]:
    need(body, "interactive_body_missing")
    sized(body, "interactive_body_too_long", most)
    sized(footer, "footer_too_long", limits.FOOTER_CHARACTERS)
    made: dict[str, Any] = {"type": form}
    if isinstance(header, str):
        need(header, "header_text_empty")
        sized(header, "header_text_too_long", limits.HEADER_CHARACTERS)
        made["header"] = {"type": "text", "text": header}
    elif header is not None:
        made["header"] = header.as_meta()
    made["body"] = {"text": body}
    if footer:
        need(footer, "footer_empty")
        made["footer"] = {"text": footer}
    made["action"] = action
    return made


def _check_row(row: Row) -> None:
    need(row.id, "list_row_id_missing")
    sized(row.id, "list_row_id_too_long", limits.LIST_ROW_ID_CHARACTERS)
    need(row.title, "list_row_title_missing")
    sized(row.title, "list_row_title_too_long", limits.LIST_ROW_TITLE_CHARACTERS)
    sized(row.description, "list_row_description_too_long", limits.LIST_ROW_DESCRIPTION_CHARACTERS)


def _section(section: Section) -> dict[str, Any]:
    rows = [
        {"id": row.id, "title": row.title, **({"description": row.description} if row.description else {})}
        for row in section.rows
    ]
    return {**({"title": section.title} if section.title else {}), "rows": rows}


def _unique(values: Sequence[str], code: str) -> None:
    if len(set(values)) != len(values):
        raise InvalidContent(code)


def _read(header: str | MediaPart | None, body: str, footer: str, choices: Sequence[str]) -> str:
    above = header.readable() if isinstance(header, MediaPart) else header
    return lines(above, body, footer, *(_CHOICE + choice for choice in choices))
