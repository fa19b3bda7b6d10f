"""Checks a template of ours against Meta's rules before Meta sees it: every rule that is broken is named at once.

Pure: no database, no network. What it finds are codes; the pages have the words in Dutch and English.
Source: Meta, "Template components", "Utility templates" and "Template review" (read 2026-11-22).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from messaging.templates.components import NAMED, POSITIONAL, kind_of, variables
from whatsapp import limits
from whatsapp.payloads.parts import objects, text

LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")
NAME = re.compile(r"[a-z0-9_]+")
NAMED_VARIABLE = re.compile(r"[a-z_][a-z0-9_]*")
CATEGORIES = ("UTILITY", "AUTHENTICATION")  # MARKETING is what no municipality may send
HEADER_FORMATS = ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION")
BUTTON_LABEL_CHARACTERS = 25
PHONE_CHARACTERS = 20
CODE_CHARACTERS = 15
# Buttons of one kind on a template; those that are not named may stand as often as there are buttons.
MOST_OF_KIND = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "QUICK_REPLY": 10, "FLOW": 1, "REQUEST_CONTACT_INFO": 1}
# Words that must stand beside each variable. Meta says only "too many for the length": our own bound, the one at which
# its review is seen to refuse.
WORDS_A_VARIABLE = 3

_ANY = re.compile(r"\{\{([^{}]*)\}\}")
_ADJACENT = re.compile(r"\}\}\s*\{\{")
_BRACES = re.compile(r"\{\{|\}\}")


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that a draft breaks. place: name, language, category, HEADER, BODY, FOOTER or BUTTONS.

    limit, actual: of a rule that counts.
    """

    code: str
    place: str
    limit: int | None = None
    actual: int | None = None


def check(
    *, name: str, language: str, category: str, parameter_format: str, components: Sequence[Mapping[str, Any]]
) -> tuple[Problem, ...]:
    """Return everything that Meta, or the declaration, would refuse in a draft; nothing when it may be handed in."""
    return (
        *_frame(name, language, category, parameter_format),
        *_composition(components),
        *(problem for each in components for problem in _component(each, parameter_format)),
    )


def _frame(name: str, language: str, category: str, parameter_format: str) -> Iterator[Problem]:
    if not NAME.fullmatch(name):
        yield Problem("name_invalid", "name")
    if len(name) > limits.TEMPLATE_NAME_CHARACTERS:
        yield Problem("too_long", "name", limits.TEMPLATE_NAME_CHARACTERS, len(name))
    if not LANGUAGE.fullmatch(language):
        yield Problem("language_invalid", "language")
    if category.startswith("MARKETING"):
        yield Problem("marketing", "category")
    elif category not in CATEGORIES:
        yield Problem("category_unknown", "category")
    if parameter_format not in {NAMED, POSITIONAL}:
        yield Problem("parameter_format_unknown", "BODY")


