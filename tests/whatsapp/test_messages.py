"""Reading what citizens send, kind by kind."""

from datetime import UTC, datetime

import pytest

from whatsapp.errors import NO_CODE
from whatsapp.payloads import EventKind, MalformedPayload, parse_message

PHONE, BSUID, PARENT = "316970001001", "NL.13491208655302741918", "NL.ENT.11815799212886844830"
NUMBER = "106540352242922"

# What is read of each case, in the words of InboundMessage; what is not named is as in an ordinary text.
ORDINARY = {
    "sender_wa_id": PHONE,
    "sender_bsuid": BSUID,
    "parent_bsuid": None,
    "profile_name": "Sanne de Vries",
    "username": None,
    "phone_number_id": NUMBER,
    "media": None,
    "context_wamid": None,
    "forwarded": False,
    "referral": None,
    "errors": (),
    "system": None,
    "group_id": None,
}


def wamid(number: int) -> str:
    return f"wamid.HBgMMzE2OTcwMDAxMDAxFQIAEhgUM0E0QTY1OTlBRUUwMzgxMDE0{number:04d}AA=="


CASES = {
    "text": {"type": "text", "text": "Hallo, wanneer wordt het oud papier opgehaald?"},
    "text_phone_only": {"type": "text", "text": "Goedemorgen", "sender_bsuid": None, "profile_name": "Jan Jansen"},
    "text_username_and_parent": {
        "type": "text",
        "text": "Mijn paspoort is verlopen",
        "username": "sanne.dv",
        "parent_bsuid": PARENT,
    },
    "text_bsuid_only": {
        "type": "text",
        "text": "Ik wil een melding doen",
        "sender_wa_id": None,
        "profile_name": "Noor",
        "username": "noor_b",
    },
    "text_bsuid_in_from": {"type": "text", "text": "Is het loket open?", "sender_wa_id": None, "profile_name": "Noor"},
    "text_without_contacts": {"type": "text", "text": "Hoi", "profile_name": None},
    "text_of_a_stranger_beside_one_contact": {
        "type": "text",
        "text": "Hoi",
        "sender_wa_id": "316970009999",
        "sender_bsuid": "NL.999",
        "profile_name": None,
    },
    "text_emoji_and_escapes": {"type": "text", "text": 'Dank je wel 👍🏽 — "tot ziens"\n\u202e'},
    "location": {"type": "location", "text": "Stadhuis, Langestraat 24"},
    "location_current": {"type": "location", "text": "52.2215, 6.8937"},
    "contacts_on_request": {"type": "contacts", "text": "Sanne de Vries (+31 6 97000100 1)"},
    "contacts": {"type": "contacts", "text": "Piet Bakker (+31 6 97000100 2)\nBuurtvereniging"},
    "interactive_button": {"type": "interactive", "text": "Ja, graag", "context_wamid": wamid(9001)},
    "interactive_list": {"type": "interactive", "text": "Maandag 10.00\nLoket 3"},
    "interactive_flow": {"type": "interactive", "text": "straat: Langestraat"},
    "interactive_without_object": {"type": "interactive", "text": None, "content": {}},
    "button": {"type": "button", "text": "Bevestigen", "context_wamid": wamid(9002)},
    "button_without_context": {"type": "button", "text": "Bevestigen"},
    "reaction": {"type": "reaction", "text": "👍", "context_wamid": wamid(9003)},
    "reaction_removed": {"type": "reaction", "text": None, "context_wamid": wamid(9003)},
    "reaction_without_emoji": {"type": "reaction", "text": None, "context_wamid": wamid(9003)},
    "order": {"type": "order", "text": "Twee afvalpassen\n2 × pas (5 EUR)"},
    "edit": {"type": "edit", "text": "Ik bedoelde dinsdag", "context_wamid": wamid(9004)},
    "revoke": {"type": "revoke", "text": None, "context_wamid": wamid(9004)},
    "reply": {"type": "text", "text": "Klopt", "context_wamid": wamid(9005)},
    "forwarded": {"type": "text", "text": "Let op: wateroverlast", "forwarded": True},
    "frequently_forwarded": {"type": "text", "text": "Let op: wateroverlast", "forwarded": True},
    "group_text": {"type": "text", "text": "Hallo allemaal", "group_id": "120363012345678901"},
    "unknown_type": {"type": "hologram", "text": None, "content": {"frames": 12}},
}
# Cases with more to them have a test of their own below.
TESTED_ALONE = {
    "audio",
    "audio_voice",
    "document",
    "image",
    "media_too_large",
    "referral",
    "sticker",
    "system_number_changed",
    "system_of_the_future",
    "system_user_id_changed",
    "unsupported",
    "video",
}


@pytest.mark.parametrize(("case", "expected"), CASES.items())
def test_each_kind_is_read(case, expected, only_event_of):
    message = parse_message(payload=only_event_of(case).payload)
    for name, value in {**ORDINARY, **expected}.items():
        assert getattr(message, name) == value, name


def test_no_case_is_left_untested(all_cases, events_of):
    single = {case for case in all_cases if [event.kind for event in events_of(case)] == [EventKind.MESSAGE]}
    assert single == set(CASES) | TESTED_ALONE


def test_the_stamp_is_metas_in_utc(only_event_of):
    event = only_event_of("text")
    event.payload["element"]["timestamp"] = "1749416383"
    assert parse_message(payload=event.payload).stamped_at == datetime(2025, 6, 8, 20, 59, 43, tzinfo=UTC)
    event.payload["element"]["timestamp"] = 1749416383
    assert parse_message(payload=event.payload).stamped_at.tzinfo is UTC


