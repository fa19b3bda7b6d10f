"""A lane under load: its plans stay good whatever the outbox held when they were made, and writing holds up no call."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import transaction
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging.lanes import lane as lane_module
from messaging.lanes.store import CONNECTION_OPTIONS, Choice, Ending, LaneStore, Settlement
from messaging.models import Contact, Message, OutboxItem, Thread
from messaging.replying import Draft, queue
from tenants import clock as domain_clock
from tests.messaging.lane_world import UTRECHT, Meta, open_world, taken, until
from tests.messaging.lane_world import running as running_lane
from whatsapp.outgoing import Text

WAITING = 300
AT_ONCE = 20
MOMENTS = ("opened_at", "last_message_at", "last_inbound_at")
STATES = "SELECT state FROM utrecht.messaging_message WHERE direction = 'OUTBOUND'"


@pytest.fixture
def broadcast(committing_db, utrecht, clock):
    """Return a function that queues a text to so many new citizens; return their messages."""

    def put(count: int) -> list[Message]:
        at = clock.now()
        content = Text(body="oproep")
        with schema_context("utrecht"), transaction.atomic():
            known = Contact.objects.count()
            people = [Contact(wa_id=f"316980{known + n:05d}", created_at=at) for n in range(count)]
            Contact.objects.bulk_create(people)
            threads = [Thread(contact=who, phone_number_id=UTRECHT, **dict.fromkeys(MOMENTS, at)) for who in people]
            Thread.objects.bulk_create(threads)
            drafts = [Draft(thread=thread, content=content, text="oproep") for thread in threads]
            priority = OutboxItem.Priority.BROADCAST
            return queue(drafts=drafts, priority=priority, actor=Actor.system("tests"), at=at)

    return put


class TestPlans:
    def test_a_plan_of_an_empty_outbox_reads_no_more_of_a_full_one_than_it_takes(self, committing_db, broadcast):
        """Plans are kept, and while the outbox was empty all of them cost the same."""
        broadcast(1)  # the tables have been in use
        with psycopg.connect(committing_db.url, autocommit=True) as connection:
            connection.execute("DELETE FROM utrecht.messaging_outboxitem")
            connection.execute("VACUUM ANALYZE utrecht.messaging_outboxitem")

        async def scenario() -> dict[str, int]:
            async with open_world(database_url=committing_db.url, meta=Meta()) as world:
                (lease,) = await world.store().acquire(wanted=[UTRECHT])
                options = f"{CONNECTION_OPTIONS} -c plan_cache_mode=force_generic_plan"
                async with await psycopg.AsyncConnection.connect(
                    committing_db.url, autocommit=True, options=options, prepare_threshold=0
                ) as connection:
                    store = LaneStore(pool=_Only(connection), owner="sender-1")  # type: ignore[arg-type]
                    at = domain_clock.now()
                    late = at - timedelta(days=1)
                    nothing = Settlement(uuid4(), Ending.ACCEPTED, wamid="wamid.none")
                    assert await store.claim(lease=lease, most=AT_ONCE, choice=Choice(at=at)) == []
                    await store.settle(lease=lease, settlements=[nothing])
                    await store.expire(lease=lease, closed_before=late, reason="late")
                    await asyncio.to_thread(broadcast, WAITING)
                    read = {}
                    async with connection.transaction():
                        claimed = await store.claim(lease=lease, most=AT_ONCE, choice=Choice(at=at))
                        read["claim"] = await rows_read(connection)
                        done = [
                            Settlement(each.message_id, Ending.ACCEPTED, wamid=f"wamid.{each.message_id}")
                            for each in claimed
                        ]
                        assert await store.settle(lease=lease, settlements=done) == set()
                        read["settle"] = await rows_read(connection) - read["claim"]
                        await store.expire(lease=lease, closed_before=late, reason="late")
                        read["expire"] = await rows_read(connection) - read["claim"] - read["settle"]
                    assert len(claimed) == AT_ONCE
                    return read

        read = asyncio.run(scenario())
        # Of the outbox and of the messages: each row itself, and what waits before it of the same citizen.
        assert read["claim"] <= 8 * AT_ONCE
        assert read["settle"] <= 8 * AT_ONCE
        assert read["expire"] <= AT_ONCE


async def rows_read(connection: psycopg.AsyncConnection) -> int:
    """Return how many rows of Utrecht's outbox and messages the transaction has read."""
    query = """
        SELECT sum(coalesce(idx_tup_fetch, 0) + seq_tup_read)::int FROM pg_stat_xact_user_tables
        WHERE schemaname = 'utrecht' AND relname IN ('messaging_outboxitem', 'messaging_message')
    """
    row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return int(row[0])


class _Only:
    """A pool of one connection."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection

    def connection(self) -> "_Only":
        return self

    async def __aenter__(self) -> psycopg.AsyncConnection:
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        return None


class TestWriting:
    def test_an_outcome_that_cannot_be_written_holds_up_as_many_calls_as_may_be_lost_and_no_more(
        self, committing_db, broadcast, monkeypatch
    ):
        monkeypatch.setattr(lane_module, "LEAST_IN_FLIGHT", 1)
        monkeypatch.setattr(lane_module, "MOST_UNWRITTEN", 2)
        broadcast(3)

        async def scenario() -> tuple[int, list[str], dict[str, str]]:
            async with await psycopg.AsyncConnection.connect(committing_db.url) as holder:

                async def held(body):
                    query = "SELECT FROM utrecht.messaging_message WHERE id = %s FOR UPDATE"
                    await holder.execute(query, [body["biz_opaque_callback_data"]])
                    return taken(body)

                async with open_world(database_url=committing_db.url, meta=Meta(answer=held)) as world:
                    lane = await world.lane()
                    lane.pace.per_second = 1
                    lane.pace.burst = 10

                    async def of(number: int) -> bool:
                        return len(world.meta.requests) >= number

                    async with running_lane(lane):
                        await until(lambda: of(2))
                        await asyncio.sleep(0.4)
                        before = len(world.meta.requests)
                        unwritten = [row[0] for row in await world.ask(STATES)]
                        await holder.rollback()
                        world.meta.answer = None
                        await until(lambda: of(3))

                        async def written() -> bool:
                            return {row[0] for row in await world.ask(STATES)} == {"ACCEPTED"}

                        await until(written)
                    return before, unwritten, await world.states()

        before, unwritten, states = asyncio.run(scenario())
        assert before == 2  # the second left while the first could not be written; the third waited
        assert sorted(unwritten) == ["QUEUED", "SENDING", "SENDING"]
        assert set(states.values()) == {"ACCEPTED"}
