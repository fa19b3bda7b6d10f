"""Break-glass on the pages: asked for at the console, seen by the municipality, and nothing of it outlives its time."""

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django_tenants.utils import schema_context

from accounts import teams
from accounts.models import SignedIn, User
from audit.models import Entry
from audit.record import Actor
from messaging import teams as handing
from tenants.models import BreakGlass, Municipality
from tests.web.conftest import HOSTS

CONSOLE = f"http://console.localhost:{settings.PORT}"
REASON = "Melding 4711: sjabloon blijft hangen"


@pytest.fixture
def support(people) -> Client:
    """Return a browser in which somebody of the BSP's support signed in with a second step."""
    return people("public", "BSP_SUPPORT")


def ask(client: Client, *, roles=("AGENT",), minutes=30) -> None:
    form = {"reason": REASON, "minutes": minutes, "roles": roles}
    assert client.post("/municipalities/utrecht/enter/", form).url == "/entries/"


def token(client: Client) -> str:
    """Have the console hand over; return what the form holds."""
    page = client.post(f"/entries/{BreakGlass.objects.latest('requested_at').id}/hand-over/")
    assert page.status_code == 200, page.headers
    return re.search(r'name="token" value="([^"]+)"', page.content.decode())[1]


def come_in(value: str, *, host: str = "utrecht.localhost", origin: str | None = CONSOLE) -> tuple[Client, int]:
    """Post a token as the console's form does, with the checks of forged requests on."""
    client = Client(headers={"host": host}, enforce_csrf_checks=True)
    headers = {} if origin is None else {"origin": origin}
    return client, client.post("/entries/come-in/", {"token": value}, headers=headers).status_code


@pytest.fixture
def inside(support, utrecht) -> Client:
    ask(support, roles=("ADMIN", "AGENT"))
    client, status = come_in(token(support))
    assert status == 302
    return client


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return " ".join(answer.content.decode().split())


def test_the_page_that_hands_over_lets_its_form_go_to_that_municipality_alone(support, utrecht):
    ask(support)
    page = support.post(f"/entries/{BreakGlass.objects.get().id}/hand-over/")
    policy = page.headers["Content-Security-Policy"]
    assert f"form-action 'self' http://utrecht.localhost:{settings.PORT}" in policy
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert page.headers["Cache-Control"] == "no-store"
    assert 'content="strict-origin"' in page.content.decode()


def test_who_signed_in_without_a_second_step_is_handed_nothing(support, utrecht):
    ask(support)
    entry = BreakGlass.objects.get()
    with schema_context("public"):
        Authenticator.objects.all().delete()
        user = User.objects.get(email="bsp_support@public.example")
    client = Client(headers={"host": HOSTS["public"]})
    with schema_context("public"):
        client.force_login(user)
    assert client.post(f"/entries/{entry.id}/hand-over/").url.startswith("/account/second-step/")
    assert BreakGlass.objects.get().handover_digest is None


@pytest.mark.parametrize("origin", [None, "null", "https://elders.example", "http://delft.localhost:8000"])
def test_a_form_from_elsewhere_lets_nobody_in(support, utrecht, origin):
    ask(support)
    client, status = come_in(token(support), origin=origin)
    assert status == 403
    assert client.get("/inbox/").status_code == 302
    assert BreakGlass.objects.get().state == "APPROVED"


def test_a_token_is_of_one_host_and_of_one_use(support, utrecht, delft):
    ask(support)
    given = token(support)
    assert come_in(given, host="delft.localhost")[1] == 403
    assert come_in(given)[1] == 302
    assert come_in(given)[1] == 403
    assert come_in("")[1] == 403


