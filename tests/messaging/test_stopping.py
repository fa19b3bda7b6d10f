"""Numbers that Meta stops, slows or leaves unanswered: people are told, nothing is lost, and nobody else notices."""

import asyncio
import time
from itertools import pairwise

import psycopg
import pytest
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging.core.models import Lane as LaneRow
from messaging.core.models import OutboxWake
from messaging.lanes import lane as lane_module
from messaging.lanes import sender as sender_module
from messaging.lanes import standing as standing_module
from messaging.models import Message, Thread
from messaging.replying import reply
from tenants.models import Number, Trouble
from tests.messaging import meta
from tests.messaging.lane_world import UTRECHT, Meta, open_world, refusal, running, taken, until
from whatsapp import transport

AGENT = Actor.system("tests")
DELFT = "1000000000503"


@pytest.fixture
def answer(committing_db, utrecht, delft, clock):
    """Return a function by which an agent answers the citizen who wrote to each municipality just now."""
    threads = {}
    for municipality in (utrecht, delft):
        with schema_context(municipality.schema_name):
            meta.receive(municipality, meta.message(municipality, at=clock.now()))
            threads[municipality.schema_name] = Thread.objects.get().id

    def send(*texts: str, schema: str = "utrecht") -> None:
        with schema_context(schema):
            for text in texts:
                reply(thread_id=threads[schema], text=text, actor=AGENT, at=clock.now())

    return send


@pytest.fixture
def world_of(committing_db):
    """Return a function that opens a world whose Meta answers as told."""
    return lambda **side: open_world(database_url=committing_db.url, meta=Meta(**side))


def troubles(number: str = UTRECHT) -> list[tuple[str, bool]]:
    """Return what was ever wrong with a number, and whether it still is."""
    found = Trouble.objects.filter(number__phone_number_id=number).order_by("opened_at", "id")
    return [(trouble.kind, trouble.closed_at is None) for trouble in found]


def patient(monkeypatch, seconds: float) -> None:
    for module in (standing_module, lane_module):
        monkeypatch.setattr(module, "PROBE_SECONDS", seconds)
    monkeypatch.setattr("messaging.lanes.calling.PROBE_SECONDS", seconds)