def test_the_content_is_kept_whole(only_event_of):
    assert parse_message(payload=only_event_of("location").payload).content["latitude"] == 52.2215
    assert len(parse_message(payload=only_event_of("contacts").payload).content["items"]) == 2


@pytest.mark.parametrize(
    ("case", "text", "filename", "voice"),
    [
        ("image", "Losse stoeptegel", None, False),
        ("video", None, None, False),
        ("document", "Het ingevulde formulier", "aanvraag.pdf", False),
        ("audio", None, None, False),
        ("audio_voice", None, None, True),
        ("sticker", None, None, False),
    ],
)
def test_media_can_be_fetched_later(case, text, filename, voice, only_event_of):
    message = parse_message(payload=only_event_of(case).payload)
    assert message.text == text
    assert message.media.id == "1003383421387256"
    assert (message.media.filename, message.media.voice) == (filename, voice)
    assert message.media.mime_type == message.content["mime_type"]
    assert message.media.sha256 == message.content["sha256"]
    assert message.media.url.startswith("https://lookaside.fbsbx.com/")


def test_a_file_that_was_too_large_has_its_reason_and_no_medium(only_event_of):
    message = parse_message(payload=only_event_of("media_too_large").payload)
    assert message.media is None
    assert [error.code for error in message.errors] == [131052]


def test_an_unsupported_message_keeps_why(only_event_of):
    message = parse_message(payload=only_event_of("unsupported").payload)
    assert (message.type, message.text, message.content) == ("unsupported", None, {"type": "poll"})
    assert message.errors[0].title == "Message type unknown"
    assert message.errors[0].details == "Message type is currently not supported."


def test_an_advertisement_is_remembered(only_event_of):
    message = parse_message(payload=only_event_of("referral").payload)
    assert message.referral["source_type"] == "ad"
    assert message.referral["ctwa_clid"] == "ARAkLk"


def test_a_changed_number_says_from_and_to(only_event_of):
    message = parse_message(payload=only_event_of("system_number_changed").payload)
    assert message.sender_wa_id == PHONE
    assert (message.system.kind, message.system.new_wa_id) == ("user_changed_number", "316970001003")
    assert message.system.new_bsuid is None
    assert message.text.startswith("User A changed")


def test_a_change_that_is_not_known_keeps_its_name(only_event_of):
    message = parse_message(payload=only_event_of("system_of_the_future").payload)
    assert (message.system.kind, message.text) == ("user_identity_changed", "User A changed their security code")


def test_a_changed_user_id_says_from_and_to_though_nobody_is_named_as_sender(only_event_of):
    message = parse_message(payload=only_event_of("system_user_id_changed").payload)
    assert (message.sender_wa_id, message.sender_bsuid) == (None, None)
    assert message.system.kind == "user_changed_user_id"
    assert message.system.new_bsuid == "NL.88891208655302741000"
    assert message.system.old_bsuid == BSUID


@pytest.mark.parametrize("name", ["id", "timestamp", "type"])
def test_a_message_without_an_indispensable_part_is_refused(name, only_event_of):
    payload = only_event_of("text").payload
    del payload["element"][name]
    with pytest.raises(MalformedPayload):
        parse_message(payload=payload)


@pytest.mark.parametrize("value", ["", "abc", None, True, 1.5, [], "9" * 30, -(10**18), "１２ "])
def test_a_stamp_that_is_no_moment_is_refused_or_read_but_never_crashes(value, only_event_of):
    payload = only_event_of("text").payload
    payload["element"]["timestamp"] = value
    try:
        assert parse_message(payload=payload).stamped_at.tzinfo is UTC
    except MalformedPayload as refusal:
        assert str(value) not in refusal.reason or value == ""  # noqa: PT017


def test_a_message_without_a_sender_is_refused_and_the_reason_says_nothing_of_it(only_event_of):
    payload = only_event_of("text").payload
    payload["element"].update({"from": "Sanne <geheim>", "from_user_id": None})
    payload["contacts"] = []
    with pytest.raises(MalformedPayload) as refusal:
        parse_message(payload=payload)
    assert "geheim" not in str(refusal.value)


def test_an_error_without_a_code_is_no_authentication_error(only_event_of):
    payload = only_event_of("unsupported").payload
    payload["element"]["errors"] = [{"title": "x"}, "no object", {"code": "131051"}, {"code": True}]
    assert [error.code for error in parse_message(payload=payload).errors] == [NO_CODE, 131051, NO_CODE]


def test_a_number_in_from_is_read_with_or_without_a_plus(only_event_of):
    payload = only_event_of("text").payload
    payload["element"]["from"] = f"+{PHONE}"
    assert parse_message(payload=payload).sender_wa_id == PHONE


@pytest.mark.parametrize(
    ("answered", "shown"),
    [
        (
            '{"naam":"Piet","flow_token":"t","kinderen":2,"leeg":"","keuze":["a","b"]}',
            'naam: Piet\nkinderen: 2\nkeuze: ["a","b"]',
        ),
        ('{"flow_token":"t"}', "Sent"),
        ("no json", "Sent"),
        ("[1]", "Sent"),
        ('{"naam":"a\\u0000b"}', "naam: a\ufffdb"),
    ],
)
def test_a_form_is_read_as_a_person_would(only_event_of, answered, shown):
    payload = only_event_of("interactive_flow").payload
    payload["element"]["interactive"]["nfm_reply"]["response_json"] = answered
    assert parse_message(payload=payload).text == shown
