"""Signing in, out, and where nobody may go."""

import re

import pytest
from django.test import Client
from django_tenants.utils import schema_context

from tests.web.conftest import HOSTS, PASSWORD

WORKSPACE = [
    "/inbox/",
    "/numbers/",
    "/templates/",
    "/users/",
    "/trail/",
    "/unreached/",
    "/usage/",
    "/invoices/",
    "/single-sign-on/",
    "/keys/",
    "/entries/",
    "/teams/",
    "/elections/",
    "/opening-hours/",
    "/closed-answer/",
    "/privacy-notice/",
    "/labels/",
    "/canned/",
    "/declaration/",
]
OF_FINANCE = {"/invoices/", "/month-so-far/", "/unpaid/", "/margin/", "/adjustments/", "/rate-cards/", "/buyers/"}
OF_SUPPORT = {"/overview/", "/municipalities/", "/municipalities/utrecht/", "/flow/", "/troubles/", "/entries/"}
CONSOLE = ["/drafts/", "/elections/", "/keys/", "/trail/", *sorted(OF_SUPPORT), *sorted(OF_FINANCE)]
MAY = {
    ("utrecht", "AGENT"): {"/inbox/", "/unreached/"},
    ("utrecht", "SUPERVISOR"): {"/inbox/", "/numbers/", "/templates/", "/unreached/", "/canned/"},
    ("utrecht", "ADMIN"): set(WORKSPACE) - {"/inbox/", "/trail/", "/unreached/", "/invoices/"},
    ("utrecht", "FINANCE"): {"/usage/", "/invoices/"},
    ("utrecht", "PRIVACY_OFFICER"): {"/trail/", "/entries/"},
    ("public", "BSP_SUPPORT"): OF_SUPPORT,
    ("public", "BSP_FINANCE"): OF_FINANCE,
}


@pytest.mark.parametrize("path", ["/", *WORKSPACE])
def test_who_is_not_signed_in_is_asked_to_be(path, utrecht):
    answer = Client(headers={"host": HOSTS["utrecht"]}).get(path)
    assert (answer.status_code, answer.url.split("?")[0]) == (302, "/sign-in/")


@pytest.mark.parametrize(("schema", "role"), MAY)
def test_each_role_sees_its_own_pages_and_no_others(schema, role, people):
    client = people(schema, role)
    for path in CONSOLE if schema == "public" else WORKSPACE:
        expected = 200 if path in MAY[schema, role] else 403
        assert client.get(path).status_code == expected, path


@pytest.mark.parametrize(("schema", "role"), MAY)
def test_the_navigation_names_the_pages_that_may_be_seen(schema, role, people):
    page = people(schema, role).get("/", follow=True).content.decode()
    navigation = re.search(r'<nav class="frame-nav[^"]*".*?</nav>', page, re.DOTALL)
    shown = set(re.findall(r'href="([^"]+)"', navigation[0])) if navigation else set()
    assert shown == {path for path in MAY[schema, role] if path.count("/") == 2}


def test_a_wrong_password_signs_nobody_in(people):
    people("utrecht", "AGENT")
    client = Client(headers={"host": HOSTS["utrecht"]})
    answer = client.post("/sign-in/", {"login": "agent@utrecht.example", "password": "anders"})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert client.get("/inbox/").status_code == 302


def test_a_cookie_of_another_municipality_is_nothing_here(people):
    cookies = people("delft", "AGENT").cookies
    client = Client(headers={"host": HOSTS["utrecht"]})
    client.cookies = cookies
    assert client.get("/inbox/").status_code == 302


def test_a_municipal_cookie_is_nothing_at_the_console(people):
    client = Client(headers={"host": HOSTS["public"]})
    client.cookies = people("utrecht", "ADMIN").cookies
    assert client.get("/municipalities/").status_code == 302


def test_a_password_of_one_municipality_signs_nobody_in_at_another(people):
    people("utrecht", "AGENT")
    client = Client(headers={"host": HOSTS["delft"]})
    client.post("/sign-in/", {"login": "agent@utrecht.example", "password": PASSWORD})
    assert client.get("/inbox/").status_code == 302


def test_signing_out_ends_the_session(people):
    client = people("utrecht", "AGENT")
    client.post("/sign-out/")
    assert client.get("/inbox/").status_code == 302


def test_a_user_who_is_blocked_sees_nothing_more(people):
    from accounts.models import User

    client = people("utrecht", "AGENT")
    with schema_context("utrecht"):
        User.objects.update(is_active=False)
    assert client.get("/inbox/").status_code == 302


def test_nobody_signs_up(people):
    assert Client(headers={"host": HOSTS["utrecht"]}).get("/signup/").status_code == 404


def test_the_pages_are_dutch_until_somebody_chooses_english_for_their_account(people):
    client = people("utrecht", "AGENT")
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    assert '<html lang="nl"' in client.get("/inbox/").content.decode()
    client.post("/language/", {"language": "en", "next": "/inbox/"})
    page = client.get("/inbox/").content.decode()
    assert '<html lang="en"' in page
    assert "Waiting for an answer" in page
    assert '<html lang="en"' in client.get("/nothing-there/").content.decode()
    # Wherever they sign in; not for who works at their browser next, and for nobody else.
    assert client.post("/language/", {"language": "fy", "next": "/inbox/"}).status_code == 302
    other = Client(headers={"host": HOSTS["utrecht"]})
    assert '<html lang="nl"' in other.get("/sign-in/").content.decode()
    other.post("/sign-in/", {"login": "agent@utrecht.example", "password": PASSWORD})
    answer = other.get("/inbox/")
    assert (answer.headers["Content-Language"], '<html lang="en"' in answer.content.decode()) == ("en", True)
    client.post("/sign-out/")
    assert '<html lang="nl"' in client.get("/sign-in/").content.decode()
    assert '<html lang="nl"' in people("utrecht", "SUPERVISOR").get("/inbox/").content.decode()
    # Who is not signed in chooses for the browser; who never chose for their account reads as it is set.
    client.post("/language/", {"language": "en", "next": "/sign-in/"})
    assert '<html lang="en"' in client.get("/sign-in/").content.decode()
    client.post("/sign-in/", {"login": "supervisor@utrecht.example", "password": PASSWORD})
    assert '<html lang="en"' in client.get("/inbox/").content.decode()


def test_a_host_of_nobody_gets_the_page_that_says_so(utrecht):
    answer = Client(headers={"host": "nergens.localhost"}).get("/inbox/")
    assert answer.status_code == 404
    assert "<h1" in answer.content.decode()
