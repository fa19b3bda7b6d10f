"""Rate limits: of one key and of a whole host, counted for all processes, said in every answer; also without Redis."""

import re
import secrets
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
import redis
from django_tenants.utils import schema_context

from accounts.keys import find_named, rotate_key
from api import limits
from messaging.broker import client
from tests.api.calling import Caller, make_key


@pytest.fixture(autouse=True)
def own_counts():
    """Begin and end without what this process counted by itself."""
    limits._own.steps.clear()
    yield
    limits._own.steps.clear()
    limits._away_until = 0.0


@pytest.fixture
def now(monkeypatch) -> list[float]:
    """Stand still at the begin of a step of real time that no other test has; the test moves on."""
    moment = [60.0 * secrets.randbelow(10**9)]
    monkeypatch.setattr("api.limits.time", SimpleNamespace(time=lambda: moment[0], monotonic=time.monotonic))
    return moment


def left(answer) -> dict[str, int]:
    return {name: int(count) for name, count in re.findall(r'"(\w+)";r=(\d+);t=65', answer.headers["RateLimit"])}


def test_every_answer_to_a_key_says_what_is_left(api, now, settings):
    settings.API_REQUESTS_OF_A_KEY, settings.API_REQUESTS_OF_A_HOST = 5, 9
    first, missing = api.get("/usage"), api.get("/threads/00000000-0000-0000-0000-000000000000")
    assert first.headers["RateLimit-Policy"] == '"key";q=5;w=60, "host";q=9;w=60'
    assert [left(each) for each in (first, missing)] == [{"key": 4, "host": 8}, {"key": 3, "host": 7}]
    assert "RateLimit" not in Caller(api.host, "wak_none").get("/usage").headers


def test_one_key_may_ask_so_much_a_minute_and_then_waits(api, now, settings):
    settings.API_REQUESTS_OF_A_KEY = 2
    assert [api.get("/usage").status_code for _ in range(3)] == [200, 200, 429]
    refused = api.get("/usage")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "too_many_requests"
    assert (refused.headers["Retry-After"], left(refused)["key"]) == ("65", 0)
    now[0] += 64
    assert api.get("/usage").headers["Retry-After"] == "1"  # what was refused did not count: it is no longer for that
    now[0] += 1
    assert api.get("/usage").status_code == 200


@pytest.mark.parametrize("is_away", [False, True])
def test_no_minute_holds_more_wherever_it_begins(api, now, settings, monkeypatch, is_away):
    if is_away:
        monkeypatch.setattr("api.limits.client", lambda: redis.Redis(port=9, socket_connect_timeout=0.2))
    settings.API_REQUESTS_OF_A_KEY = 6
    begun, let_through = now[0], []
    for second in range(0, 240, 3):  # two requests every three seconds: over and over more than it may
        now[0] = begun + second
        let_through += [second for _ in range(2) if api.get("/usage").status_code == 200]
    assert max(sum(first <= each < first + 60 for each in let_through) for first in range(240)) == 6
    assert len(let_through) >= 3 * 6


def test_what_is_refused_does_nothing(api, now, settings, thread):
    settings.API_REQUESTS_OF_A_KEY = 0
    answer = api.post("/messages", {"threadId": str(thread.id), "text": "Goedemorgen"})
    assert answer.status_code == 429
    settings.API_REQUESTS_OF_A_KEY = 100
    assert len(api.get(f"/threads/{thread.id}/messages").json()["items"]) == 1


def test_a_key_of_another_name_is_counted_by_itself_and_all_of_a_host_together(api, now, settings):
    other = Caller(api.host, make_key("utrecht", name="Ander systeem"))
    settings.API_REQUESTS_OF_A_KEY, settings.API_REQUESTS_OF_A_HOST = 2, 3
    assert [api.get("/usage").status_code for _ in range(3)] == [200, 200, 429]
    assert [other.get("/usage").status_code for _ in range(2)] == [200, 429]  # the third of the host, and a fourth


def test_another_municipality_is_not_slowed(api, now, settings, delft):
    settings.API_REQUESTS_OF_A_HOST = 1
    assert [api.get("/usage").status_code for _ in range(2)] == [200, 429]
    assert Caller("delft.localhost", make_key("delft")).get("/usage").status_code == 200


def test_a_new_secret_is_no_new_allowance(api, now, settings, actor, clock):
    settings.API_REQUESTS_OF_A_KEY = 1
    assert api.get("/usage").status_code == 200
    with schema_context("utrecht"):
        key = find_named(name="Zaaksysteem")
        made = rotate_key(key_id=key.id, overlap=timedelta(hours=1), actor=actor, at=clock.now())
    assert Caller(api.host, made.secret).get("/usage").status_code == 429


def test_every_name_in_redis_carries_its_schema_and_goes_by_itself(api, bsp, now):
    for name in client().scan_iter("api-limit:*"):
        client().delete(name)
    api.get("/usage")
    bsp.get("/usage")
    names = [name.decode() for name in client().scan_iter("api-limit:*")]
    assert {name.split(":")[1] for name in names} == {"utrecht", "public"}
    assert all(0 < client().ttl(name) <= 70 for name in names)


def test_without_redis_each_process_counts_for_itself(api, now, settings, monkeypatch):
    settings.API_REQUESTS_OF_A_KEY = 2
    monkeypatch.setattr("api.limits.client", lambda: redis.Redis(port=9, socket_connect_timeout=0.2))
    assert [api.get("/usage").status_code for _ in range(3)] == [200, 200, 429]
    now[0] += 65
    assert api.get("/usage").status_code == 200
