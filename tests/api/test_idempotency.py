"""The same Idempotency-Key: the same answer, one message; also at the same moment, and whatever dies in between."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from accounts.models import ApiKey
from api import idempotency
from api.models import IdempotencyRecord
from api.tasks import forget_answers
from audit.models import Entry
from audit.record import Actor, record
from messaging.models import Message, Thread
from tests.api.calling import Caller, make_key
from tests.messaging import meta

KEY = {"Idempotency_Key": "order-1"}


def sent() -> int:
    with schema_context("utrecht"):
        return Message.objects.filter(direction="OUTBOUND").count()


@pytest.fixture
def body(thread) -> dict[str, str]:
    return {"threadId": str(thread.id), "text": "Op de Markt."}


class TestRepeating:
    def test_it_answers_as_the_first_time_and_sends_nothing_again(self, api, body, clock):
        first = api.post("/messages", body, **KEY)
        clock.move(hours=23)
        again = api.post("/messages", body, **KEY)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["Location"] == first.headers["Location"]
        assert "Idempotency-Replayed" not in first.headers
        assert again.headers["Idempotency-Replayed"] == "true"
        assert sent() == 1

    def test_spaces_and_order_make_no_other_body(self, api, body):
        first = api.post("/messages", body, **KEY)
        raw = f'{{ "text" : "Op de Markt.",\n "threadId": "{body["threadId"]}" }}'.encode()
        assert api.call("POST", "/messages", raw=raw, **KEY).json() == first.json()

    def test_another_body_is_refused(self, api, body):
        api.post("/messages", body, **KEY)
        answer = api.post("/messages", {**body, "text": "Anders."}, **KEY)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
        assert sent() == 1

    def test_keys_are_each_systems_own(self, api, body, utrecht):
        api.post("/messages", body, **KEY)
        other = Caller("utrecht.localhost", make_key("utrecht", name="Ander systeem"))
        assert other.post("/messages", {**body, "text": "Anders."}, **KEY).status_code == 201
        assert sent() == 2

    def test_without_a_key_each_request_is_one_message(self, api, body):
        api.post("/messages", body)
        api.post("/messages", body)
        assert sent() == 2

    def test_it_forgets_after_24_hours(self, api, body, clock, approved):
        body = {"threadId": body["threadId"], "template": {"name": approved.name, "language": "nl"}}
        body["template"]["values"] = {"naam": "Piet", "onderwerp": "uw vraag"}
        first = api.post("/messages", body, **KEY)
        clock.move(hours=24)
        assert api.post("/messages", body, **KEY).json()["id"] != first.json()["id"]
        assert api.post("/messages", body, **KEY).headers["Idempotency-Replayed"] == "true"
        assert sent() == 2

    def test_what_was_refused_may_be_tried_again(self, api, body, clock):
        clock.move(hours=25)
        assert api.post("/messages", body, **KEY).status_code == 409
        clock.move(hours=-24)
        assert api.post("/messages", body, **KEY).status_code == 201

    @pytest.mark.parametrize("name", ["", " ", "a b", "x" * 256, "é"])
    def test_it_refuses_a_key_that_is_none(self, api, body, name):
        assert api.post("/messages", body, Idempotency_Key=name).status_code == 400
        assert sent() == 0

    def test_it_deletes_what_is_old(self, api, body, clock, here):
        api.post("/messages", body, **KEY)
        assert idempotency.forget(before=clock.now() - timedelta(hours=24)) == 0
        assert idempotency.forget(before=clock.now() + timedelta(seconds=1)) == 1

    def test_the_hourly_task_deletes_it_in_every_municipality(self, api, body, clock):
        api.post("/messages", body, **KEY)
        clock.move(hours=24, seconds=1)
        forget_answers()
        with schema_context("utrecht"):
            assert not IdempotencyRecord.objects.exists()


class Crash(Exception):
    """The process dies here."""


class TestAtOnce:
    @pytest.fixture
    def waiting(self, committing_db, utrecht, clock):
        """Return a thread of which others' transactions know too."""
        meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
        with schema_context("utrecht"):
            return Thread.objects.get()

    def test_many_at_the_same_moment_send_one_message(self, waiting):
        caller = Caller("utrecht.localhost", make_key("utrecht"))
        body = {"threadId": str(waiting.id), "text": "Op de Markt."}
        begin = threading.Barrier(8)
        answers = []

        def call():
            begin.wait()
            try:
                answers.append(caller.post("/messages", body, **KEY))
            finally:
                connection.close()

        threads = [threading.Thread(target=call) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert [answer.status_code for answer in answers] == [201] * 8
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
        assert sent() == 1

    def test_who_repeats_too_soon_is_told_so(self, waiting, monkeypatch):
        monkeypatch.setattr(idempotency, "LONGEST_WAIT_SECONDS", 1)
        caller = Caller("utrecht.localhost", make_key("utrecht"))
        body = {"threadId": str(waiting.id), "text": "Op de Markt."}
        held, done = threading.Event(), threading.Event()

        def hold():
            with schema_context("utrecht"):
                try:
                    self._once(do=lambda: (held.set(), done.wait(20), _answer())[-1])
                finally:
                    connection.close()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait(20)
        answer = caller.post("/messages", body, **KEY)
        done.set()
        holder.join()
        assert (answer.status_code, answer.json()["code"]) == (409, "request_under_way")
        assert answer.headers["Retry-After"] == "1"
        assert sent() == 0

    def test_nobody_waits_for_the_trail_of_a_request_that_is_still_being_answered(self, waiting, clock):
        key = make_key("utrecht")
        caller = Caller("utrecht.localhost", key)
        answers = []

        def call():
            try:
                answers.append(caller.post("/messages", {"threadId": str(waiting.id), "text": "Twee."}, **KEY))
            finally:
                connection.close()

        def record_and_wait():
            record(action="thing.do", actor=Actor.system("tests"), at=clock.now(), subject="first")
            other = threading.Thread(target=call)
            other.start()
            other.join(20)
            assert [answer.status_code for answer in answers] == [201]
            return _answer()

        with schema_context("utrecht"):
            self._once(do=record_and_wait, name="order-2")
            actions = list(Entry.objects.order_by("-sequence").values_list("action", flat=True)[:2])
        assert actions == ["thing.do", "message.queue"]

    def test_a_crash_in_between_leaves_neither_record_nor_message(self, waiting, clock):
        from messaging import reaching
        from whatsapp.outgoing import Text

        make_key("utrecht")
        with schema_context("utrecht"):

            def send_and_die():
                actor = ApiKey.objects.get().actor()
                reaching.send(to=waiting.id, content=Text("Dag."), template=None, actor=actor, at=clock.now())
                raise Crash

            with pytest.raises(Crash):
                self._once(do=send_and_die)
            assert not IdempotencyRecord.objects.exists()
        assert sent() == 0

    def _once(self, *, do, name="order-1"):
        from tests.conftest import FROZEN_AT

        key = ApiKey.objects.get()
        return idempotency.once(api_key=key, idempotency_key=name, request_hash=b"1" * 32, at=FROZEN_AT, do=do)


def _answer() -> idempotency.Answer:
    return idempotency.Answer(status=201, body={"id": "x"})
