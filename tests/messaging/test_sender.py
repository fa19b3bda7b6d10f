"""The sender: lanes that idle out, leases that are kept while it stops, numbers that move."""

import asyncio

import pytest
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging.core.models import Lane as LaneRow
from messaging.lanes import lane as lane_module
from messaging.lanes import sender as sender_module
from messaging.lanes.sender import Sender
from messaging.lanes.store import LaneStore
from messaging.models import Thread
from messaging.replying import reply
from tenants import provisioning
from tests.messaging import meta
from tests.messaging.lane_world import UTRECHT, Meta, open_world, running, taken, until

AGENT = Actor.system("tests")

MOST_ANSWERS = 10


@pytest.fixture
def answer(committing_db, utrecht, clock):
    """Return a function by which an agent of Utrecht's answers a citizen who wrote just now."""
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
        thread = Thread.objects.get()

    def send(text: str) -> None:
        with schema_context("utrecht"):
            reply(thread_id=thread.id, text=text, actor=AGENT, at=clock.now())

    return send


class TestIdling:
    def test_a_lane_that_ends_while_its_note_is_taken_sends_the_message_soon(
        self, answer, committing_db, clock, monkeypatch
    ):
        """The lane ends just as the sender takes its note, and gives its lease back only a while later."""
        monkeypatch.setattr(sender_module, "SWEEP_SECONDS", 3600.0)
        senders: list[Sender] = []

        class EndsMeanwhile(LaneStore):
            async def take_wakes(self, *, numbers):
                taken_from = await super().take_wakes(numbers=numbers)
                if senders and senders[0]._lanes and "Eerste" in await sent():
                    senders[0]._lanes[UTRECHT].end()
                    senders.clear()
                return taken_from

            async def release(self, *, lease):
                await asyncio.sleep(0.3)
                await super().release(lease=lease)

        async def sent():
            return worlds[0].meta.texts()

        worlds = []

        async def scenario():
            async with open_world(database_url=committing_db.url, meta=Meta()) as world:
                worlds.append(world)
                sender = world.sender(world.store(kind=EndsMeanwhile))
                senders.append(sender)
                async with running(sender):
                    await until(lambda: has_sent(1))
                    texts = ["Eerste"]
                    # The lane may find a message by itself before its note is taken: then the next one is the test.
                    while senders and len(texts) < MOST_ANSWERS:
                        texts.append(f"Nummer {len(texts) + 1}")
                        await asyncio.to_thread(answer, texts[-1])
                        await until(lambda: has_sent(len(texts)), seconds=5)
                return world.meta.texts(), texts

        async def has_sent(number):
            return len(await sent()) >= number

        answer("Eerste")
        received, written = asyncio.run(scenario())
        assert received == written
        assert senders == []  # the lane did end while its note was taken

    def test_a_lane_without_work_is_given_back_and_taken_again(self, answer, committing_db, monkeypatch):
        monkeypatch.setattr(lane_module, "IDLE_SECONDS", 0.2)

        async def scenario():
            async with open_world(database_url=committing_db.url, meta=Meta()) as world:
                async with running(world.sender()):
                    for number in range(1, 4):
                        await asyncio.to_thread(answer, f"Antwoord {number}")
                        await until(lambda number=number: has_sent(world, number))
                        await until(lambda: is_given_back(world))
                return world.meta.texts()

        async def has_sent(world, number):
            return len(world.meta.texts()) == number

        async def is_given_back(world):
            return await world.owner() == ""

        assert asyncio.run(scenario()) == ["Antwoord 1", "Antwoord 2", "Antwoord 3"]


class TestStopping:
    def test_leases_are_kept_while_a_call_in_flight_is_waited_for(self, answer, committing_db, monkeypatch):
        monkeypatch.setattr(sender_module, "RENEW_SECONDS", 0.1)
        answer("Antwoord")
        let_go = asyncio.Event()

        async def slow(body):
            await let_go.wait()
            return taken(body)

        async def scenario():
            async with open_world(database_url=committing_db.url, meta=Meta(answer=slow)) as world:
                stop = asyncio.Event()
                task = asyncio.create_task(world.sender().run(stop=stop))
                await until(lambda: asked(world))
                stop.set()
                await asyncio.sleep(0.3)
                before = await leased_until(world)
                await asyncio.sleep(0.5)
                after = await leased_until(world)
                assert await world.store("sender-2").acquire(wanted=[UTRECHT]) == []
                let_go.set()
                await asyncio.wait_for(task, 10)
                return before, after, await world.states(), await world.owner()

        async def asked(world):
            return world.meta.requests

        async def leased_until(world):
            query = "SELECT leased_until FROM public.messaging_core_lane WHERE phone_number_id = %(number)s"
            return (await world.ask(query, number=UTRECHT))[0][0]

        before, after, states, owner = asyncio.run(scenario())
        assert after > before
        assert (states, owner) == ({"Antwoord": "ACCEPTED"}, "")


class TestANumberThatMoves:
    def test_its_lane_moves_along(self, answer, committing_db, utrecht, clock):
        """Utrecht's sender still has the lane; the number is closed there and opened with Almelo."""
        answer("Nog van Utrecht")

        async def scenario():
            async with open_world(database_url=committing_db.url, meta=Meta()) as world:
                old = await world.lane()
                await asyncio.to_thread(move)
                assert await old.store.claim(lease=old.lease, most=5) == []
                assert await old.store.renew(numbers=[UTRECHT]) == set()
                new = await world.lane(world.store("sender-2"))
                await old.store.release(lease=old.lease)  # its token is old: nothing is given back
                assert await world.owner() == "sender-2"
                async with running(new):
                    await asyncio.to_thread(write_and_answer)
                    new.wake()
                    await until(lambda: has_sent(world))
                return old.lease, new.lease, world.meta.texts(), await world.states()

        async def has_sent(world):
            return world.meta.requests

        def move():
            from django.db import connection

            try:
                utrecht.numbers.update(closed_at=clock.now())
                provisioning.create(
                    schema_name="almelo",
                    name="Almelo",
                    cbs_code="GM0141",
                    waba_id="2000000000141",
                    phone_number_id=UTRECHT,
                    display_phone_number="+31970100014100",
                    access_token="token-of-almelo",
                    actor=AGENT,
                    at=clock.move(minutes=5),
                )
            finally:
                connection.close()

        def write_and_answer():
            from django.db import connection

            from tenants.models import Municipality

            try:
                almelo = Municipality.objects.get(schema_name="almelo")
                with schema_context("almelo"):
                    meta.receive(almelo, meta.message(almelo, wamid="wamid.almelo", at=clock.now()))
                    reply(thread_id=Thread.objects.get().id, text="Van Almelo", actor=AGENT, at=clock.now())
            finally:
                connection.close()

        old, new, texts, states = asyncio.run(scenario())
        assert (old.schema_name, new.schema_name) == ("utrecht", "almelo")
        assert new.fencing_token > old.fencing_token
        assert texts == ["Van Almelo"]
        assert states == {"Nog van Utrecht": "QUEUED"}
        assert LaneRow.objects.filter(phone_number_id=UTRECHT).count() == 1
