"""A template and what is filled into it: the message as Meta takes it, and the words as the citizen reads them.

Compares what was given with what the template has, part by part, so that Meta never has to (132000, 132012, 132005).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from messaging.models import Template
from messaging.templates.components import POSITIONAL, VARIABLE, kind_of, variables
from whatsapp import limits
from whatsapp.limits import check
from whatsapp.outgoing import (
    CopyCodeButton,
    FlowButton,
    Location,
    MediaPart,
    QuickReplyButton,
    TemplateButton,
    TemplateMessage,
    UrlButton,
)
from whatsapp.payloads.parts import objects

_MEDIA = frozenset({"DOCUMENT", "IMAGE", "VIDEO"})
_CHOICE = "▸ "


class TemplateUnusable(Exception):
    """The template cannot be sent as asked; `code` says why.

    template_parameters_differ, template_header_differs, template_buttons_differ, template_of_another_account,
    template_values_flagged, election_period, and those of messaging/templates/sending.py.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class FlowStart:
    """What a Flow's button gives along."""

    token: str = ""
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Filling:
    """What is filled into a template. Variables by name; positional ones are named "1", "2".

    header: a text's variable by name, a medium or a place. buttons: by place, from 0: the end of a link's address, the
    code to copy, what a quick reply sends back, or what a Flow starts with.
    """

    body: Mapping[str, str] = field(default_factory=dict)
    header: Mapping[str, str] | MediaPart | Location | None = None
    buttons: Mapping[int, str | FlowStart] = field(default_factory=dict)


def fill(*, template: Template, filling: Filling) -> TemplateMessage:
    """Return the message.  Raises TemplateUnusable: not what the template has. LimitExceeded, InvalidContent."""
    components = objects(template.components) or [{"type": "BODY", "text": template.body}]
    of_kind = {kind_of(component): component for component in components}
    names = [parameter["name"] for parameter in template.parameters]
    if set(names) != set(filling.body):
        raise TemplateUnusable("template_parameters_differ")
    is_positional = template.parameter_format == POSITIONAL
    text = _replaced(template.body, filling.body)
    check(code="template_body_too_long", limit=limits.TEMPLATE_BODY_CHARACTERS, actual=len(text))
    header, above = _header(of_kind.get("HEADER"), filling.header, is_positional)
    buttons = objects(of_kind.get("BUTTONS", {}).get("buttons"))
    footer = str(of_kind.get("FOOTER", {}).get("text") or "")
    choices = [_CHOICE + str(button.get("text") or "") for button in buttons]
    return TemplateMessage.filled_in(
        name=template.name,
        language=template.language,
        body=_values(names, filling.body, is_positional),
        header=header,
        buttons=_buttons(buttons, filling.buttons),
        text="\n".join(part for part in (above, text, footer, *choices) if part),
    )


def needs(*, template: Template) -> dict[str, Any]:
    """Return what has to be filled in beside the body, for who makes a form or a call of it.

    {"header": None, "TEXT", "IMAGE", "VIDEO", "DOCUMENT" or "LOCATION", "buttons": {place: kind}}; only what must be.
    """
    of_kind = {kind_of(component): component for component in objects(template.components)}
    header = of_kind.get("HEADER")
    form = _form(header) if header else None
    wanted = None if header is None or (form == "TEXT" and not _header_names(header)) else form
    buttons = objects(of_kind.get("BUTTONS", {}).get("buttons"))
    return {
        "header": wanted,
        "buttons": {place: _kind(button) for place, button in enumerate(buttons) if _must(button)},
    }


def _header(
    component: Mapping[str, Any] | None, given: Mapping[str, str] | MediaPart | Location | None, is_positional: bool
) -> tuple[Any, str]:
    """Return the header as messages take it, and as people read it."""
    form = _form(component) if component else None
    if component is None or form == "TEXT":
        names = _header_names(component) if component else []
        if isinstance(given, MediaPart | Location) or set(given or {}) != set(names):
            raise TemplateUnusable("template_header_differs")
        values = dict(given or {})
        return _values(names, values, is_positional) or None, _replaced(str((component or {}).get("text", "")), values)
    if form in _MEDIA and isinstance(given, MediaPart) and given.kind.upper() == form:
        return given, given.readable()
    if form == "LOCATION" and isinstance(given, Location):
        return given, given.readable()
    raise TemplateUnusable("template_header_differs")


def _buttons(buttons: Sequence[Mapping[str, Any]], given: Mapping[int, str | FlowStart]) -> list[TemplateButton]:
    needed = {place for place, button in enumerate(buttons) if _must(button)}
    if not needed <= set(given) <= set(range(len(buttons))):
        raise TemplateUnusable("template_buttons_differ")
    return [_button(_kind(buttons[place]), place, value) for place, value in sorted(given.items())]


def _button(kind: str, place: int, value: str | FlowStart) -> TemplateButton:
    match kind, value:
        case "URL", str():
            return UrlButton(index=place, suffix=value)
        case "COPY_CODE", str():
            return CopyCodeButton(index=place, code=value)
        case "QUICK_REPLY", str():
            return QuickReplyButton(index=place, payload=value)
        case "FLOW", FlowStart():
            return FlowButton(index=place, token=value.token, data=value.data)
    raise TemplateUnusable("template_buttons_differ")


def _kind(button: Mapping[str, Any]) -> str:
    kind = str(button.get("type", "")).upper()
    # A link without a variable takes nothing.
    return "FIXED_URL" if kind == "URL" and not VARIABLE.search(str(button.get("url") or "")) else kind


def _must(button: Mapping[str, Any]) -> bool:
    return _kind(button) in {"URL", "COPY_CODE"}


def _form(header: Mapping[str, Any]) -> str:
    return str(header.get("format") or "TEXT").upper()


def _header_names(header: Mapping[str, Any]) -> list[str]:
    return variables(str(header.get("text") or ""))


def _values(names: Sequence[str], values: Mapping[str, str], is_positional: bool) -> Any:
    return [values[name] for name in names] if is_positional else {name: values[name] for name in names}


def _replaced(text: str, values: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)
