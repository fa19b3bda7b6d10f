"""A lane: what it claims and in which order, and that it ends rather than guesses when something breaks."""

import asyncio
import json
import time
from collections import Counter
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from django_tenants.utils import schema_context
from psycopg import DataError, OperationalError
from psycopg_pool import AsyncConnectionPool

from audit.record import Actor
from messaging.consent import record_opt_out
from messaging.core.lanes import NEVER
from messaging.core.models import Lane as LaneRow
from messaging.lanes import lane as lane_module
from messaging.lanes import standing as standing_module
from messaging.lanes.calling import MOST_ATTEMPTS
from messaging.lanes.pace import Pace
from messaging.lanes.standing import LONGEST_BACK_OFF_SECONDS
from messaging.lanes.store import CONNECTION_OPTIONS, Claimed, Ending, LaneStore, Settlement
from messaging.models import Consent, Message, OutboxItem, Template, Thread
from messaging.replying import Draft, queue
from tenants.models import Number, Onboarding
from tenants.onboarding.moves import move
from tenants.stages import Stage
from tests.messaging import meta
from tests.messaging.lane_world import UTRECHT, Meta, World, open_world, refusal, running, taken, until
from whatsapp.outgoing import TemplateMessage, Text

AGENT = Actor.system("tests")
REPLY, CRISIS, BROADCAST = OutboxItem.Priority


def texts(claimed: list[Claimed]) -> list[str]:
    """Return the texts of claimed messages."""
    return [json.loads(item.request)["text"]["body"] for item in claimed]


@pytest.fixture
def threads(committing_db, utrecht, clock) -> list[Thread]:
    """Return the open threads of three citizens who wrote to Utrecht just now; Meta has approved its templates."""
    with schema_context("utrecht"):
        Template.objects.update(status=Template.Status.APPROVED)
        wrote = [
            meta.message(utrecht, wamid=f"wamid.{n}", wa_id=f"3169700000{n}", name=f"Burger {n}", at=clock.now())
            for n in range(1, 4)
        ]
        meta.receive(utrecht, *wrote)
        return list(Thread.objects.select_related("contact").order_by("contact__wa_id"))


@pytest.fixture
def put(threads, clock):
    """Return a function that queues texts to the nth citizen; each message's text is its name."""

    def queue_texts(*texts: str, to: int = 0, priority: OutboxItem.Priority = REPLY) -> list[Message]:
        with schema_context("utrecht"):
            drafts = [Draft(thread=threads[to], content=Text(body=text), text=text) for text in texts]
            return [queue(drafts=[draft], priority=priority, actor=AGENT, at=clock.now())[0] for draft in drafts]

    return queue_texts


@pytest.fixture
def play(committing_db):
    """Return a function that plays a scenario in a world whose Meta answers as told."""

    def run(scenario, **meta_side):
        async def in_world():
            async with open_world(database_url=committing_db.url, meta=Meta(**meta_side)) as world:
                return await scenario(world)

        return asyncio.run(in_world())

    return run


async def settled(world: World) -> bool:
    return not await world.attempts()


class Counting(Pace):
    """A pace that tells what citizens wrote, look by look."""

    def __init__(self, *, per_second: float) -> None:
        super().__init__(per_second=per_second)
        self.wrote: list[int] = []

    def spend_inbound(self, *, messages: int, seconds: float, at: float) -> None:
        self.wrote.append(messages)
        super().spend_inbound(messages=messages, seconds=seconds, at=at)


def impatient(waits: list[tuple[float, bool]]) -> type[LaneStore]:
    """Return a store that puts back at once, and notes how long each was to wait and whether that costs a try."""

    class Impatient(LaneStore):
        async def settle(self, *, lease, settlements):
            again = [each for each in settlements if each.kind is Ending.AGAIN]
            waits.extend((each.seconds, each.counts) for each in again)
            at_once = [replace(each, seconds=0.0) for each in settlements]
            return await super().settle(lease=lease, settlements=at_once)

    return Impatient


