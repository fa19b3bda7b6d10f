"""Blue ticks and typing: told with what the lane's pace leaves over, at most once, and never in a message's way."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging.core.models import OutboxWake
from messaging.models import ReadReceipt, Thread
from messaging.noticing import mark_read, show_typing
from messaging.replying import reply
from messaging.threads import close
from tests.messaging import meta
from tests.messaging.lane_world import Meta, open_world, refusal, running, taken, until

AGENT = Actor.system("tests")


class TestMarkRead:
    def test_it_waits_for_the_lane_once_for_each_thread(self, utrecht, thread, clock):
        assert mark_read(thread_id=thread.id, at=clock.now())
        assert not mark_read(thread_id=thread.id, at=clock.now())
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.IN2", at=clock.move(minutes=1)))
        assert mark_read(thread_id=thread.id, at=clock.now())
        receipt = ReadReceipt.objects.get()
        assert (receipt.wamid, receipt.typing, receipt.phone_number_id) == ("wamid.IN2", False, thread.phone_number_id)
        assert OutboxWake.objects.filter(phone_number_id=thread.phone_number_id).exists()

    def test_it_is_not_told_after_thirty_days(self, thread, clock):
        assert not mark_read(thread_id=thread.id, at=clock.move(days=30))
        assert not ReadReceipt.objects.exists()

    def test_it_does_not_make_an_answer(self, thread, clock):
        mark_read(thread_id=thread.id, at=clock.now())
        thread.refresh_from_db()
        assert thread.waiting_since is not None
        assert thread.read_until == thread.last_inbound_at

    def test_a_change_of_number_is_nothing_to_read(self, utrecht, thread, clock):
        mark_read(thread_id=thread.id, at=clock.now())
        change = {"body": "changed", "wa_id": "31697000099", "type": "user_changed_number"}
        meta.receive(
            utrecht, meta.message(utrecht, wamid="wamid.SYS", at=clock.move(minutes=1), type="system", system=change)
        )
        assert not mark_read(thread_id=thread.id, at=clock.now())

    def test_a_thread_that_is_not_there_is_said_so(self, here, clock):
        import uuid

        with pytest.raises(Thread.DoesNotExist):
            mark_read(thread_id=uuid.uuid4(), at=clock.now())


class TestTyping:
    def test_it_stays_typing_when_the_page_marks_as_read(self, utrecht, thread, clock):
        assert show_typing(thread_id=thread.id, at=clock.now())
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.IN2", at=clock.move(seconds=1)))
        assert mark_read(thread_id=thread.id, at=clock.now())
        receipt = ReadReceipt.objects.get()
        assert (receipt.wamid, receipt.typing) == ("wamid.IN2", True)

    def test_it_is_not_shown_when_nobody_could_answer(self, thread, agent, clock):
        assert not show_typing(thread_id=thread.id, at=clock.now() + timedelta(hours=24))
        close(thread_id=thread.id, actor=agent, at=clock.now())
        assert not show_typing(thread_id=thread.id, at=clock.now())
        assert not ReadReceipt.objects.exists()


def is_receipt(body) -> bool:
    return body.get("status") == "read"


@pytest.fixture
def wrote(committing_db, utrecht, clock) -> list[Thread]:
    """Return the open threads of eight citizens who wrote to Utrecht just now."""
    with schema_context("utrecht"):
        meta.receive(
            utrecht,
            *(meta.message(utrecht, wamid=f"wamid.{n}", wa_id=f"3169700000{n}", at=clock.now()) for n in range(8)),
        )
        return list(Thread.objects.order_by("contact__wa_id"))


@pytest.fixture
def play(committing_db):
    """Return a function that plays a scenario with a lane, Meta answering as told."""

    def run(scenario, answer=None):
        async def answers(body):
            if is_receipt(body):
                return await answer(body) if answer else web.json_response({"success": True})
            return taken(body)

        async def in_world():
            async with open_world(database_url=committing_db.url, meta=Meta(answer=answers)) as world:
                return await scenario(world)

        return asyncio.run(in_world())

    return run


def receipts_left(world):
    return world.ask("SELECT count(*) FROM utrecht.messaging_readreceipt")


class TestLane:
    def test_it_tells_meta_and_keeps_nothing(self, wrote, play, clock):
        with schema_context("utrecht"):
            show_typing(thread_id=wrote[0].id, at=clock.now())
            mark_read(thread_id=wrote[1].id, at=clock.now())

        async def scenario(world):
            async def told():
                return len(world.meta.requests) == 2

            async with running(await world.lane()):
                await until(told)
            return world.meta.requests, await receipts_left(world)

        requests, left = play(scenario)
        assert sorted(requests, key=lambda body: body["message_id"]) == [
            {
                "messaging_product": "whatsapp",
                "status": "read",
                "message_id": "wamid.0",
                "typing_indicator": {"type": "text"},
            },
            {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"},
        ]
        assert left == [(0,)]

    def test_messages_leave_first(self, wrote, play, clock):
        with schema_context("utrecht"):
            for thread in wrote:
                mark_read(thread_id=thread.id, at=clock.now())
            for thread in wrote:
                reply(thread_id=thread.id, text="Dag.", actor=AGENT, at=clock.now())

        async def scenario(world):
            async def told():
                return len(world.meta.requests) == 16

            lane = await world.lane()
            lane.pace.burst = 1
            lane.pace.per_second = 20
            async with running(lane):
                await until(told)
            return world.meta.requests

        requests = play(scenario)
        assert [is_receipt(body) for body in requests] == [False] * 8 + [True] * 8

    def test_they_keep_to_the_numbers_pace(self, wrote, play, clock):
        with schema_context("utrecht"):
            for thread in wrote:
                mark_read(thread_id=thread.id, at=clock.now())

        async def scenario(world):
            async def told():
                return len(world.meta.requests) == 8

            lane = await world.lane()
            lane.pace.burst = 1
            lane.pace.per_second = 10
            async with running(lane):
                await until(told)
            return world.meta.moments

        moments = play(scenario)
        assert moments[-1] - moments[0] >= 0.5  # two at once, and ten a second from there

    @pytest.mark.parametrize("code", [190, 130429, 131009])
    def test_a_refusal_is_forgotten_and_stops_nothing(self, wrote, play, clock, code):
        with schema_context("utrecht"):
            mark_read(thread_id=wrote[0].id, at=clock.now())

        async def refuses(body):
            return refusal(code)

        async def scenario(world):
            async def refused():
                return world.meta.requests

            async def answered():
                return await world.states() == {"Dag.": "ACCEPTED"}

            lane = await world.lane()
            async with running(lane):
                await until(refused)
                with_message = await asyncio.to_thread(queue_one)
                lane.wake()
                await until(answered)
            return with_message, world.meta.requests, await receipts_left(world)

        def queue_one():
            from django.db import connection

            with schema_context("utrecht"):
                message = reply(thread_id=wrote[0].id, text="Dag.", actor=AGENT, at=clock.now())
            connection.close()
            return message

        _, requests, left = play(scenario, answer=refuses)
        assert [is_receipt(body) for body in requests] == [True, False]
        assert left == [(0,)]

    def test_typing_that_waited_long_is_only_read(self, wrote, play, clock):
        with schema_context("utrecht"):
            show_typing(thread_id=wrote[0].id, at=clock.now())

        async def scenario(world):
            async def told():
                return world.meta.requests

            old = "UPDATE utrecht.messaging_readreceipt SET requested_at = requested_at - interval '20 seconds'"
            await world.ask(old)
            async with running(await world.lane()):
                await until(told)
            return world.meta.requests

        (body,) = play(scenario)
        assert "typing_indicator" not in body
