"""Canary values go through every path of a running platform, and are nowhere but where they belong.

Two walks, one at the level at which production logs and one at DEBUG. Then all that the platform said, reported,
counted, asked, kept in common and wrote to disk is searched; and searched once more with canaries planted in each of
those places, so that a search that finds nothing is known to look.
"""

import hashlib
import json
import os
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from config.local import testing
from tests.flows import canaries
from tests.flows.canaries import Finder
from tests.flows.live import Live
from tests.flows.overhearing import DEFAULT_LEVEL, PLACES, PROCESSES, Overheard
from tests.flows.witnesses import Arguments, Sentry, rows_of, wait_until

REPORTED = ("event_not_storable", "inbox_event_dead", "outcome_not_storable", "number_stopped")
# How each path answers; those that are not here are right when they succeed.
ANSWERS = {
    "webhook that is no JSON": {400},
    "webhook of a stranger": {403},
    "webhook that the database refuses": {503},
    "verification": {403},
    "no token": {403},
    "typed address": {404},
    "page that breaks": {500},
    "api that breaks": {500},
    "api that refuses": {400, 415},
    "key of elsewhere": {401},
    "api": {200, 201, 409},
}
OF_CITIZENS = {"phone number", "name", "username", "bsuid", "text", "caption", "file name", "place", "choice"}
OF_AGENTS = {"reply", "template parameter", "e-mail address", "idempotency key"}


@pytest.fixture(scope="module")
def overheard() -> Iterator[Overheard]:
    """Return a platform on which both walks are over, and all that came of them has come to rest."""
    folder = Path(os.environ[testing.RUN_FOLDER]) / f"canaries-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    made = Overheard(live=Live(folder, durable=False), sentry=Sentry(), arguments=Arguments())
    try:
        made.start()
        made.walk("first", level=DEFAULT_LEVEL)
        made.walk("second", level="DEBUG").break_the_sender()
        wait_until(lambda: _reports_of_sender(made) >= 2, seconds=30, what="the sender reports that it broke")
        wait_until(lambda: "read_timeout" in made.log("sender").lower(), seconds=30, what="a send is given up")
        time.sleep(1.0)  # Sentry's own thread sends what it has
        made.scrape()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def found(overheard: Overheard) -> dict[str, list[str]]:
    """Return what was found where nothing should be."""
    return overheard.search()


@pytest.fixture(scope="module")
def planted(overheard: Overheard, found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return what is found once a canary is in every place."""
    overheard.plant()
    return overheard.search()


def _reports_of_sender(overheard: Overheard) -> int:
    return sum(str(event.get("logger")).startswith("messaging.lanes.") for event in overheard.sentry.events())


@pytest.mark.parametrize("place", PLACES)
def test_no_canary_is_in(place, found):
    assert found[place] == []


@pytest.mark.parametrize("place", PLACES)
def test_a_canary_would_be_found_in(place, planted):
    assert planted[place] != []


def test_every_path_was_walked_as_far_as_it_goes(overheard):
    for walk in overheard.walks:
        for what, answers in walk.answers.items():
            assert set(answers) <= ANSWERS.get(what, {200, 201, 302}), what
            assert ANSWERS.get(what, set()) - {200, 201} <= set(answers), what
        assert walk.cookies
        assert not overheard.front.answers, "Meta was not asked for these"


def test_each_canary_is_where_it_belongs(overheard):
    kept = "\n".join(said for _, said in rows_of(overheard.live, "utrecht"))
    assert overheard.finder().kinds(kept) >= OF_CITIZENS | OF_AGENTS


def test_meta_was_given_what_is_for_citizens_in_bodies_and_tokens_in_headers(overheard):
    kinds = overheard.finder().kinds("\n".join(overheard.front.bodies))
    assert {"phone number", "bsuid", "reply", "name", "template parameter"} <= kinds
    assert {"Bearer EAAutrecht", "Bearer EAAdelft"} <= overheard.front.tokens


def test_what_broke_was_reported(overheard):
    events = overheard.sentry.events()
    said = [str(event.get("logentry")) for event in events]
    assert not [each for each in REPORTED if not any(each in entry for entry in said)]
    raised = [each for event in events for each in (event.get("exception") or {}).get("values", [])]
    assert {"CheckViolation", "RaiseException"} <= {each["type"] for each in raised}
    assert "django" in {each["mechanism"]["type"] for each in raised}


@pytest.mark.parametrize("process", [name for name in PROCESSES if name != "worker-maintenance"])
def test_at_debug_a_process_says_more(overheard, process):
    lines = overheard.log(process).splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    assert {"debug", "warning"} <= {line.get("level") for line in said}
    assert not [line for line in lines if line.startswith(("Traceback", "ERROR", "Exception"))]


def test_redis_carries_wake_ups_and_announcements(overheard):
    heard = bytes(overheard.ear.heard).decode()
    for expected in ('"inbox-wake:utrecht"', '"PUBLISH" "live"', "messaging.tasks.drain_inbox"):
        assert expected in heard


class TestFinder:
    finder = Finder(canaries.WORDS, whole=[canaries.PHONE.format(1)])

    @pytest.mark.parametrize(
        "said",
        [
            "to 31697481590 1",
            "to +31 6 9748 159 01",
            "to 06-974815901",
            f"?q={quote(canaries.PHONE.format(1))}",
            "tel:+31%206%209748%2015901",
            json.dumps({"to": "06\u00a09748\u00a01590\u00a01"}),
            "wamid." + b64encode(b"HBg" + canaries.PHONE.format(1).encode() + b"FQI").decode(),
            canaries.PHONE.format(1).encode().hex(),
        ],
    )
    def test_it_finds_a_phone_number_in_every_spelling(self, said):
        assert self.finder.kinds(said) == {"phone number"}

    @pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
    def test_it_finds_a_word_wherever_base64_begins(self, before):
        assert self.finder.kinds(b64encode(f"{before} {canaries.TEXT}".encode())) == {"text"}

    @pytest.mark.parametrize("escape", [quote, json.dumps, repr, str.upper])
    def test_it_finds_words_in_escapes_and_capitals(self, escape):
        assert self.finder.kinds(escape(f"{canaries.NAME} <{canaries.TEXT}>")) == {"name", "text"}

    def test_it_finds_a_digest_without_salt(self):
        digest = "a0c2" + hashlib.sha256(canaries.PHONE.format(1).encode()).hexdigest()
        assert self.finder.kinds(digest) == {"digest"}

    def test_it_finds_nothing_in_what_is_nothing(self):
        assert self.finder.kinds("2026-11-22 20:33:45.335 UTC [28331] 69-74-81 wesp") == set()
