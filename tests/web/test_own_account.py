"""One's own account: the second step, recovery codes, and where one is signed in."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django_tenants.utils import schema_context

from accounts import signed_in
from accounts.models import SignedIn, User
from accounts.sessions import digest
from tests.web.conftest import HOSTS, PASSWORD

AGENT = "agent@utrecht.example"


def code_of(secret: str) -> str:
    """Return what an app shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def another_browser(*, email: str = AGENT, password: str = PASSWORD) -> tuple[Client, str]:
    """Give a password in a new browser; return it, and where it is sent."""
    client = Client(headers={"host": HOSTS["utrecht"]})
    answer = client.post("/sign-in/", {"login": email, "password": password})
    return client, answer.headers.get("Location", "")


def set_up(client: Client) -> tuple[str, list[str]]:
    """Set up an app as somebody does; return its secret and the recovery codes that are shown then."""
    page = client.get("/account/app/").content.decode()
    secret = re.search(r'id="totp-secret">(\w+)<', page)[1]
    answer = client.post("/account/app/", {"code": code_of(secret)}, follow=True)
    assert answer.redirect_chain == [("/account/recovery-codes/", 302)]
    return secret, re.findall(r"<code>(\d{8})</code>", answer.content.decode())


@pytest.fixture
def agent(people, django_capture_on_commit_callbacks) -> Client:
    return people("utrecht", "AGENT")


class TestSecondStep:
    def test_an_app_is_asked_for_once_it_is_set_up(self, agent):
        secret, codes = set_up(agent)
        assert len(codes) == 10
        cache.clear()  # the code with which it was set up is used again below
        client, sent_to = another_browser()
        assert sent_to == "/sign-in/second-step/"
        assert client.get("/inbox/").url.startswith("/sign-in/"), "a password alone opens nothing"
        assert client.post("/sign-in/second-step/", {"code": "000000"}).status_code == 200
        assert client.get("/inbox/").status_code == 302
        assert client.post("/sign-in/second-step/", {"code": code_of(secret)}).url == "/"
        assert client.get("/inbox/").status_code == 200

    def test_a_code_works_once(self, agent):
        secret, _ = set_up(agent)
        first, _ = another_browser()
        assert first.post("/sign-in/second-step/", {"code": code_of(secret)}).status_code == 302
        second, _ = another_browser()
        assert second.post("/sign-in/second-step/", {"code": code_of(secret)}).status_code == 200
        assert second.get("/inbox/").status_code == 302

    def test_a_recovery_code_works_once(self, agent):
        _, codes = set_up(agent)
        first, _ = another_browser()
        assert first.post("/sign-in/second-step/", {"code": codes[3]}).status_code == 302
        assert first.get("/inbox/").status_code == 200
        second, _ = another_browser()
        assert second.post("/sign-in/second-step/", {"code": codes[3]}).status_code == 200
        assert second.get("/inbox/").status_code == 302

    def test_recovery_codes_are_shown_once(self, agent):
        _, codes = set_up(agent)
        again = agent.get("/account/recovery-codes/").content.decode()
        assert not any(code in again for code in codes)
        renewed = agent.post("/account/recovery-codes/new/", follow=True).content.decode()
        assert not any(code in renewed for code in codes)
        assert len(re.findall(r"<code>(\d{8})</code>", renewed)) == 10

    def test_the_database_holds_no_secret_that_can_be_read(self, agent):
        secret, codes = set_up(agent)
        with schema_context("utrecht"):
            kept = " ".join(str(each.data) for each in Authenticator.objects.all())
        assert secret not in kept
        assert not any(code in kept for code in codes)

    def test_it_is_of_its_own_municipality_alone(self, agent, people):
        set_up(agent)
        people("delft", "AGENT")
        with schema_context("delft"):
            assert not Authenticator.objects.exists()

    def test_removing_the_app_removes_the_codes(self, agent):
        set_up(agent)
        agent.post("/account/app/remove/")
        with schema_context("utrecht"):
            assert not Authenticator.objects.exists()
        assert another_browser()[1] == "/"

    @pytest.mark.parametrize("path", ["/account/app/", "/account/passkeys/"])
    def test_long_after_signing_in_the_password_is_asked_again(self, agent, settings, path):
        settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
        assert agent.get(path).url.startswith("/account/confirm/")
        settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 60
        wrong = agent.post("/account/confirm/", {"password": "anders", "next": path})
        assert wrong.status_code == 200
        assert agent.post("/account/confirm/", {"password": PASSWORD, "next": path}).url == path
        assert agent.get(path).status_code == 200

    def test_who_is_not_halfway_signing_in_is_asked_for_no_second_step(self, agent):
        assert agent.get("/sign-in/second-step/").url == "/"
        assert Client(headers={"host": HOSTS["utrecht"]}).get("/sign-in/second-step/").url == "/sign-in/"

    def test_a_page_of_ones_account_is_kept_by_no_cache(self, agent):
        for path in ("/account/", "/account/app/", "/account/passkeys/"):
            assert "no-store" in agent.get(path).headers["Cache-Control"]


