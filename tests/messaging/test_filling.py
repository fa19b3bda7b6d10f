"""Templates with every component: what Meta gets, what the citizen reads, and what does not fit."""

import pytest

from messaging.models import Template
from messaging.templates.filling import Filling, FlowStart, TemplateUnusable, fill, needs
from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import InvalidContent, Location, MediaPart

BODY = {"type": "BODY", "text": "Dag {{naam}}, uw afspraak is op {{datum}} bij ons."}
VALUES = {"naam": "Piet", "datum": "maandag"}
FOOTER = {"type": "FOOTER", "text": "Gemeente Utrecht"}
BUTTONS = {
    "type": "BUTTONS",
    "buttons": [
        {"type": "QUICK_REPLY", "text": "Ik kom"},
        {"type": "URL", "text": "Wijzigen", "url": "https://www.utrecht.nl/a/{{1}}", "example": ["x"]},
        {"type": "URL", "text": "Website", "url": "https://www.utrecht.nl"},
        {"type": "COPY_CODE", "example": "A1"},
        {"type": "FLOW", "text": "Formulier", "flow_id": "1"},
        {"type": "PHONE_NUMBER", "text": "Bel", "phone_number": "+3114030"},
    ],
}
PICTURE = MediaPart(kind="image", link="https://www.utrecht.nl/a.jpg")
FILE = MediaPart(kind="document", media_id="123", filename="plan.pdf")
HALL = Location(latitude=52.09, longitude=5.12, name="Stadskantoor", address="Stadsplateau 1")


def template(*components, parameter_format="NAMED", body=BODY, parameters=("naam", "datum")) -> Template:
    return Template(
        name="afspraak",
        language="nl",
        body=body["text"],
        parameters=[{"name": name, "example": "x"} for name in parameters],
        components=[*components, body],
        parameter_format=parameter_format,
    )


def sent(made: Template, **filling):
    return fill(template=made, filling=Filling(body=filling.pop("body", VALUES), **filling)).as_meta()["components"]


def test_named_variables_go_by_name_and_positional_ones_in_order():
    named, positional = (
        template(),
        template(
            body={"type": "BODY", "text": "Dag {{1}}, tot {{2}}."}, parameters=("1", "2"), parameter_format="POSITIONAL"
        ),
    )
    assert sent(named)[0]["parameters"][0] == {"type": "text", "parameter_name": "naam", "text": "Piet"}
    assert sent(positional, body={"2": "maandag", "1": "Piet"})[0]["parameters"] == [
        {"type": "text", "text": "Piet"},
        {"type": "text", "text": "maandag"},
    ]


@pytest.mark.parametrize(
    ("header", "given", "parameter"),
    [
        (
            {"format": "TEXT", "text": "Over {{zaak}}"},
            {"zaak": "Z-1"},
            {"type": "text", "parameter_name": "zaak", "text": "Z-1"},
        ),
        ({"format": "IMAGE"}, PICTURE, {"type": "image", "image": {"link": "https://www.utrecht.nl/a.jpg"}}),
        ({"format": "DOCUMENT"}, FILE, {"type": "document", "document": {"id": "123", "filename": "plan.pdf"}}),
        (
            {"format": "VIDEO"},
            MediaPart(kind="video", media_id="9"),
            {"type": "video", "video": {"id": "9"}},
        ),
        ({"format": "LOCATION"}, HALL, {"type": "location", "location": HALL.as_meta()}),
    ],
)
def test_every_header_is_filled_in(header, given, parameter):
    made = template({"type": "HEADER", **header})
    assert sent(made, header=given)[0] == {"type": "header", "parameters": [parameter]}
    assert needs(template=made)["header"] == header["format"]
    with pytest.raises(TemplateUnusable, match="template_header_differs"):
        sent(made)


