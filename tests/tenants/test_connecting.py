"""Connecting to Meta, against the sandbox over HTTP: each step once, again, refused, and after its process died."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone
from django_tenants.utils import schema_context

from audit.models import Entry
from audit.record import Actor
from config.local.folders import ROOT
from messaging.models import Template
from messaging.office.notice import compose_notice
from messaging.templates import submitting
from tenants import health
from tenants.models import ApplicationVersion, Connection, ConnectionStep, Municipality, Number, Onboarding
from tenants.onboarding import connecting, signup, steps
from tenants.onboarding.application import begin
from tenants.onboarding.connecting import take_step
from tenants.onboarding.models import Part
from tenants.onboarding.moves import NotReady, move
from tenants.onboarding.signup import confirm_again, connect_by_hand, connect_by_signup, make_tenant
from tenants.onboarding.steps import StepRefused
from tenants.stages import Stage
from tests.tenants.road import ANSWERS, CBS_CODE, NUMBER, declare
from whatsapp.business import BusinessAPI
from whatsapp.client import CloudAPI

ANNA = Actor(schema="public", id="anna", name="Anna")
BRAM = Actor(schema="public", id="bram", name="Bram")
WABA, PHONE, LINE = "555000000193", "666000000193", "700000000000001"
BY_HAND = {"day": "2026-03-01", "reference": "GOV-17"}


class Meta:
    """The sandbox, by its doors."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, path: str, body: dict | None = None) -> dict:
        """Call a control door."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data=data)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def signs_up(self, **more: str) -> tuple[str, str]:
        """Play a customer who finishes Embedded Signup; return the code, and what the browser is told."""
        given = {"waba_id": WABA, "name": "Zwolle", "phone_number_id": PHONE, "display_phone_number": "+31 38 4989111"}
        made = self.control("signups", {**given, **more})
        return made["code"], json.dumps(made["message"])


@pytest.fixture(scope="module")
def process() -> Iterator[Meta]:
    """Run the sandbox, whose webhooks go nowhere."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {**os.environ, "SANDBOX_WEBHOOK_URL": "http://127.0.0.1:9/", "CLOCK_FILE": "", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "sandbox", "--port", str(port)]
    running = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = Meta(f"http://127.0.0.1:{port}")
    try:
        for _ in range(200):
            try:
                found.control("healthz")
                break
            except OSError:
                time.sleep(0.1)
        yield found
    finally:
        running.terminate()
        running.wait(timeout=10)


@pytest.fixture
def meta(process, settings) -> Meta:
    """Return an empty Meta, with a line of credit of ours."""
    process.control("reset", {})
    settings.META_GRAPH_URL, settings.META_CREDIT_LINE_ID = process.url, LINE
    return process


@pytest.fixture
def approved(utrecht, clock) -> Onboarding:
    """Return an onboarding that is approved."""
    connection.set_schema_to_public()
    return _approved(clock.now())


def _approved(at) -> Onboarding:
    onboarding = begin(cbs_code=CBS_CODE, actor=ANNA, at=at)
    declare(onboarding, actor=ANNA, at=at)
    return move(onboarding_id=onboarding.id, seen="DECLARED", to=Stage.APPROVED, actor=BRAM, at=at)


def _signup(onboarding: Onboarding, meta: Meta, at, **more: str) -> ConnectionStep:
    code, said = meta.signs_up(**more)
    return connect_by_signup(onboarding_id=onboarding.id, code=code, said=said, actor=ANNA, at=at)


def _installed(at) -> None:
    number = Number.objects.get(phone_number_id=PHONE)
    health.tell(number=number, aspect="connection", values={"connection": "PARTNER_APP_INSTALLED"}, at=at)