class TestSuspension:
    def test_nothing_leaves_from_the_commit_on_that_suspends_and_all_of_it_when_resumed(
        self, put, play, utrecht, clock
    ):
        put("wacht")

        def moved(seen: str, to: str) -> None:
            with schema_context("public"):
                onboarding = Onboarding.objects.get(municipality=utrecht)
                move(
                    onboarding_id=onboarding.id, seen=seen, to=Stage(to), actor=AGENT, at=clock.now(), reason="Controle"
                )

        async def scenario(world):
            lane = await world.lane()
            await asyncio.to_thread(moved, "LIVE", "SUSPENDED")
            held = await lane.store.claim(lease=lane.lease, most=5)
            number = lane.lease.phone_number_id
            settings = (await lane.store.settings(numbers=[number], at=clock.now()))[number]
            await asyncio.to_thread(moved, "SUSPENDED", "LIVE")
            freed = texts(await lane.store.claim(lease=lane.lease, most=5))
            return held, settings.access_token_encrypted, freed

        assert play(scenario) == ([], None, ["wacht"])

    def test_what_comes_in_is_kept_meanwhile(self, threads, utrecht, clock):
        with schema_context("public"):
            onboarding = Onboarding.objects.get(municipality=utrecht)
            move(
                onboarding_id=onboarding.id,
                seen="LIVE",
                to=Stage.SUSPENDED,
                actor=AGENT,
                at=clock.now(),
                reason="Controle",
            )
        with schema_context("utrecht"):
            meta.receive(utrecht, meta.message(utrecht, wamid="wamid.later", wa_id="31697000001", at=clock.now()))
            assert Message.objects.filter(wamid="wamid.later").exists()


class TestOrder:
    def test_a_reply_is_claimed_before_a_broadcast_that_waited_longer(self, put, play):
        put("nieuwsbrief", priority=BROADCAST)
        put("antwoord")

        async def scenario(world):
            lane = await world.lane()
            return texts(await lane.store.claim(lease=lane.lease, most=1))

        assert play(scenario) == ["antwoord"]

    def test_a_contacts_messages_of_one_urgency_leave_in_order(self, put, play):
        put("eerst", "dan", "tot slot")
        put("van een ander", to=1)

        async def first_is_slow(body):
            if body["text"]["body"] == "eerst":
                await asyncio.sleep(0.3)
            return taken(body)

        async def scenario(world):
            async with running(await world.lane()):
                await until(lambda: settled(world))
            return world.meta.texts(), world.meta.moments

        texts, moments = play(scenario, answer=first_is_slow)
        of_one = [text for text in texts if text != "van een ander"]
        assert of_one == ["eerst", "dan", "tot slot"]
        assert texts.index("van een ander") < texts.index("dan")  # others do not wait for it
        assert moments[texts.index("dan")] - moments[texts.index("eerst")] >= 0.3

    def test_a_reply_waits_for_a_broadcast_that_is_under_way(self, put, play):
        put("nieuwsbrief", priority=BROADCAST)

        async def scenario(world):
            lane = await world.lane()
            await lane.store.claim(lease=lane.lease, most=1)
            await asyncio.to_thread(put, "antwoord")
            return await lane.store.claim(lease=lane.lease, most=5)

        assert play(scenario) == []

    def test_what_another_transaction_has_locked_is_left_for_the_next_claim(self, put, play, committing_db):
        locked, _ = put("vergrendeld")[0], put("vrij", to=1)

        async def scenario(world):
            lane = await world.lane()
            async with await psycopg.AsyncConnection.connect(committing_db.url) as other:
                query = "SELECT FROM utrecht.messaging_message WHERE id = %s FOR NO KEY UPDATE"
                await other.execute(query, [locked.id])
                async with asyncio.timeout(2):
                    first = await lane.store.claim(lease=lane.lease, most=5)
            second = await lane.store.claim(lease=lane.lease, most=5)
            return [texts(claimed) for claimed in (first, second)]

        assert play(scenario) == [["vrij"], ["vergrendeld"]]


class LosesItsClaim(LaneStore):
    """The claim is committed; its answer never comes."""

    async def claim(self, **given):
        await super().claim(**given)
        raise OperationalError("the connection was lost")


class CannotStore(LaneStore):
    """What Meta answered cannot be written as it is."""

    async def settle(self, **given):
        raise DataError("value too long")