class TestStops:
    @pytest.mark.parametrize(
        ("code", "kind"), [(190, "TOKEN"), (131031, "LOCKED"), (131042, "PAYMENT"), (133010, "UNREGISTERED")]
    )
    def test_it_tries_with_one_message_now_and_then_and_loses_nothing(self, answer, world_of, monkeypatch, code, kind):
        patient(monkeypatch, 0.4)
        answer("een", "twee", "drie")
        refused = []

        async def refuses_thrice(body):
            if len(refused) < 3:
                refused.append(time.monotonic())
                return refusal(code)
            return taken(body)

        async def scenario():
            async with world_of(answer=refuses_thrice) as world:
                async with running(await world.lane()):
                    await until(lambda: has_trouble())
                    stopped = await world.states(), await world.attempts()
                    await until(lambda: is_over(world), seconds=15)
                return stopped, await world.states(), world.meta.texts()

        async def has_trouble():
            return await asyncio.to_thread(troubles)

        async def is_over(world):
            return not await world.attempts() and not any(is_open for _, is_open in await asyncio.to_thread(troubles))

        (before, attempts), after, texts = asyncio.run(scenario())
        assert set(before.values()) == {"QUEUED"} or "SENDING" in before.values()
        assert attempts == [0, 0, 0]
        assert after == {"een": "ACCEPTED", "twee": "ACCEPTED", "drie": "ACCEPTED"}
        assert texts == ["een"] * 4 + ["twee", "drie"]
        assert [b - a >= 0.35 for a, b in pairwise(refused)] == [True, True]
        assert troubles() == [(kind, False)]

    def test_a_new_token_is_tried_at_once(self, answer, world_of, utrecht):
        answer("antwoord")

        async def scenario():
            async with world_of(answer=revoked) as world:
                lane = await world.lane()
                async with running(lane):
                    await until(lambda: stopped(lane))
                    world.meta.answer = None
                    await asyncio.to_thread(set_token)
                    begun = time.monotonic()
                    lane.refresh(await world.settings())
                    await until(lambda: settled(world))
                    return time.monotonic() - begun, await world.states()

        async def revoked(body):
            return refusal(190, status=401)

        async def stopped(lane):
            return lane.standing.number.is_on and not lane.standing.number.probing

        async def settled(world):
            return not await world.attempts()

        def set_token():
            from django.db import connection

            number = Number.objects.get(phone_number_id=UTRECHT)
            number.set_access_token("EAAnew")
            number.save()
            connection.close()

        took, states = asyncio.run(scenario())
        assert took < 3
        assert states == {"antwoord": "ACCEPTED"}

    def test_a_message_that_tries_and_hangs_holds_back_no_other_citizens(self, answer, world_of, utrecht, monkeypatch):
        """Meta is well again, but the one call that was to show it gets no answer."""
        patient(monkeypatch, 0.4)
        monkeypatch.setattr(standing_module, "HANGS_SECONDS", 0.3)
        with schema_context("utrecht"):
            at = meta.RECEIVED_AT
            meta.receive(utrecht, meta.message(utrecht, wamid="wamid.A", wa_id="31697000077", name="Anna", at=at))
            anna = Thread.objects.get(contact__wa_id="31697000077").id
            Thread.objects.filter(id=anna).update(last_inbound_at=Thread.objects.exclude(id=anna).get().last_inbound_at)
        answer("een")
        calls, let_go = [], asyncio.Event()

        async def refuses_then_hangs(body):
            calls.append(body["text"]["body"])
            if len(calls) == 1:
                return refusal(190)
            if calls[-1] == "een":
                await let_go.wait()
            return taken(body)

        def answer_anna():
            from django.db import connection

            with schema_context("utrecht"):
                reply(thread_id=anna, text="twee", actor=AGENT, at=Thread.objects.get(id=anna).last_inbound_at)
            connection.close()

        async def scenario():
            async with world_of(answer=refuses_then_hangs) as world:
                lane = await world.lane()
                async with running(lane):
                    await until(lambda: tried(2))
                    await asyncio.to_thread(answer_anna)
                    lane.wake()
                    await until(lambda: accepted(world), seconds=5)
                    meanwhile = await world.states()
                    let_go.set()
                return meanwhile, await world.states()

        async def tried(times):
            return len(calls) >= times

        async def accepted(world):
            return (await world.states())["twee"] == "ACCEPTED"

        meanwhile, after = asyncio.run(scenario())
        assert meanwhile == {"een": "SENDING", "twee": "ACCEPTED"}
        assert after == {"een": "ACCEPTED", "twee": "ACCEPTED"}
        assert troubles() == [("TOKEN", False)]

    def test_a_time_out_stops_nothing(self, answer, world_of):
        answer("een", "twee")

        async def hangs(body):
            if body["text"]["body"] == "een":
                await asyncio.sleep(3)
            return taken(body)

        async def scenario():
            async with world_of(answer=hangs) as world:
                world.api._within = type(world.api._within)(total=0.3)
                async with running(await world.lane()):
                    await until(lambda: settled(world))
                return await world.states()

        async def settled(world):
            return not await world.attempts()

        assert asyncio.run(scenario()) == {"een": "UNCERTAIN", "twee": "ACCEPTED"}
        assert troubles() == []


class TestOutOfReach:
    def test_it_is_told_within_a_minute_and_before_the_next_try_and_over_with_the_first_answer(
        self, answer, world_of, monkeypatch
    ):
        longest = standing_module.UNREACHABLE_SECONDS + transport.CONNECT_SECONDS + lane_module.LONGEST_WAIT_SECONDS
        assert longest < 60
        monkeypatch.setattr(standing_module, "UNREACHABLE_SECONDS", 0.3)
        tries = []
        monkeypatch.setattr(standing_module, "doubling", lambda times: tries.append(times) or 4.0)
        answer("een")

        async def scenario():
            async with world_of() as world:
                open_root, world.api._root = world.api._root, "http://127.0.0.1:9"
                async with running(await world.lane()):
                    await until(lambda: asyncio.to_thread(troubles))
                    told_after = len(tries)
                    world.api._root = open_root
                    await until(lambda: is_over(), seconds=15)
                return told_after, await world.states()

        assert asyncio.run(scenario()) == (1, {"een": "ACCEPTED"})
        assert troubles() == [("UNREACHABLE", False)]

    def test_when_nothing_is_answered_it_is_told_too_and_asked_about_when_nothing_waits(
        self, answer, world_of, monkeypatch
    ):
        """Eight calls that Meta leaves unanswered are uncertain each; what is left is to see when Meta is back."""
        monkeypatch.setattr(lane_module, "IDLE_SECONDS", 0.2)
        monkeypatch.setattr(lane_module, "LONGEST_WAIT_SECONDS", 0.2)
        monkeypatch.setattr(sender_module, "SWEEP_SECONDS", 0.5)
        answer(*(f"bericht {n}" for n in range(standing_module.SILENT_AFTER)))

        async def hangs(body):
            await asyncio.sleep(2)
            return taken(body)

        async def scenario():
            async with world_of(answer=hangs, is_away=True) as world:
                world.api._within = type(world.api._within)(total=0.2)
                async with running(world.sender()):
                    await until(lambda: asyncio.to_thread(troubles), seconds=15)
                    await until(lambda: idle(world))
                    await asyncio.sleep(1)
                    meanwhile = await asyncio.to_thread(troubles)
                    world.meta.is_away = False
                    world.api._within = type(world.api._within)(total=5)
                    await until(lambda: is_over(), seconds=15)
                return meanwhile, await world.states(), len(world.meta.requests)

        async def idle(world):
            return not await world.attempts() and await world.owner() == ""

        meanwhile, states, requests = asyncio.run(scenario())
        assert meanwhile == [("UNREACHABLE", True)]
        assert set(states.values()) == {"UNCERTAIN"}
        assert requests == standing_module.SILENT_AFTER
        assert troubles() == [("UNREACHABLE", False)]


