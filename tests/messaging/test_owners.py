"""Whose an update is: of numbers that are nobody's or were another municipality's, of accounts and their templates."""

import json

import pytest
from django.core.management import CommandError, call_command
from django_tenants.utils import schema_context

from accounts.models import RoleGrant, User
from accounts.roles import MunicipalRole
from api.whatsapp_webhook import WhatsAppWebhook
from billing.models import Fact
from messaging.core.partitions import UNOWNED
from messaging.inserting import Row
from messaging.models import Contact, Message, Template
from messaging.replying import TemplateUnusable, WindowClosed, reply, send_template
from tenants.models import Municipality, Number
from tenants.routing import Route, RoutingMap
from tests.messaging import meta
from whatsapp.signature import sign

SECRET = "0123456789abcdef0123456789abcdef"
NUMBER = "1000000000344"
OPENED_HOURS_AGO = 2


class TestNobodysNumber:
    """A POST of 1,000 statuses for a number that is nobody's."""

    @pytest.fixture
    def readings(self) -> list[int]:
        return []

    async def post(self, readings, *, posts: int, updates: int) -> list[Row]:
        stored: list[Row] = []

        class Writer:
            async def store(self, rows):
                stored.extend(rows)

        async def read():
            readings.append(1)
            return [("1000000000344", "2000000000344", UNOWNED, "utrecht")]

        door = WhatsAppWebhook(
            writer=Writer(), routes=RoutingMap(read=read), waker=None, app_secret=SECRET, verify_token="x"
        )
        for number in range(posts):
            assert await self.answer(door, self.body(number, updates)) == 200
        return stored

    async def answer(self, door, body: bytes) -> int:
        answers = []

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message):
            answers.append(message)

        signature = sign(body=body, app_secret=SECRET).encode()
        await door({"method": "POST", "headers": [(b"x-hub-signature-256", signature)]}, receive, send)
        return answers[0]["status"]

    def body(self, post: int, updates: int) -> bytes:
        statuses = [
            {"id": f"wamid.{post}.{n}", "status": "read", "timestamp": "1772442000", "recipient_id": "31697000001"}
            for n in range(updates)
        ]
        value = {"metadata": {"phone_number_id": "999"}, "statuses": statuses}
        change = {"field": "messages", "value": {"messaging_product": "whatsapp", **value}}
        return json.dumps({"entry": [{"id": "998", "changes": [change]}]}).encode()

    async def test_it_costs_one_reading_of_the_map(self, readings):
        stored = await self.post(readings, posts=1, updates=1000)
        assert len(readings) == 1
        assert {row.municipality_id for row in stored} == {UNOWNED}
        assert len(stored) == 1000

    async def test_each_post_asks_again_so_that_a_number_just_opened_is_found(self, readings):
        await self.post(readings, posts=3, updates=5)
        assert len(readings) == 3

    async def test_a_number_opened_between_two_posts_is_found(self):
        rows: list[tuple] = []

        async def read():
            return list(rows)

        routes = RoutingMap(read=read)
        assert await routes.find(phone_number_id="999", waba_id=None) is None
        rows.append(("999", "998", UNOWNED, "delft"))
        assert await routes.find(phone_number_id="999", waba_id=None) == Route(UNOWNED, "delft")


@pytest.fixture
def moved(utrecht, delft, clock) -> Municipality:
    """Return Delft, to which Utrecht's number moved two hours ago."""
    utrecht.numbers.update(closed_at=clock.now())
    Number.objects.filter(municipality=delft).delete()
    Number.objects.create(
        municipality=delft,
        waba_id="2000000000503",
        phone_number_id=NUMBER,
        display_phone_number="+3197010034400",
        pseudonym_key_encrypted=Number.new_pseudonym_key(),
        opened_at=clock.now(),
    )
    clock.move(hours=OPENED_HOURS_AGO)
    return delft