def _walk(onboarding: Onboarding, clock, *, meta: Meta, times: int = 1) -> None:
    """Go the whole road, taking each step so often."""

    def take(step: str, given: dict | None = None) -> None:
        for _ in range(times):
            row = take_step(onboarding_id=onboarding.id, step=step, given=given or {}, actor=ANNA, at=clock.now())
            assert (row.state, row.outcome) == ("DONE", "done"), (step, row.outcome, row.evidence)

    def go(to: Stage) -> None:
        found = Onboarding.objects.get(id=onboarding.id)
        move(onboarding_id=onboarding.id, seen=found.stage, to=to, actor=ANNA, at=clock.now())

    assert _signup(onboarding, meta, clock.now()).outcome == "done"
    for _ in range(times):
        assert make_tenant(onboarding_id=onboarding.id, actor=ANNA, at=clock.now()).outcome == "done"
    for step in ("SUBSCRIBE", "CREDIT"):
        take(step)
    take("GOVERNMENT_FORM", BY_HAND)
    go(Stage.GOVERNMENT_APPROVAL_PENDING)
    take("GOVERNMENT_APPROVAL", BY_HAND)
    take("STORAGE")
    take("REGISTER")
    go(Stage.REGISTERED)
    for step in ("PROFILE", "READ_BACK"):
        take(step)
    _installed(clock.now())
    take("INSTALLED")
    go(Stage.LIVE)


