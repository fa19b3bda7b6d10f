"""docs/asvs.md names every requirement once and says something of each, and every test that it names is there.

Beside that, the requirements of it that no other room has a test for.
"""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django_tenants.utils import schema_context

from accounts.models import User
from config.env import ROOT
from tests.web.conftest import HOSTS, sign_in

PAGE = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", PAGE)))
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
# What version 5.0.0 has on level 1 and 2 in chapters 6, 7 and 8: section, and the numbers in it.
SECTIONS = {
    "6.1": 3,
    "6.2": 12,
    "6.3": 4,
    "6.4": 4,
    "6.5": 5,
    "6.6": 3,
    "6.8": 4,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 2,
    "7.6": 2,
    "8.1": 2,
    "8.2": 3,
    "8.3": 1,
    "8.4": 1,
}
LEVEL_1 = {"6.1.1", *(f"6.2.{n}" for n in range(1, 9)), "6.3.1", "6.3.2", "6.4.1", "6.4.2"} | {
    *(f"7.2.{n}" for n in range(1, 5)),
    *("7.4.1", "7.4.2", "8.1.1", "8.2.1", "8.2.2", "8.3.1"),
}
LONG = "een heel lang wachtwoord dat op geen enkele lijst staat, en dat na vierenzestig tekens verder gaat: "


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    yield
    connection.set_schema_to_public()  # where a request left it


class TestThePage:
    @pytest.mark.parametrize(("file", "name"), NAMED)
    def test_a_test_that_is_named_is_there(self, file, name):
        source = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"def {name.rsplit('::', 1)[-1]}\(", source), f"{file} has no {name}"

    def test_it_has_every_requirement_once_in_order_and_with_its_level(self):
        expected = [f"{section}.{n}" for section, count in SECTIONS.items() for n in range(1, count + 1)]
        assert [number for number, *_ in ROWS] == expected
        assert {number for number, level, *_ in ROWS if level == "1"} == LEVEL_1

    def test_each_is_held_by_a_test_or_says_why_not(self):
        excused = re.compile(
            r"`tests/[\w/]+\.py(::\w+)?`|[Bb]elow, |Reason: |Does not apply: |Not met|`docs/permissions\.md`"
        )
        assert [number for number, _level, _asked, here in ROWS if not excused.search(here)] == []

    def test_what_it_says_below_is_there(self):
        for title in re.findall(r"[Bb]elow, \"([\w ]+)\"", PAGE):
            assert f"**{title}.**" in PAGE


class TestPasswords:
    @pytest.mark.parametrize(
        "password", ["alleenkleineletters", "ALLEENHOOFDLETTERS", "?!.,;: ~~ ^^ {}[]", "日本語のパスワードは長い"]
    )
    def test_passwords_need_no_kinds_of_characters(self, password):
        validate_password(password)

    def test_a_long_password_counts_to_its_last_character(self, utrecht):
        validate_password(LONG + "A")
        with schema_context("utrecht"):
            User.objects.create_user(email="lang@utrecht.example", name="L", password=LONG + "A")
        wrong, right = (
            Client(headers={"host": HOSTS["utrecht"]}).post(
                "/sign-in/", {"login": "lang@utrecht.example", "password": LONG + last}
            )
            for last in ("a", "A")
        )
        assert (wrong.status_code, right.status_code) == (200, 302)

    def test_fields_of_passwords_are_masked_and_helped(self):
        fields = {
            f"{template.name}: {field}": field
            for template in (ROOT / "web" / "templates").rglob("*.html")
            for field in re.findall(
                r"<input[^>]*name=\"(?!passwords_open|passwordless)\w*password\w*\"[^>]*>",
                template.read_text(encoding="utf-8"),
            )
        }
        assert fields
        wrong = [
            where
            for where, field in fields.items()
            if 'type="password"' not in field or not re.search(r'autocomplete="(current|new)-password"', field)
        ]
        assert wrong == []


class TestSessions:
    def test_signing_in_gives_a_new_key(self, utrecht):
        client = sign_in(schema="utrecht", role="AGENT")
        before = client.cookies["session"].value
        client.post("/sign-out/")
        client.cookies["session"] = before  # as somebody would who put it there beforehand
        client.post("/sign-in/", {"login": "agent@utrecht.example", "password": "een-lang-wachtwoord-1"})
        assert client.cookies["session"].value != before
        assert client.get("/inbox/").status_code == 200

    def test_a_session_ends_twelve_hours_after_it_began(self, utrecht):
        client = sign_in(schema="utrecht", role="AGENT")
        with schema_context("utrecht"):
            ends_at = Session.objects.get().expire_date
            client.get("/inbox/")
            assert Session.objects.get().expire_date == ends_at  # using it does not prolong it
            Session.objects.update(expire_date=ends_at - timedelta(hours=12, seconds=1))
        assert client.get("/inbox/").status_code == 302

    @pytest.mark.parametrize("path", ["/inbox/", "/account/", "/unreached/", "/users/", "/geen-pagina/"])
    def test_every_page_of_who_is_signed_in_offers_to_sign_out(self, utrecht, path):
        assert 'action="/sign-out/"' in sign_in(schema="utrecht", role="AGENT").get(path).content.decode()

    def test_a_new_municipality_has_nobody_who_can_sign_in(self, utrecht):
        with schema_context("utrecht"):
            assert [user.email for user in User.objects.all() if user.has_usable_password()] == []