class TestBreaking:
    @pytest.mark.parametrize("kind", [LosesItsClaim, CannotStore])
    def test_it_ends_unreleased_and_the_next_lease_makes_the_message_uncertain(self, put, play, kind):
        put("antwoord")

        async def scenario(world):
            lane = await world.lane(world.store(kind=kind))
            async with asyncio.timeout(5):
                await lane.run()
            assert await world.owner() == "sender-1"
            assert await world.states() == {"antwoord": "SENDING"}
            assert await world.store("sender-2").acquire(wanted=[UTRECHT]) == []
            await world.expire()
            async with running(await world.lane(world.store("sender-2"))):
                await until(lambda: settled(world))
            return await world.states(), len(world.meta.requests)

        states, sent = play(scenario)
        assert states == {"antwoord": "UNCERTAIN"}
        assert sent == (1 if kind is CannotStore else 0)

    def test_an_error_in_a_call_leaves_it_uncertain_and_ends_the_lane(self, put, play):
        put("antwoord")

        class Broken:
            async def send(self, **_):
                raise RuntimeError("unforeseen")

        async def scenario(world):
            lane = await world.lane()
            lane.api = Broken()
            async with asyncio.timeout(5):
                await lane.run()
            return await world.states(), await world.owner()

        states, owner = play(scenario)
        assert states == {"antwoord": "UNCERTAIN"}
        assert owner == "sender-1"  # left to end

    def test_it_claims_nothing_with_a_token_that_no_key_opens(self, put, play, utrecht):
        put("antwoord")
        utrecht.numbers.update(access_token_encrypted=b"gAAAAA-of-another-key")

        async def scenario(world):
            lane = await world.lane()
            async with running(lane) as task:
                await asyncio.sleep(0.5)
                assert not task.done()
                states = await world.states()
                lane.refresh(replace(lane.settings, access_token_encrypted=readable))
                await until(lambda: settled(world))
            return states, await world.states(), await world.owner()

        number = utrecht.numbers.get()
        number.set_access_token("EAAnew")
        readable = number.access_token_encrypted
        assert play(scenario) == ({"antwoord": "QUEUED"}, {"antwoord": "ACCEPTED"}, "")


class TestOutOfReach:
    def test_the_lane_rests_and_no_message_pays_with_a_try(self, put, play, monkeypatch):
        """Forty messages meet a closed port at once: one rest for all, and then they leave, each once."""
        for n in range(40):
            put(f"bericht {n}", to=n % 3)
        rests = []
        original = standing_module.doubling
        monkeypatch.setattr(standing_module, "doubling", lambda times: rests.append(times) or original(times))

        async def scenario(world):
            closed = "http://127.0.0.1:9"
            open_root, world.api._root = world.api._root, closed
            async with running(await world.lane()):
                await until(lambda: tries(2))
                attempts = await world.attempts()
                world.api._root = open_root
                await until(lambda: settled(world), seconds=15)
            return attempts, await world.states()

        async def tries(least):
            return len(rests) >= least

        attempts, states = play(scenario)
        assert attempts == [0] * 40
        assert set(states.values()) == {"ACCEPTED"}
        assert rests == list(range(len(rests)))  # each rest once, however many calls met it