class TestSignup:
    """What the browser says is a claim, which Meta confirms or does not."""

    def test_a_finished_signup_is_confirmed_and_its_token_kept_encrypted(self, meta, approved, clock):
        assert _signup(approved, meta, clock.now()).state == "DONE"
        kept = Connection.objects.get(onboarding=approved)
        assert (kept.waba_id, kept.phone_number_id, kept.display_phone_number) == (WABA, PHONE, NUMBER)
        assert kept.access_token().startswith("business-token-")
        assert b"business-token" not in bytes(kept.access_token_encrypted)
        step = ConnectionStep.objects.get(onboarding=approved, step="SIGNUP")
        assert "business-token" not in json.dumps(step.evidence)
        assert "business-token" not in json.dumps(list(Entry.objects.values_list("details", flat=True)))

    def test_an_event_that_names_anothers_account_is_found_out(self, meta, approved, clock):
        meta.control(
            "businesses", {"waba_id": "555000000999", "name": "Ander", "access_token": "x", "phone_numbers": []}
        )
        code, said = meta.signs_up()
        forged = said.replace(WABA, "555000000999")
        step = connect_by_signup(onboarding_id=approved.id, code=code, said=forged, actor=ANNA, at=clock.now())
        assert (step.state, step.outcome) == ("FAILED", "token_opens_another")

    def test_an_event_that_names_anothers_number_is_found_out(self, meta, approved, clock):
        code, said = meta.signs_up()
        forged = said.replace(PHONE, "666000000999")
        step = connect_by_signup(onboarding_id=approved.id, code=code, said=forged, actor=ANNA, at=clock.now())
        assert step.outcome == "number_of_another"

    def test_another_number_than_the_applications_is_refused(self, meta, approved, clock):
        assert _signup(approved, meta, clock.now(), display_phone_number="+31 20 6240000").outcome == "another_number"

    def test_a_code_that_is_over_says_so_and_another_one_works(self, meta, approved, clock):
        meta.control("switches", {"signup_code_seconds": 0})
        assert _signup(approved, meta, clock.now()).outcome == "meta_100"
        meta.control("switches", {"signup_code_seconds": 30})
        code = meta.control("signups/code", {"waba_id": WABA})["code"]
        said = json.dumps(
            {
                "type": "WA_EMBEDDED_SIGNUP",
                "event": "FINISH",
                "data": {"waba_id": WABA, "phone_number_id": PHONE},
            }
        )
        step = connect_by_signup(onboarding_id=approved.id, code=code, said=said, actor=ANNA, at=clock.now())
        assert (step.outcome, step.attempts) == ("done", 2)

    def test_a_code_works_once(self, meta, approved, clock):
        code, said = meta.signs_up()
        connect_by_signup(onboarding_id=approved.id, code=code, said=said, actor=ANNA, at=clock.now())
        again = connect_by_signup(onboarding_id=approved.id, code=code, said=said, actor=ANNA, at=clock.now())
        assert again.outcome == "meta_100"

    def test_a_flow_that_ends_without_a_number_is_confirmed_once_there_is_one(self, meta, approved, clock):
        made = meta.control("signups", {"waba_id": WABA, "name": "Zwolle"})
        given = {"code": made["code"], "said": json.dumps(made["message"])}
        assert connect_by_signup(onboarding_id=approved.id, actor=ANNA, at=clock.now(), **given).outcome == "no_number"
        token = Connection.objects.get(onboarding=approved).access_token()
        body = json.dumps({"country_code": "31", "phone_number": "384989111", "verified_name": "Zwolle"}).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{meta.url}/v24.0/{WABA}/phone_numbers", data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=20):
            pass
        step = confirm_again(onboarding_id=approved.id, actor=ANNA, at=clock.now())
        assert (step.outcome, step.evidence["code_verification_status"]) == ("done", "NOT_VERIFIED")

    @pytest.mark.parametrize(
        ("said", "outcome"),
        [
            ("", "event_unreadable"),
            ("{", "event_unreadable"),
            ('"x"', "event_unreadable"),
            ('{"type": "WA_EMBEDDED_SIGNUP", "event": "FINISH"}', "event_unreadable"),
            ('{"type": "OTHER", "event": "FINISH", "data": {}}', "event_unreadable"),
            ('{"type": "WA_EMBEDDED_SIGNUP", "event": "CANCEL", "data": {"current_step": "X"}}', "cancelled"),
            ('{"type": "WA_EMBEDDED_SIGNUP", "event": "ERROR", "data": {"error_code": 1}}', "signup_error"),
            ('{"type": "WA_EMBEDDED_SIGNUP", "event": "CANCEL", "data": {"error_message": "x"}}', "signup_error"),
            ('{"type": "WA_EMBEDDED_SIGNUP", "event": "ERROR", "data": []}', "signup_error"),
            ('{"type": "WA_EMBEDDED_SIGNUP", "event": "FINISH", "data": {"waba_id": "../me"}}', "no_account"),
            ("x" * 6000, "event_unreadable"),
        ],
    )
    def test_what_is_no_such_event_is_refused(self, meta, approved, clock, said, outcome):
        step = connect_by_signup(onboarding_id=approved.id, code="AQx", said=said, actor=ANNA, at=clock.now())
        assert (step.state, step.outcome) == ("FAILED", outcome)

    def test_what_a_window_tells_that_was_left_is_kept_and_takes_nothing_back(self, meta, approved, clock):
        given = {"onboarding_id": approved.id, "code": "", "actor": ANNA, "at": clock.now()}
        told = {"error_message": "Bel 06 12345678", "error_code": 524126, "session_id": "s-1", "current_step": "<b>"}
        failed = json.dumps({"type": "WA_EMBEDDED_SIGNUP", "event": "ERROR", "data": told})
        step = connect_by_signup(said=failed, **given)
        assert (step.outcome, step.evidence) == ("signup_error", {"error_code": "524126", "session_id": "s-1"})
        left = json.dumps({"type": "WA_EMBEDDED_SIGNUP", "event": "CANCEL", "data": {"current_step": "<b>"}})
        assert connect_by_signup(said=left, **given).evidence == {}
        assert _signup(approved, meta, clock.now()).state == "DONE"
        with pytest.raises(StepRefused, match="kept"):
            connect_by_signup(said=failed, **given)
        assert ConnectionStep.objects.get(onboarding=approved, step="SIGNUP").state == "DONE"

    def test_by_hand_is_confirmed_as_well(self, meta, approved, clock):
        meta.signs_up()
        given = {"onboarding_id": approved.id, "token": "", "actor": ANNA, "at": clock.now()}
        assert connect_by_hand(waba_id="abc", phone_number_id=PHONE, **given).outcome == "ids"
        assert connect_by_hand(waba_id=WABA, phone_number_id="666000000111", **given).outcome == "number_of_another"
        wrong = {**given, "token": "geen-teken"}
        assert connect_by_hand(waba_id=WABA, phone_number_id=PHONE, **wrong).outcome == "token_opens_another"
        assert connect_by_hand(waba_id=WABA, phone_number_id=PHONE, **given).outcome == "done"

    def test_nobody_is_connected_before_they_are_approved(self, meta, utrecht, clock):
        connection.set_schema_to_public()
        onboarding = begin(cbs_code=CBS_CODE, actor=ANNA, at=clock.now())
        with pytest.raises(StepRefused, match="not_now"):
            _signup(onboarding, meta, clock.now())
        with pytest.raises(StepRefused, match="not_now"):
            take_step(onboarding_id=onboarding.id, step="REGISTER", given={}, actor=ANNA, at=clock.now())


