"""Attempts to sign in: counted for all processes together, and still counted while Redis is away."""

import pytest
from django.conf import settings
from django.core.cache import cache
from django_tenants.utils import schema_context

from config.attempts import PREFIX, AttemptsCache
from messaging.broker import client

PARAMS = {"KEY_FUNCTION": "django_tenants.cache.make_key"}


@pytest.fixture(autouse=True)
def _in_a_schema(db):
    with schema_context("utrecht"):
        cache.clear()
        yield
        cache.clear()


@pytest.fixture
def shared() -> AttemptsCache:
    return AttemptsCache(settings.CELERY_BROKER_URL, PARAMS)


@pytest.fixture
def alone() -> AttemptsCache:
    """Return one whose Redis does not answer."""
    return AttemptsCache("redis://127.0.0.1:9/0", PARAMS)


def test_what_one_process_counts_another_sees(shared):
    shared.set("key", [1.5, 2.5], 60)
    assert AttemptsCache(settings.CELERY_BROKER_URL, PARAMS).get("key") == [1.5, 2.5]
    assert not shared.add("key", 1, 60)
    assert shared.delete("key")
    assert shared.get("key", "none") == "none"


def test_without_redis_a_process_counts_for_itself(alone):
    assert alone.add("key", 1, 60)
    assert not alone.add("key", 2, 60)
    assert alone.get("key") == 1
    alone.clear()
    assert alone.get("key") is None


def test_redis_is_used_again_once_it_is_back(alone, shared):
    alone.set("key", "own", 60)
    alone._redis = shared._redis
    alone._away_until = 0.0
    shared.set("key", "shared", 60)
    assert alone.get("key") == "shared"


def test_redis_holds_no_name_and_no_address(shared):
    shared.set("allauth:rl:127.0.0.1:somebody@utrecht.example", [1.0], 60)
    (key,) = list(client().scan_iter(match=f"{PREFIX}*"))
    assert len(key) == len(PREFIX) + 64
    assert b"utrecht" not in key


def test_forgetting_attempts_forgets_nothing_else(shared):
    client().set("something-else", "kept", ex=60)
    shared.set("key", 1, 60)
    shared.clear()
    assert client().get("something-else") == b"kept"
    assert shared.get("key") is None


def test_a_time_below_a_second_is_a_second(shared):
    shared.set("key", 1, 0.5)
    assert shared.get("key") == 1


def test_after_five_wrong_passwords_a_right_one_does_not_sign_in(utrecht):
    from django.test import Client

    from accounts.models import User

    User.objects.create_user(email="a@utrecht.example", name="A", password="een-lang-wachtwoord-1")
    browser = Client(headers={"host": "utrecht.localhost"})
    for _ in range(5):
        assert browser.post("/sign-in/", {"login": "a@utrecht.example", "password": "anders"}).status_code == 200
    locked = browser.post("/sign-in/", {"login": "a@utrecht.example", "password": "een-lang-wachtwoord-1"})
    assert locked.status_code == 200
    assert 'role="alert"' in locked.content.decode()
