"""An agent decides on a page about a message of which nobody knows whether it was sent."""

import pytest
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging.models import Message, OutboxItem, UncertainChoice
from messaging.replying import reply
from tests.messaging import meta
from tests.messaging.test_uncertain import lost


@pytest.fixture
def message(utrecht, thread, clock) -> Message:
    with schema_context("utrecht"):
        return lost(reply(thread_id=thread.id, text="Op de Markt.", actor=Actor.system("tests"), at=clock.now()))


@pytest.fixture
def address(message) -> str:
    return f"/threads/{message.thread_id}/uncertain/{message.id}/"


def _queued() -> int:
    with schema_context("utrecht"):
        return OutboxItem.objects.count()


@pytest.mark.parametrize("role", ["AGENT", "SUPERVISOR"])
def test_it_is_explained_and_found_in_the_thread_and_under_not_reached(people, message, address, role):
    person = people("utrecht", role)
    for path in (f"/threads/{message.thread_id}/", "/unreached/"):
        page = person.get(path).content.decode()
        assert address in page
        assert "De verbinding" in page
    page = person.get(address).content.decode()
    assert "twee keer" in page
    assert "Op de Markt." in page


def test_sending_again_sends_once_however_often_it_is_clicked(people, message, address):
    agent = people("utrecht", "AGENT")
    for _ in range(2):
        answer = agent.post(address, {"choice": "SEND_AGAIN"})
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/threads/{message.thread_id}/#last")
    assert _queued() == 1
    page = agent.get(f"/threads/{message.thread_id}/").content.decode()
    assert "heeft het opnieuw verzonden" in page
    assert f'href="#message-{message.id}">Nogmaals verzonden' in page
    assert address not in page
    assert address not in agent.get("/unreached/").content.decode()


def test_leaving_it_says_who_left_it(people, message, address):
    agent = people("utrecht", "AGENT")
    agent.post(address, {"choice": "LEAVE"})
    page = agent.get(f"/threads/{message.thread_id}/").content.decode()
    assert "Agent van utrecht heeft het zo gelaten" in page
    assert _queued() == 0


def test_who_comes_second_is_told_who_decided(people, message, address):
    people("utrecht", "SUPERVISOR").post(address, {"choice": "LEAVE"})
    page = people("utrecht", "AGENT").post(address, {"choice": "SEND_AGAIN"}, follow=True).content.decode()
    assert "Supervisor van utrecht heeft al beslist" in page
    assert _queued() == 0


def test_what_was_reported_meanwhile_is_said_and_not_sent_again(people, message, address, utrecht):
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.status(utrecht, wamid="wamid.1", status="delivered", opaque_id=str(message.id)))
    agent = people("utrecht", "AGENT")
    assert agent.get(address).status_code == 302  # nothing to decide
    page = agent.post(address, {"choice": "SEND_AGAIN"}, follow=True).content.decode()
    assert "WhatsApp heeft intussen gemeld" in page
    assert _queued() == 0


def test_what_may_not_be_sent_now_is_refused_with_the_reason(people, message, address, clock):
    clock.move(hours=25)
    answer = people("utrecht", "AGENT").post(address, {"choice": "SEND_AGAIN"})
    assert answer.status_code == 422
    assert "De 24 uur waarin u vrij mag antwoorden zijn voorbij" in answer.content.decode()
    with schema_context("utrecht"):
        assert not UncertainChoice.objects.exists()


def test_nothing_else_can_be_chosen_nor_in_another_thread(people, message, address):
    agent = people("utrecht", "AGENT")
    assert agent.post(address, {"choice": "BURN"}).status_code == 400
    assert agent.post(f"/threads/{message.id}/uncertain/{message.id}/", {"choice": "LEAVE"}).status_code == 404
