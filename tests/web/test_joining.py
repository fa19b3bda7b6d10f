"""From the link of an invitation to the first page."""

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django_tenants.utils import schema_context

from accounts import invitations, letters, posting
from accounts.models import Invitation, Mail, User
from audit.record import Actor
from tests.conftest import FROZEN_AT
from tests.web.conftest import HOSTS
from tests.web.test_own_account import set_up

WORDS = "vier-losse-woorden-hier"
EMAIL = "nieuw@utrecht.example"
FORM = {"name": "Nel Nieuw", "password1": WORDS, "password2": WORDS}
ACTOR = Actor(schema="utrecht", id="1", name="Bea Beheer")


@pytest.fixture
def link(utrecht, settings):
    """Return what invites somebody with a role, and returns the link's path."""
    cache.clear()
    settings.SENDS_MAIL = True

    def make(role: str = "AGENT") -> str:
        with schema_context("utrecht"):
            invited = invitations.invite(
                email=EMAIL, name="nieuw", roles=[role], actor=ACTOR, language="nl", at=FROZEN_AT
            )
            posting.send(mail_id=Mail.objects.get(user=invited.user).id, write=letters.write)
        return re.search(r"http://utrecht\.localhost:8000(/\S+)", mail.outbox[-1].body)[1]

    return make


@pytest.fixture
def stranger() -> Client:
    return Client(headers={"host": HOSTS["utrecht"]})


def test_who_needs_no_second_step_is_in_at_once(link, stranger):
    answer = stranger.get(link())
    assert answer.url == "/invitation/", "the token must not stay in the address"
    page = stranger.get(answer.url).content.decode()
    assert "Bea Beheer heeft u uitgenodigd" in page
    assert EMAIL in page
    assert stranger.post("/invitation/", FORM).url == "/"
    assert stranger.get("/inbox/").status_code == 200
    assert "Nel Nieuw" in stranger.get("/account/").content.decode()


def test_who_needs_one_is_led_straight_to_it(link, stranger):
    stranger.get(link("ADMIN"))
    led = stranger.post("/invitation/", FORM, follow=True)
    assert led.redirect_chain[-1][0] == "/account/second-step/"
    assert stranger.get("/users/").url == "/account/second-step/"
    set_up(stranger)
    assert stranger.get("/users/").status_code == 200


def test_the_link_works_once(link, stranger):
    path = link()
    stranger.get(path)
    stranger.post("/invitation/", FORM)
    late = Client(headers={"host": HOSTS["utrecht"]})
    assert late.get(path).status_code == 404
    assert "werkt niet meer" in late.get(path).content.decode()


def test_two_who_opened_it_do_not_both_get_in(link, stranger):
    path, other = link(), Client(headers={"host": HOSTS["utrecht"]})
    stranger.get(path)
    other.get(path)
    assert stranger.post("/invitation/", FORM).status_code == 302
    assert other.post("/invitation/", {**FORM, "password1": "x" * 15, "password2": "x" * 15}).status_code == 404
    with schema_context("utrecht"):
        assert User.objects.get(email=EMAIL).check_password(WORDS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"password1": "kort", "password2": "kort"},
        {"password1": "123456789012345", "password2": "123456789012345"},
        {"password2": "anders-dan-het-eerste"},
        {"name": ""},
        {"name": "x" * 201},
        {"password1": EMAIL, "password2": EMAIL},
    ],
)
def test_what_cannot_be_is_said_and_the_link_stays_good(link, stranger, wrong):
    stranger.get(link())
    answer = stranger.post("/invitation/", {**FORM, **wrong})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert stranger.post("/invitation/", FORM).status_code == 302


def test_it_is_nothing_at_another_municipality(link):
    path = link()
    assert Client(headers={"host": HOSTS["delft"]}).get(path).status_code == 404
    assert Client(headers={"host": HOSTS["public"]}).get(path).status_code == 404


def test_without_a_link_there_is_nothing_to_accept(utrecht, stranger):
    assert stranger.get("/invitation/").status_code == 404
    assert stranger.post("/invitation/", FORM).status_code == 404


def test_who_tries_many_links_is_stopped(utrecht, stranger):
    cache.clear()
    answers = [stranger.get(f"/invitation/geraden-{number}/").status_code for number in range(25)]
    assert answers[:20] == [404] * 20
    assert answers[20:] == [429] * 5


def test_who_was_signed_in_as_somebody_else_is_so_no_longer(link, people):
    supervisor = people("utrecht", "SUPERVISOR")
    supervisor.get(link())
    supervisor.post("/invitation/", FORM)
    assert "Nel Nieuw" in supervisor.get("/account/").content.decode()


def test_a_forgotten_password_gives_nobody_their_first(link, stranger):
    link()
    mail.outbox.clear()
    asked = stranger.post("/sign-in/forgotten/", {"email": EMAIL})
    assert asked.url == "/sign-in/forgotten/sent/", "the answer is the same for all"
    assert mail.outbox == []
    with schema_context("utrecht"):
        assert not User.objects.get(email=EMAIL).has_usable_password()
        assert Invitation.objects.get().accepted_at is None