class TestANumberThatMoved:
    @pytest.mark.parametrize("word", ["sent", "delivered", "read"])
    def test_late_statuses_of_the_old_owners_messages_are_not_metered_at_the_new(self, moved, clock, word):
        our_id = "11111111-2222-4333-8444-555555555555"
        with schema_context("delft"):
            meta.receive(
                moved,
                meta.status(moved, wamid="wamid.A", status=word, opaque_id=our_id, at=clock.now()),
                meta.status(moved, wamid="wamid.B", status=word, at=clock.move(hours=-OPENED_HOURS_AGO, minutes=-1)),
            )
            assert not Contact.objects.exists()
        assert not Fact.objects.exists()

    def test_what_is_sent_from_it_since_is_metered_at_the_new(self, moved, clock):
        with schema_context("delft"):
            meta.receive(moved, meta.status(moved, wamid="wamid.C", status="delivered", at=clock.now()))
        assert Fact.objects.get().municipality_id == moved.id

    def test_the_old_owners_own_late_statuses_are_metered_at_the_old(self, moved, utrecht, clock):
        """An update that was stored at Utrecht before the number closed is applied after."""
        with schema_context("utrecht"):
            meta.receive(utrecht, meta.status(utrecht, wamid="wamid.D", status="delivered", at=clock.now()))
        assert Fact.objects.get().municipality_id == utrecht.id


class TestTemplatesOfAnotherAccount:
    VALUES = {"naam": "Piet", "onderwerp": "uw vergunning"}

    @pytest.fixture
    def other(self, approved) -> Template:
        """Return the same template of another account."""
        made = Template.objects.get(id=approved.id)
        made.pk, made.waba_id = None, "2000000009999"
        made._state.adding = True
        made.id = Template._meta.get_field("id").get_default()
        made.save(force_insert=True)
        return made

    def test_it_is_refused(self, thread, agent, other, clock):
        with pytest.raises(TemplateUnusable, match="template_of_another_account"):
            send_template(thread_id=thread.id, template_id=other.id, values=self.VALUES, actor=agent, at=clock.now())
        assert not Message.objects.filter(direction="OUTBOUND").exists()

    def test_it_is_not_named_as_the_way_out(self, thread, agent, approved, other, clock):
        Template.objects.filter(id=approved.id).update(status=Template.Status.DRAFT)
        with pytest.raises(WindowClosed) as refusal:
            reply(thread_id=thread.id, text="Te laat.", actor=agent, at=clock.move(days=2))
        assert refusal.value.templates == ()

    @pytest.mark.parametrize("of_other", [False, True])
    def test_a_status_is_of_its_own_account_alone(self, utrecht, approved, other, of_other):
        value = {
            "event": "PAUSED",
            "message_template_id": 77,
            "message_template_name": approved.name,
            "message_template_language": approved.language,
        }
        account = other.waba_id if of_other else approved.waba_id
        change = {"field": "message_template_status_update", "value": value}
        meta.receive(utrecht, {"entry": [{"id": account, "time": 1772442000, "changes": [change]}]})
        states = {template.waba_id: template.status for template in (Template.objects.filter(name=approved.name))}
        untouched = approved.waba_id if of_other else other.waba_id
        assert (states[account], states[untouched]) == ("PAUSED", "APPROVED")


class TestFirstAdmin:
    def make(self, **changes) -> None:
        given = {
            "name": "Utrecht",
            "cbs_code": "GM0344",
            "waba_id": "2000000000344",
            "phone_number_id": NUMBER,
            "display_phone_number": "+3197010034400",
            "access_token": "token-of-utrecht",
        }
        call_command("create_municipality", "utrecht", **(given | changes))

    def test_another_e_mail_address_exits_with_2_and_changes_nothing(self, utrecht, clock):
        with pytest.raises(CommandError, match="admin e-mail") as refused:
            self.make(admin_email="ander@utrecht.example")
        assert refused.value.returncode == 2
        with schema_context("utrecht"):
            assert not User.objects.filter(email="ander@utrecht.example").exists()

    def test_the_address_of_an_admin_is_the_same_municipality(self, utrecht, clock):
        with schema_context("utrecht"):
            user = User.objects.create_user(email="beheer@utrecht.example", name="Beheer")
            RoleGrant.objects.create(user=user, role=MunicipalRole.ADMIN)
        self.make(admin_email="Beheer@utrecht.example")
        self.make()
