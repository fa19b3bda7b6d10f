"""An election period holds what a municipality starts, where it is queued and again in the lane; never an answer."""

import asyncio
from datetime import date, timedelta

import pytest
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging.models import Message, Template, Thread
from messaging.replying import TemplateUnusable, reply, send_template
from tenants import elections
from tests.messaging import meta
from tests.messaging.lane_world import Meta, open_world, running, until

AGENT = Actor.system("tests")
VALUES = {"naam": "Piet", "onderwerp": "uw vraag"}
CRISIS = {"wat": "rook", "plaats": "het plein", "advies": "sluit ramen en deuren"}


def period(municipality, clock, **changes):
    today = clock.now().date()
    values = {"name": "Gemeenteraad 2026", "begins_date": today, "ends_date": today + timedelta(days=16), **changes}
    return elections.set_period(municipality=municipality, actor=AGENT, at=clock.now(), **values)


def wrote(utrecht, clock, number: int, hours_ago: float) -> Thread:
    at = clock.now() - timedelta(hours=hours_ago)
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, wamid=f"wamid.{number}", wa_id=f"3169700000{number}", at=at))
        return Thread.objects.get(contact__wa_id=f"3169700000{number}")


def send(thread, clock, name="vervolg_op_uw_vraag", values=VALUES):
    with schema_context("utrecht"):
        Template.objects.update(status="APPROVED")
        template = Template.objects.get(name=name)
        return send_template(thread_id=thread.id, template_id=template.id, values=values, actor=AGENT, at=clock.now())


class TestQueueing:
    def test_it_starts_nothing_but_a_crisis_and_answers_as_always(self, utrecht, clock):
        old, new = wrote(utrecht, clock, 1, hours_ago=30), wrote(utrecht, clock, 2, hours_ago=1)
        period(utrecht, clock)
        with pytest.raises(TemplateUnusable, match="election_period"):
            send(old, clock)
        assert send(old, clock, "waarschuwing_in_uw_buurt", CRISIS).purpose == "CRISIS"
        assert send(new, clock).purpose == "SERVICES"
        with schema_context("utrecht"):
            assert reply(thread_id=new.id, text="Dat kan.", actor=AGENT, at=clock.now()).state == "QUEUED"

    @pytest.mark.parametrize(
        ("begins", "ends", "held"),
        [(0, 0, True), (-5, 0, True), (-5, -1, False), (1, 5, False)],
    )
    def test_both_days_are_in_it(self, utrecht, clock, begins, ends, held):
        old, today = wrote(utrecht, clock, 1, hours_ago=30), clock.now().date()
        made = period(utrecht, clock)
        made.begins_date, made.ends_date = today + timedelta(days=begins), today + timedelta(days=ends)
        made.save()
        if held:
            with pytest.raises(TemplateUnusable):
                send(old, clock)
        else:
            assert send(old, clock)

    def test_one_for_all_holds_each_and_one_of_another_none(self, utrecht, delft, clock):
        old = wrote(utrecht, clock, 1, hours_ago=30)
        period(delft, clock)
        assert send(old, clock)
        period(None, clock)
        with pytest.raises(TemplateUnusable):
            send(old, clock)

    def test_one_that_was_lifted_holds_nothing(self, utrecht, clock):
        old, made = wrote(utrecht, clock, 1, hours_ago=30), period(utrecht, clock)
        for _ in range(2):
            elections.lift(period_id=made.id, municipality=utrecht, actor=AGENT, at=clock.now())
        assert send(old, clock)


class TestSetting:
    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"name": "  "}, "name_missing"),
            ({"name": "x" * 101}, "name_too_long"),
            ({"begins_date": date(2026, 4, 2), "ends_date": date(2026, 4, 1)}, "ends_before_begin"),
            ({"begins_date": date(2026, 1, 1), "ends_date": date(2026, 1, 2)}, "over_already"),
            ({"ends_date": date(2027, 4, 1)}, "too_long"),
        ],
    )
    def test_it_refuses_what_cannot_be(self, utrecht, clock, changes, code):
        with pytest.raises(elections.BadPeriod, match=code):
            period(utrecht, clock, **changes)

    def test_a_municipality_lifts_only_its_own(self, utrecht, delft, clock):
        for made in (period(None, clock), period(delft, clock)):
            with pytest.raises(type(made).DoesNotExist):
                elections.lift(period_id=made.id, municipality=utrecht, actor=AGENT, at=clock.now())
            assert type(made).objects.get(id=made.id).lifted_at is None


def test_a_lane_holds_what_was_queued_before_and_lets_it_go_when_the_period_is_lifted(committing_db, utrecht, clock):
    old, new, third = (wrote(utrecht, clock, place, hours) for place, hours in ((1, 30), (2, 1), (3, 30)))
    texts = [send(old, clock).text, send(new, clock).text, send(third, clock).text]
    texts.append(send(third, clock, "waarschuwing_in_uw_buurt", CRISIS).text)
    made = period(utrecht, clock)

    def lift():
        from django.db import connection

        elections.lift(period_id=made.id, municipality=utrecht, actor=AGENT, at=clock.now())
        connection.close()

    async def scenario():
        async with open_world(database_url=committing_db.url, meta=Meta()) as world:
            lane = await world.lane()
            async with running(lane):
                await until(lambda: sent(world, 2))
                await asyncio.sleep(1.0)
                during = sorted(world.meta.texts())
                await asyncio.to_thread(lift)
                lane.refresh(await world.settings())
                lane.wake()
                await until(lambda: sent(world, 4))
                return during

    async def sent(world, count):
        return len(world.meta.requests) >= count

    during = asyncio.run(scenario())
    assert during == ["vervolg_op_uw_vraag", "waarschuwing_in_uw_buurt"]  # to who wrote an hour ago; and the crisis
    with schema_context("utrecht"):
        outbound = Message.objects.filter(direction="OUTBOUND")
        assert outbound.count() == 4
        assert set(outbound.values_list("state", flat=True)) == {"ACCEPTED"}
