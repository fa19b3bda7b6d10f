"""Reads a template's components as Meta writes them, whatever is wrong with them: text, variables, what is unreadable.

Tolerant, because these are Meta's words; what we hand in ourselves is checked strictly by checking.py.
Source: Meta, "Template components" (read 2026-11-22).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from messaging.models import Template
from whatsapp import limits
from whatsapp.payloads.parts import objects, text

VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
NAMED, POSITIONAL = "NAMED", "POSITIONAL"
# Characters of all components together, as JSON: our own bound, some ten times what Meta's own limits add up to.
MOST_CHARACTERS = 60_000


@dataclass(frozen=True, slots=True)
class Shape:
    """What a person reads of a template, its body's variables, and why it cannot be read (a Template.Problem)."""

    body: str
    parameters: tuple[Mapping[str, str], ...]
    problem: str


def read(*, components: object, parameter_format: str) -> Shape:
    """Return the shape of components; never raises, whatever they are."""
    bodies = [each for each in objects(components) if kind_of(each) == "BODY"]
    found = text(bodies[0].get("text")) if len(bodies) == 1 else None
    if found is None or not isinstance(components, list) or len(objects(components)) != len(components):
        return Shape(body=found or "", parameters=(), problem=Template.Problem.COMPONENTS_UNREADABLE)
    names = variables(found)
    examples = _examples(bodies[0].get("example"), names)
    parameters = tuple({"name": name, "example": examples.get(name, "")} for name in names)
    problem = "" if _fits(components) else Template.Problem.TOO_LONG
    if not problem and parameter_format == POSITIONAL and names != [str(place + 1) for place in range(len(names))]:
        problem = Template.Problem.COMPONENTS_UNREADABLE
    return Shape(body=found, parameters=parameters, problem=problem)


def kind_of(component: object) -> str:
    """Return what a component is: HEADER, BODY, FOOTER, BUTTONS or another word of Meta's; nothing when it is none."""
    return str(component.get("type", "")).upper() if isinstance(component, Mapping) else ""


def variables(written: str) -> list[str]:
    """Return the variables of a text, each once; positional ones by number, named ones as they stand."""
    found = list(dict.fromkeys(VARIABLE.findall(written)))
    return sorted(found, key=int) if found and all(name.isdecimal() for name in found) else found


def format_of(*, told: str | None, components: object) -> str:
    """Return how a template names its variables: as Meta tells, unless they are words and no numbers."""
    names = [name for each in objects(components) for name in variables(str(each.get("text") or ""))]
    if not all(name.isdecimal() for name in names):
        return NAMED
    return told if told in {NAMED, POSITIONAL} else POSITIONAL


def with_texts(components: Sequence[Any], value: Mapping[str, Any]) -> list[Any]:
    """Return components with the texts that Meta's webhook about changed components tells, and only those.

    It tells header, body, footer and buttons by their words; media, examples and kinds of variables are as they were
    when the template was last read whole.
    """
    told = {
        "HEADER": text(value.get("message_template_title")),
        "BODY": text(value.get("message_template_element")),
        "FOOTER": text(value.get("message_template_footer")),
    }
    changed: list[Any] = []
    for component in components:
        kind = kind_of(component)
        if kind in told and component.get("text") is not None:
            if (words := told.pop(kind)) is not None:
                changed.append({**component, "text": words})
        elif kind == "BUTTONS" and "message_template_buttons" in value:
            changed.append(_with_buttons(component, value["message_template_buttons"]))
        else:
            told.pop(kind, None)
            changed.append(component)
    added = [{"type": kind, "text": words} for kind, words in told.items() if words is not None]
    order = {"HEADER": 0, "BODY": 1, "FOOTER": 2}
    if added:
        changed = sorted([*changed, *added], key=lambda each: order.get(kind_of(each), 3))
    return changed


def _with_buttons(component: Mapping[str, Any], value: object) -> dict[str, Any]:
    before = objects(component.get("buttons"))
    after = []
    for place, told in enumerate(objects(value)):
        words = {
            name: told[f"message_template_button_{name}"]
            for name in ("type", "text", "url", "phone_number")
            if f"message_template_button_{name}" in told
        }
        same = before[place] if place < len(before) and before[place].get("type") == words.get("type") else {}
        after.append({**same, **words})
    return {**component, "buttons": after}


def _examples(value: object, names: Sequence[str]) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    named = {
        str(each.get("param_name")): str(each.get("example", ""))
        for each in objects(value.get("body_text_named_params"))
    }
    rows = value.get("body_text")
    row = rows[0] if isinstance(rows, list) and rows else []
    in_order = {name: str(example) for name, example in zip(names, row, strict=False)} if isinstance(row, list) else {}
    return {**in_order, **named}


def _fits(components: Sequence[Any]) -> bool:
    longest = {
        "HEADER": limits.TEMPLATE_HEADER_CHARACTERS,
        "BODY": limits.TEMPLATE_BODY_CHARACTERS,
        "FOOTER": limits.TEMPLATE_FOOTER_CHARACTERS,
    }
    texts_fit = all(
        len(str(each.get("text") or "")) <= longest.get(kind_of(each), MOST_CHARACTERS) for each in components
    )
    return texts_fit and len(str(components)) <= MOST_CHARACTERS
