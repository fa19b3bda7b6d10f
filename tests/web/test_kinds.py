"""What an agent sees of every kind that was sent, of consent, and what the citizen sees of the agent."""

import pytest
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging.models import Consent, Message, OutboxItem, ReadReceipt
from messaging.replying import reply_with
from tests.messaging import meta
from whatsapp import outgoing

HEADED = [
    {"type": "HEADER", "format": "TEXT", "text": "Over {{zaak}}"},
    {"type": "BODY", "text": "Goedendag {{naam}}, u stelde een vraag over {{onderwerp}}. Tot dan."},
    {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Uw zaak", "url": "https://www.utrecht.nl/z/{{1}}"}]},
]


@pytest.fixture
def agent(people):
    """Return an agent's browser."""
    return people("utrecht", "AGENT")


@pytest.fixture
def send(thread, clock):
    """Return a function that sends a content in the thread."""

    def queue(content):
        with schema_context("utrecht"):
            return reply_with(thread_id=thread.id, content=content, actor=Actor.system("tests"), at=clock.now())

    return queue


def page_of(agent, thread) -> str:
    return agent.get(f"/threads/{thread.id}/").content.decode()


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (
            outgoing.ReplyButtons(body="Komt u?", buttons=(outgoing.Button("1", "Ja"),)),
            ("Vraag met knoppen", "Komt u?<br>▸ Ja"),
        ),
        (
            outgoing.ListMessage(
                body="Waarover?", button="Kies", sections=(outgoing.Section(rows=(outgoing.Row("1", "Afval"),)),)
            ),
            ("Vraag met een lijst", "Waarover?<br>▸ Afval"),
        ),
        (
            outgoing.CtaUrl(body="Hier.", label="Afspraak", url="https://www.utrecht.nl/a"),
            ("Bericht met een linkknop", "▸ Afspraak: https://www.utrecht.nl/a"),
        ),
        (outgoing.LocationRequest(body="Waar bent u?"), ("Vraag om een locatie", "Waar bent u?")),
        (outgoing.ContactRequest(body="Uw nummer?"), ("Vraag om een telefoonnummer", "Uw nummer?")),
        (outgoing.Location(latitude=52.09, longitude=5.12, name="Stadskantoor"), ("Locatie", "Stadskantoor<br>52.09")),
        (outgoing.Contacts(cards=(outgoing.Card(formatted_name="Team Afval"),)), ("Contactkaart", "Team Afval")),
        (
            outgoing.MediaMessage(kind="document", link="https://www.utrecht.nl/a.pdf", filename="plan.pdf"),
            ("Document", "plan.pdf"),
        ),
        (outgoing.Reaction(wamid="wamid.IN1", emoji="👍"), ("Reactie", "👍")),
        (outgoing.Reaction(wamid="wamid.IN1", emoji=""), ("Reactie weggehaald", "In antwoord op")),
    ],
)
def test_every_kind_can_be_read(agent, thread, send, content, shown):
    send(content)
    page = page_of(agent, thread)
    for words in shown:
        assert words in page
    assert "niet kent" not in page


def test_opening_a_thread_marks_it_as_read_once(agent, thread):
    for _ in range(2):
        page_of(agent, thread)
    with schema_context("utrecht"):
        assert ReadReceipt.objects.get().wamid == Message.objects.get(direction="INBOUND").wamid
        ReadReceipt.objects.all().delete()
    page_of(agent, thread)
    with schema_context("utrecht"):
        assert not ReadReceipt.objects.exists()


def test_looking_back_marks_nothing(agent, thread):
    with schema_context("utrecht"):
        first = Message.objects.get()
    agent.get(f"/threads/{thread.id}/?before={first.id}")
    with schema_context("utrecht"):
        assert not ReadReceipt.objects.exists()


def test_typing_is_shown_to_the_citizen(agent, thread):
    assert agent.post(f"/threads/{thread.id}/typing/").status_code == 204
    with schema_context("utrecht"):
        assert ReadReceipt.objects.get().typing
    page = page_of(agent, thread)
    assert f'hx-post="/threads/{thread.id}/typing/" hx-trigger="input throttle:20s"' in page
    assert 'hx-params="csrfmiddlewaretoken"' in page