class TestPasskeys:
    def test_the_sign_in_page_asks_for_one_of_this_host(self, utrecht):
        client = Client(headers={"host": HOSTS["utrecht"], "accept": "application/json"})
        asked = client.get("/sign-in/passkey/").json()["request_options"]["publicKey"]
        assert asked["rpId"] == "utrecht.localhost"
        assert asked["userVerification"] == "required"

    @pytest.mark.parametrize("credential", ["", "{}", '{"id": 1}', '{"response": {"userHandle": "x"}}', "[]"])
    def test_what_is_no_answer_of_a_passkey_signs_nobody_in(self, agent, credential):
        client = Client(headers={"host": HOSTS["utrecht"]})
        answer = client.post("/sign-in/passkey/", {"credential": credential})
        assert (answer.status_code, answer.url) == (302, "/sign-in/")
        assert client.get("/inbox/").status_code == 302

    @pytest.mark.parametrize("credential", ["", "{}", '{"id": 1}', "[]", "null"])
    def test_what_is_no_new_passkey_is_not_added(self, agent, credential):
        agent.get("/account/passkeys/")
        answer = agent.post("/account/passkeys/", {"name": "x", "credential": credential})
        assert answer.status_code == 200
        assert 'role="alert"' in answer.content.decode()
        with schema_context("utrecht"):
            assert not Authenticator.objects.exists()

    @pytest.mark.parametrize("credential", ["{}", '{"id": 1}', "[]"])
    def test_what_is_no_answer_of_a_passkey_is_no_second_step(self, agent, credential):
        set_up(agent)
        client, _ = another_browser()
        assert client.post("/sign-in/second-step/", {"credential": credential}).status_code == 200
        assert client.get("/inbox/").status_code == 302


class TestSessions:
    def test_they_are_listed_and_this_one_is_named(self, agent):
        another_browser()
        page = agent.get("/account/").content.decode()
        assert page.count("127.0.0.1") == 2
        assert page.count("Deze sessie") == 1

    def test_no_key_of_a_session_is_kept(self, agent):
        with schema_context("utrecht"):
            (place,) = SignedIn.objects.all()
            assert place.session_id == digest(agent.cookies["session"].value)

    def test_another_one_is_ended(self, agent):
        other, _ = another_browser()
        with schema_context("utrecht"):
            place = SignedIn.objects.get(session_id=digest(other.cookies["session"].value))
        agent.post("/account/sessions/end/", {"place": str(place.id)})
        assert other.get("/inbox/").status_code == 302
        assert agent.get("/inbox/").status_code == 200

    def test_all_others_are_ended(self, agent):
        others = [another_browser()[0] for _ in range(3)]
        page = agent.post("/account/sessions/end/", {"place": "others"}, follow=True).content.decode()
        assert "3 andere sessies" in page
        assert [other.get("/inbox/").status_code for other in others] == [302] * 3
        assert agent.get("/inbox/").status_code == 200

    @pytest.mark.parametrize("place", ["", "niets", "00000000-0000-0000-0000-000000000000"])
    def test_what_is_no_session_ends_none(self, agent, place):
        assert "al beëindigd" in agent.post("/account/sessions/end/", {"place": place}, follow=True).content.decode()

    def test_nobody_ends_anothers(self, agent, people):
        supervisor = people("utrecht", "SUPERVISOR")
        with schema_context("utrecht"):
            place = SignedIn.objects.get(user__email=AGENT)
        supervisor.post("/account/sessions/end/", {"place": str(place.id)})
        assert agent.get("/inbox/").status_code == 200

    def test_signing_out_forgets_where(self, agent):
        agent.post("/sign-out/")
        with schema_context("utrecht"):
            assert not SignedIn.objects.exists()
            assert not Session.objects.filter(session_key=digest(agent.cookies["session"].value)).exists()

    def test_a_session_that_goes_on_under_a_new_key_stays_in_the_list(self, agent):
        session = agent.session
        with schema_context("utrecht"):
            before = SignedIn.objects.get()
            session = type(session)(agent.cookies["session"].value)
            session.load()
            session.cycle_key()
            after = SignedIn.objects.get()
            assert (after.id, after.begun_at) == (before.id, before.begun_at)
            assert after.session_id == digest(session.session_key) != before.session_id
            assert signed_in.current(session=session) == before.id

    def test_all_of_somebody_can_be_ended(self, agent):
        with schema_context("utrecht"):
            assert signed_in.end_all(user=User.objects.get(email=AGENT)) == 1
        assert agent.get("/inbox/").status_code == 302