async def is_over() -> bool:
    """Return whether nothing is wrong with the number any more."""
    return not any(is_open for _, is_open in await asyncio.to_thread(troubles))


class TestOthers:
    def test_a_locked_schema_delays_nobody_else(self, answer, world_of, committing_db):
        """Somebody holds all of Utrecht's tables; Delft's answers leave as ever, and Utrecht's when that is over."""
        answer("van utrecht")
        tables = "messaging_outboxitem, messaging_message, messaging_contact"

        async def scenario():
            async with world_of() as world:
                async with await psycopg.AsyncConnection.connect(committing_db.url) as other:
                    locked = ", ".join(f"utrecht.{table.strip()}" for table in tables.split(","))
                    await other.execute(f"LOCK TABLE {locked} IN ACCESS EXCLUSIVE MODE")
                    async with running(world.sender()):
                        await asyncio.sleep(1.5)
                        delays = []
                        for number in range(5):
                            begun = time.monotonic()
                            await asyncio.to_thread(answer, f"van delft {number}", schema="delft")
                            await until(lambda number=number: has_sent(world, f"van delft {number}"))
                            delays.append(time.monotonic() - begun)
                        assert "van utrecht" not in world.meta.texts()
                        await other.rollback()
                        await until(lambda: has_sent(world, "van utrecht"), seconds=15)
                return delays

        async def has_sent(world, text):
            return text in world.meta.texts()

        assert max(asyncio.run(scenario())) < 2

    @pytest.mark.parametrize("wrong", ["slow", "refused"])
    def test_a_number_that_is_slow_or_whose_token_fails_delays_nobody_else(self, answer, world_of, wrong):
        answer("van utrecht")

        async def slow_for_utrecht(body):
            if body["text"]["body"] == "van utrecht":
                if wrong == "refused":
                    return refusal(190, status=401)
                await asyncio.sleep(4)
            return taken(body)

        async def scenario():
            async with world_of(answer=slow_for_utrecht) as world, running(world.sender()):
                await until(lambda: has_sent(world, "van utrecht"))
                begun = time.monotonic()
                await asyncio.to_thread(answer, "van delft", schema="delft")
                await until(lambda: has_sent(world, "van delft"))
                return time.monotonic() - begun

        async def has_sent(world, text):
            return text in world.meta.texts()

        assert asyncio.run(scenario()) < 2

    def test_a_note_for_no_lane_is_taken_away(self, answer, world_of, monkeypatch):
        OutboxWake.objects.create(phone_number_id="9999999999")

        async def scenario():
            async with world_of() as world, running(world.sender()):
                await until(lambda: gone())

        async def gone():
            return not await asyncio.to_thread(OutboxWake.objects.filter(phone_number_id="9999999999").exists)

        asyncio.run(scenario())

    def test_a_lane_of_an_owner_that_died_is_taken_within_thirty_seconds(self, answer, world_of):
        assert sender_module.RENEW_SECONDS * 3 <= 10
        answer("antwoord")

        async def scenario():
            async with world_of() as world:
                await world.lane(world.store("dead"))
                begun = time.monotonic()
                async with running(world.sender()):
                    await until(lambda: sent(world), seconds=30)
                return time.monotonic() - begun

        async def sent(world):
            return world.meta.requests

        assert asyncio.run(scenario()) < 30
        assert LaneRow.objects.get(phone_number_id=UTRECHT).fencing_token >= 2


class TestWindows:
    def test_an_answer_whose_window_closes_while_it_waits_fails_with_the_reason(self, answer, world_of, clock):
        answer("te laat")
        clock.move(hours=25)

        async def scenario():
            async with world_of() as world, running(await world.lane()):
                await until(lambda: settled(world))
                return await world.states(), world.meta.requests

        async def settled(world):
            return not await world.attempts()

        assert asyncio.run(scenario()) == ({"te laat": "FAILED"}, [])
        with schema_context("utrecht"):
            assert Message.objects.get(state="FAILED").failed_reason == "window_closed_waiting"
