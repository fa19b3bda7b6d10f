"""What the trail is told of signing in: who, from where, with what result, and nothing that opens a door."""

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django_tenants.utils import schema_context

from accounts.models import User
from audit.models import Entry
from tests.web.conftest import HOSTS, PASSWORD
from tests.web.test_own_account import another_browser, code_of, set_up

AGENT = "agent@utrecht.example"
WRONG = "verkeerd-wachtwoord-9"


def told(*actions: str) -> list[Entry]:
    """Return what the trail has of some actions, the oldest first."""
    with schema_context("utrecht"):
        return list(Entry.objects.filter(action__in=actions).order_by("sequence"))


def subject() -> str:
    with schema_context("utrecht"):
        return f"user {User.objects.get(email=AGENT).id}"


@pytest.fixture
def agent(people) -> Client:
    return people("utrecht", "AGENT")


def attempt(email: str = AGENT, password: str = WRONG, origin: str = "192.0.2.9") -> int:
    client = Client(headers={"host": HOSTS["utrecht"]})
    return client.post("/sign-in/", {"login": email, "password": password}, REMOTE_ADDR=origin).status_code


def test_who_signs_in_and_out_is_told_with_the_steps_and_from_where(agent):
    secret, _codes = set_up(agent)
    cache.clear()
    client = Client(headers={"host": HOSTS["utrecht"]}, REMOTE_ADDR="192.0.2.8")
    client.post("/sign-in/", {"login": AGENT, "password": PASSWORD})
    client.post("/sign-in/second-step/", {"code": code_of(secret)})
    client.post("/sign-out/")
    *_, began = told("session.begin")
    (ended,) = told("session.end")
    assert (began.actor_name, began.subject, began.outcome) == ("Agent van utrecht", subject(), "OK")
    assert (began.origin, began.details) == ("192.0.2.8", {"by": ["password", "totp"]})
    assert (ended.actor_name, ended.origin, ended.details["which"]) == ("Agent van utrecht", "192.0.2.8", "this")


def test_a_wrong_password_is_told_with_whose_it_was_not(agent):
    attempt()
    (entry,) = told("session.refuse")
    assert (entry.subject, entry.outcome, entry.origin, entry.actor_id) == (subject(), "FAILED", "192.0.2.9", "unknown")


def test_an_unknown_address_is_no_text_but_the_same_each_time(agent):
    attempt("Niemand@utrecht.example")
    attempt("niemand@utrecht.example ")
    attempt("iemand@utrecht.example")
    first, again, other = (entry.subject for entry in told("session.refuse"))
    assert first == again != other
    assert re.fullmatch(r"address [0-9a-f]{16}", first)
    assert "iemand" not in str([vars(entry) for entry in told("session.refuse")]).lower()


def test_a_lock_out_is_told_once_and_not_by_every_attempt_that_it_stops(agent):
    assert [attempt() for _ in range(5)] == [200] * 5
    for _ in range(6):
        assert attempt(password=PASSWORD, origin="192.0.2.10") == 200
    assert len(told("session.refuse")) == 5
    (entry,) = told("session.lock")
    assert (entry.subject, entry.outcome) == (subject(), "DENIED")


def test_a_second_step_is_locked_too_and_the_right_code_is_refused_then(agent):
    secret, _ = set_up(agent)
    cache.clear()
    client, _ = another_browser()
    for _ in range(6):
        assert client.post("/sign-in/second-step/", {"code": "000000"}).status_code == 200
    assert client.post("/sign-in/second-step/", {"code": code_of(secret)}).status_code == 200
    assert client.get("/inbox/").status_code == 302
    assert len(told("second_step.refuse")) == 5
    (entry,) = told("second_step.lock")
    assert (entry.subject, entry.outcome) == (subject(), "DENIED")


def test_changes_to_what_protects_an_account_are_told(agent, settings, django_capture_on_commit_callbacks):
    settings.SENDS_MAIL = True
    with django_capture_on_commit_callbacks(execute=True):
        set_up(agent)
        agent.post("/account/recovery-codes/new/")
        new = "vier-losse-woorden-hier"
        agent.post("/account/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
        agent.post("/account/app/remove/")
        agent.post("/account/email/", {"email": "nieuw@utrecht.example", "action_add": "1"})
        link = re.search(r"http://utrecht\.localhost(/account/email/\S+)", mail.outbox[-1].body)[1]
        agent.post(link)
    assert {entry.details["what"] for entry in told("account.change")} >= CHANGES
    assert all(entry.actor_name == "Agent van utrecht" for entry in told("account.change"))


CHANGES = {"totp_activated", "totp_deactivated", "recovery_codes_generated", "password_changed", "email_changed"}


def test_a_new_password_that_was_asked_for_is_told_and_that_it_was_chosen(agent):
    stranger = Client(headers={"host": HOSTS["utrecht"]}, REMOTE_ADDR="192.0.2.7")
    stranger.post("/sign-in/forgotten/", {"email": AGENT})
    link = re.search(r"http://utrecht\.localhost(/\S+)", mail.outbox[-1].body)[1]
    path = stranger.get(link, follow=True).redirect_chain[0][0]
    stranger.post(path, {"password1": "vier-losse-woorden-hier", "password2": "vier-losse-woorden-hier"})
    (asked,) = told("password.reset.ask")
    (chosen,) = (entry for entry in told("account.change") if entry.details["what"] == "password_reset")
    assert (asked.subject, asked.origin, asked.actor_id) == (subject(), "192.0.2.7", "unknown")
    assert chosen.subject == subject()


def test_sessions_that_somebody_ends_are_told(agent):
    another_browser()
    agent.post("/account/sessions/end/", {"place": "others"})
    assert agent.post("/account/sessions/end/", {"place": "all"}).url == "/sign-in/"
    assert agent.get("/inbox/").status_code == 302
    assert [entry.details for entry in told("session.end")] == [
        {"which": "others", "ended": 1},
        {"which": "all", "ended": 1},
    ]


def test_nothing_that_opens_a_door_is_in_the_trail(agent):
    secret, codes = set_up(agent)
    attempt()
    client, _ = another_browser()
    client.post("/sign-in/second-step/", {"code": codes[0]})
    with schema_context("utrecht"):
        said = " ".join(f"{entry.subject} {entry.details} {entry.actor_name}" for entry in Entry.objects.all())
    for opening in (PASSWORD, WRONG, secret, *codes):
        assert opening not in said
