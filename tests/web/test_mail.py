"""Mail about somebody's account: a new password, a new address, and being told of changes."""

import re

import pytest
from django.core import mail
from django.test import Client
from django_tenants.utils import schema_context

from accounts import posting
from accounts.models import Mail, User
from tests.web.conftest import HOSTS, PASSWORD

AGENT = "agent@utrecht.example"
NEW = "vier-losse-woorden-hier"


def link(number: int = -1) -> str:
    """Return the path of the link in a mail that was sent."""
    return re.search(r"http://utrecht\.localhost(/\S+)", mail.outbox[number].body)[1]


@pytest.fixture
def agent(people, settings) -> Client:
    settings.SENDS_MAIL = True
    return people("utrecht", "AGENT")


@pytest.fixture
def stranger() -> Client:
    return Client(headers={"host": HOSTS["utrecht"]})


class TestForgottenPassword:
    def test_a_link_by_mail_chooses_a_new_one(self, agent, stranger):
        assert stranger.post("/sign-in/forgotten/", {"email": AGENT}).url == "/sign-in/forgotten/sent/"
        assert mail.outbox[0].to == [AGENT]
        form = stranger.get(link(), follow=True)
        assert form.redirect_chain[0][0].endswith("/set-password/"), "the key must not stay in the address"
        path = form.redirect_chain[0][0]
        answer = stranger.post(path, {"password1": NEW, "password2": NEW}, follow=True)
        assert answer.redirect_chain == [("/sign-in/forgotten/done/", 302)]
        assert agent.get("/inbox/").status_code == 302, "the sessions from before end"
        assert stranger.post("/sign-in/", {"login": AGENT, "password": PASSWORD}).status_code == 200
        assert stranger.post("/sign-in/", {"login": AGENT, "password": NEW}).status_code == 302
        assert len(mail.outbox) == 2, "who did not ask for it is told"

    def test_a_link_works_once(self, agent, stranger):
        stranger.post("/sign-in/forgotten/", {"email": AGENT})
        first = link()
        path = stranger.get(first, follow=True).redirect_chain[0][0]
        stranger.post(path, {"password1": NEW, "password2": NEW})
        page = Client(headers={"host": HOSTS["utrecht"]}).get(first).content.decode()
        assert "werkt niet meer" in page
        assert "password1" not in page

    def test_it_is_written_in_the_language_of_who_it_goes_to(self, agent, stranger):
        agent.post("/language/", {"language": "en", "next": "/"})
        stranger.post("/sign-in/forgotten/", {"email": AGENT})  # on a Dutch page
        path = stranger.get(link(), follow=True).redirect_chain[0][0]
        stranger.post(path, {"password1": NEW, "password2": NEW})
        assert [each.subject for each in mail.outbox] == [
            "Choose a new password – utrecht.localhost",
            "Your account was changed – utrecht.localhost",
        ]
        with schema_context("utrecht"):
            user = User.objects.get(email=AGENT)
            assert posting.post(user=user, what=Mail.What.SECOND_STEP_RESET, language="nl").language == "en"

    def test_who_is_unknown_gets_the_same_answer_and_no_mail(self, agent, stranger):
        known = stranger.post("/sign-in/forgotten/", {"email": AGENT})
        unknown = stranger.post("/sign-in/forgotten/", {"email": "niemand@utrecht.example"})
        assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
        assert [each.to for each in mail.outbox] == [[AGENT]]

    def test_a_link_of_another_municipality_is_nothing_here(self, agent, stranger):
        stranger.post("/sign-in/forgotten/", {"email": AGENT})
        assert "werkt niet meer" in Client(headers={"host": HOSTS["delft"]}).get(link()).content.decode()

    def test_a_mail_server_that_is_away_stops_nobody(self, agent, stranger, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        assert stranger.post("/sign-in/forgotten/", {"email": AGENT}).url == "/sign-in/forgotten/sent/"


class TestChanging:
    @pytest.mark.parametrize("weak", ["kort", "123456789012345", "1q2w3e4r5t6y", "agent van utrecht", AGENT])
    def test_a_weak_password_is_refused(self, agent, weak):
        answer = agent.post("/account/password/", {"oldpassword": PASSWORD, "password1": weak, "password2": weak})
        assert answer.status_code == 200
        assert 'role="alert"' in answer.content.decode()

    def test_a_new_password_ends_other_sessions_and_keeps_this_one(self, agent, stranger):
        stranger.post("/sign-in/", {"login": AGENT, "password": PASSWORD})
        answer = agent.post("/account/password/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
        assert answer.url == "/account/"
        assert agent.get("/inbox/").status_code == 200
        assert agent.get("/account/").content.decode().count("Deze sessie") == 1
        assert stranger.get("/inbox/").status_code == 302
        assert [each.to for each in mail.outbox] == [[AGENT]]

    def test_a_new_address_counts_once_it_was_confirmed(self, agent, stranger):
        agent.post("/account/email/", {"email": "nieuw@utrecht.example", "action_add": "1"})
        assert mail.outbox[0].to == ["nieuw@utrecht.example"]
        with schema_context("utrecht"):
            assert User.objects.filter(email=AGENT).exists()
        assert "nieuw@utrecht.example" in stranger.get(link(0)).content.decode()
        stranger.post(link(0))
        with schema_context("utrecht"):
            assert User.objects.filter(email="nieuw@utrecht.example").exists()
        assert stranger.post("/sign-in/", {"login": AGENT, "password": PASSWORD}).status_code == 200
        assert [AGENT] in [each.to for each in mail.outbox[1:]], "the address from before is told"

    def test_an_address_that_is_taken_is_not_given_twice(self, agent, people):
        people("utrecht", "SUPERVISOR")
        agent.post("/account/email/", {"email": "supervisor@utrecht.example", "action_add": "1"})
        with schema_context("utrecht"):
            assert User.objects.filter(email="supervisor@utrecht.example").count() == 1


class TestSentMail:
    def test_a_demo_shows_what_was_sent(self, agent, settings, tmp_path):
        settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        settings.EMAIL_FILE_PATH = str(tmp_path)
        agent.post("/sign-in/forgotten/", {"email": AGENT})
        mail.send_mail("Onderwerp één", "Tekst", "a@x.example", [AGENT])
        with_file = mail.EmailMessage("Factuur", "Hierbij uw factuur.", "a@x.example", bcc=[AGENT])
        with_file.attach("factuur.csv", "regel", "text/csv")
        with_file.send()
        page = agent.get("/mail/").content.decode()
        assert "Onderwerp één" in page
        assert AGENT in page
        assert "Hierbij uw factuur." in page
        assert "None" not in page

    def test_production_does_not(self, agent, settings, tmp_path):
        settings.EMAIL_FILE_PATH = str(tmp_path)
        settings.DEVELOPMENT = False
        assert agent.get("/mail/").status_code == 404

    def test_nothing_is_shown_where_mail_leaves_the_machine(self, agent, settings):
        settings.EMAIL_FILE_PATH = None
        assert agent.get("/mail/").status_code == 404
