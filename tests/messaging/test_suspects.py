"""Poison: an event that kills, hangs or waits is found, tried three times alone, and laid aside: nobody waits."""

import os
import signal
import time

import psycopg
import pytest
from django.db import connection
from django_tenants.utils import schema_context

from messaging import claiming, inbox, incoming, suspects
from messaging.models import InboxEvent, Message
from messaging.tasks import DRAIN_SECONDS, drain_inbox
from tests.messaging import meta

POISON = "wamid.poison"


@pytest.fixture
def poisoned(committing_db, utrecht, clock):
    """Have a poison between good events of Utrecht's."""
    wamids = ["wamid.1", "wamid.2", POISON, "wamid.3", "wamid.4"]
    with schema_context("utrecht"):
        for number, wamid in enumerate(wamids):
            meta.store(utrecht, meta.message(utrecht, wamid=wamid, wa_id=f"3169700000{number}"))
    return utrecht


def harm(monkeypatch, effect):
    """Have an effect when the poison is read."""
    original = incoming.parse_message

    def harmful(*, payload):
        if payload["element"]["id"] == POISON:
            effect()
        return original(payload=payload)

    monkeypatch.setattr(incoming, "parse_message", harmful)


def drain_in_a_process() -> int:
    """Drain in a process of its own; return the signal that ended it, or 0."""
    with connection.cursor() as cursor:
        # What was killed holds its lock until the database notices.
        while _is_locked(cursor):
            time.sleep(0.01)
    connection.close()
    child = os.fork()
    if child == 0:
        try:
            inbox.drain(schema_name="utrecht")
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert status in {0, signal.SIGKILL}
    return os.WTERMSIG(status)


def _is_locked(cursor) -> bool:
    cursor.execute(
        "SELECT FROM pg_locks JOIN pg_database AS here ON here.oid = database"
        " WHERE locktype = 'advisory' AND datname = current_database()"
    )
    return cursor.fetchone() is not None


def states() -> dict[str, str]:
    with schema_context("utrecht"):
        return {event.payload["element"]["id"]: event.state for event in InboxEvent.objects.order_by("id")}


def poison() -> InboxEvent:
    with schema_context("utrecht"):
        return InboxEvent.objects.get(payload__element__id=POISON)


class TestAProcessThatDies:
    @pytest.fixture(autouse=True)
    def _deadly(self, poisoned, monkeypatch):
        harm(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGKILL))

    def test_its_event_is_laid_aside_after_three_attempts_of_its_own(self):
        deaths = 0
        while drain_in_a_process() == signal.SIGKILL:
            deaths += 1
            assert deaths < 10
        assert deaths == 1 + suspects.MOST_ATTEMPTS
        assert (poison().state, poison().attempts) == ("DEAD", suspects.MOST_ATTEMPTS)
        assert poison().reason == suspects.UNFINISHED
        assert set(states().values()) == {"APPLIED", "DEAD"}

    def test_the_others_wait_for_two_deaths_at_most_and_those_tried_with_it_for_three(self, monkeypatch):
        monkeypatch.setattr(suspects, "TOGETHER", 2)
        for _ in range(3):
            assert drain_in_a_process() == signal.SIGKILL
        with_it = "wamid.3"
        assert {wamid for wamid, state in states().items() if state == "OPEN"} == {POISON, with_it}
        assert drain_in_a_process() == signal.SIGKILL
        assert [state for wamid, state in states().items() if wamid != POISON] == ["APPLIED"] * 4

    def test_what_was_killed_for_another_reason_is_tried_together(self, poisoned, monkeypatch):
        assert drain_in_a_process() == signal.SIGKILL
        monkeypatch.undo()
        applied: list[int] = []
        original = suspects.apply_batch

        def noted(**given):
            applied.append(len(given["events"]))
            original(**given)

        monkeypatch.setattr(suspects, "apply_batch", noted)
        assert inbox.drain(schema_name="utrecht") is False
        assert set(states().values()) == {"APPLIED"}
        assert applied == [5]

    def test_what_comes_later_goes_on_in_batches(self, poisoned):
        while drain_in_a_process():
            pass
        with schema_context("utrecht"):
            meta.store(poisoned, *(meta.message(poisoned, wamid=f"wamid.later{n}") for n in range(5)))
            assert inbox.drain(schema_name="utrecht") is False
            assert Message.objects.count() == 9
            later = InboxEvent.objects.filter(payload__element__id__startswith="wamid.later")
            assert set(later.values_list("attempts", flat=True)) == {0}


class TestAnEventThatHangs:
    def test_the_database_stops_it_and_the_others_are_applied_at_once(self, poisoned, monkeypatch):
        def hang():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(30)")

        harm(monkeypatch, hang)
        monkeypatch.setattr(claiming, "STATEMENT_SECONDS", 0.1)
        inbox.drain(schema_name="utrecht")
        assert [state for wamid, state in states().items() if wamid != POISON] == ["APPLIED"] * 4
        for _ in range(suspects.MOST_ATTEMPTS):
            inbox.drain(schema_name="utrecht")
        assert (poison().state, poison().reason) == ("DEAD", suspects.UNFINISHED)

    def test_a_process_that_hangs_is_killed(self):
        assert drain_inbox.time_limit == DRAIN_SECONDS


class TestLocks:
    def test_an_event_that_waits_for_a_lock_of_somebody_elses_stays_open(self, poisoned, committing_db, monkeypatch):
        monkeypatch.setattr(inbox, "LOCK_SECONDS", 0.1)
        with schema_context("utrecht"):
            meta.receive(poisoned, meta.message(poisoned, wamid="wamid.first", wa_id="31697009999"))
            meta.store(poisoned, meta.message(poisoned, wamid="wamid.waits", wa_id="31697009999"))
        with psycopg.connect(committing_db.url) as locking:
            locking.execute("SELECT * FROM utrecht.messaging_contact WHERE wa_id = '31697009999' FOR UPDATE")
            for n in range(3):
                with schema_context("utrecht"):
                    meta.store(poisoned, meta.message(poisoned, wamid=f"wamid.other{n}"))
                for _ in range(suspects.MOST_ATTEMPTS):
                    assert inbox.drain(schema_name="utrecht") is False
                assert states()[f"wamid.other{n}"] == "APPLIED"
            assert states()["wamid.waits"] == "OPEN"
        inbox.drain(schema_name="utrecht")
        assert set(states().values()) == {"APPLIED"}

    def test_a_locked_schema_holds_no_worker(self, poisoned, committing_db, monkeypatch):
        monkeypatch.setattr(inbox, "LOCK_SECONDS", 0.1)
        with psycopg.connect(committing_db.url) as locking:
            for table in ("messaging_message", "inbox_event"):
                locking.execute(f"LOCK TABLE utrecht.{table} IN ACCESS EXCLUSIVE MODE")
                begun = time.monotonic()
                assert inbox.drain(schema_name="utrecht") is False
                assert time.monotonic() - begun < 3
        inbox.drain(schema_name="utrecht")
        assert set(states().values()) == {"APPLIED"}
