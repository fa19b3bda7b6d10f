"""A sender or a worker of ours that is away: whose messages stand still is known within a minute, and nobody else's."""

from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django_tenants.utils import schema_context

from audit.record import Actor
from config.celery import app
from messaging import inbox, reading, stalling, troubled
from messaging.core.models import Lane, OutboxWake
from messaging.models import OutboxItem, Thread
from messaging.replying import reply
from tenants.models import Trouble
from tests.messaging import meta
from tests.messaging.lane_world import UTRECHT

NOBODYS = "UPDATE public.messaging_core_lane SET leased_until = clock_timestamp() - interval '21 seconds', owner = ''"
OWNED_AGAIN = "UPDATE public.messaging_core_lane SET leased_until = clock_timestamp() + interval '9 s', owner = 'other'"
LONG_DUE = "UPDATE utrecht.messaging_outboxitem SET due_at = clock_timestamp() - interval '31 seconds'"
APPLIES_THE_FIRST = """
    UPDATE utrecht.inbox_event SET state = 'APPLIED', applied_at = now()
    WHERE id = (SELECT min(id) FROM utrecht.inbox_event)
"""


@pytest.fixture(autouse=True)
def at_once(monkeypatch) -> None:
    monkeypatch.setattr(stalling, "LOOK_AGAIN_SECONDS", 0.0)


@pytest.fixture
def answered(utrecht, delft, clock) -> None:
    """Utrecht answered a citizen, and the answer is in its outbox."""
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
        reply(thread_id=Thread.objects.get().id, text="Ja", actor=Actor.system("tests"), at=clock.now())


def do(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def stalled() -> list[tuple[str, str]]:
    found = Trouble.objects.filter(closed_at=None, kind="STALLED").order_by("number_id")
    return [
        (each.number.municipality.schema_name, each.detail) for each in found.select_related("number__municipality")
    ]


def test_it_is_known_within_a_minute():
    longest = app.conf.beat_schedule["find-stalls"]["schedule"] + stalling.STALLED_SECONDS + 5.0
    assert longest < 60


def test_without_a_sender_agents_see_it_and_who_waits_until_one_is_back(answered, clock):
    do(NOBODYS)
    assert stalling.find_stalls(at=clock.now()) == 0  # it was due just now
    do(LONG_DUE)
    assert [stalling.find_stalls(at=clock.move(seconds=15)) for _ in range(2)] == [1, 0]
    assert stalled() == [("utrecht", "nothing is sent")]
    with schema_context("utrecht"):
        assert [each.kind for each in reading.blocking()] == ["STALLED"]
        assert [each.answers for each in troubled.unreachable(at=clock.now()).citizens] == [1]
    with schema_context("delft"):
        assert reading.blocking() == []
    do(OWNED_AGAIN)
    assert stalling.find_stalls(at=clock.move(seconds=15)) == 0
    assert stalled() == []


def test_it_needs_no_note_where_an_owner_died_and_nothing_waits_where_nothing_is_due(answered, clock):
    OutboxWake.objects.all().delete()
    do(NOBODYS, LONG_DUE)
    assert stalling.find_stalls(at=clock.now()) == 0  # the sweep of a sender that is there finds it
    Lane.objects.filter(phone_number_id=UTRECHT).update(owner="sender-1")
    assert stalling.find_stalls(at=clock.now()) == 1
    with schema_context("utrecht"):
        OutboxItem.objects.all().delete()
    stalling.find_stalls(at=clock.now())
    assert stalled() == []


def test_without_a_worker_of_live_inbound_it_is_known_until_it_moves(utrecht, delft, clock, monkeypatch):
    with schema_context("utrecht"):
        meta.store(utrecht, *(meta.message(utrecht, wamid=f"wamid.{n}", at=clock.now()) for n in range(2)))
    late = meta.RECEIVED_AT + timedelta(seconds=stalling.STALLED_SECONDS)
    assert stalling.find_stalls(at=late) == 0
    late += timedelta(seconds=1)
    assert stalling.find_stalls(at=late) == 1
    assert stalled() == [("utrecht", "nothing is taken in")]
    # Between two looks the oldest was applied: what is long, and shrinks, does not stand still.
    with monkeypatch.context() as patched:
        first = (
            "UPDATE utrecht.inbox_event SET state = 'APPLIED', applied_at = now() WHERE id = (SELECT min(id) FROM {})"
        )
        patched.setattr(stalling.time, "sleep", lambda _: do(first.format("utrecht.inbox_event")))
        stalling.find_stalls(at=late)
    assert stalled() == []
    inbox.drain(schema_name="utrecht")
    assert stalling.find_stalls(at=late) == 0
    assert Trouble.objects.get().closed_at is not None


def test_a_locked_schema_hides_no_other(committing_db, answered, delft, clock):
    with schema_context("delft"):
        meta.receive(delft, meta.message(delft, at=clock.now()))
        reply(thread_id=Thread.objects.get().id, text="Ja", actor=Actor.system("tests"), at=clock.now())
    do(NOBODYS, LONG_DUE, LONG_DUE.replace("utrecht", "delft"))
    with psycopg.connect(committing_db.url) as locking:
        locking.execute("LOCK TABLE delft.messaging_outboxitem IN ACCESS EXCLUSIVE MODE")
        assert stalling.find_stalls(at=clock.now()) == 1
        assert stalled() == [("utrecht", "nothing is sent")]
    assert stalling.find_stalls(at=clock.now()) == 1
    with psycopg.connect(committing_db.url) as locking:  # what cannot be looked at stays as it was
        locking.execute("LOCK TABLE delft.messaging_outboxitem, delft.inbox_event IN ACCESS EXCLUSIVE MODE")
        assert stalling.find_stalls(at=clock.now()) == 0
    assert len(stalled()) == 2
