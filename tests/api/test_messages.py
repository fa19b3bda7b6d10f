"""Sending by machine: to a thread or a person, with a text or a template, or a refusal that says the way out."""

import json
import uuid
from datetime import timedelta

import pytest
from django_tenants.utils import schema_context

from audit.models import Entry
from messaging.models import Contact, Message, OutboxItem, Template, Thread
from messaging.threads import close
from tenants.models import Number
from tests.api.calling import Caller, make_key

VALUES = {"naam": "Piet", "onderwerp": "uw vergunning"}
TEMPLATE = {"name": "vervolg_op_uw_vraag", "language": "nl", "values": VALUES}
AGREED = {"how": "Vinkje bij de aanvraag", "evidence": "Z-2026-31", "saidAt": "2026-02-01T10:00:00+01:00"}


def queued() -> list[OutboxItem]:
    with schema_context("utrecht"):
        return list(OutboxItem.objects.select_related("message").order_by("id"))


class TestToAThread:
    def test_it_queues_a_text_and_says_where_it_is(self, api, thread):
        answer = api.post("/messages", {"threadId": str(thread.id), "text": "Op de Markt."})
        assert answer.status_code == 201
        said = answer.json()
        (item,) = queued()
        assert said["id"] == str(item.message_id)
        assert item.request["text"] == {"body": "Op de Markt.", "preview_url": False}
        assert (said["state"], said["direction"], said["kind"], said["text"]) == (
            "QUEUED",
            "OUTBOUND",
            "text",
            "Op de Markt.",
        )
        assert answer.headers["Location"] == f"/api/v1/messages/{said['id']}"
        assert api.get(f"/messages/{said['id']}").json() == said

    def test_it_is_in_the_trail_under_the_keys_name(self, api, thread):
        api.post("/messages", {"threadId": str(thread.id), "text": "Op de Markt."})
        with schema_context("utrecht"):
            entry = Entry.objects.get(action="message.queue")
        assert (entry.actor_schema, entry.actor_name) == ("utrecht", "API: Zaaksysteem")

    def test_it_answers_a_message_of_the_thread(self, api, thread):
        with schema_context("utrecht"):
            asked = Message.objects.get()
        api.post("/messages", {"threadId": str(thread.id), "text": "Ja.", "replyToMessageId": str(asked.id)})
        assert queued()[0].request["context"] == {"message_id": asked.wamid}

    def test_it_finds_no_message_of_another_thread_to_answer(self, api, thread):
        body = {"threadId": str(thread.id), "text": "Ja.", "replyToMessageId": str(uuid.uuid4())}
        answer = api.post("/messages", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "message_not_found")
        assert queued() == []

    def test_a_text_outside_the_window_is_refused_with_the_way_out(self, api, thread, approved, clock):
        closed_at = clock.now() + timedelta(hours=24)
        clock.move(hours=30)
        answer = api.post("/messages", {"threadId": str(thread.id), "text": "Te laat."})
        said = answer.json()
        assert (answer.status_code, said["code"]) == (409, "window_closed")
        assert said["closedAt"] == closed_at.isoformat().replace("+00:00", "Z")
        assert said["templates"] == ["vervolg_op_uw_vraag"]
        assert queued() == []

    @pytest.mark.parametrize(("hours", "kind"), [(1, "text"), (25, "template")])
    def test_with_both_it_sends_the_text_while_it_may_and_the_template_after(
        self, api, thread, approved, clock, hours, kind
    ):
        clock.move(hours=hours)
        answer = api.post("/messages", {"threadId": str(thread.id), "text": "Dag.", "template": TEMPLATE})
        assert (answer.status_code, answer.json()["kind"]) == (201, kind)

    def test_a_template_is_sent_with_its_variables_filled_in(self, api, thread, approved, clock):
        clock.move(days=3)
        said = api.post("/messages", {"threadId": str(thread.id), "template": TEMPLATE}).json()
        assert said["text"].startswith("Goedendag Piet, u stelde ons een vraag over uw vergunning.")
        assert said["template"] == {"name": "vervolg_op_uw_vraag", "category": "UTILITY"}
        assert said["purpose"] == "SERVICES"

    def test_a_closed_thread_takes_nothing(self, api, thread, actor, clock):
        with schema_context("utrecht"):
            close(thread_id=thread.id, actor=actor, at=clock.now())
        answer = api.post("/messages", {"threadId": str(thread.id), "text": "Nog iets."})
        assert (answer.status_code, answer.json()["code"]) == (409, "thread_closed")

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"name": "bestaat_niet"}, 404, "template_not_found"),
            ({"language": "fy"}, 404, "template_not_found"),
            ({"values": {"naam": "Piet"}}, 409, "template_parameters_differ"),
        ],
    )
    def test_a_template_that_does_not_fit_is_refused(self, api, thread, approved, change, status, code):
        answer = api.post("/messages", {"threadId": str(thread.id), "template": {**TEMPLATE, **change}})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert queued() == []

    def test_a_template_that_meta_did_not_approve_is_refused(self, api, thread):
        answer = api.post("/messages", {"threadId": str(thread.id), "template": TEMPLATE})
        assert (answer.status_code, answer.json()["code"]) == (409, "template_not_approved")

    def test_an_unknown_thread_is_not_found(self, api):
        answer = api.post("/messages", {"threadId": str(uuid.uuid4()), "text": "Dag."})
        assert (answer.status_code, answer.json()["code"]) == (404, "thread_not_found")


