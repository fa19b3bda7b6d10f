"""Templates with everything that can be filled in: header, body, buttons; variables by name or in order.

What a template needs is known where templates are kept; here is only checked what Meta would refuse of any template.
Source: Meta, template messages and template components, read 2026-11-22.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whatsapp import limits
from whatsapp.limits import check
from whatsapp.outgoing.media import MediaPart
from whatsapp.outgoing.parts import InvalidContent, need, sized
from whatsapp.outgoing.plain import Location

# Variables in the order of the template, or by name.
Values = Sequence[str] | Mapping[str, str]

_TEMPLATE_NAME = re.compile(r"[a-z0-9_]+")
_PARAMETER_NAME = re.compile(r"[a-z0-9_]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")
_COMPONENT_TYPES = frozenset({"body", "button", "carousel", "header", "limited_time_offer"})
# Meta refuses these in a variable (132012).
_LAYOUT = re.compile(r"[\n\r\t]| {4}")


@dataclass(frozen=True, slots=True)
class UrlButton:
    """A link button: what takes the place of the variable at the end of its address."""

    index: int
    suffix: str

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's component.  Raises LimitExceeded, InvalidContent."""
        need(self.suffix, "template_url_suffix_missing")
        sized(self.suffix, "template_url_suffix_too_long", limits.LINK_CHARACTERS)
        return _button("url", self.index, {"type": "text", "text": self.suffix})


@dataclass(frozen=True, slots=True)
class QuickReplyButton:
    """A quick reply: what comes back when it is tapped."""

    index: int
    payload: str

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's component.  Raises LimitExceeded, InvalidContent."""
        need(self.payload, "template_payload_missing")
        sized(self.payload, "template_payload_too_long", limits.TEMPLATE_PAYLOAD_CHARACTERS)
        return _button("quick_reply", self.index, {"type": "payload", "payload": self.payload})


@dataclass(frozen=True, slots=True)
class CopyCodeButton:
    """A button that copies a code."""

    index: int
    code: str

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's component.  Raises LimitExceeded, InvalidContent."""
        need(self.code, "template_coupon_missing")
        sized(self.code, "template_coupon_too_long", limits.TEMPLATE_COUPON_CHARACTERS)
        return _button("copy_code", self.index, {"type": "coupon_code", "coupon_code": self.code})


@dataclass(frozen=True, slots=True)
class FlowButton:
    """A button that opens a Flow. token: comes back with its answers; data: what its first screen starts with."""

    index: int
    token: str = ""
    data: Mapping[str, Any] | None = None

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's component.  Raises LimitExceeded, InvalidContent."""
        action: dict[str, Any] = {}
        if self.token:
            sized(self.token, "template_flow_token_too_long", limits.TEMPLATE_PAYLOAD_CHARACTERS)
            action["flow_token"] = self.token
        if self.data is not None:
            action["flow_action_data"] = dict(self.data)
        return _button("flow", self.index, {"type": "action", "action": action})


TemplateButton = UrlButton | QuickReplyButton | CopyCodeButton | FlowButton
# A text header's one variable, a medium, or a place.
TemplateHeader = Values | MediaPart | Location


