"""Machines list what is uncertain, and send it again or leave it for somebody who decided elsewhere."""

import uuid
from datetime import timedelta

import pytest
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging.models import Message, OutboxItem
from messaging.replying import reply
from tests.api.calling import Caller, make_key
from tests.messaging import meta
from tests.messaging.test_uncertain import lost


@pytest.fixture
def messages(utrecht, thread, clock) -> list[Message]:
    def one(number: int) -> Message:
        at = clock.now() + timedelta(seconds=number)
        return lost(reply(thread_id=thread.id, text=f"Antwoord {number}", actor=Actor.system("tests"), at=at))

    with schema_context("utrecht"):
        return [one(number) for number in range(3)]


def listed(api, **query) -> list[str]:
    answer = api.get("/uncertain-messages", **query)
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


def test_they_are_listed_oldest_first_and_page_by_page(api, messages):
    assert listed(api) == [str(each.id) for each in messages]
    first = api.get("/uncertain-messages?limit=2").json()
    rest = api.get(f"/uncertain-messages?limit=2&cursor={first['nextCursor']}").json()
    assert [each["id"] for each in first["items"] + rest["items"]] == listed(api)


def test_sent_again_it_names_the_new_message_and_is_listed_no_more(api, messages):
    answers = [api.post(f"/messages/{messages[0].id}/_choose", {"choice": "SEND_AGAIN"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    said = answers[0].json()
    assert (said["choice"], said["chosenBy"]) == ("SEND_AGAIN", "API: Zaaksysteem")
    with schema_context("utrecht"):
        assert str(OutboxItem.objects.get().message_id) == said["repeatedByMessageId"]
    assert listed(api) == [str(each.id) for each in messages[1:]]
    assert api.get(f"/messages/{messages[0].id}").json()["choice"] == said
    in_thread = api.get(f"/threads/{messages[0].thread_id}/messages").json()["items"]
    assert [each["choice"] for each in in_thread if each["id"] == str(messages[0].id)] == [said]


def test_the_other_choice_is_refused_afterwards(api, messages):
    assert api.post(f"/messages/{messages[0].id}/_choose", {"choice": "LEAVE"}).json()["repeatedByMessageId"] is None
    answer = api.post(f"/messages/{messages[0].id}/_choose", {"choice": "SEND_AGAIN"})
    assert (answer.status_code, answer.json()["code"], answer.json()["choice"]) == (409, "chosen_otherwise", "LEAVE")


def test_what_became_known_is_refused_with_its_state(api, messages, utrecht):
    with schema_context("utrecht"):
        status = meta.status(utrecht, wamid="wamid.1", status="read", opaque_id=str(messages[0].id))
        meta.receive(utrecht, status)
    answer = api.post(f"/messages/{messages[0].id}/_choose", {"choice": "SEND_AGAIN"})
    assert (answer.status_code, answer.json()["code"], answer.json()["state"]) == (409, "not_uncertain", "READ")


def test_what_may_not_be_sent_now_is_refused_as_a_new_message_is(api, messages, clock):
    clock.move(hours=25)
    answer = api.post(f"/messages/{messages[0].id}/_choose", {"choice": "SEND_AGAIN"})
    assert (answer.status_code, answer.json()["code"]) == (409, "window_closed")


def test_bad_input_is_told_and_an_unknown_message_is_not_found(api, messages):
    assert api.post(f"/messages/{messages[0].id}/_choose", {"choice": "BURN"}).status_code == 400
    assert api.post(f"/messages/{uuid.uuid4()}/_choose", {"choice": "LEAVE"}).status_code == 404
    with schema_context("utrecht"):
        inbound = Message.objects.get(direction="INBOUND")
    assert api.post(f"/messages/{inbound.id}/_choose", {"choice": "LEAVE"}).status_code == 404


def test_a_key_that_only_reads_lists_and_decides_nothing(messages):
    reader = Caller(host="utrecht.localhost", key=make_key("utrecht", name="Lezer", scopes=["messages:read"]))
    assert len(listed(reader)) == 3
    assert reader.post(f"/messages/{messages[0].id}/_choose", {"choice": "LEAVE"}).status_code == 403
