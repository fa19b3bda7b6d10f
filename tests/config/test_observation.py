"""What leaves a process by its log or by Sentry: never a person, a secret or a citizen's words."""

import gzip
import json
import os
import re
import subprocess
import sys
import threading
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.env import ROOT
from config.observation import REMOVED, scrub, scrub_event, scrub_text

PHONE_NUMBERS = [
    "+31612345678",
    "31612345678",
    "0031612345678",
    "0612345678",
    "612345678",
    "06-12345678",
    "06 - 12345678",
    "06 12 34 56 78",
    "06.12.34.56.78",
    "06/12345678",
    "(06) 12345678",
    "+31 (0)6 12345678",
    "+31 6 1234 5678",
    "+31\u00a06\u20101234\u20135678",
    "030-1234567",
    "+32 470 12 34 56",
    "+1 (555) 012-3456",
    "+5978123456",
]
SECRETS = [
    "wamid.HBgLMzE2MTIzNDU2NzgVAgASGBQzQTdCMUY4RTY0M0Y1RkZDN0E0RAA=",
    "Bearer geheim.teken-1",
    "bearer geheim",
    "Authorization: Bearer geheim",
    "EAAGm0PX4ZCpsBAKZ",
    "access_token=geheim",
    '"access_token": "geheim"',
    "hub.verify_token=geheim",
    "postgresql://baas:geheim@db:5432/x",
    "postgres://db/geheim",
    "redis://:geheim@mq:6379/0",
    "rediss://geheim",
    "https://geheim@sentry.example/1",
    "amqp://u:geheim@mq",
    "NL.13491208655302741918",
    "US.ENT.13491208655302741918",
    "jan.jansen+geheim@example.nl",
]
AROUND = [
    "{}",
    "to {} failed",
    "/v24.0/{}/messages",
    "to={}&x=1",
    "{{'wa_id': '{}'}}",
    "wa_id_{}_",
    "tel:{}",
    "{}x",
    "(x{})",
]
HARMLESS = [
    "municipality 3f2b8a52-0d62-4d8e-9f0e-8d3c26a1b512 is live",
    "ids 11111111-2222-3333-4444-555555555555, 00000000-0000-0000-0000-000000000000",
    "2026-03-02",
    "2026-03-02T09:00:00+00:00",
    "2026-03-02T09:00:00.123456Z",
    "2026-03-02 09:00:00.123456+01",
    "at 09:00:00 in 2026-03",
    "200000 rows of 12345678 in 0.25 s",
    "code 131047: more than 24 hours",
    "connection to 127.0.0.1:5432 refused",
    "tenants.provisioning.create, line 120, in utrecht",
    "digest 3f786850e387550fdab836ed7e6dc881de23001b",
    "GM0344 s-Hertogenbosch €1.234,56",
]


class TestText:
    @pytest.mark.parametrize("around", AROUND)
    @pytest.mark.parametrize("number", PHONE_NUMBERS)
    def test_it_removes_a_phone_number_however_it_is_written(self, number, around):
        assert not re.search(r"\d{3}|\d\d\D{1,3}\d\d", scrub_text(around.format(number)).replace("24.0", ""))

    @pytest.mark.parametrize("around", ["{}", "x {} y", "[{}]", "a\n{}\nb"])
    @pytest.mark.parametrize("secret", SECRETS)
    def test_it_removes_what_opens_or_names(self, secret, around):
        scrubbed = scrub_text(around.format(secret))
        assert REMOVED in scrubbed
        assert not re.search(r"geheim|HBgL|13491|m0PX", scrubbed)

    @pytest.mark.parametrize("text", HARMLESS)
    def test_it_leaves_what_nobody_is(self, text):
        assert scrub_text(text) == text

    def test_it_removes_a_number_that_stands_beside_something_harmless(self):
        text = "2026-03-02T09:00:00+00:00 0612345678 3f2b8a52-0d62-4d8e-9f0e-8d3c26a1b512 0687654321"
        assert scrub_text(text) == (
            f"2026-03-02T09:00:00+00:00 {REMOVED} 3f2b8a52-0d62-4d8e-9f0e-8d3c26a1b512 {REMOVED}"
        )

    @given(st.uuids(), st.integers(min_value=631_152_000_000_000, max_value=3_786_912_000_000_000))
    def test_it_leaves_every_uuid_and_every_moment(self, identity, microseconds):
        moment = datetime.fromtimestamp(microseconds / 1_000_000, UTC)
        text = f"{identity} at {moment.isoformat()} and {moment.date().isoformat()}"
        assert scrub_text(text) == text

    @given(st.from_regex(r"\A(\+|00)?[1-9][0-9]{9,13}\Z"), st.text("abc xyz:,;=<>\"'", max_size=5))
    def test_it_leaves_no_run_of_digits_of_any_international_number(self, number, beside):
        assert not re.search(r"\d{4}", scrub_text(f"{beside}{number}{beside}"))

    def test_it_does_not_grow_slow_with_long_text(self):
        started = datetime.now(UTC)
        for text in ("a" * 200_000, "1-" * 100_000, "a.b" * 60_000, "1 a " * 50_000, "http" * 50_000):
            scrub_text(text)
        assert (datetime.now(UTC) - started).total_seconds() < 5


