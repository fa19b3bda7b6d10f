"""Meta refuses a template at once, to a lane: what waits behind it is held, and the next one is not even queued."""

import asyncio

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging.models import Message, Template, TemplateSync, Thread
from messaging.replying import TemplateUnusable, send_template
from tests.messaging import meta
from tests.messaging.lane_world import Meta, open_world, refusal, running, taken, until

AGENT = Actor.system("tests")
VALUES = {"naam": "Piet", "onderwerp": "uw vraag"}


@pytest.fixture
def queued(committing_db, utrecht, clock) -> list[Thread]:
    """Return the threads of three citizens, to each of whom an approved template is queued."""
    with schema_context("utrecht"):
        Template.objects.filter(name="vervolg_op_uw_vraag").update(status="APPROVED")
        template = Template.objects.get(name="vervolg_op_uw_vraag")
        wrote = [meta.message(utrecht, wamid=f"wamid.{n}", wa_id=f"3169700000{n}", at=clock.now()) for n in range(1, 4)]
        meta.receive(utrecht, *wrote)
        threads = list(Thread.objects.order_by("contact__wa_id"))
        for thread in threads:
            send_template(thread_id=thread.id, template_id=template.id, values=VALUES, actor=AGENT, at=clock.now())
        return threads


def sent_until_nothing_waits(committing_db, meta: Meta) -> int:
    """Have the lane send until nothing waits any more; return how many requests Meta got."""

    async def scenario():
        async with open_world(database_url=committing_db.url, meta=meta) as world:
            lane = await world.lane()
            lane.pace.burst, lane.pace.per_second = 1, 2  # one goes first
            async with running(lane):
                await until(lambda: nothing_waits(world))
            return len(meta.requests)

    async def nothing_waits(world):
        return not await world.attempts()

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("code", "status", "refused"),
    [
        (132015, "PAUSED", "template_paused"),
        (132016, "DISABLED", "template_disabled"),
        (132001, "APPROVED", "template_stale"),
    ],
)
def test_one_answer_of_metas_holds_all_that_waits(committing_db, queued, clock, code, status, refused):
    async def refuses(body):
        return refusal(code)

    asked = sent_until_nothing_waits(committing_db, Meta(answer=refuses))
    assert asked < len(queued)
    with schema_context("utrecht"):
        template = Template.objects.get(name="vervolg_op_uw_vraag")
        assert template.status == status
        outbound = Message.objects.filter(direction="OUTBOUND")
        assert set(outbound.values_list("state", flat=True)) == {"FAILED"}
        assert outbound.filter(failed_code=code).count() == asked
        assert outbound.filter(failed_code=None, failed_reason=refused).count() == len(queued) - asked
        assert TemplateSync.objects.get().requested_at is not None
        with pytest.raises(TemplateUnusable, match=refused):
            send_template(thread_id=queued[0].id, template_id=template.id, values=VALUES, actor=AGENT, at=clock.now())


def test_what_was_throttled_does_not_go_again_when_meta_made_it_marketing_meanwhile(
    committing_db, utrecht, queued, clock
):
    """Meta's update comes while a message is under way: it fails what waits, and the lane puts nothing back."""
    template = {"message_template_id": 7, "message_template_name": "vervolg_op_uw_vraag"}
    template |= {"message_template_language": "nl", "previous_category": "UTILITY", "new_category": "MARKETING"}
    account = utrecht.numbers.get().waba_id

    def makes_it_marketing():
        at = int(clock.now().timestamp())
        meta.receive(utrecht, meta.account(waba_id=account, field="template_category_update", value=template, at=at))
        connection.close()

    async def throttles(body):
        if len(theirs.requests) == 1:
            await asyncio.to_thread(makes_it_marketing)
            return refusal(131056)
        return taken(body)  # whatever goes again is taken

    theirs = Meta(answer=throttles)
    assert sent_until_nothing_waits(committing_db, theirs) == 1
    with schema_context("utrecht"):
        outbound = Message.objects.filter(direction="OUTBOUND")
        assert list(outbound.values_list("state", "failed_reason")) == [("FAILED", "template_marketing")] * len(queued)