class TestSteps:
    """From the signup to live."""

    def test_the_whole_road_ends_live_and_complete(self, meta, approved, clock):
        _walk(approved, clock, meta=meta)
        municipality = Municipality.objects.get(cbs_code=CBS_CODE)
        assert (municipality.stage, municipality.schema_name) == ("LIVE", "zwolle")
        number = Number.objects.get(phone_number_id=PHONE)
        assert number.access_token().startswith("business-token-")
        assert number.health.verified_name
        assert {row.purpose for row in municipality.declared_purposes.all()} == {"PERMITS", "SERVICES"}
        with schema_context("zwolle"):
            assert compose_notice(name="Zwolle").endswith(ANSWERS[Part.PRIVACY]["privacy_page"])
        shown = meta.control(f"numbers/{PHONE}")
        assert shown["status"] == "CONNECTED"
        assert shown["pin"] == Connection.objects.get(onboarding=approved).pin()
        assert shown["pin"] not in json.dumps(list(ConnectionStep.objects.values_list("evidence", flat=True)))

    def test_each_step_may_be_taken_again(self, meta, approved, clock):
        _walk(approved, clock, meta=meta, times=2)
        assert ConnectionStep.objects.filter(onboarding=approved, state="DONE").count() == len(STEPS)
        looked = {row.step: row.evidence.get("was_there") for row in approved.steps.all()}
        asked_first = ("TENANT", "SUBSCRIBE", "CREDIT", "STORAGE", "REGISTER", "PROFILE")
        assert [looked[step] for step in asked_first] == [True] * len(asked_first)
        assert Municipality.objects.filter(cbs_code=CBS_CODE).count() == 1

    def test_a_step_waits_for_those_before_it(self, meta, approved, clock):
        assert _signup(approved, meta, clock.now()).outcome == "done"
        make_tenant(onboarding_id=approved.id, actor=ANNA, at=clock.now())
        with pytest.raises(StepRefused, match="first SUBSCRIBE"):
            take_step(onboarding_id=approved.id, step="CREDIT", given={}, actor=ANNA, at=clock.now())
        with pytest.raises(NotReady) as unready:
            move(
                onboarding_id=approved.id,
                seen="CONNECTED",
                to=Stage.GOVERNMENT_APPROVAL_PENDING,
                actor=ANNA,
                at=clock.now(),
            )
        assert {each.field for each in unready.value.missing} == {"SUBSCRIBE", "CREDIT", "GOVERNMENT_FORM"}

    def test_who_was_approved_before_a_page_on_privacy_was_asked_is_made_and_it_is_said(self, meta, approved, clock):
        older = {name: answer for name, answer in ANSWERS[Part.PRIVACY].items() if name != "privacy_page"}
        kept = {"onboarding": approved, "part": Part.PRIVACY, "version": 2, "values": older, "by_name": "Anna"}
        ApplicationVersion.objects.create(at=clock.now(), by_schema="public", by_id="anna", **kept)
        assert _signup(approved, meta, clock.now()).outcome == "done"
        step = make_tenant(onboarding_id=approved.id, actor=ANNA, at=clock.now())
        assert (step.outcome, step.evidence["privacy_notice"]) == ("done", False)
        with schema_context("zwolle"):
            assert compose_notice(name="Zwolle") is None

    def test_a_number_that_has_a_pin_asks_for_it(self, meta, approved, clock):
        meta.signs_up()
        meta.control(f"numbers/{PHONE}", {"pin": "123456"})
        given = {"onboarding_id": approved.id, "actor": ANNA, "at": clock.now()}
        connect_by_hand(waba_id=WABA, phone_number_id=PHONE, token="", **given)
        make_tenant(**given)
        for step in ("SUBSCRIBE", "CREDIT"):
            take_step(step=step, given={}, **given)
        take_step(step="GOVERNMENT_FORM", given=BY_HAND, **given)
        move(seen="CONNECTED", to=Stage.GOVERNMENT_APPROVAL_PENDING, **given)
        take_step(step="GOVERNMENT_APPROVAL", given=BY_HAND, **given)
        take_step(step="STORAGE", given={}, **given)
        assert take_step(step="REGISTER", given={}, **given).outcome == "meta_133005"
        assert take_step(step="REGISTER", given={"pin": "12"}, **given).outcome == "pin_form"
        assert take_step(step="REGISTER", given={"pin": "123456"}, **given).outcome == "done"

    def test_a_number_that_is_not_proven_is_proven_first(self, meta, approved, clock):
        meta.signs_up()
        meta.control(f"numbers/{PHONE}", {"code_verification_status": "NOT_VERIFIED"})
        given = {"onboarding_id": approved.id, "actor": ANNA, "at": clock.now()}
        connect_by_hand(waba_id=WABA, phone_number_id=PHONE, token="", **given)
        make_tenant(**given)
        for step in ("SUBSCRIBE", "CREDIT"):
            take_step(step=step, given={}, **given)
        take_step(step="GOVERNMENT_FORM", given=BY_HAND, **given)
        move(seen="CONNECTED", to=Stage.GOVERNMENT_APPROVAL_PENDING, **given)
        take_step(step="GOVERNMENT_APPROVAL", given=BY_HAND, **given)
        take_step(step="STORAGE", given={}, **given)
        assert take_step(step="REGISTER", given={}, **given).outcome == "number_not_verified"
        assert take_step(step="REQUEST_CODE", given={"method": "PIGEON"}, **given).outcome == "method"
        assert take_step(step="REQUEST_CODE", given={"method": "SMS"}, **given).outcome == "done"
        assert take_step(step="VERIFY_CODE", given={"code": "1"}, **given).outcome == "code_form"
        code = meta.control(f"numbers/{PHONE}")["verification_code"]
        other = "000000" if code != "000000" else "000001"
        assert take_step(step="VERIFY_CODE", given={"code": other}, **given).outcome == "code_wrong"
        assert take_step(step="VERIFY_CODE", given={"code": code}, **given).outcome == "done"
        assert take_step(step="REGISTER", given={}, **given).outcome == "done"

    def test_what_a_person_did_at_meta_has_a_day_and_a_reference(self, meta, approved, clock):
        assert _signup(approved, meta, clock.now()).outcome == "done"
        make_tenant(onboarding_id=approved.id, actor=ANNA, at=clock.now())
        for given, outcome in (
            ({}, "day"),
            ({"day": "2030-01-01", "reference": "x"}, "day_in_future"),
            ({"day": "2026-03-01"}, "reference"),
        ):
            step = take_step(onboarding_id=approved.id, step="GOVERNMENT_FORM", given=given, actor=ANNA, at=clock.now())
            assert step.outcome == outcome

    def test_an_answer_that_never_came_is_told_and_tried_again(self, meta, approved, clock, settings):
        assert _signup(approved, meta, clock.now()).outcome == "done"
        make_tenant(onboarding_id=approved.id, actor=ANNA, at=clock.now())
        given = {"onboarding_id": approved.id, "step": "SUBSCRIBE", "given": {}, "actor": ANNA, "at": clock.now()}
        settings.META_GRAPH_URL = "http://127.0.0.1:9"
        assert take_step(**given).outcome == "unreachable"
        settings.META_GRAPH_URL = meta.url
        assert take_step(**given).outcome == "done"

    def test_two_clicks_call_once(self, meta, committing_db, clock, monkeypatch):
        connection.set_schema_to_public()
        onboarding = _approved(clock.now())
        assert _signup(onboarding, meta, clock.now()).outcome == "done"
        inside, go_on, outcomes = threading.Event(), threading.Event(), []
        real = signup._make

        def slowly(claim):
            inside.set()
            assert go_on.wait(30)
            return real(claim)

        monkeypatch.setattr(signup, "_make", slowly)

        def first() -> None:
            try:
                connection.set_schema_to_public()
                outcomes.append(make_tenant(onboarding_id=onboarding.id, actor=ANNA, at=clock.now()).outcome)
            finally:
                connections.close_all()

        thread = threading.Thread(target=first)
        thread.start()
        assert inside.wait(20)
        with pytest.raises(StepRefused, match="busy"):
            make_tenant(onboarding_id=onboarding.id, actor=BRAM, at=clock.now())
        go_on.set()
        thread.join(120)
        assert outcomes == ["done"]
        assert ConnectionStep.objects.get(step="TENANT").attempts == 1


