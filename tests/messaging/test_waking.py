"""Waking: one place in the queue for each municipality, behind the others."""

import asyncio
import json
import time

import pytest
from django_tenants.utils import schema_context

from config import celery
from messaging import inbox, waking
from messaging.broker import client
from messaging.models import Message
from messaging.tasks import drain_inbox, sweep_inboxes
from messaging.waking import MARK_SECONDS, send_wakes
from tests.messaging import meta

QUEUE = "inbox"


@pytest.fixture(autouse=True)
def _empty_broker():
    """Begin and end with nothing queued and no mark."""

    def clear():
        client().delete(QUEUE, *client().keys("inbox-wake:*"))

    clear()
    yield
    clear()


def queued() -> list[str]:
    """Return whose wake-ups are queued, the next to be taken first."""
    tasks = [json.loads(raw) for raw in reversed(client().lrange(QUEUE, 0, -1))]
    return [str(task["headers"]["kwargsrepr"]).split("'")[3] for task in tasks]


class TestMarks:
    def test_a_municipality_has_one_wake_up_queued_however_many_are_asked(self):
        for _ in range(50):
            send_wakes(schema_names=["utrecht"])
        send_wakes(schema_names=["delft", "utrecht"])
        assert queued() == ["utrecht", "delft"]

    def test_the_mark_goes_when_the_drain_begins_so_that_news_meanwhile_wakes_again(self, utrecht, monkeypatch):
        send_wakes(schema_names=["utrecht"])
        client().delete(QUEUE)  # a worker took it
        seen = []

        def drain(*, schema_name):
            send_wakes(schema_names=[schema_name])  # a citizen writes while it works
            seen.extend(queued())
            return False

        monkeypatch.setattr(inbox, "drain", drain)
        drain_inbox(schema_name="utrecht")
        assert seen == ["utrecht"]

    def test_a_mark_that_nobody_removes_ends_by_itself(self):
        send_wakes(schema_names=["utrecht"])
        (mark,) = client().keys("inbox-wake:*")
        assert 0 < client().ttl(mark) <= MARK_SECONDS
        client().pexpire(mark, 1)
        client().delete(QUEUE)
        while client().exists(mark):
            pass
        assert send_wakes(schema_names=["utrecht"]) == 1

    def test_a_wake_up_that_could_not_be_queued_leaves_no_mark(self, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr(waking.current_app, "send_task", _refuse)
            with pytest.raises(OSError, match="away"):
                send_wakes(schema_names=["utrecht", "delft"])
        assert send_wakes(schema_names=["utrecht", "delft"]) == 2

    @pytest.mark.usefixtures("clock")
    def test_a_broker_that_is_away_stops_no_drain(self, utrecht, settings, monkeypatch):
        meta.store(utrecht, meta.message(utrecht))
        with monkeypatch.context() as away:
            away.setattr(settings, "CELERY_BROKER_URL", "redis://127.0.0.1:9/0")
            client.cache_clear()
            drain_inbox(schema_name="utrecht")
        client.cache_clear()
        with schema_context("utrecht"):
            assert Message.objects.count() == 1


class TestWaker:
    @pytest.fixture
    async def waker(self, monkeypatch):
        monkeypatch.setattr(waking, "STATUSES_SECONDS", 0.3)
        celery.app.set_default()  # for the waker's thread, whatever other tests made
        made = waking.Waker()
        made.start()
        yield made
        await made.stop()

    async def test_statuses_wait_for_others_and_wake_once(self, waker):
        for _ in range(5):
            waker.wake_later("utrecht")
        await asyncio.sleep(0.1)
        assert queued() == []
        await _until(lambda: queued() == ["utrecht"])

    async def test_who_writes_does_not_wait_with_them(self, waker, monkeypatch):
        monkeypatch.setattr(waking, "STATUSES_SECONDS", 60.0)
        waker.wake_later("utrecht")
        waker.wake("utrecht")
        await _until(lambda: queued() == ["utrecht"])

    async def test_what_waits_is_woken_when_the_process_stops(self, waker, monkeypatch):
        monkeypatch.setattr(waking, "STATUSES_SECONDS", 60.0)
        waker.wake_later("utrecht")
        await waker.stop()
        assert queued() == ["utrecht"]


class TestTurns:
    @pytest.fixture
    def busy(self, utrecht, monkeypatch):
        """Have more stored for Utrecht than fits in a turn."""
        monkeypatch.setattr(inbox, "BATCH", 3)
        monkeypatch.setattr(inbox, "TURN_SECONDS", 0.0)
        meta.store(utrecht, *(meta.message(utrecht, wamid=f"wamid.{n}") for n in range(7)))

    @pytest.mark.usefixtures("clock", "busy")
    def test_a_busy_municipality_queues_up_behind_the_others(self, utrecht, delft):
        send_wakes(schema_names=["utrecht"])
        send_wakes(schema_names=["delft"])
        client().rpop(QUEUE)  # a worker takes Utrecht's
        drain_inbox(schema_name="utrecht")
        assert queued() == ["delft", "utrecht"]

    @pytest.mark.usefixtures("clock", "busy")
    def test_turn_by_turn_it_is_done(self, utrecht):
        for _ in range(2):
            drain_inbox(schema_name="utrecht")
            assert queued() == ["utrecht"]
            client().delete(QUEUE)  # a worker took it
        drain_inbox(schema_name="utrecht")
        assert queued() == []
        with schema_context("utrecht"):
            assert Message.objects.count() == 7

    @pytest.mark.usefixtures("clock", "busy")
    def test_the_sweep_adds_nothing_to_what_is_queued(self, utrecht):
        sweep_inboxes()
        sweep_inboxes()
        assert queued() == ["utrecht"]


def _refuse(*_, **__):
    raise OSError("away")


async def _until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)
