"""A number in trouble is seen by who answers citizens, by the BSP's support, and in the mail of who must act."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils.html import conditional_escape
from django_tenants.utils import schema_context

from accounts.models import User
from audit.record import Actor
from messaging import alerts, lists, reading, troubled
from messaging.models import OutboxItem, Thread
from messaging.replying import reply
from messaging.trouble_words import ADVICE, TITLES
from tenants.models import Trouble
from tenants.trouble import BLOCKING, close_troubles, open_trouble
from tests.messaging import meta


@pytest.fixture
def trouble(utrecht, clock) -> Trouble:
    number = utrecht.numbers.get().phone_number_id
    open_trouble(phone_number_id=number, kind=Trouble.Kind.TOKEN, at=clock.now(), detail="Meta 190")
    return Trouble.objects.get()


@pytest.fixture
def waiting(utrecht, clock) -> None:
    """Piet was answered, but the answer waits; Anna was not."""
    with schema_context("utrecht"):
        meta.receive(
            utrecht,
            meta.message(utrecht, wamid="wamid.1", wa_id="31697000001", name="Piet", at=clock.now()),
            meta.message(utrecht, wamid="wamid.2", wa_id="31697000002", name="Anna", at=clock.now()),
        )
        thread = Thread.objects.get(contact__profile_name="Piet")
        reply(thread_id=thread.id, text="Ja hoor", actor=Actor.system("tests"), at=clock.now())


class TestWhoIsNotReached:
    def test_everyone_who_waits_on_the_number_is_listed(self, waiting, trouble, clock):
        with schema_context("utrecht"):
            found = troubled.unreachable(at=clock.now())
        assert [each.kind for each in found.troubles] == ["TOKEN"]
        assert {(each.name, each.phone, each.answers) for each in found.citizens} == {
            ("Anna", "+31697000002", 0),
            ("Piet", "+31697000001", 1),
        }
        assert all(each.window_ends_at == clock.now() + timedelta(hours=24) for each in found.citizens)

    def test_nobody_is_listed_while_the_number_works(self, waiting, clock):
        with schema_context("utrecht"):
            assert troubled.unreachable(at=clock.now()).citizens == ()

    def test_who_got_no_answer_in_time_is_listed_also_when_the_number_works_again(self, waiting, clock):
        with schema_context("utrecht"):
            item = OutboxItem.objects.get()
            item.message.state, item.message.failed_reason = "FAILED", "window_closed_waiting"
            item.message.save()
            item.delete()
            (found,) = troubled.unreachable(at=clock.now()).citizens
        assert (found.name, found.too_late) == ("Piet", True)


class TestMail:
    @pytest.fixture(autouse=True)
    def people(self, utrecht) -> None:
        with schema_context("utrecht"):
            admin = User.objects.create_user(email="beheer@utrecht.example", name="Beheer")
            admin.role_grants.create(role="ADMIN")
            agent = User.objects.create_user(email="agent@utrecht.example", name="Agent")
            agent.role_grants.create(role="AGENT")
        with schema_context("public"):
            support = User.objects.create_user(email="support@bsp.example", name="Support")
            support.role_grants.create(role="BSP_SUPPORT")

    def test_it_is_mailed_once_and_once_when_it_is_over(self, trouble, clock):
        assert [alerts.mail_troubles(at=clock.now()) for _ in range(2)] == [1, 0]
        (told,) = mail.outbox
        assert told.to == []
        assert {"beheer@utrecht.example", "support@bsp.example"} <= set(told.bcc)
        assert "agent@utrecht.example" not in told.bcc
        assert "laat dit nummer niet meer verzenden" in told.subject
        close_troubles(phone_number_id=trouble.number.phone_number_id, kinds=["TOKEN"], at=clock.now())
        assert [alerts.mail_troubles(at=clock.now()) for _ in range(2)] == [1, 0]
        assert mail.outbox[1].subject.startswith("Opgelost")

    def test_what_was_claimed_by_who_died_is_mailed_again(self, trouble, clock, monkeypatch):
        def dies(*_, **__):
            raise ConnectionError

        with monkeypatch.context() as patched:
            patched.setattr(alerts, "_mail", dies)
            assert alerts.mail_troubles(at=clock.now()) == 0
        assert alerts.mail_troubles(at=clock.now()) == 0  # somebody has it in hand
        Trouble.objects.update(mail_claimed_at="2020-01-01T00:00:00Z")
        assert alerts.mail_troubles(at=clock.now()) == 1


class TestPages:
    def test_agents_see_it_above_every_page_and_in_each_part_that_is_fetched_again(
        self, people, thread, trouble, clock
    ):
        agent = people("utrecht", "AGENT")
        for path in ("/inbox/", f"/threads/{thread.id}/"):
            for more in ({}, {"HX-Request": "true"}):
                page = agent.get(path, headers=more).content.decode()
                assert page.count('id="troubles"') == 1
                assert "WhatsApp laat dit nummer niet meer verzenden" in page
                assert ("hx-swap-oob" in page) is bool(more)
        assert "Piet" in agent.get("/unreached/").content.decode()

    def test_another_municipality_sees_nothing_of_it(self, people, trouble):
        page = people("delft", "AGENT").get("/inbox/").content.decode()
        assert "WhatsApp laat dit nummer niet meer verzenden" not in page

    def test_a_page_that_asks_hears_of_it(self, thread, utrecht, clock):
        with schema_context("utrecht"):
            before = lists.inbox(at=clock.now()).version, reading.thread(thread_id=thread.id, at=clock.now()).version
            number = utrecht.numbers.get().phone_number_id
            open_trouble(phone_number_id=number, kind=Trouble.Kind.LOCKED, at=clock.now())
            after = lists.inbox(at=clock.now()).version, reading.thread(thread_id=thread.id, at=clock.now()).version
        assert not set(before) & set(after)

    def test_support_sees_it_on_the_console(self, people, trouble):
        page = people("public", "BSP_SUPPORT").get("/troubles/").content.decode()
        assert "Utrecht" in page
        assert "Meta 190" in page


def test_the_bsp_sees_the_quality_of_each_number_among_its_municipalities(utrecht, delft, people):
    shown = {"display_phone_number": utrecht.numbers.get().display_phone_number.lstrip("+")}
    change = {"field": "phone_number_quality_update", "at": 1_772_442_000, "value": {**shown, "event": "FLAGGED"}}
    meta.receive(utrecht, meta.account(waba_id=utrecht.numbers.get().waba_id, **change))
    page = people("public", "BSP_SUPPORT").get("/municipalities/").content.decode()
    of_utrecht, of_delft = (
        page.split(f"/municipalities/{name}/")[1].split("</tr>")[0] for name in ("utrecht", "delft")
    )
    assert ">Slecht<" in of_utrecht
    assert ">Slecht<" not in of_delft


def test_every_kind_has_its_words_and_one_that_cannot_be_told_keeps_no_other_back(utrecht, people, clock, monkeypatch):
    support, agent = people("public", "BSP_SUPPORT"), people("utrecht", "AGENT")
    number = utrecht.numbers.get().phone_number_id
    for kind in Trouble.Kind:
        assert open_trouble(phone_number_id=number, kind=kind, at=clock.now())
    original, told = alerts._mail, []

    def breaks_once(trouble, *, is_over):
        if trouble.kind == Trouble.Kind.TOKEN:
            raise KeyError(trouble.kind)
        original(trouble, is_over=is_over)
        told.append(trouble.kind)

    monkeypatch.setattr(alerts, "_mail", breaks_once)
    assert alerts.mail_troubles(at=clock.now()) == len(Trouble.Kind) - 1
    assert set(told) == set(Trouble.Kind) - {Trouble.Kind.TOKEN}
    listed, shown = support.get("/troubles/").content.decode(), agent.get("/unreached/").content.decode()
    assert all(conditional_escape(TITLES[kind].nl) in listed for kind in Trouble.Kind)
    assert all(conditional_escape(ADVICE[kind].nl) in shown for kind in BLOCKING)
