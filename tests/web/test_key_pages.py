"""Keys on the pages: a secret is seen once, the old one goes on for as long as was chosen, and revoked is for good."""

import re

import pytest
from django_tenants.utils import schema_context

from accounts.models import ApiKey
from audit.models import Entry
from tests.api.calling import Caller
from tests.web.conftest import HOSTS


@pytest.fixture(params=["utrecht", "public"])
def place(request) -> str:
    return request.param


@pytest.fixture
def admin(people, place, clock):
    return people(place, "ADMIN" if place == "utrecht" else "BSP_OPERATOR")


def make(admin, **form) -> str:
    """Make a key by the form; return its secret."""
    answer = admin.post("/keys/new/", {"name": "Zaaksysteem", "scopes": ["usage:read"], **form})
    assert answer.status_code == 200, answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    return secret(answer)


def secret(answer) -> str:
    return re.search(r"wak_[a-z2-7]{10}_[\w-]{43}", answer.content.decode())[0]


def works(place, key) -> bool:
    status = Caller(HOSTS[place], key).get("/usage").status_code
    assert status in {200, 401}
    return status == 200


def the_key(place) -> ApiKey:
    with schema_context(place):
        return ApiKey.objects.get()


def test_a_secret_is_shown_once_and_works(admin, place):
    key = make(admin)
    assert works(place, key)
    assert key not in admin.get("/keys/").content.decode()
    assert "Zaaksysteem" in admin.get("/keys/").content.decode()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": " "}, "Geef de sleutel de naam"),
        ({"scopes": []}, "Kies ten minste"),
        ({"scopes": ["everything"]}, "Kies ten minste"),
        ({"expires": "2026-03-02"}, "Kies een dag"),  # today
        ({"expires": "2099-01-01"}, "Kies een dag"),
        ({"expires": "morgen"}, "Kies een dag"),
        ({"ranges": "192.0.2.0/24 192.0.2.0/99"}, "192.0.2.0/99"),
        ({"name": "Bezet"}, "Er is al een sleutel"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_made(admin, place, form, said):
    make(admin, name="Bezet")
    answer = admin.post("/keys/new/", {"name": "Zaaksysteem", "scopes": ["usage:read"], **form})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    with schema_context(place):
        assert ApiKey.objects.count() == 1


def test_the_old_secret_goes_on_until_its_moment_and_the_page_says_whether_it_is_used(admin, place, clock):
    old = make(admin)
    new = secret(admin.post(f"/keys/{the_key(place).id}/new-secret/", {"overlap": "24"}))
    assert "niet gebruikt sinds" in admin.get("/keys/").content.decode()
    assert works(place, old)
    assert works(place, new)
    assert "een systeem gebruikte het nog" in admin.get("/keys/").content.decode()
    clock.move(hours=24)
    assert not works(place, old)
    assert works(place, new)


def test_at_most_two_secrets_work_and_one_when_so_chosen(admin, place):
    first = make(admin)
    address = f"/keys/{the_key(place).id}/new-secret/"
    second = secret(admin.post(address, {"overlap": "168"}))
    third = secret(admin.post(address, {"overlap": "1"}))
    assert [works(place, each) for each in (first, second, third)] == [False, True, True]
    fourth = secret(admin.post(address, {"overlap": "0"}))
    assert [works(place, each) for each in (second, third, fourth)] == [False, False, True]
    assert admin.post(address, {"overlap": "99999"}).status_code == 400


def test_it_asks_before_it_revokes_and_then_no_secret_works(admin, place):
    old = make(admin)
    key_id = the_key(place).id
    new = secret(admin.post(f"/keys/{key_id}/new-secret/", {"overlap": "24"}))
    assert "ongedaan" in admin.get(f"/keys/{key_id}/revoke/").content.decode()
    assert works(place, new)
    assert admin.post(f"/keys/{key_id}/revoke/").url == "/keys/"
    assert not works(place, old)
    assert not works(place, new)
    assert admin.post(f"/keys/{key_id}/new-secret/", {"overlap": "24"}).url == "/keys/"
    make(admin)  # the name is free again


def test_the_last_use_is_written_at_most_once_a_minute(admin, place, clock):
    key = make(admin)
    used = []
    for _ in range(3):
        assert works(place, key)
        used.append(the_key(place).last_used_at)
        clock.move(seconds=29)
    assert used[0] == used[1] == used[2]
    clock.move(seconds=31)
    assert works(place, key)
    assert the_key(place).last_used_at > used[0]


class TestAddresses:
    def test_it_works_from_where_it_may_and_from_nowhere_else(self, admin, place):
        key = make(admin, ranges="192.0.2.0/24\n127.0.0.1")
        assert works(place, key)
        assert the_key(place).allowed_ranges == ["127.0.0.1/32", "192.0.2.0/24"]

    def test_who_calls_from_elsewhere_gets_a_problem_and_the_trail_an_entry(self, admin, place):
        key = make(admin, ranges="192.0.2.0/24")
        caller = Caller(HOSTS[place], key)
        for _ in range(3):
            answer = caller.get("/usage", **{"X-Forwarded-For": "192.0.2.7"})
            assert (answer.status_code, answer.json()["code"]) == (403, "address_not_allowed")
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert "192.0.2" not in answer.content.decode()
            assert "RateLimit" not in answer.headers, "it is not counted: it would use up what the system may ask"
        with schema_context(place):
            (told,) = Entry.objects.filter(outcome="DENIED")
        assert (told.action, told.origin) == ("api.call", "127.0.0.1")
        assert key not in str(told.details)


def test_the_keys_of_another_are_not_there(people, clock, utrecht, delft):
    here, there = people("utrecht", "ADMIN"), people("delft", "ADMIN")
    make(here)
    key_id = the_key("utrecht").id
    assert "Zaaksysteem" not in there.get("/keys/").content.decode()
    assert there.post(f"/keys/{key_id}/revoke/").status_code == 404
    assert there.post(f"/keys/{key_id}/new-secret/", {"overlap": "0"}).status_code == 404