class TestConsent:
    def test_an_opt_out_is_seen_in_the_thread_and_refused_in_words(self, agent, thread, utrecht, approved, clock):
        with schema_context("utrecht"):
            meta.receive(utrecht, meta.message(utrecht, wamid="wamid.S", text="STOP", at=clock.now()))
        page = page_of(agent, thread)
        assert "Deze inwoner wil geen berichten meer" in page
        assert f"/template/{approved.id}/" not in page
        values = {"value-naam": "Piet", "value-onderwerp": "uw vraag", "step": "send"}
        answer = agent.post(f"/threads/{thread.id}/template/{approved.id}/", values)
        assert answer.status_code == 422
        assert "Deze inwoner wil geen berichten meer." in answer.content.decode()

    def test_it_is_recorded_with_how_and_by_whom(self, agent, thread):
        path = f"/threads/{thread.id}/consent/"
        assert "Er is niets over gezegd." in agent.get(path).content.decode()
        assert agent.post(path, {"word": "OPT_OUT", "how": "Per telefoon", "evidence": "Z-1"}).status_code == 302
        page = agent.get(path).content.decode()
        assert "Per telefoon (Z-1)" in page
        assert "Er kan geen template naartoe" in page
        with schema_context("utrecht"):
            said = Consent.objects.get()
        assert (said.word, said.source, said.evidence) == ("OPT_OUT", "RECORDED", "Z-1")
        assert said.actor_schema == "utrecht"

    def test_an_opt_in_says_how(self, agent, thread):
        answer = agent.post(f"/threads/{thread.id}/consent/", {"word": "OPT_IN", "how": " "})
        assert answer.status_code == 422
        assert "Zeg hoe de inwoner dat liet weten." in answer.content.decode()

    @pytest.mark.parametrize("given", [{}, {"word": "MAYBE", "how": "x"}, {"word": "OPT_IN", "how": "x" * 501}])
    def test_nothing_else_is_taken(self, agent, thread, given):
        assert agent.post(f"/threads/{thread.id}/consent/", given).status_code == 400


class TestTemplateForm:
    @pytest.fixture
    def headed(self, approved):
        """Return an approved template with a variable in its header and one in its button."""
        with schema_context("utrecht"):
            approved.components = HEADED
            approved.body = HEADED[1]["text"]
            approved.save()
        return approved

    def test_header_and_buttons_are_filled_in_too(self, agent, thread, headed):
        path = f"/threads/{thread.id}/template/{headed.id}/"
        assert "Het slot van het adres dat de knop opent" in agent.get(path).content.decode()
        values = {"header-zaak": "Z-1", "value-naam": "Piet", "value-onderwerp": "uw vraag", "button-0": "1234"}
        assert "Over Z-1" in agent.post(path, {**values, "step": "preview"}).content.decode()
        assert agent.post(path, {**values, "button-0": "", "step": "preview"}).status_code == 422
        assert agent.post(path, {**values, "step": "send"}).status_code == 302
        with schema_context("utrecht"):
            components = OutboxItem.objects.get().request["template"]["components"]
        assert [component["type"] for component in components] == ["header", "body", "button"]

    def test_what_breaks_a_rule_is_said_before_it_is_sent(self, agent, thread, headed):
        values = {"header-zaak": "Z-1", "value-naam": "a    b", "value-onderwerp": "uw vraag", "button-0": "1"}
        answer = agent.post(f"/threads/{thread.id}/template/{headed.id}/", {**values, "step": "preview"})
        assert answer.status_code == 422
        assert "rij van vier spaties" in answer.content.decode()

    def test_a_template_with_a_picture_says_who_can_send_it(self, agent, thread, headed):
        with schema_context("utrecht"):
            headed.components = [{"type": "HEADER", "format": "IMAGE"}, HEADED[1]]
            headed.save()
        page = agent.get(f"/threads/{thread.id}/template/{headed.id}/").content.decode()
        assert "Voorlopig kan alleen een ander systeem deze versturen." in page