class TestThrottling:
    @pytest.mark.parametrize(
        ("code", "least"), [(131056, [1.0, 4.0, 16.0, 60.0]), (130429, [0.25, 0.5, 1.0, 2.0])], ids=["pair", "number"]
    )
    def test_it_waits_longer_each_time_and_costs_no_try(self, put, play, monkeypatch, code, least):
        put("antwoord")
        waits = []
        monkeypatch.setattr(Pace, "rest", lambda self, *, until: None)

        async def throttles(body):
            return refusal(code) if len(waits) < 4 else taken(body)

        async def scenario(world):
            lane = await world.lane(world.store(kind=impatient(waits)))
            async with running(lane):
                await until(lambda: settled(world))
            return await world.states(), lane.throttled

        assert play(scenario, answer=throttles) == ({"antwoord": "ACCEPTED"}, {})
        assert [counts for _, counts in waits] == [False] * 4
        for (seconds, _), lowest in zip(waits, least, strict=True):
            assert lowest <= seconds <= (lowest if code == 131056 else 2 * lowest)

    @pytest.mark.parametrize(("code", "whose"), [(130429, "N"), (80007, "NA"), (4, "NAO"), (131056, "")])
    def test_it_slows_whom_meta_names_and_nobody_else(self, put, play, utrecht, delft, code, whose):
        """N: the number itself; A: another one of its account; O: one of another municipality."""
        number = utrecht.numbers.get()
        of_account = {"phone_number_id": "1000000000999", "display_phone_number": "+31970109999"}
        copied = {name: getattr(number, name) for name in ("waba_id", "pseudonym_key_encrypted", "opened_at")}
        second = Number.objects.create(municipality=utrecht, **of_account, **copied)
        LaneRow.objects.create(phone_number_id=second.phone_number_id, municipality_id=utrecht.id, leased_until=NEVER)
        put("antwoord")

        async def refuses_once(body):
            return refusal(code) if len(world_of[0].meta.requests) == 1 else taken(body)

        async def scenario(world):
            world_of.append(world)
            numbers = {"N": UTRECHT, "A": second.phone_number_id, "O": delft_number}
            lanes = {name: await world.lane(number=number) for name, number in numbers.items()}
            for lane in lanes.values():
                lane.peers = lanes.values
            async with running(lanes["N"]):
                await until(lambda: settled(world))
                at = time.monotonic()
                slower = [name for name, lane in lanes.items() if lane.pace.current(at=at) < lane.pace.per_second]
            return slower, await world.states()

        world_of: list[World] = []
        delft_number = delft.numbers.get().phone_number_id
        assert play(scenario, answer=refuses_once) == (list(whose), {"antwoord": "ACCEPTED"})

    def test_what_citizens_write_meanwhile_counts_in_its_pace(self, put, play, utrecht, clock, monkeypatch):
        monkeypatch.setattr(lane_module, "LOOK_SECONDS", 0.2)
        for n in range(30):
            put(f"bericht {n}", to=n % 3)

        def write():
            from django.db import connection

            with schema_context("utrecht"):
                wrote = (meta.message(utrecht, wamid=f"wamid.more{n}", at=clock.now()) for n in range(5))
                meta.store(utrecht, *wrote, meta.status(utrecht, wamid="wamid.x", status="sent"))
            connection.close()

        async def scenario(world):
            lane = await world.lane()
            lane.pace = Counting(per_second=10)
            async with running(lane):
                await until(lambda: looked(lane))
                await asyncio.to_thread(write)
                await until(lambda: counts(lane))
            return lane.pace.wrote

        async def looked(lane):
            return lane._last_event is not None

        async def counts(lane):
            return sum(lane.pace.wrote)

        assert sum(play(scenario)) == 5


class TestTryingAgain:
    def test_what_was_surely_not_accepted_goes_again_and_is_given_up_with_metas_reason(self, put, play):
        """131016: a service of Meta's is down."""
        put("komt door")
        put("komt nooit door", to=1)
        waits: list[tuple[float, bool]] = []

        async def is_down(body):
            tries[body["text"]["body"]] += 1
            return taken(body) if tries["komt door"] == 3 and body["text"]["body"] == "komt door" else refusal(131016)

        async def scenario(world):
            async with running(await world.lane(world.store(kind=impatient(waits)))):
                await until(lambda: settled(world), seconds=15)
            return await world.ask(
                "SELECT text, state, failed_code FROM utrecht.messaging_message WHERE direction = 'OUTBOUND'"
                " ORDER BY text"
            )

        tries: Counter[str] = Counter()
        found = play(scenario, answer=is_down)
        assert found == [("komt door", "ACCEPTED", None), ("komt nooit door", "FAILED", 131016)]
        assert tries == {"komt door": 3, "komt nooit door": MOST_ATTEMPTS}
        assert all(counts for _, counts in waits)
        longest = max(seconds for seconds, _ in waits)
        assert 0.25 <= min(seconds for seconds, _ in waits) < 1 < 30 <= longest <= LONGEST_BACK_OFF_SECONDS


