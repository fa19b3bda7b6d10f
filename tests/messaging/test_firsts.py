"""Meta's limit of citizens written to first in 24 hours is kept by us: what is over it waits, and nothing is lost."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging import overview
from messaging.lanes import firsts as firsts_module
from messaging.lanes import lane as lane_module
from messaging.models import FirstWrite, Message, OutboxItem, Template, Thread
from messaging.replying import queue, reply, template_draft
from tenants.models import Number, NumberHealth, Trouble
from tests.messaging import meta
from tests.messaging.lane_world import UTRECHT, Meta, World, open_world, refusal, running, taken, until

AGENT = Actor.system("tests")
VALUES = {"naam": "Piet", "onderwerp": "uw vraag"}
CRISIS, BROADCAST, REPLY = OutboxItem.Priority.CRISIS, OutboxItem.Priority.BROADCAST, OutboxItem.Priority.REPLY


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """Count twenty times as often."""
    monkeypatch.setattr(firsts_module, "COUNT_SECONDS", 0.1)
    monkeypatch.setattr(firsts_module, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(lane_module, "LOOK_SECONDS", 0.1)


def limit(word: str, *, number: str = UTRECHT) -> None:
    """Have Meta tell the limit of a number's portfolio."""
    health, _ = NumberHealth.objects.get_or_create(number=Number.objects.get(phone_number_id=number, closed_at=None))
    NumberHealth.objects.filter(id=health.id).update(messaging_limit=word)


@pytest.fixture
def citizens(committing_db, utrecht, clock) -> list[Thread]:
    """Return the threads of 14 citizens of Utrecht's who wrote the day before yesterday, by phone number."""
    with schema_context("utrecht"):
        Template.objects.filter(name="vervolg_op_uw_vraag").update(status="APPROVED")
        at = clock.now() - timedelta(days=2)
        named = [f"316970000{number:02}" for number in range(14)]
        meta.receive(utrecht, *[meta.message(utrecht, wamid=f"wamid.{name}", wa_id=name, at=at) for name in named])
        return list(Thread.objects.select_related("contact").order_by("contact__wa_id"))


@pytest.fixture
def write_first(clock) -> Callable[..., None]:
    """Return a function that queues the template to each of some citizens."""

    def write(threads: list[Thread], *, priority: OutboxItem.Priority = BROADCAST) -> None:
        with schema_context("utrecht"):
            template = Template.objects.get(name="vervolg_op_uw_vraag")
            for thread in threads:
                draft = template_draft(thread=thread, template=template, values=VALUES, at=clock.now())
                queue(drafts=[draft], priority=priority, actor=AGENT, at=clock.now())

    return write


def run(database_url: str, *steps: Callable[[World], None], answer=None) -> None:
    """Let Utrecht's lane send; each step is done once everything rests, and sees what was sent until then."""

    async def scenario():
        async with open_world(database_url=database_url, meta=Meta(answer=answer)) as world:
            lane = await world.lane()
            async with running(lane):
                for step in steps:
                    await rested(world)
                    await asyncio.to_thread(alone, step, world)
                    settings = {UTRECHT: await world.settings()}
                    lane.refresh(settings[UTRECHT])
                    lane.wake()

    async def rested(world):
        """Wait until nothing has left for a second."""

        async def still():
            before = len(world.meta.requests)
            await asyncio.sleep(1.0)
            return before == len(world.meta.requests)

        await until(still, seconds=20)

    def alone(step, world):
        from django.db import connection

        try:
            with schema_context("utrecht"):
                step(world)
        finally:
            connection.close()

    asyncio.run(scenario())


def waiting() -> list[int]:
    return list(OutboxItem.objects.order_by("id").values_list("attempts", flat=True))


def open_limits() -> list[str]:
    return list(Trouble.objects.filter(kind="LIMIT", closed_at=None).values_list("detail", flat=True))