def _composition(components: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    kinds = [kind_of(each) for each in components]
    if kinds.count("BODY") != 1:
        yield Problem("body_missing" if "BODY" not in kinds else "component_twice", "BODY")
    for kind in ("HEADER", "FOOTER", "BUTTONS"):
        if kinds.count(kind) > 1:
            yield Problem("component_twice", kind)
    for kind in kinds:
        if kind not in {"HEADER", "BODY", "FOOTER", "BUTTONS"}:
            yield Problem("component_unknown", kind[:40])


def _component(component: Mapping[str, Any], parameter_format: str) -> Iterator[Problem]:
    checks: dict[str, Callable[[Mapping[str, Any], str], Iterator[Problem]]] = {
        "HEADER": _header,
        "BODY": _body,
        "FOOTER": _footer,
        "BUTTONS": _buttons,
    }
    if (of_kind := checks.get(kind_of(component))) is not None:
        yield from of_kind(component, parameter_format)


def _header(component: Mapping[str, Any], parameter_format: str) -> Iterator[Problem]:
    form = str(component.get("format", "TEXT")).upper()
    if form not in HEADER_FORMATS:
        yield Problem("header_format_unknown", "HEADER")
    elif form == "TEXT":
        yield from _text(component, "HEADER", parameter_format, limits.TEMPLATE_HEADER_CHARACTERS, most_variables=1)
    elif form != "LOCATION":
        example = component.get("example")
        handles = example.get("header_handle") if isinstance(example, Mapping) else None
        if not isinstance(handles, list) or not handles or not all(map(text, handles)):
            yield Problem("example_missing", "HEADER")


def _body(component: Mapping[str, Any], parameter_format: str) -> Iterator[Problem]:
    yield from _text(component, "BODY", parameter_format, limits.TEMPLATE_BODY_CHARACTERS, most_variables=None)
    body = text(component.get("text")) or ""
    stripped = body.strip()
    if stripped.startswith("{{"):
        yield Problem("variable_at_start", "BODY")
    if stripped.endswith("}}"):
        yield Problem("variable_at_end", "BODY")
    if _ADJACENT.search(body):
        yield Problem("variables_adjacent", "BODY")
    found, words = len(_ANY.findall(body)), len(_ANY.sub(" ", body).split())
    if found and words < found * WORDS_A_VARIABLE:
        yield Problem("too_many_variables", "BODY", words // WORDS_A_VARIABLE, found)


def _footer(component: Mapping[str, Any], parameter_format: str) -> Iterator[Problem]:
    yield from _text(component, "FOOTER", parameter_format, limits.TEMPLATE_FOOTER_CHARACTERS, most_variables=0)


def _text(
    component: Mapping[str, Any], place: str, parameter_format: str, longest: int, *, most_variables: int | None
) -> Iterator[Problem]:
    written = text(component.get("text"))
    if written is None or not written.strip():
        yield Problem("text_missing", place)
        return
    if len(written) > longest:
        yield Problem("too_long", place, longest, len(written))
    yield from _names(written, place, parameter_format)
    names = variables(written)
    if most_variables is not None and len(names) > most_variables:
        yield Problem("too_many_variables", place, most_variables, len(names))
    elif names:
        yield from _examples(component, names, place, parameter_format)


def _names(written: str, place: str, parameter_format: str) -> Iterator[Problem]:
    """Check that variables are written and numbered as they must be."""
    inside = [each.strip() for each in _ANY.findall(written)]
    if _BRACES.search(_ANY.sub("", written)):
        yield Problem("braces_unpaired", place)
    if parameter_format == NAMED:
        if not all(NAMED_VARIABLE.fullmatch(each) for each in inside):
            yield Problem("variable_name_invalid", place)
    elif parameter_format == POSITIONAL:
        if not all(each.isascii() and each.isdecimal() for each in inside):
            yield Problem("variable_name_invalid", place)
        elif list(dict.fromkeys(inside)) != [str(position + 1) for position in range(len(set(inside)))]:
            yield Problem("variables_not_in_order", place)


def _examples(
    component: Mapping[str, Any], names: Sequence[str], place: str, parameter_format: str
) -> Iterator[Problem]:
    """Check that each variable has an example."""
    given = component.get("example")
    example = given if isinstance(given, Mapping) else {}
    kind = place.lower()
    if parameter_format == NAMED:
        rows = objects(example.get(f"{kind}_text_named_params"))
        shown = {str(row.get("param_name")) for row in rows if text(row.get("example"))}
        complete = shown == set(names)
    else:
        values = example.get(f"{kind}_text")
        row = values[0] if kind == "body" and isinstance(values, list) and values else values
        complete = isinstance(row, list) and len(row) == len(names) and all(map(text, row))
    if not complete:
        yield Problem("example_missing", place)


def _buttons(component: Mapping[str, Any], _parameter_format: str) -> Iterator[Problem]:
    raw = component.get("buttons")
    buttons = objects(raw)
    if not buttons or not isinstance(raw, list) or len(buttons) != len(raw):
        yield Problem("buttons_missing", "BUTTONS")
        return
    if len(buttons) > limits.TEMPLATE_BUTTONS:
        yield Problem("too_many_buttons", "BUTTONS", limits.TEMPLATE_BUTTONS, len(buttons))
    kinds = [str(each.get("type", "")).upper() for each in buttons]
    for kind in dict.fromkeys(kinds):
        if kind not in MOST_OF_KIND:
            yield Problem("button_kind_unknown", "BUTTONS")
        elif kinds.count(kind) > MOST_OF_KIND[kind]:
            yield Problem(f"too_many_{kind.lower()}_buttons", "BUTTONS", MOST_OF_KIND[kind], kinds.count(kind))
    replies = [place for place, kind in enumerate(kinds) if kind == "QUICK_REPLY"]
    if replies and replies[-1] - replies[0] + 1 != len(replies):
        yield Problem("quick_replies_apart", "BUTTONS")
    for each, kind in zip(buttons, kinds, strict=True):
        yield from _button(each, kind)


def _button(button: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    label = text(button.get("text"))
    # Meta writes the label of a button that copies a code, or asks for contact details, itself.
    if label is None and kind not in {"COPY_CODE", "REQUEST_CONTACT_INFO"}:
        yield Problem("button_label_missing", "BUTTONS")
    if label is not None and len(label) > BUTTON_LABEL_CHARACTERS:
        yield Problem("button_label_too_long", "BUTTONS", BUTTON_LABEL_CHARACTERS, len(label))
    if label is not None and "{{" in label:
        yield Problem("button_label_variable", "BUTTONS")
    if kind == "URL":
        yield from _url(button)
    elif kind == "PHONE_NUMBER":
        phone = text(button.get("phone_number")) or ""
        if not re.fullmatch(r"\+?[0-9]{5,20}", phone) or len(phone) > PHONE_CHARACTERS:
            yield Problem("button_phone_invalid", "BUTTONS")
    elif kind == "COPY_CODE":
        example = button.get("example")
        code = example[0] if isinstance(example, list) and example else example
        if text(code) is None:
            yield Problem("example_missing", "BUTTONS")
        elif len(str(code)) > CODE_CHARACTERS:
            yield Problem("button_code_too_long", "BUTTONS", CODE_CHARACTERS, len(str(code)))


def _url(button: Mapping[str, Any]) -> Iterator[Problem]:
    url = text(button.get("url")) or ""
    if not url.startswith("https://") and not url.startswith("http://"):
        yield Problem("button_url_invalid", "BUTTONS")
    if len(url) > limits.LINK_CHARACTERS:
        yield Problem("button_url_too_long", "BUTTONS", limits.LINK_CHARACTERS, len(url))
    if not (found := _ANY.findall(url)):
        return
    # One variable, at the end, and an example of the whole address.
    if len(found) > 1 or found[0].strip() != "1" or not url.endswith("}}"):
        yield Problem("button_url_variable", "BUTTONS")
    example = button.get("example")
    if not isinstance(example, list) or len(example) != 1 or text(example[0]) is None:
        yield Problem("example_missing", "BUTTONS")