class TestToAPerson:
    def test_who_never_wrote_gets_a_template_in_a_new_thread(self, api, approved):
        answer = api.post(
            "/messages", {"recipient": {"phoneNumber": "+31697000009"}, "template": TEMPLATE, "optIn": AGREED}
        )
        assert answer.status_code == 201
        (item,) = queued()
        assert item.request["to"] == "+31697000009"
        said = api.get(f"/threads/{answer.json()['threadId']}").json()
        assert said["contact"]["phoneNumber"] == "+31697000009"
        assert said["windowEndsAt"] is None

    def test_who_never_wrote_gets_no_text_and_is_not_added(self, api, approved):
        answer = api.post("/messages", {"recipient": {"phoneNumber": "+31697000009"}, "text": "Dag."})
        assert (answer.status_code, answer.json()["code"], answer.json()["closedAt"]) == (409, "window_closed", None)
        with schema_context("utrecht"):
            assert not Contact.objects.exists()
            assert not Thread.objects.exists()

    def test_who_wrote_is_answered_in_the_thread_that_is_open(self, api, thread):
        answer = api.post("/messages", {"recipient": {"phoneNumber": "+31697000001"}, "text": "Dag."})
        assert answer.json()["threadId"] == str(thread.id)

    def test_a_person_is_reached_by_id_too(self, api, approved):
        api.post("/messages", {"recipient": {"bsuid": "NL.134912"}, "template": TEMPLATE, "optIn": AGREED})
        assert queued()[0].request["recipient"] == "NL.134912"

    def test_a_closed_thread_gets_a_successor_with_the_same_window(self, api, thread, actor, clock):
        with schema_context("utrecht"):
            close(thread_id=thread.id, actor=actor, at=clock.now())
        answer = api.post("/messages", {"recipient": {"phoneNumber": "+31697000001"}, "text": "Nog iets."})
        assert answer.status_code == 201
        assert answer.json()["threadId"] != str(thread.id)

    def test_with_several_numbers_one_must_be_named(self, api, utrecht, approved, clock):
        first = utrecht.numbers.get()
        Number.objects.create(
            municipality=utrecht,
            phone_number_id="1000000009999",
            waba_id=first.waba_id,
            display_phone_number="+31970109999",
            pseudonym_key_encrypted=Number.new_pseudonym_key(),
            opened_at=clock.now(),
        )
        body = {"recipient": {"phoneNumber": "+31697000009"}, "template": TEMPLATE, "optIn": AGREED}
        assert api.post("/messages", body).json()["code"] == "number_needed"
        assert api.post("/messages", {**body, "phoneNumberId": "1000000009999"}).status_code == 201
        assert queued()[0].phone_number_id == "1000000009999"

    def test_it_sends_from_no_number_of_another_municipality(self, api, delft, approved):
        body = {"recipient": {"phoneNumber": "+31697000009"}, "template": TEMPLATE, "optIn": AGREED}
        answer = api.post("/messages", {**body, "phoneNumberId": delft.numbers.get().phone_number_id})
        assert (answer.status_code, answer.json()["code"]) == (404, "number_not_found")


