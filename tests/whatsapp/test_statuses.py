"""Reading what became of what we sent."""

import pytest

from whatsapp.payloads import EventKind, MalformedPayload, Pricing, parse_status

PHONE, BSUID = "316970001001", "NL.13491208655302741918"
OUR_ID = "0d5bb1c2-6f0e-4d0a-9a55-2f6c0f1f8f11"
UTILITY = Pricing("PMP", "regular", "utility", True)
CONVERSATION = "f1a2b3c4d5e6f7081920aabbccddeeff"
SERVICE_CBP = Pricing("CBP", None, "service", False)

ORDINARY = {
    "recipient_wa_id": PHONE,
    "recipient_bsuid": BSUID,
    "opaque_id": OUR_ID,
    "participant": None,
    "conversation_id": None,
    "pricing": None,
    "errors": (),
    "group": False,
}
INTERNATIONAL = {"status": "delivered", "pricing": Pricing("PMP", "regular", "authentication_international", True)}
CASES = {
    "status_sent": {"status": "sent", "pricing": UTILITY},
    "status_delivered": {"status": "delivered", "pricing": UTILITY},
    "status_read": {"status": "read"},
    "status_read_at_once": {"status": "read", "pricing": Pricing("PMP", "free_customer_service", "service", False)},
    "status_played": {"status": "played"},
    "status_sent_v23": {
        "status": "sent",
        "recipient_bsuid": None,
        "conversation_id": CONVERSATION,
        "pricing": UTILITY,
    },
    "status_sent_cbp": {
        "status": "sent",
        "recipient_bsuid": None,
        "conversation_id": CONVERSATION,
        "pricing": SERVICE_CBP,
    },
    "status_delivered_cbp": {
        "status": "delivered",
        "recipient_bsuid": None,
        "conversation_id": CONVERSATION,
        "pricing": SERVICE_CBP,
    },
    "status_free_entry_point": {
        "status": "delivered",
        "conversation_id": CONVERSATION,
        "pricing": Pricing("PMP", "free_entry_point", "referral_conversion", False),
    },
    "status_service_billed": {"status": "delivered", "pricing": Pricing("PMP", "regular", "service", True)},
    "status_authentication_international_hyphen": INTERNATIONAL,
    "status_authentication_international_underscore": INTERNATIONAL,
    "status_bsuid_only": {"status": "delivered", "recipient_wa_id": None, "pricing": UTILITY},
    "status_bsuid_in_recipient_id": {"status": "delivered", "recipient_wa_id": None, "pricing": UTILITY},
    "status_unknown": {"status": "warning"},
    "status_warning": {"status": "warning", "opaque_id": None},
    "status_deleted": {"status": "deleted", "opaque_id": None},
}
TESTED_ALONE = {"status_failed", "status_failed_details_as_text"}


@pytest.mark.parametrize(("case", "expected"), CASES.items())
def test_each_status_is_read(case, expected, only_event_of):
    status = parse_status(payload=only_event_of(case).payload)
    for name, value in {**ORDINARY, **expected}.items():
        assert getattr(status, name) == value, name


def test_no_case_is_left_untested(all_cases, events_of):
    single = {case for case in all_cases if [event.kind for event in events_of(case)] == [EventKind.STATUS]}
    assert single == set(CASES) | TESTED_ALONE


def test_a_failure_says_why(only_event_of):
    status = parse_status(payload=only_event_of("status_failed").payload)
    assert (status.status, status.recipient_wa_id, status.recipient_bsuid) == ("failed", PHONE, None)
    assert [error.code for error in status.errors] == [131049]
    assert status.errors[0].details.startswith("In order to maintain")


def test_details_are_read_as_text_too_and_stay_out_of_the_representation(only_event_of):
    status = parse_status(payload=only_event_of("status_failed_details_as_text").payload)
    assert (status.errors[0].code, status.errors[0].title) == (131026, "Message undeliverable")
    assert "97000100" in status.errors[0].details
    assert "97000100" not in repr(status.errors)


def test_a_group_status_is_of_its_participant_and_never_of_the_group(events_of):
    first, second = (parse_status(payload=event.payload) for event in events_of("status_group"))
    assert (first.group, first.participant, first.recipient_wa_id) == (True, "316970001001", "316970001001")
    assert second.participant == "316970001002"
    assert first.pricing.category == "group_utility"


def test_pricing_without_a_category_is_none(only_event_of):
    payload = only_event_of("status_sent").payload
    del payload["element"]["pricing"]["category"]
    assert parse_status(payload=payload).pricing is None


def test_pricing_without_billable_is_read(only_event_of):
    payload = only_event_of("status_sent").payload
    del payload["element"]["pricing"]["billable"]
    assert parse_status(payload=payload).pricing == Pricing("PMP", "regular", "utility", None)


@pytest.mark.parametrize("name", ["id", "status", "timestamp"])
def test_a_status_without_an_indispensable_part_is_refused(name, only_event_of):
    payload = only_event_of("status_sent").payload
    del payload["element"][name]
    with pytest.raises(MalformedPayload):
        parse_status(payload=payload)