class TestHeldTemplates:
    def test_templates_rest_and_replies_go_on(self, put, play, threads, clock):
        with schema_context("utrecht"):
            template = Template.objects.first()
            content = TemplateMessage.with_body(name="oproep", language="nl", values={})
            for thread in threads:
                draft = Draft(thread=thread, content=content, text="oproep", template=template)
                queue(drafts=[draft], priority=BROADCAST, actor=AGENT, at=clock.now())

        async def holds(body):
            return refusal(131048) if body["type"] == "template" else taken(body)

        async def asked(world):
            return world.meta.requests

        async def scenario(world):
            lane = await world.lane()
            lane.pace.burst, lane.pace.per_second = 1, 10
            async with running(lane):
                await until(lambda: asked(world))
                await asyncio.sleep(0.3)
                before = len(world.meta.requests)
                begun = time.monotonic()
                await asyncio.to_thread(put, "antwoord")
                lane.wake()
                await until(lambda: replied(world))
                took = time.monotonic() - begun
                await asyncio.sleep(0.3)
            return before, took, world.meta.texts(), await world.states()

        async def replied(world):
            return "antwoord" in world.meta.texts()

        before, took, texts, states = play(scenario, answer=holds)
        assert before < 3  # Meta is not asked again and again, also not for other citizens
        assert texts[before:] == ["antwoord"]
        assert took < 2
        assert states["antwoord"] == "ACCEPTED"


HALTS_AT_THE_FIRST = """
    CREATE FUNCTION utrecht.halt() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        WHILE NOT pg_try_advisory_xact_lock(1) LOOP PERFORM pg_sleep(0.01); END LOOP;
        RETURN NEW;
    END $$;
    CREATE TRIGGER halts BEFORE UPDATE ON utrecht.messaging_message
        FOR EACH ROW WHEN (OLD.text = 'eerste' AND OLD.state = 'SENDING') EXECUTE FUNCTION utrecht.halt()
"""