class TestValues:
    def test_it_reaches_every_depth_and_key(self):
        value = {"a": [{"+31612345678": ("x", {"0612345678"})}], "n": 3, "f": 0.25, "t": True, "none": None}
        assert scrub(value) == {"a": [{REMOVED: ["x", [REMOVED]]}], "n": 3, "f": 0.25, "t": True, "none": None}

    def test_it_removes_a_phone_number_that_is_kept_as_a_number(self):
        assert scrub(31612345678) == REMOVED
        assert scrub(250_000_000) == 250_000_000

    def test_it_scrubs_how_other_objects_are_written(self):
        identity = uuid.uuid4()
        assert scrub(identity) == str(identity)
        assert scrub(ValueError("to 0612345678")) == f"to {REMOVED}"

    def test_it_takes_the_parts_of_an_event_that_hold_persons(self):
        event = {"request": {"data": "hoi"}, "user": {"id": 1}, "extra": {"a": 1}, "breadcrumbs": {}, "level": "error"}
        assert scrub_event(event, {}) == {"level": "error"}

    def test_it_removes_the_row_that_the_database_refused(self, utrecht):
        from django.db import IntegrityError, connection, transaction

        with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE public.tenants_municipality SET name = %s, stage = 'X'", ["Woorden\n\nvan iemand"])
        assert "van iemand" in str(caught.value)
        scrubbed = scrub_text(f"{caught.value}\n\nThe above exception was the direct cause of the following")
        assert "iemand" not in scrubbed
        assert "municipality_stage_known" in scrubbed
        assert "The above exception" in scrubbed


SPEAKS = """
import logging, django
django.setup()
import structlog, sentry_sdk
log = structlog.get_logger("messaging.x")
log.info("sent", to="+31612345678", ids=[{"wamid": "wamid.HBgLMzE2MTIz"}], count=3, municipality="utrecht")
logging.getLogger("library").warning("calling %s for %s", "https://x/31612345678/messages", "06 12 34 56 78")
def answer(citizens_words):
    raise ValueError("cannot reach +31612345678 with Bearer geheim")
try:
    answer("mijn buurman heeft lekkage")
except ValueError:
    log.exception("answer_failed", contact="NL.13491208655302741918")
    sentry_sdk.set_user({"email": "jan@example.nl"})
    sentry_sdk.set_tag("number", "31612345678")
    sentry_sdk.set_context("call", {"to": "0031612345678", "municipality": "utrecht"})
    sentry_sdk.add_breadcrumb(message="wrote to 0612345678")
    sentry_sdk.capture_exception()
logging.getLogger("library").error("lost %s at %s", "postgresql://u:geheim@db/x", "0612345678")
sentry_sdk.flush(5)
"""


@pytest.fixture(scope="module")
def spoken():
    """Run a process that logs and reports; return its log lines and what arrived at an imitation of Sentry."""
    received = []

    class Sentry(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sentry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    dsn = f"http://publickey@127.0.0.1:{server.server_port}/1"
    try:
        done = subprocess.run(
            [sys.executable, "-c", SPEAKS],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "SENTRY_DSN": dsn, "LOG_LEVEL": "INFO"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    finally:
        server.shutdown()
        server.server_close()
    items = [json.loads(line) for body in received for line in body.decode().splitlines() if line.startswith("{")]
    return [json.loads(line) for line in done.stderr.splitlines()], [
        item for item in items if "event_id" in item and "level" in item
    ]


PERSONAL = re.compile(r"\d{7}|06 12|wamid\.|13491|geheim|jan@|lekkage|mijn buurman")


class TestWhatAProcessSays:
    def test_it_logs_events_with_keys_as_json(self, spoken):
        first = spoken[0][0]
        assert first.pop("timestamp").startswith("20")
        assert first == {
            "event": "sent",
            "to": REMOVED,
            "ids": [{"wamid": REMOVED}],
            "count": 3,
            "municipality": "utrecht",
            "level": "info",
            "logger": "messaging.x",
        }

    def test_it_logs_what_libraries_say_in_the_same_way(self, spoken):
        line = next(line for line in spoken[0] if line["logger"] == "library")
        assert line["event"] == f"calling https://x/{REMOVED}/messages for {REMOVED}"

    def test_it_logs_where_an_error_was_and_not_whom_it_met(self, spoken):
        line = next(line for line in spoken[0] if line["event"] == "answer_failed")
        assert "ValueError" in line["exception"]
        assert "in answer" in line["exception"]

    def test_it_names_nobody_in_its_log(self, spoken):
        assert [line for line in spoken[0] if PERSONAL.search(json.dumps({**line, "timestamp": ""}))] == []

    def test_it_reports_errors_to_sentry(self, spoken):
        events = spoken[1]
        reported = [event["exception"]["values"][-1] for event in events if "exception" in event]
        assert [error["type"] for error in reported].count("ValueError") >= 1
        assert reported[0]["stacktrace"]["frames"]
        assert any("municipality" in str(event.get("contexts")) for event in events)
        assert any(event.get("logger") == "library" for event in events)

    def test_it_names_nobody_to_sentry(self, spoken):
        for event in spoken[1]:
            for expected in ("event_id", "timestamp", "platform"):
                assert event[expected] != REMOVED
            kept = {key: value for key, value in event.items() if key not in {"event_id", "timestamp", "contexts"}}
            assert not PERSONAL.search(json.dumps(kept))
            assert not PERSONAL.search(json.dumps(event["contexts"].get("call", {})))
            assert not {"user", "request", "breadcrumbs", "extra", "server_name"} & set(event)
            assert "vars" not in json.dumps(event)
            assert re.fullmatch(r"[0-9a-f]{32}", event["contexts"]["trace"]["trace_id"])
