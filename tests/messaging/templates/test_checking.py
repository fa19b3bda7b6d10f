"""Every rule of Meta's that a draft can break is named before Meta sees it; what Meta takes breaks none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.templates import components
from messaging.templates.checking import check

BODY = "Goedendag {{naam}}, uw afspraak is op {{datum}} bij ons op het gemeentehuis."
NAMED_EXAMPLE = {
    "body_text_named_params": [{"param_name": "naam", "example": "Piet"}, {"param_name": "datum", "example": "maandag"}]
}
NUMBERED = "Goedendag {{1}}, uw afspraak is op {{2}} bij ons op het gemeentehuis."


def body(text: str = BODY, **more: Any) -> dict[str, Any]:
    return {"type": "BODY", "text": text, "example": NAMED_EXAMPLE, **more}


def buttons(*given: dict[str, Any]) -> list[dict[str, Any]]:
    return [body(), {"type": "BUTTONS", "buttons": list(given)}]


def reply(text: str = "Ja") -> dict[str, Any]:
    return {"type": "QUICK_REPLY", "text": text}


def link(url: str = "https://utrecht.example/", **more: Any) -> dict[str, Any]:
    return {"type": "URL", "text": "Bekijk", "url": url, **more}


def problems(parts: list[dict[str, Any]] | None = None, **more: Any) -> list[tuple[str, str]]:
    asked = {"name": "afspraak", "language": "nl", "category": "UTILITY", "parameter_format": "NAMED"}
    found = check(**{**asked, "components": [body()] if parts is None else parts, **more})
    return [(problem.place, problem.code) for problem in found]


def test_a_good_one_breaks_no_rule():
    parts = [
        {"type": "HEADER", "format": "TEXT", "text": "Over {{zaak}} bij ons", "example": {
            "header_text_named_params": [{"param_name": "zaak", "example": "uw paspoort"}]
        }},
        body(),
        {"type": "FOOTER", "text": "Gemeente Utrecht"},
        {"type": "BUTTONS", "buttons": [
            reply("Ja"), reply("Nee"),
            link("https://utrecht.example/{{1}}", example=["https://utrecht.example/5"]), link(),
            {"type": "PHONE_NUMBER", "text": "Bel ons", "phone_number": "+31302860000"},
            {"type": "COPY_CODE", "example": "1234"},
        ]},
    ]  # fmt: skip
    assert problems(parts) == []


def test_numbered_variables_have_their_own_rules():
    good = [{"type": "BODY", "text": NUMBERED, "example": {"body_text": [["Piet", "maandag"]]}}]
    assert problems(good, parameter_format="POSITIONAL") == []
    assert problems(good) == [("BODY", "variable_name_invalid"), ("BODY", "example_missing")]
    swapped = [{**good[0], "text": NUMBERED.replace("{{1}}", "{{3}}")}]
    assert problems(swapped, parameter_format="POSITIONAL") == [("BODY", "variables_not_in_order")]
    short = [{**good[0], "example": {"body_text": [["Piet"]]}}]
    assert problems(short, parameter_format="POSITIONAL") == [("BODY", "example_missing")]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "Afspraak"}, ("name", "name_invalid")),
        ({"name": ""}, ("name", "name_invalid")),
        ({"name": "a" * 513}, ("name", "too_long")),
        ({"language": "Nederlands"}, ("language", "language_invalid")),
        ({"category": "MARKETING"}, ("category", "marketing")),
        ({"category": "MARKETING_LITE"}, ("category", "marketing")),
        ({"category": "SERVICE"}, ("category", "category_unknown")),
        ({"parameter_format": "MORSE"}, ("BODY", "parameter_format_unknown")),
    ],
)
def test_its_frame(changes, problem):
    assert problem in problems(**changes)


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([], ("BODY", "body_missing")),
        ([body(), body()], ("BODY", "component_twice")),
        ([body(), {"type": "FOOTER", "text": "a"}, {"type": "FOOTER", "text": "b"}], ("FOOTER", "component_twice")),
        ([body(), {"type": "CAROUSEL"}], ("CAROUSEL", "component_unknown")),
        ([body("")], ("BODY", "text_missing")),
        ([body(BODY + "x" * 1024)], ("BODY", "too_long")),
        ([body("{{naam}}, uw afspraak is op {{datum}} bij ons")], ("BODY", "variable_at_start")),
        ([body("Dag {{naam}}, uw afspraak bij ons is op {{datum}} ")], ("BODY", "variable_at_end")),
        ([body("Uw afspraak bij ons is morgen, {{naam}} {{datum}} tot dan")], ("BODY", "variables_adjacent")),
        ([body("Dag {{naam}}, op {{datum}}!")], ("BODY", "too_many_variables")),
        ([body("Dag {{Naam}}, uw afspraak is op {{datum}} bij ons")], ("BODY", "variable_name_invalid")),
        ([body("Dag {{}}, uw afspraak is op {{datum}} bij ons")], ("BODY", "variable_name_invalid")),
        ([body("Dag {{naam}, uw afspraak is op {{datum}} bij ons")], ("BODY", "braces_unpaired")),
        ([body(example={})], ("BODY", "example_missing")),
        ([body(example="voorbeeld")], ("BODY", "example_missing")),
        ([body(), {"type": "HEADER", "format": "TEXT", "text": "x" * 61}], ("HEADER", "too_long")),
        ([body(), {"type": "HEADER", "format": "TEXT", "text": "a {{b}} c {{d}} e"}], ("HEADER", "too_many_variables")),
        ([body(), {"type": "HEADER", "format": "TEXT", "text": "a {{b}} c"}], ("HEADER", "example_missing")),
        ([body(), {"type": "HEADER", "format": "IMAGE"}], ("HEADER", "example_missing")),
        ([body(), {"type": "HEADER", "format": "HOLOGRAM"}], ("HEADER", "header_format_unknown")),
        ([body(), {"type": "FOOTER", "text": "x" * 61}], ("FOOTER", "too_long")),
        ([body(), {"type": "FOOTER", "text": "van {{naam}} zelf"}], ("FOOTER", "too_many_variables")),
    ],
)
def test_its_texts(parts, problem):
    assert problem in problems(parts)


@pytest.mark.parametrize(
    ("given_buttons", "code"),
    [
        ([], "buttons_missing"),
        ([reply(str(place)) for place in range(11)], "too_many_buttons"),
        ([link(), link(), link()], "too_many_url_buttons"),
        (
            [{"type": "PHONE_NUMBER", "text": "Bel", "phone_number": "+31302860000"}] * 2,
            "too_many_phone_number_buttons",
        ),
        ([{"type": "COPY_CODE", "example": "1"}] * 2, "too_many_copy_code_buttons"),
        ([reply(), link(), reply("Nee")], "quick_replies_apart"),
        ([{"type": "TELEPORT", "text": "x"}], "button_kind_unknown"),
        ([{"type": "QUICK_REPLY"}], "button_label_missing"),
        ([reply("x" * 26)], "button_label_too_long"),
        ([reply("{{naam}}")], "button_label_variable"),
        ([link("utrecht.example")], "button_url_invalid"),
        ([link("https://utrecht.example/" + "x" * 2000)], "button_url_too_long"),
        ([link("https://{{1}}.example/", example=["a"])], "button_url_variable"),
        ([link("https://utrecht.example/{{1}}")], "example_missing"),
        ([{"type": "PHONE_NUMBER", "text": "Bel", "phone_number": "nul"}], "button_phone_invalid"),
        ([{"type": "COPY_CODE", "example": "x" * 16}], "button_code_too_long"),
        ([{"type": "COPY_CODE"}], "example_missing"),
    ],
)
def test_its_buttons(given_buttons, code):
    assert ("BUTTONS", code) in problems(buttons(*given_buttons))


def test_everything_that_is_wrong_is_named_at_once_with_its_figures():
    found = check(
        name="A", language="nl", category="MARKETING", parameter_format="NAMED", components=[body("x" * 1030)]
    )
    assert {problem.code for problem in found} >= {"name_invalid", "marketing", "too_long"}
    (long,) = [problem for problem in found if problem.code == "too_long"]
    assert (long.limit, long.actual) == (1024, 1030)


WORDS = st.text(alphabet="abc {}1_\n", max_size=40)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "example"]), inner),
    max_leaves=6,
)
KINDS = st.sampled_from(["HEADER", "BODY", "FOOTER", "BUTTONS", "body", "ODD", ""])
PART = st.fixed_dictionaries(
    {"type": KINDS}, optional={"text": WORDS | ODD, "example": ODD, "format": ODD, "buttons": ODD}
)


@given(parts=st.lists(PART, max_size=4), form=st.sampled_from(["NAMED", "POSITIONAL"]))
def test_any_parts_are_checked_and_read_without_breaking(parts, form):
    check(name="a", language="nl", category="UTILITY", parameter_format=form, components=parts)
    shape = components.read(components=parts, parameter_format=form)
    assert shape.problem or isinstance(shape.body, str)


@given(anything=ODD)
def test_anything_is_read_without_breaking(anything):
    components.read(components=anything, parameter_format="NAMED")
    components.format_of(told=None, components=anything)
    if isinstance(anything, list):
        components.with_texts(anything, {"message_template_element": "x", "message_template_buttons": anything})


class TestAgainstTheSandbox:
    @pytest.mark.parametrize(
        "parts",
        [
            [body()],
            [
                {"type": "HEADER", "format": "TEXT", "text": "Uw afspraak"},
                body(),
                {"type": "FOOTER", "text": "Utrecht"},
            ],
            buttons(reply(), reply("Nee"), link()),
        ],
    )
    def test_what_breaks_no_rule_is_taken(self, sandbox, parts):
        assert problems(parts) == []
        asked = {"name": "afspraak", "language": "nl", "category": "UTILITY", "parameter_format": "NAMED"}
        made = sandbox.graph(f"{sandbox.waba_id}/message_templates", {**asked, "components": parts}, method="POST")
        assert made["status"] == "PENDING"
