"""Each code that a message can be refused with has its text in Dutch and in English, and no text is of no code."""

import ast
import string
from functools import cache
from pathlib import Path

import pytest

import whatsapp
from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import InvalidContent
from whatsapp.texts import TEXTS, text_of

ROOT = Path(whatsapp.__file__).parent.parent
# All that may refuse: a room that makes contents of its own belongs here too.
SOURCES = [*ROOT.glob("whatsapp/outgoing/*.py"), *ROOT.glob("messaging/**/*.py"), *ROOT.glob("api/**/*.py")]
# Where a code stands in each call that can refuse.
PLACES = {"InvalidContent": (0,), "need": (1,), "sized": (1,), "count": (1,), "web_address": (1,), "_unique": (1,)}
NAMES = {"code", "too_long"}


@cache
def codes() -> dict[str, str]:
    """Return every code that the source can refuse with, and what refuses so."""
    found = {}
    for path in SOURCES:
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            if call.func.id not in {*PLACES, "check"}:
                continue
            given = [call.args[place] for place in PLACES.get(call.func.id, ()) if place < len(call.args)]
            given += [keyword.value for keyword in call.keywords if keyword.arg in NAMES]
            found |= {each.value: call.func.id for each in given if isinstance(each, ast.Constant)}
    return found


def test_the_codes_are_found():
    assert len(codes()) > 60
    assert {"text_empty", "media_link_too_long", "our_id_too_long", "list_row_ids_repeat"} <= set(codes())


def test_every_code_has_its_text_and_every_text_its_code():
    assert set(codes()) == set(TEXTS)


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_it_says_it_in_both_languages(code):
    for text in (TEXTS[code].nl, TEXTS[code].en):
        assert text.endswith(".")
        assert text.strip(string.whitespace) == text
    assert TEXTS[code].nl != TEXTS[code].en
    values = [
        {part for _, part, _, _ in string.Formatter().parse(text) if part} for text in (TEXTS[code].nl, TEXTS[code].en)
    ]
    assert values[0] == values[1] <= {"limit", "actual"}
    if code.endswith("_too_long"):
        assert values[0] == {"limit", "actual"} or code == "our_id_too_long"
    elif codes()[code] not in {"check", "sized", "count"}:
        assert values[0] == set()


def test_it_names_the_figures():
    said = text_of(LimitExceeded("text_too_long", 4096, 5000), language="nl")
    assert said == "Het bericht is te lang: 5000 tekens, en WhatsApp neemt er 4096."
    assert text_of(InvalidContent("text_empty"), language="en") == "Write a message first."
    assert text_of(InvalidContent("something_new"), language="en").startswith("WhatsApp would not take")