class TestBadInput:
    def test_it_says_everything_that_is_wrong_at_once(self, api):
        body = {"recipient": {"phoneNumber": "0612345678"}, "text": " ", "template": {"language": "n"}, "txt": 1}
        answer = api.post("/messages", body)
        said = answer.json()
        assert answer.status_code == 400
        assert {(error["pointer"], error["code"]) for error in said["errors"]} == {
            ("/recipient/phoneNumber", "form"),
            ("/text", "blank"),
            ("/template/name", "required"),
            ("/template/language", "form"),
            ("/txt", "unknown"),
        }

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/threadId"),
            ({"text": "Dag."}, "/threadId"),
            ({"threadId": str(uuid.UUID(int=1))}, "/text"),
            ({"threadId": 1, "text": "Dag."}, "/threadId"),
            ({"threadId": str(uuid.UUID(int=1)), "text": 5}, "/text"),
            ({"threadId": str(uuid.UUID(int=1)), "text": "a\x00b"}, "/text"),
            ({"threadId": str(uuid.UUID(int=1)), "text": "\ud800"}, "/text"),
            ({"threadId": str(uuid.UUID(int=1)), "text": "x" * 4097}, "/text"),
            ({"threadId": str(uuid.UUID(int=1)), "text": "Dag.", "phoneNumberId": "12345"}, "/phoneNumberId"),
            ({"recipient": {}, "text": "Dag."}, "/recipient"),
            ({"recipient": {"phoneNumber": "+31697000001\n"}, "text": "Dag."}, "/recipient/phoneNumber"),
            ({"recipient": {"phoneNumber": "+31697000001", "bsuid": "NL.1"}, "text": "Dag."}, "/recipient"),
            ([], ""),
            ("text", ""),
            (None, ""),
        ],
    )
    def test_it_points_at_what_is_wrong(self, api, body, pointer):
        answer = api.call("POST", "/messages", raw=json.dumps(body).encode())
        assert answer.status_code == 400
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]

    @pytest.mark.parametrize("raw", [b"", b"{", b'{"text": NaN}', b"\xff", b"[" * 100_000])
    def test_it_refuses_what_is_no_json(self, api, raw):
        answer = api.call("POST", "/messages", raw=raw)
        assert answer.status_code == 400

    def test_a_refusal_never_repeats_what_was_sent(self, api):
        secret = "+316 97 00 00 01 geheim"
        body = {"threadId": secret, "recipient": {"phoneNumber": secret}, "text": {"a": secret}, secret[:3]: 1}
        answer = api.post("/messages", body)
        assert answer.status_code == 400
        assert "97 00" not in answer.content.decode()
        assert "97 00" not in api.get("/threads?state=%2B31697000001&limit=97%2000").content.decode()

    def test_it_takes_nothing_but_json(self, api):
        answer = api.call("POST", "/messages", raw=b"text=Dag", Content_Type="application/x-www-form-urlencoded")
        assert answer.status_code == 415


class TestScopes:
    @pytest.mark.parametrize(
        ("method", "path", "scope"),
        [
            ("POST", "/messages", "messages:send"),
            ("GET", f"/messages/{uuid.UUID(int=1)}", "messages:read"),
            ("GET", "/threads", "messages:read"),
            ("POST", "/threads/_search", "messages:read"),
            ("GET", f"/threads/{uuid.UUID(int=1)}", "messages:read"),
            ("GET", f"/threads/{uuid.UUID(int=1)}/messages", "messages:read"),
            ("POST", f"/threads/{uuid.UUID(int=1)}/_read", "messages:send"),
            ("POST", f"/threads/{uuid.UUID(int=1)}/_typing", "messages:send"),
            ("POST", "/consents", "messages:send"),
            ("POST", "/consents/_search", "messages:read"),
            ("GET", "/templates", "templates:read"),
            ("GET", f"/templates/{uuid.UUID(int=1)}", "templates:read"),
            ("GET", "/usage", "usage:read"),
        ],
    )
    def test_it_needs_exactly_its_own(self, utrecht, clock, method, path, scope):
        others = {"messages:send", "messages:read", "templates:read", "usage:read"} - {scope}
        refused = Caller("utrecht.localhost", make_key("utrecht", name="A", scopes=others)).call(method, path, body={})
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
        let_in = Caller("utrecht.localhost", make_key("utrecht", name="B", scopes={scope})).call(method, path, body={})
        assert let_in.status_code in {200, 400, 404}


def test_it_asks_for_a_template_of_the_numbers_own_account(api, utrecht, approved):
    with schema_context("utrecht"):
        Template.objects.update(waba_id="299999999")
    answer = api.post("/messages", {"recipient": {"phoneNumber": "+31697000009"}, "template": TEMPLATE})
    assert answer.json()["code"] == "template_not_found"
