"""Taking a POST apart: every update comes out once, whatever lies beside it."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import orjson
import pytest

from whatsapp.payloads import EventKind, split

RECEIVED_AT = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
NUMBER, OTHER_NUMBER = "106540352242922", "106540352242933"
WABA, OTHER_WABA = "215589313241560883", "310274018822615"

ONE_ACCOUNT_EVENT = {
    "account_partner_added": OTHER_WABA,
    "account_partner_certified": None,
    "account_violation": WABA,
    "account_alerts": WABA,
    "account_review_update": WABA,
    "phone_number_quality_update": WABA,
    "phone_number_name_update": WABA,
    "template_status": WABA,
    "template_quality": WABA,
    "template_category": WABA,
    "user_preferences": WABA,
    "smb_message_echoes": WABA,
    "partner_solutions": "506914307656634",
    "field_of_the_future": WABA,
}


def kinds(events):
    return Counter(event.kind for event in events)


def test_every_case_is_stored_as_it_came_and_has_a_key(all_cases, events_of):
    for case in all_cases:
        events = events_of(case)
        assert events, case
        for event in events:
            assert len(event.dedup_key) == 32, case
            assert orjson.loads(orjson.dumps(event.payload)) == event.payload, case
            assert event.payload["field"] == event.field


@pytest.mark.parametrize(("case", "waba_id"), ONE_ACCOUNT_EVENT.items())
def test_any_other_field_becomes_one_account_event(case, waba_id, only_event_of, load):
    event = only_event_of(case)
    assert event.kind is EventKind.ACCOUNT
    assert event.waba_id == waba_id
    assert event.payload["element"] == load(case)["entry"][0]["changes"][0]["value"]
    assert event.payload["entry_time"] == 1790001234


def test_fields_with_metadata_are_found_by_their_number(only_event_of):
    assert only_event_of("user_preferences").phone_number_id == NUMBER
    assert only_event_of("smb_message_echoes").phone_number_id == NUMBER
    assert only_event_of("account_violation").phone_number_id is None


def test_a_message_carries_its_number_its_contact_and_itself(only_event_of, load):
    value = load("text")["entry"][0]["changes"][0]["value"]
    event = only_event_of("text")
    assert (event.kind, event.field, event.phone_number_id, event.waba_id) == (
        EventKind.MESSAGE,
        "messages",
        NUMBER,
        WABA,
    )
    assert event.payload == {
        "field": "messages",
        "entry_id": WABA,
        "metadata": value["metadata"],
        "contacts": value["contacts"],
        "element": value["messages"][0],
    }


def test_the_municipalities_of_one_post_are_kept_apart(events_of):
    events = events_of("batch_of_several_municipalities")
    assert [(event.kind, event.phone_number_id, event.waba_id) for event in events] == [
        (EventKind.MESSAGE, NUMBER, WABA),
        (EventKind.MESSAGE, OTHER_NUMBER, OTHER_WABA),
        (EventKind.STATUS, OTHER_NUMBER, OTHER_WABA),
    ]


def test_no_event_carries_another_citizens_name(events_of):
    sanne, piet = events_of("batch_of_two_citizens")
    assert [contact["profile"]["name"] for contact in sanne.payload["contacts"]] == ["Sanne de Vries"]
    assert [contact["profile"]["name"] for contact in piet.payload["contacts"]] == ["Piet Bakker"]


@pytest.mark.parametrize("ids", [("from", "wa_id"), ("from_user_id", "user_id")])
def test_either_id_alone_tells_whose_contact_it_is(ids, load):
    body = load("batch_of_two_citizens")
    value = body["entry"][0]["changes"][0]["value"]
    for part in (*value["messages"], *value["contacts"]):
        for name in {"from", "wa_id", "from_user_id", "user_id"} - set(ids):
            part.pop(name, None)
    names = [
        [contact["profile"]["name"] for contact in event.payload["contacts"]]
        for event in split(body=body, received_at=RECEIVED_AT)
    ]
    assert names == [["Sanne de Vries"], ["Piet Bakker"]]


def test_a_status_carries_only_its_recipients_contact(load):
    body = load("batch_of_two_citizens")
    value = body["entry"][0]["changes"][0]["value"]
    del value["messages"]
    value["statuses"] = [{"id": "wamid.1", "status": "sent", "timestamp": "1", "recipient_id": "316970001002"}]
    (event,) = split(body=body, received_at=RECEIVED_AT)
    assert [contact["profile"]["name"] for contact in event.payload["contacts"]] == ["Piet Bakker"]


def test_all_contacts_are_kept_where_it_cannot_be_told_whose_they_are(load):
    body = load("batch_of_two_citizens")
    value = body["entry"][0]["changes"][0]["value"]
    for message in value["messages"]:
        del message["from"], message["from_user_id"]
    assert [len(event.payload["contacts"]) for event in split(body=body, received_at=RECEIVED_AT)] == [2, 2]


def test_messages_and_statuses_of_one_entry_all_come_out(events_of):
    assert kinds(events_of("batch_of_messages_and_statuses")) == {EventKind.MESSAGE: 1, EventKind.STATUS: 2}


def test_a_repeated_message_has_the_same_key(events_of):
    assert len({event.dedup_key for event in events_of("batch_with_a_duplicate")}) == 1


def test_each_participant_of_a_group_has_a_status_of_their_own(events_of):
    assert len({event.dedup_key for event in events_of("status_group")}) == 2


def test_the_good_parts_come_out_beside_the_malformed(events_of):
    events = events_of("batch_with_malformed_parts")
    assert kinds(events) == {EventKind.MESSAGE: 1, EventKind.STATUS: 1, EventKind.MALFORMED: 10}
    assert len({event.dedup_key for event in events}) == 12
    malformed = [event.payload["element"] for event in events if event.kind is EventKind.MALFORMED]
    assert malformed[0] == "geen object"
    assert 7 in malformed
    assert {"statuses": {"id": "x"}} in malformed


def test_a_malformed_message_is_still_found_by_its_number(events_of):
    found = {
        event.phone_number_id for event in events_of("batch_with_malformed_parts") if event.payload["element"] == 7
    }
    assert found == {NUMBER}


@pytest.mark.parametrize("body", [None, 1, "x", [], {}, {"entry": None}, {"entry": {}}, [{"entry": []}], float("nan")])
def test_a_body_without_entries_is_one_malformed_event(body):
    (event,) = split(body=body, received_at=RECEIVED_AT)
    assert event.kind is EventKind.MALFORMED


def test_lists_that_are_empty_or_null_are_no_updates(load):
    body = load("text")
    value = body["entry"][0]["changes"][0]["value"]
    value["messages"], value["statuses"] = [], None
    assert split(body=body, received_at=RECEIVED_AT) == []


def test_ids_written_as_numbers_are_read_as_text(load):
    body = load("text")
    body["entry"][0]["id"] = int(WABA)
    body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = int(NUMBER)
    assert [event.dedup_key for event in split(body=body, received_at=RECEIVED_AT)] == [
        event.dedup_key for event in split(body=load("text"), received_at=RECEIVED_AT)
    ]


def test_the_keys_are_made_of_what_the_design_says(only_event_of, load):
    message = load("text")["entry"][0]["changes"][0]["value"]["messages"][0]
    parts = ["MESSAGE", NUMBER, message["id"], None, None]
    written = "".join("-" if part is None else f"{len(part)}:{part}" for part in parts)
    assert only_event_of("text").dedup_key == sha256(written.encode()).digest()


def test_keys_that_must_differ_do(load):
    def key(case, change):
        body = load(case)
        entry = body["entry"][0]
        change(entry, entry["changes"][0]["value"])
        return split(body=body, received_at=RECEIVED_AT)[0].dedup_key

    unchanged = lambda entry, value: None  # noqa: E731
    assert key("text", unchanged) != key("text", lambda e, v: v["metadata"].update(phone_number_id=OTHER_NUMBER))
    assert key("text", unchanged) != key("text", lambda e, v: v["messages"][0].update(id="wamid.x"))
    assert key("text", unchanged) == key("text", lambda e, v: v["messages"][0].update(timestamp="1"))
    assert key("status_sent", unchanged) != key("status_sent", lambda e, v: v["statuses"][0].update(status="read"))
    assert key("status_sent", unchanged) == key("status_sent", lambda e, v: v["statuses"][0].pop("pricing"))
    assert key("account_violation", unchanged) != key("account_violation", lambda e, v: e.update(time=1))
    assert key("account_violation", unchanged) != key("account_violation", lambda e, v: e.update(id="1"))
    assert key("account_violation", unchanged) != key("account_violation", lambda e, v: v.update(event="OTHER"))


def test_an_error_counts_once_an_hour(load):
    def key(at):
        return split(body=load("errors_of_the_account"), received_at=at)[0].dedup_key

    assert key(RECEIVED_AT) == key(RECEIVED_AT + timedelta(minutes=29))
    assert key(RECEIVED_AT) != key(RECEIVED_AT + timedelta(minutes=30))
    assert key(RECEIVED_AT) != key(RECEIVED_AT + timedelta(days=1))
    assert key(RECEIVED_AT) == key(RECEIVED_AT.astimezone(timezone(timedelta(hours=5, minutes=45))))


def nested(levels):
    value = "bottom"
    for _ in range(levels):
        value = [value]
    return value


POISON = {
    "NUL": "a\0b",
    "lone surrogate": "lone \ud800",
    "past 64 bits": 2**70,
    "thousands of digits": 10**5000,
    "deep": nested(240),
    "deeper": nested(900),
    "NUL in a key": {"k\0": 1},
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_what_no_database_stores_is_repaired_and_the_rest_comes_out(poison, load):
    body = load("text")
    message = body["entry"][0]["changes"][0]["value"]["messages"][0]
    message["text"]["extra"] = poison
    (event,) = split(body=body, received_at=RECEIVED_AT)
    assert event.kind is EventKind.MESSAGE
    assert event.payload["element"]["text"]["body"] == message["text"]["body"]
    assert b"\\u0000" not in orjson.dumps(event.payload)


@pytest.mark.parametrize("levels", range(240, 260))
def test_nesting_near_the_limit_can_be_stored(levels):
    (event,) = split(body=nested(levels), received_at=RECEIVED_AT)
    orjson.dumps(event.payload)


def test_a_thousand_updates_in_one_post_are_quick_enough(load):
    body = load("text")
    value = body["entry"][0]["changes"][0]["value"]
    message, contact = value["messages"][0], value["contacts"][0]
    value["messages"] = [
        {**message, "id": f"wamid.{i}", "from": f"3169700{i:05d}", "from_user_id": f"NL.{i}"} for i in range(1000)
    ]
    value["contacts"] = [{**contact, "wa_id": f"3169700{i:05d}", "user_id": f"NL.{i}"} for i in range(1000)]
    events = split(body=body, received_at=RECEIVED_AT)
    assert len({event.dedup_key for event in events}) == 1000
    assert all(event.payload["contacts"] == [value["contacts"][i]] for i, event in enumerate(events))