STEPS = [
    "SIGNUP",
    "TENANT",
    "SUBSCRIBE",
    "CREDIT",
    "GOVERNMENT_FORM",
    "GOVERNMENT_APPROVAL",
    "STORAGE",
    "REGISTER",
    "PROFILE",
    "READ_BACK",
    "INSTALLED",
]
MOVES_AFTER = {
    "GOVERNMENT_FORM": ("CONNECTED", Stage.GOVERNMENT_APPROVAL_PENDING),
    "REGISTER": ("GOVERNMENT_APPROVAL_PENDING", Stage.REGISTERED),
    "INSTALLED": ("REGISTERED", Stage.LIVE),
}


class Deaths:
    """Where processes are killed: at each point once, with what they did there done and nothing of it written down."""

    def __init__(self, path) -> None:
        self.path, self.armed = path, False
        path.touch()

    def points(self) -> list[str]:
        """Return where one died already."""
        return self.path.read_text().splitlines()

    def meet(self, point: str) -> None:
        """Be killed here, if no process was before."""
        if self.armed and point not in self.points():
            with self.path.open("a") as file:
                file.write(f"{point}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, monkeypatch) -> None:
        """Stand after each answer of Meta's to what changes something, after each claim, and after each outcome."""
        real = {"claim": steps.claim_step, "settle": steps.settle_step}
        asked, created, made = BusinessAPI._call, CloudAPI.create_template, signup._make

        def claim(*, step, **more):
            found = real["claim"](step=step, **more)
            self.meet(f"claimed {step}")
            return found

        def settle(*, claim, **more):
            found = real["settle"](claim=claim, **more)
            self.meet(f"settled {claim.step}")
            return found

        async def call(api, method, path, *args, **more):
            answer = await asked(api, method, path, *args, **more)
            if method != "GET" or path.startswith("oauth"):
                self.meet(f"answered {path}")
            return answer

        async def create(api, *, name, language, **more):
            answer = await created(api, name=name, language=language, **more)
            self.meet(f"created {name} {language}")
            return answer

        def make(claim):
            evidence = made(claim)
            self.meet("made TENANT")
            return evidence

        monkeypatch.setattr(signup, "_make", make)
        for module in (connecting, signup):
            monkeypatch.setattr(module, "claim_step", claim)
            monkeypatch.setattr(module, "settle_step", settle)
        monkeypatch.setattr(BusinessAPI, "_call", call)
        monkeypatch.setattr(CloudAPI, "create_template", create)


def _go_on(onboarding: Onboarding, meta: Meta, at) -> None:
    """Take all that is not done yet, as people do who come back; hand its templates in at the end."""
    given = {"onboarding_id": onboarding.id, "actor": ANNA, "at": at}
    for step in STEPS:
        if not ConnectionStep.objects.filter(onboarding=onboarding, step=step, state="DONE").exists():
            if step == "INSTALLED":
                _installed(at)
            row = _take(onboarding, meta, step, given)
            assert row.outcome == "done", (step, row.outcome)
        seen, to = MOVES_AFTER.get(step, ("", Stage.LIVE))
        if Onboarding.objects.get(id=onboarding.id).stage == seen:
            move(seen=seen, to=to, **given)
    number = Number.objects.get(phone_number_id=PHONE)
    with schema_context("zwolle"):
        assert not [each for each in submitting.submit_drafts(number=number, at=at) if each.problems or each.refused]


def _take(onboarding: Onboarding, meta: Meta, step: str, given: dict) -> ConnectionStep:
    if step == "TENANT":
        return make_tenant(**given)
    if step != "SIGNUP":
        return take_step(step=step, given=BY_HAND, **given)
    if Connection.objects.filter(onboarding=onboarding).exists():  # what the code gave was kept
        return confirm_again(**given)
    data = {"waba_id": WABA, "phone_number_id": PHONE}
    said = json.dumps({"type": "WA_EMBEDDED_SIGNUP", "event": "FINISH", "data": data})
    return connect_by_signup(code=meta.control("signups/code", {"waba_id": WABA})["code"], said=said, **given)


def _in_a_process(deaths: Deaths, work) -> int:
    """Work in a process of its own; return the signal that ended it, or 0."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            deaths.armed = True
            work()
            os._exit(0)
        except Exception:
            traceback.print_exc()
            raise
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    connection.set_schema_to_public()
    assert status in {0, signal.SIGKILL}
    return os.WTERMSIG(status)


def test_killed_at_any_point_and_begun_again_it_is_one_complete_tenant_and_nothing_was_done_twice_at_meta(
    meta, committing_db, clock, monkeypatch, tmp_path
):
    connection.set_schema_to_public()
    onboarding, deaths = _approved(clock.now()), Deaths(tmp_path / "deaths")
    meta.signs_up()
    deaths.watch(monkeypatch)
    while _in_a_process(deaths, lambda: _go_on(onboarding, meta, clock.now())) == signal.SIGKILL:
        # Leases run on real time: theirs is over.
        over = timezone.now() - timedelta(seconds=1)
        ConnectionStep.objects.filter(state="RUNNING").update(leased_until=over)
    drafts = len([point for point in deaths.points() if point.startswith("created")])
    assert drafts == 4
    assert len(deaths.points()) == 2 * len(STEPS) + 7 + drafts
    assert Municipality.objects.filter(cbs_code=CBS_CODE, stage="LIVE").count() == 1
    assert Number.objects.filter(phone_number_id=PHONE, closed_at=None).count() == 1
    done = ConnectionStep.objects.filter(onboarding=onboarding, state="DONE").values_list("step", flat=True)
    assert sorted(done) == sorted(STEPS)
    with schema_context("zwolle"):
        assert not Template.objects.filter(status="DRAFT").exists()
    asked = Counter(row["path"].rpartition("/")[2] for row in meta.control("books?list=changes")["changes"]["rows"])
    assert asked == {
        **dict.fromkeys(
            (
                "subscribed_apps",
                "whatsapp_credit_sharing_and_attach",
                "settings",
                "register",
                "whatsapp_business_profile",
            ),
            1,
        ),
        "message_templates": drafts,
    }