async def one_waits(world: World, for_what: str) -> bool:
    """Return whether a connection to the database waits, by PostgreSQL's word for what it waits for."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = %(what)s"
    return bool(await world.ask(query, what=for_what))


class TestOptedOut:
    @pytest.fixture
    def call_up(self, threads, clock):
        """Return a function that queues a template to the nth citizen."""

        def call(text: str, to: int) -> Message:
            with schema_context("utrecht"):
                content = TemplateMessage.with_body(name="oproep", language="nl", values={})
                draft = Draft(thread=threads[to], content=content, text=text, template=Template.objects.first())
                return queue(drafts=[draft], priority=BROADCAST, actor=AGENT, at=clock.now())[0]

        return call

    @pytest.fixture
    def opt_out(self, threads, clock):
        """Return a function by which the nth citizen opts out, on a connection of its own."""

        def say(nth: int) -> None:
            from django.db import connection

            try:
                with schema_context("utrecht"):
                    contact = threads[nth].contact
                    record_opt_out(contact=contact, at=clock.now(), source=Consent.Source.WHATSAPP)
            finally:
                connection.close()

        return say

    def test_a_template_that_was_throttled_does_not_go_again_to_who_opted_out_meanwhile(
        self, put, play, call_up, opt_out
    ):
        call_up("oproep", to=0)
        put("antwoord", to=1)

        async def throttles(body):
            if len([each for each in world_of[0].meta.requests if each == body]) > 1:
                return taken(body)  # whatever goes again is taken
            if body["type"] == "template":
                await asyncio.to_thread(opt_out, 0)
            return refusal(131056)

        world_of: list[World] = []

        async def scenario(world):
            world_of.append(world)
            async with running(await world.lane()):
                await until(lambda: settled(world))
            return world.meta.texts(), await world.ask(
                "SELECT text, state, failed_reason FROM utrecht.messaging_message WHERE direction = 'OUTBOUND'"
                " ORDER BY text"
            )

        texts, messages = play(scenario, answer=throttles)
        assert sorted(texts) == ["antwoord", "antwoord", "oproep"]
        assert messages == [("antwoord", "ACCEPTED", ""), ("oproep", "FAILED", "opted_out")]

    def test_one_that_is_just_being_put_back_does_not_go_again_either(self, call_up, opt_out, play, committing_db):
        """The statement that puts back has begun, and has yet to come to this message, when the opt-out commits."""
        first, unwanted = call_up("eerste", to=0), call_up("oproep", to=1)
        with psycopg.connect(committing_db.url, autocommit=True) as connection:
            connection.execute(HALTS_AT_THE_FIRST)

        async def scenario(world):
            lane = await world.lane()
            assert len(await lane.store.claim(lease=lane.lease, most=2)) == 2
            back = [Settlement(message.id, Ending.AGAIN) for message in (first, unwanted)]
            async with await psycopg.AsyncConnection.connect(committing_db.url, autocommit=True) as other:
                await other.execute("SELECT pg_advisory_lock(1)")
                settling = asyncio.create_task(lane.store.settle(lease=lane.lease, settlements=back))
                await until(lambda: one_waits(world, "Timeout"))
                opting = asyncio.create_task(asyncio.to_thread(opt_out, 1))
                await asyncio.wait({opting}, timeout=1)
                await other.execute("SELECT pg_advisory_unlock(1)")
                busy = await settling
                await opting
            return busy, await world.states(), await lane.store.claim(lease=lane.lease, most=2)

        busy, states, claimed = play(scenario)
        assert (busy, states) == (set(), {"eerste": "QUEUED", "oproep": "FAILED"})
        assert [item.message_id for item in claimed] == [first.id]

    def test_one_that_an_opt_out_has_in_its_hands_is_put_back_later(self, call_up, play, committing_db):
        message = call_up("oproep", to=1)

        async def scenario(world):
            lane = await world.lane()
            await lane.store.claim(lease=lane.lease, most=1)
            back = [Settlement(message.id, Ending.AGAIN), Settlement(uuid4(), Ending.AGAIN)]
            async with await psycopg.AsyncConnection.connect(committing_db.url) as other:
                query = "SELECT FROM utrecht.messaging_message WHERE id = %s FOR NO KEY UPDATE"
                await other.execute(query, [message.id])
                busy = await lane.store.settle(lease=lane.lease, settlements=back)
            return busy, await lane.store.settle(lease=lane.lease, settlements=back), await world.states()

        assert play(scenario) == ({message.id}, set(), {"oproep": "QUEUED"})

    def test_a_claim_that_had_begun_takes_nothing_that_was_taken_back_meanwhile(
        self, call_up, opt_out, play, committing_db
    ):
        call_up("oproep", to=1)
        kept = call_up("van een ander", to=0)

        async def scenario(world):
            lane = await world.lane()
            options = {"autocommit": True, "options": f"{CONNECTION_OPTIONS} -c lock_timeout=0"}
            pool = AsyncConnectionPool(committing_db.url, min_size=1, max_size=1, open=False, kwargs=options)
            async with pool, await psycopg.AsyncConnection.connect(committing_db.url) as other:
                await other.execute("SELECT FROM public.messaging_core_lane FOR UPDATE")
                store = LaneStore(pool=pool, owner="sender-1")
                claiming = asyncio.create_task(store.claim(lease=lane.lease, most=5))
                await until(lambda: one_waits(world, "Lock"))
                await asyncio.to_thread(opt_out, 1)
                await other.rollback()
                return await claiming, await world.states()

        claimed, states = play(scenario)
        assert [item.message_id for item in claimed] == [kept.id]
        assert states == {"oproep": "FAILED", "van een ander": "SENDING"}


class TestWaiting:
    @pytest.mark.parametrize(("priority", "waits"), [(REPLY, False), (CRISIS, True), (BROADCAST, True)])
    def test_only_a_reply_ends_a_citizens_waiting(self, put, threads, priority, waits):
        put("bericht", priority=priority)
        with schema_context("utrecht"):
            thread = Thread.objects.get(id=threads[0].id)
            assert (thread.waiting_since is not None) is waits


class TestSettling:
    def test_a_lane_and_statuses_settle_the_same_messages_without_a_deadlock(self, put, play, utrecht, clock):
        for n in range(30):
            put(f"bericht {n}", to=n % 3)

        async def reports(body):
            our_id = body["biz_opaque_callback_data"]
            await asyncio.to_thread(apply, our_id)
            return taken(body)

        def apply(our_id):
            from django.db import connection

            try:
                with schema_context("utrecht"):
                    reported = meta.status(utrecht, wamid=f"wamid.{our_id}", status="delivered", opaque_id=our_id)
                    meta.receive(utrecht, reported)
            finally:
                connection.close()

        async def scenario(world):
            async with running(await world.lane()):
                await until(lambda: settled(world), seconds=15)
            return await world.states()

        states = play(scenario, answer=reports)
        assert set(states.values()) == {"DELIVERED"}