@dataclass(frozen=True, slots=True)
class TemplateMessage:
    """A template with its variables filled in.

    components: Meta's, as in {"type": "body", "parameters": [{"type": "text", "text": "…"}]}. text: what the citizen
    reads, where the caller knows the template's own words.
    """

    name: str
    language: str
    components: tuple[Mapping[str, Any], ...] = ()
    text: str = ""

    @classmethod
    def filled_in(
        cls,
        *,
        name: str,
        language: str,
        body: Values = (),
        header: TemplateHeader | None = None,
        buttons: Sequence[TemplateButton] = (),
        text: str = "",
    ) -> "TemplateMessage":
        """Return a template message with all of its parts filled in.  Raises LimitExceeded, InvalidContent."""
        parts = [header_component(header), _text_component("body", body), *(button.as_meta() for button in buttons)]
        return cls(name=name, language=language, components=tuple(part for part in parts if part), text=text)

    @classmethod
    def with_body(
        cls, *, name: str, language: str, values: Values, others: Sequence[Mapping[str, Any]] = ()
    ) -> "TemplateMessage":
        """Return a template message with its body's variables filled in.

        values: in order for positional variables, by name for named ones; others: header and button components.
        Raises InvalidContent: a name that no variable can have.
        """
        body = _text_component("body", values)
        return cls(name=name, language=language, components=(*others, *([body] if body else [])))

    @property
    def type(self) -> str:
        """Meta's name of the kind."""
        return "template"

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's template object.  Raises LimitExceeded, InvalidContent."""
        sized(self.name, "template_name_too_long", limits.TEMPLATE_NAME_CHARACTERS)
        if not _TEMPLATE_NAME.fullmatch(self.name):
            raise InvalidContent("template_name_invalid")
        if not _LANGUAGE.fullmatch(self.language):
            raise InvalidContent("template_language_invalid")
        for component in self.components:
            _check_component(component)
        _check_buttons(self.components)
        template: dict[str, Any] = {"name": self.name, "language": {"code": self.language}}
        if self.components:
            template["components"] = [dict(component) for component in self.components]
        return template

    def readable(self) -> str:
        """Return what the citizen reads, else the template's name."""
        return self.text or self.name


def header_component(header: TemplateHeader | None) -> dict[str, Any] | None:
    """Return Meta's component of a header, or None when nothing is to be filled in.

    Raises LimitExceeded, InvalidContent.
    """
    if isinstance(header, MediaPart):
        return {"type": "header", "parameters": [header.as_meta()]}
    if isinstance(header, Location):
        place = header.as_meta()
        if "address" not in place:
            raise InvalidContent("template_header_place_incomplete")  # Meta wants all four parts here
        return {"type": "header", "parameters": [{"type": "location", "location": place}]}
    return _text_component("header", header or ())


def _button(kind: str, index: int, parameter: dict[str, Any]) -> dict[str, Any]:
    if not 0 <= index < limits.TEMPLATE_BUTTONS:
        raise InvalidContent("template_button_index_invalid")
    return {"type": "button", "sub_type": kind, "index": str(index), "parameters": [parameter]}


def _text_component(kind: str, values: Values) -> dict[str, Any] | None:
    if isinstance(values, str):
        # Text is a sequence too, of letters: surely not what was meant.
        raise InvalidContent("template_values_invalid")
    if isinstance(values, Mapping):
        if not all(_PARAMETER_NAME.fullmatch(name) for name in values):
            raise InvalidContent("template_parameter_name_invalid")
        parameters = [{"type": "text", "parameter_name": name, "text": value} for name, value in values.items()]
    else:
        parameters = [{"type": "text", "text": value} for value in values]
    if kind == "header" and len(parameters) > 1:
        raise InvalidContent("template_header_values_invalid")
    return {"type": kind, "parameters": parameters} if parameters else None


def _check_component(component: Mapping[str, Any]) -> None:
    kind, parameters = component.get("type"), component.get("parameters", [])
    if kind not in _COMPONENT_TYPES or not isinstance(parameters, list | tuple):
        raise InvalidContent("template_component_invalid")
    longest = {"header": limits.TEMPLATE_HEADER_CHARACTERS, "button": limits.LINK_CHARACTERS}
    for parameter in parameters:
        if not isinstance(parameter, Mapping) or not isinstance(parameter.get("type"), str):
            raise InvalidContent("template_parameter_invalid")
        if parameter["type"] == "text":
            value = parameter.get("text")
            if not isinstance(value, str) or not value.strip():
                raise InvalidContent("template_parameter_empty")
            if kind != "button" and _LAYOUT.search(value):
                raise InvalidContent("template_parameter_layout")
            sized(value, "template_parameter_too_long", longest.get(kind, limits.TEMPLATE_BODY_CHARACTERS))


def _check_buttons(components: Sequence[Mapping[str, Any]]) -> None:
    places = [str(component.get("index")) for component in components if component["type"] == "button"]
    check(code="template_too_many_buttons", limit=limits.TEMPLATE_BUTTONS, actual=len(places))
    if len(set(places)) != len(places):
        raise InvalidContent("template_button_index_invalid")
    for kind in ("header", "body"):
        if sum(1 for component in components if component["type"] == kind) > 1:
            raise InvalidContent("template_component_invalid")
