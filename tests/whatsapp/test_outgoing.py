"""Values into Meta's JSON: what leaves is what Meta takes, and what it would not take never leaves."""

import pytest

from whatsapp import limits
from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import (
    InvalidContent,
    MediaMessage,
    Recipient,
    TemplateMessage,
    Text,
    read_receipt_body,
    request_body,
)

PHONE = Recipient(wa_id="316970001001")
OUR_ID = "0d5bb1c2-6f0e-4d0a-9a55-2f6c0f1f8f11"


def test_a_text_to_a_phone_number_is_written_with_a_plus():
    assert request_body(recipient=PHONE, content=Text("Goedemorgen"), our_id=OUR_ID) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+316970001001",
        "type": "text",
        "text": {"body": "Goedemorgen", "preview_url": False},
        "biz_opaque_callback_data": OUR_ID,
    }


def test_an_id_goes_into_recipient_and_to_is_left_out():
    body = request_body(recipient=Recipient(bsuid="NL.13491208655302741918"), content=Text("x"), our_id=OUR_ID)
    assert body["recipient"] == "NL.13491208655302741918"
    assert "to" not in body


def test_with_both_ids_the_phone_number_is_used():
    body = request_body(recipient=Recipient(wa_id="316970001001", bsuid="NL.1"), content=Text("x"), our_id=OUR_ID)
    assert body["to"] == "+316970001001"
    assert "recipient" not in body


def test_an_answer_names_what_it_answers():
    body = request_body(recipient=PHONE, content=Text("x"), our_id=OUR_ID, reply_to="wamid.abc")
    assert body["context"] == {"message_id": "wamid.abc"}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "recipient_missing"),
        ({"wa_id": "+316970001001"}, "recipient_wa_id_invalid"),
        ({"wa_id": "0031 6"}, "recipient_wa_id_invalid"),
        ({"wa_id": "NL.1"}, "recipient_wa_id_invalid"),
        ({"wa_id": ""}, "recipient_wa_id_invalid"),
        ({"bsuid": "316970001001"}, "recipient_bsuid_invalid"),
    ],
)
def test_a_recipient_must_be_one(given, code):
    with pytest.raises(InvalidContent) as refusal:
        Recipient(**given)
    assert refusal.value.code == code
    assert "31697" not in str(refusal.value)


def test_positional_values_stay_in_order():
    template = TemplateMessage.with_body(name="afspraak", language="nl", values=["Sanne", "maandag"])
    assert template.as_meta() == {
        "name": "afspraak",
        "language": {"code": "nl"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Sanne"}, {"type": "text", "text": "maandag"}]}
        ],
    }


def test_named_values_carry_their_names():
    template = TemplateMessage.with_body(name="afspraak", language="nl", values={"naam": "Sanne"})
    assert template.as_meta()["components"] == [
        {"type": "body", "parameters": [{"type": "text", "parameter_name": "naam", "text": "Sanne"}]}
    ]


def test_a_template_without_variables_has_no_components():
    assert TemplateMessage.with_body(name="welkom", language="nl", values=[]).as_meta() == {
        "name": "welkom",
        "language": {"code": "nl"},
    }


