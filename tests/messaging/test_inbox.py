"""The inbox: exactly once, and nobody waits for what cannot be applied."""

import threading

import pytest
from django.db import OperationalError, connection
from django_tenants.utils import schema_context

from messaging import inbox, incoming, receiving
from messaging.models import InboxEvent, Message
from tests.messaging import meta


def malformed(municipality):
    broken = meta.message(municipality, wamid="wamid.broken")
    del broken["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"]
    return broken


@pytest.mark.usefixtures("here", "clock")
class TestDeadLetters:
    def test_what_cannot_be_applied_does_not_stop_the_rest(self, utrecht):
        meta.receive(
            utrecht,
            meta.message(utrecht, wamid="wamid.1"),
            malformed(utrecht),
            meta.message(utrecht, wamid="wamid.2"),
        )
        assert Message.objects.count() == 2
        dead = InboxEvent.objects.get(state="DEAD")
        assert dead.reason == "malformed: timestamp is missing or no number"
        assert dead.payload["element"]["id"] == "wamid.broken"

    def test_an_unforeseen_error_is_kept_without_the_citizens_words(self, utrecht, monkeypatch):
        original = incoming.parse_message

        def breaks(*, payload):
            if payload["element"]["id"] == "wamid.2":
                raise RuntimeError(payload["element"]["text"]["body"])
            return original(payload=payload)

        monkeypatch.setattr(incoming, "parse_message", breaks)
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1"), meta.message(utrecht, wamid="wamid.2"))
        assert Message.objects.count() == 1
        assert InboxEvent.objects.get(state="DEAD").reason == "failed: RuntimeError"

    def test_a_failing_database_makes_no_dead_letters(self, utrecht, monkeypatch):
        meta.store(utrecht, meta.message(utrecht))

        def away(**_):
            raise OperationalError("the connection is lost")

        monkeypatch.setattr(receiving, "apply", away)
        with pytest.raises(OperationalError):
            inbox.drain(schema_name="utrecht")
        assert InboxEvent.objects.get().state == "OPEN"

    def test_a_schema_of_nobody_is_left_alone(self):
        assert inbox.drain(schema_name="atlantis") is False


@pytest.mark.usefixtures("here", "clock")
class TestTurns:
    def test_it_applies_more_than_one_batch(self, utrecht, monkeypatch):
        monkeypatch.setattr(inbox, "BATCH", 3)
        meta.receive(utrecht, *(meta.message(utrecht, wamid=f"wamid.{n}") for n in range(10)))
        assert Message.objects.count() == 10

    def test_a_busy_municipality_gives_its_worker_back(self, utrecht, monkeypatch):
        monkeypatch.setattr(inbox, "BATCH", 3)
        monkeypatch.setattr(inbox, "TURN_SECONDS", 0.0)
        meta.store(utrecht, *(meta.message(utrecht, wamid=f"wamid.{n}") for n in range(10)))
        assert inbox.drain(schema_name="utrecht") is True
        assert Message.objects.count() == 3


class TestTwoDrains:
    def test_one_at_a_time_works_on_a_municipality(self, committing_db, utrecht, clock):
        """Eight threads drain at once; each message is there once and no event is left."""
        with schema_context("utrecht"):
            meta.store(utrecht, *(meta.message(utrecht, wamid=f"wamid.{n}") for n in range(60)))

        def drain() -> None:
            try:
                inbox.drain(schema_name="utrecht")
            finally:
                connection.close()

        threads = [threading.Thread(target=drain) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with schema_context("utrecht"):
            assert Message.objects.count() == 60
            assert InboxEvent.objects.filter(state="APPLIED").count() == 60