@pytest.mark.parametrize(
    ("header", "given"),
    [
        (None, PICTURE),
        (None, {"zaak": "x"}),
        ({"format": "TEXT", "text": "Vast"}, {"zaak": "x"}),
        ({"format": "IMAGE"}, FILE),
        ({"format": "IMAGE"}, HALL),
        ({"format": "LOCATION"}, PICTURE),
        ({"format": "TEXT", "text": "Over {{zaak}}"}, PICTURE),
        ({"format": "PRODUCT"}, None),
    ],
)
def test_another_header_than_the_templates_is_refused(header, given):
    with pytest.raises(TemplateUnusable, match="template_header_differs"):
        sent(template(*([{"type": "HEADER", **header}] if header else [])), header=given)


def test_a_header_of_fixed_words_needs_nothing():
    made = template({"type": "HEADER", "text": "Afspraak"})
    assert [part["type"] for part in sent(made)] == ["body"]
    assert needs(template=made) == {"header": None, "buttons": {}}


def test_every_button_is_filled_in_by_its_place():
    made = template(BUTTONS)
    given = {0: "KOMT", 1: "1234", 3: "KORTING", 4: FlowStart(token="t", data={"zaak": "1"})}
    expected = [
        ("quick_reply", "0", {"type": "payload", "payload": "KOMT"}),
        ("url", "1", {"type": "text", "text": "1234"}),
        ("copy_code", "3", {"type": "coupon_code", "coupon_code": "KORTING"}),
        ("flow", "4", {"type": "action", "action": {"flow_token": "t", "flow_action_data": {"zaak": "1"}}}),
    ]
    assert sent(made, buttons=given)[1:] == [
        {"type": "button", "sub_type": kind, "index": index, "parameters": [parameter]}
        for kind, index, parameter in expected
    ]
    assert needs(template=made)["buttons"] == {1: "URL", 3: "COPY_CODE"}
    assert len(sent(made, buttons={1: "1", 3: "K"})) == 3


@pytest.mark.parametrize(
    "given",
    [
        {},
        {1: "x"},
        {1: "x", 3: "y", 2: "z"},
        {1: "x", 3: "y", 5: "z"},
        {1: "x", 3: "y", 6: "z"},
        {1: "x", 3: "y", 4: "z"},
    ],
)
def test_other_buttons_than_the_templates_are_refused(given):
    with pytest.raises(TemplateUnusable, match="template_buttons_differ"):
        sent(template(BUTTONS), buttons=given)


def test_people_read_it_as_the_citizen_does():
    made = template({"type": "HEADER", "text": "Over {{zaak}}"}, FOOTER, BUTTONS)
    filled = fill(template=made, filling=Filling(body=VALUES, header={"zaak": "Z-1"}, buttons={1: "1", 3: "K"}))
    assert filled.text.splitlines()[:4] == [
        "Over Z-1",
        "Dag Piet, uw afspraak is op maandag bij ons.",
        "Gemeente Utrecht",
        "▸ Ik kom",
    ]


@pytest.mark.parametrize(
    ("filling", "error", "code"),
    [
        ({"body": {"naam": "Piet"}}, TemplateUnusable, "template_parameters_differ"),
        ({"body": {**VALUES, "uur": "3"}}, TemplateUnusable, "template_parameters_differ"),
        ({"body": {"naam": "x" * 600, "datum": "y" * 600}}, LimitExceeded, "template_body_too_long"),
        ({"body": {"naam": "Piet\nKlaassen", "datum": "x"}}, InvalidContent, "template_parameter_layout"),
        ({"body": {"naam": "a    b", "datum": "x"}}, InvalidContent, "template_parameter_layout"),
        ({"body": {"naam": " ", "datum": "x"}}, InvalidContent, "template_parameter_empty"),
    ],
)
def test_what_meta_would_refuse_is_refused_before(filling, error, code):
    with pytest.raises(error) as refusal:
        sent(template(), **filling)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("buttons", "code"),
    [
        ({1: "1", 3: "K" * 16}, "template_coupon_too_long"),
        ({1: "x" * 2001, 3: "K"}, "template_url_suffix_too_long"),
        ({0: "x" * 257, 1: "1", 3: "K"}, "template_payload_too_long"),
    ],
)
def test_a_button_has_its_limit(buttons, code):
    with pytest.raises(LimitExceeded) as refusal:
        sent(template(BUTTONS), buttons=buttons)
    assert refusal.value.code == code