def test_what_is_over_it_waits_without_a_try_and_the_last_tenth_is_for_who_cannot_wait(
    committing_db, citizens, write_first, clock, utrecht
):
    limit("TIER_10")
    write_first(citizens[:12])

    def after_broadcast(world):
        assert len(world.meta.requests) == 9
        assert waiting() == [0, 0, 0]
        assert open_limits() == ["9 / 10"]
        assert overview.written_first(at=clock.now()) == 9
        write_first(citizens[12:14], priority=CRISIS)

    def after_crisis(world):
        assert len(world.meta.requests) == 10
        write_first([citizens[13]], priority=REPLY)  # somebody new
        write_first([citizens[0]], priority=REPLY)  # somebody who counts already
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.now", wa_id="31697000011", at=clock.now()))
        write_first([citizens[11]], priority=REPLY)  # somebody who just wrote
        reply(thread_id=citizens[11].id, text="Een antwoord", actor=AGENT, at=clock.now())

    def after_replies(world):
        to = [body["to"] for body in world.meta.requests[10:]]
        assert sorted(to) == ["+31697000000", "+31697000011", "+31697000011"]  # the first template of 13 waits
        assert max(waiting()) == 0
        clock.move(hours=24)

    def a_day_later(world):
        assert waiting() == []
        assert open_limits() == []

    run(committing_db.url, after_broadcast, after_crisis, after_replies, a_day_later)


def test_answers_go_on(committing_db, citizens, write_first, clock, utrecht):
    limit("TIER_2")
    write_first(citizens[:5])

    def used_up(world):
        assert len(world.meta.requests) == 2
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.now", wa_id="31697000013", at=clock.now()))
        reply(thread_id=citizens[13].id, text="Een antwoord", actor=AGENT, at=clock.now())
        write_first([citizens[13]], priority=REPLY)

    def answered(world):
        assert [body["type"] for body in world.meta.requests[2:]] == ["text", "template"]
        assert len(waiting()) == 3

    run(committing_db.url, used_up, answered)


def test_who_was_not_reached_does_not_count(committing_db, citizens, write_first, clock, utrecht):
    limit("TIER_2")
    write_first(citizens[:4])

    async def first_is_nobody(body):
        return refusal(131026) if body["to"] == "+31697000000" else taken(body)

    def at_rest(world):
        assert len(world.meta.requests) == 3
        assert len(waiting()) == 1
        sent = Message.objects.filter(state="ACCEPTED").first()
        errors = [{"code": 131026, "title": "Message undeliverable"}]
        failed = meta.status(utrecht, wamid=sent.wamid, status="failed", errors=errors, opaque_id=str(sent.id))
        meta.receive(utrecht, failed)

    def one_more(world):
        assert len(world.meta.requests) == 4
        assert waiting() == []
        assert FirstWrite.objects.count() == 2

    run(committing_db.url, at_rest, one_more, answer=first_is_nobody)


def test_all_numbers_of_the_municipality_count_together(committing_db, citizens, write_first, clock, utrecht):
    limit("TIER_10")
    with schema_context("utrecht"):
        others = [
            FirstWrite(message=Message.objects.get(thread=thread), contact=thread.contact, written_at=clock.now())
            for thread in citizens[7:]
        ]
        FirstWrite.objects.bulk_create(others)  # as the lane of its other number does
    write_first(citizens[:4])

    def at_rest(world):
        assert len(world.meta.requests) == 2
        assert len(waiting()) == 2

    run(committing_db.url, at_rest)


@pytest.mark.parametrize("word", ["", "TIER_UNLIMITED"])
def test_without_a_limit_nothing_is_counted(committing_db, citizens, write_first, word):
    limit(word)
    write_first(citizens)

    def all_left(world):
        assert len(world.meta.requests) == 14
        assert not FirstWrite.objects.exists()
        assert open_limits() == []

    run(committing_db.url, all_left)


def test_a_higher_limit_lets_what_waits_leave_at_once(committing_db, citizens, write_first):
    limit("TIER_2")
    write_first(citizens[:5])

    def raised(world):
        assert len(world.meta.requests) == 2
        limit("TIER_UNLIMITED")

    def all_left(world):
        assert waiting() == []
        assert open_limits() == []

    run(committing_db.url, raised, all_left)