def test_a_session_that_could_not_be_begun_leaves_nothing_open(support, utrecht, monkeypatch):
    ask(support)

    def die(**_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("web.entries.signed_in.begin", die)
    client = Client(headers={"host": "utrecht.localhost"}, raise_request_exception=False)
    assert client.post("/entries/come-in/", {"token": token(support)}, headers={"origin": CONSOLE}).status_code == 500
    assert BreakGlass.objects.get().state == "APPROVED"
    with schema_context("utrecht"):
        assert not User.objects.exclude(break_glass_id=None).exists()
    assert client.get("/inbox/").status_code == 302


def test_who_is_inside_reads_and_may_nothing_of_who_decides(inside, thread, people):
    assert "Is mijn vergunning klaar?" in text(inside, f"/threads/{thread.id}/")
    assert "niet beantwoorden" in text(inside, f"/threads/{thread.id}/")
    assert "Gebruikers" in text(inside, "/users/")
    entry = BreakGlass.objects.get()
    for method, path in (
        ("post", f"/threads/{thread.id}/reply/"),
        ("get", f"/threads/{thread.id}/close/"),
        ("post", f"/threads/{thread.id}/messages/{thread.id}/reveal/"),
        ("get", f"/threads/{thread.id}/consent/"),
        ("get", "/keys/"),
        ("get", "/keys/new/"),
        ("get", "/entries/"),
        ("post", "/entries/approval/"),
        ("post", f"/entries/{entry.id}/decide/"),
        ("get", "/trail/"),
        ("get", "/account/"),
        ("get", "/account/password/"),
        ("get", "/account/app/"),
        ("get", "/account/passkeys/"),
        ("get", "/account/email/"),
    ):
        client = Client(headers={"host": "utrecht.localhost"})
        client.cookies = inside.cookies
        assert getattr(client, method)(path).status_code == 403, path


def test_every_page_says_it_to_the_municipality_and_to_who_is_inside(inside, people, thread):
    seen = text(people("utrecht", "AGENT"), "/inbox/")
    assert "van de BSP is in deze werkomgeving, tot" in seen
    assert REASON in seen
    assert "als medewerker van de BSP, tot" in text(inside, "/inbox/")
    listed = text(people("utrecht", "PRIVACY_OFFICER"), "/entries/")
    assert REASON in listed
    assert "Nu binnen" in listed
    assert "Deze toegang nu beëindigen" not in listed


def test_the_privacy_officer_follows_it_into_the_trail(inside, people, thread):
    text(inside, f"/threads/{thread.id}/")
    officer = people("utrecht", "PRIVACY_OFFICER")
    link = re.search(r'href="(/trail/\?who=[^"]+)"', text(officer, "/entries/"))[1]
    found = text(officer, link.replace("&amp;", "&"))
    assert "Gesprek geopend" in found
    entry = BreakGlass.objects.get()
    for schema in ("utrecht", "public"):
        with schema_context(schema):
            assert Entry.objects.get(action="thread.read").details["break_glass"] == str(entry.id)


def test_who_is_inside_sees_the_threads_of_every_team_and_that_is_in_the_trail(inside, thread, clock):
    with schema_context("utrecht"):
        admin, at = Actor.system("tests"), clock.now()
        team = teams.make(name="Vergunningen", actor=admin, at=at)
        handing.hand_over(thread_id=thread.id, team_id=team.id, actor=admin, at=at)
        teams.set_rule(only_own=True, actor=admin, at=at)
    assert str(thread.id) in inside.get("/inbox/").content.decode()
    assert inside.get(f"/threads/{thread.id}/").status_code == 200
    with schema_context("utrecht"):
        assert Entry.objects.filter(action="thread.read", details__break_glass__isnull=False).count() == 1


def test_it_is_over_when_its_time_is_whoever_has_the_cookie(inside, thread, monkeypatch, people):
    assert inside.get("/inbox/").status_code == 200
    real = timezone.now
    monkeypatch.setattr("django.utils.timezone.now", lambda: real() + timedelta(minutes=30))
    assert inside.get("/inbox/").url.startswith("/sign-in/")
    assert inside.get(f"/threads/{thread.id}/").url.startswith("/sign-in/")
    assert "Beëindigd" in text(people("utrecht", "ADMIN"), "/entries/")
    assert "van de BSP is in deze werkomgeving" not in text(people("utrecht", "ADMIN"), "/entries/")


def test_the_admin_puts_who_is_inside_out_at_once(inside, people):
    entry = BreakGlass.objects.get()
    said = people("utrecht", "ADMIN").post(f"/entries/{entry.id}/end/", follow=True).content.decode()
    assert "Beëindigd" in said
    assert inside.get("/inbox/").url.startswith("/sign-in/")
    with schema_context("utrecht"):
        assert not SignedIn.objects.filter(user_id=entry.user_id).exists()


def test_signing_out_ends_it_and_so_does_the_console(inside, support, people):
    browser = Client(headers={"host": "utrecht.localhost"})
    browser.cookies = inside.cookies
    browser.post("/sign-out/")
    entry = BreakGlass.objects.get()
    assert entry.state == "ENDED"
    assert entry.ended_by.endswith("(BSP)")
    ask(support)
    second, status = come_in(token(support))
    assert status == 302
    support.post(f"/entries/{BreakGlass.objects.latest('requested_at').id}/end/")
    assert second.get("/inbox/").url.startswith("/sign-in/")


def test_who_loses_their_account_at_the_bsp_is_out_at_once(inside):
    with schema_context("public"):
        User.objects.filter(email="bsp_support@public.example").update(is_active=False)
    assert inside.get("/inbox/").url.startswith("/sign-in/")


class TestApproval:
    @pytest.fixture
    def admin(self, people) -> Client:
        client = people("utrecht", "ADMIN")
        assert client.post("/entries/approval/", {"approval": "first"}).status_code == 302
        assert Municipality.objects.get(schema_name="utrecht").approves_entries
        return client

    def test_the_admin_is_asked_on_every_page_and_says_yes(self, admin, support, people):
        ask(support)
        entry = BreakGlass.objects.get()
        assert "Goedkeuren of weigeren" in text(admin, "/numbers/")
        assert "Goedkeuren of weigeren" not in text(people("utrecht", "AGENT"), "/inbox/")
        assert support.post(f"/entries/{entry.id}/hand-over/").status_code == 302
        admin.post(f"/entries/{entry.id}/decide/", {"answer": "approve"})
        assert come_in(token(support))[1] == 302

    def test_a_no_stays_a_no(self, admin, support):
        ask(support)
        entry = BreakGlass.objects.get()
        admin.post(f"/entries/{entry.id}/decide/", {"answer": "refuse"})
        said = admin.post(f"/entries/{entry.id}/decide/", {"answer": "approve"}, follow=True).content.decode()
        assert "voorbij" in said
        assert support.post(f"/entries/{entry.id}/hand-over/").status_code == 302
        assert BreakGlass.objects.get().handover_digest is None

    def test_the_privacy_officer_sees_and_does_not_decide(self, admin, support, people):
        ask(support)
        officer = people("utrecht", "PRIVACY_OFFICER")
        assert REASON in text(officer, "/entries/")
        assert officer.post(f"/entries/{BreakGlass.objects.get().id}/decide/", {"answer": "approve"}).status_code == 403


def test_what_is_asked_wrongly_is_said_and_kept(support, utrecht):
    answer = support.post("/municipalities/utrecht/enter/", {"reason": "kort", "minutes": "30", "roles": ["AGENT"]})
    assert answer.status_code == 422
    assert "10 tot 500 tekens" in answer.content.decode()
    assert "kort</textarea>" in answer.content.decode()
    assert support.post("/municipalities/utrecht/enter/", {"reason": REASON, "minutes": "x"}).status_code == 422
    assert support.get("/municipalities/elders/enter/").status_code == 404