def test_other_components_go_along():
    header = {"type": "header", "parameters": [{"type": "image", "image": {"id": "1"}}]}
    template = TemplateMessage.with_body(name="welkom", language="en_US", values=["x"], others=[header])
    assert [component["type"] for component in template.as_meta()["components"]] == ["header", "body"]


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (MediaMessage(kind="image", media_id="1", caption="Foto"), {"id": "1", "caption": "Foto"}),
        (MediaMessage(kind="video", link="https://example.nl/v.mp4"), {"link": "https://example.nl/v.mp4"}),
        (MediaMessage(kind="document", media_id="1", filename="b.pdf"), {"id": "1", "filename": "b.pdf"}),
        (MediaMessage(kind="audio", media_id="1", voice=True), {"id": "1", "voice": True}),
        (MediaMessage(kind="sticker", media_id="1"), {"id": "1"}),
    ],
)
def test_media_are_written_under_their_kind(content, body):
    written = request_body(recipient=PHONE, content=content, our_id=OUR_ID)
    assert written["type"] == content.kind
    assert written[content.kind] == body


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (Text(""), "text_empty"),
        (Text(" \n"), "text_empty"),
        (MediaMessage(kind="gif", media_id="1"), "media_kind_unknown"),
        (MediaMessage(kind="image"), "media_needs_id_or_link"),
        (MediaMessage(kind="image", media_id="1", link="https://x"), "media_needs_id_or_link"),
        (MediaMessage(kind="image", link="http://x"), "media_link_not_https"),
        (MediaMessage(kind="audio", media_id="1", caption="x"), "media_caption_not_allowed"),
        (MediaMessage(kind="image", media_id="1", filename="x"), "media_filename_not_allowed"),
        (MediaMessage(kind="video", media_id="1", voice=True), "media_voice_not_allowed"),
        (TemplateMessage(name="Met Hoofdletter", language="nl"), "template_name_invalid"),
        (TemplateMessage(name="x", language="Nederlands"), "template_language_invalid"),
        (TemplateMessage(name="x", language="nl", components=({"type": "footer"},)), "template_component_invalid"),
        (TemplateMessage.with_body(name="x", language="nl", values=["  "]), "template_parameter_empty"),
    ],
)
def test_what_meta_would_refuse_is_refused_before(content, code):
    with pytest.raises(InvalidContent) as refusal:
        request_body(recipient=PHONE, content=content, our_id=OUR_ID)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("make", "limit", "code"),
    [
        (Text, limits.TEXT_BODY_CHARACTERS, "text_too_long"),
        (
            lambda words: MediaMessage(kind="image", media_id="1", caption=words),
            limits.CAPTION_CHARACTERS,
            "media_caption_too_long",
        ),
        (
            lambda words: MediaMessage(kind="document", media_id="1", filename=words),
            limits.FILENAME_CHARACTERS,
            "media_filename_too_long",
        ),
        (
            lambda words: TemplateMessage(name=words, language="nl"),
            limits.TEMPLATE_NAME_CHARACTERS,
            "template_name_too_long",
        ),
        (
            lambda words: TemplateMessage.with_body(name="x", language="nl", values=[words]),
            limits.TEMPLATE_BODY_CHARACTERS,
            "template_parameter_too_long",
        ),
    ],
)
def test_a_limit_is_the_last_length_that_goes(make, limit, code):
    request_body(recipient=PHONE, content=make("x" * limit), our_id=OUR_ID)
    with pytest.raises(LimitExceeded) as refusal:
        request_body(recipient=PHONE, content=make("x" * (limit + 1)), our_id=OUR_ID)
    assert (refusal.value.code, refusal.value.limit, refusal.value.actual) == (code, limit, limit + 1)


def test_our_id_must_be_there_and_fit():
    with pytest.raises(InvalidContent):
        request_body(recipient=PHONE, content=Text("x"), our_id="")
    with pytest.raises(LimitExceeded):
        request_body(recipient=PHONE, content=Text("x"), our_id="x" * 513)


def test_one_text_is_no_list_of_values():
    with pytest.raises(InvalidContent):
        TemplateMessage.with_body(name="x", language="nl", values="Sanne")


def test_a_parameter_name_must_be_one_that_meta_knows():
    with pytest.raises(InvalidContent):
        TemplateMessage.with_body(name="x", language="nl", values={"Naam!": "Sanne"})


def test_a_message_is_marked_as_read_with_or_without_typing():
    assert read_receipt_body(wamid="wamid.a") == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.a",
    }
    assert read_receipt_body(wamid="wamid.a", typing=True)["typing_indicator"] == {"type": "text"}
