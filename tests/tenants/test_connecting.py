"""Connecting to Meta, against the sandbox over HTTP: each step once, again, refused, and after its process died."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from audit.models import Entry
from audit.record import Actor
from config.local.folders import ROOT
from tenants import health
from tenants.models import Connection, ConnectionStep, Municipality, Number, Onboarding
from tenants.onboarding import connecting, signup, steps
from tenants.onboarding.application import begin
from tenants.onboarding.connecting import take_step
from tenants.onboarding.moves import NotReady, move
from tenants.onboarding.signup import confirm_again, connect_by_hand, connect_by_signup, make_tenant
from tenants.onboarding.steps import StepRefused
from tenants.stages import Stage
from tests.tenants.road import CBS_CODE, NUMBER, declare

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
            ('{"type": "WA_EMBEDDED_SIGNUP", "event": "FINISH", "data": {"waba_id": "../me"}}', "no_account"),
            ("x" * 6000, "event_unreadable"),
        ],
    )
    def test_what_is_no_such_event_is_refused(self, meta, approved, clock, said, outcome):
        step = connect_by_signup(onboarding_id=approved.id, code="AQx", said=said, actor=ANNA, at=clock.now())
        assert (step.state, step.outcome) == ("FAILED", outcome)

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
        shown = meta.control(f"numbers/{PHONE}")
        assert shown["status"] == "CONNECTED"
        assert shown["pin"] == Connection.objects.get(onboarding=approved).pin()
        assert shown["pin"] not in json.dumps(list(ConnectionStep.objects.values_list("evidence", flat=True)))

    def test_each_step_may_be_taken_again(self, meta, approved, clock):
        _walk(approved, clock, meta=meta, times=2)
        assert ConnectionStep.objects.filter(onboarding=approved, state="DONE").count() == len(STEPS)
        looked = {row.step: row.evidence.get("was_there") for row in approved.steps.all()}
        asked_first = ("TENANT", "SUBSCRIBE", "CREDIT", "STORAGE", "REGISTER")
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


class Killed(BaseException):
    """The process ends here: nothing after it runs."""


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


@pytest.mark.parametrize("killed_in", STEPS)
def test_a_process_that_dies_after_a_steps_calls_and_begins_again_ends_with_one_complete_tenant(
    meta, approved, clock, monkeypatch, killed_in
):
    """Meta has done all of the step, and nobody has written it down: what a kill leaves at the worst moment."""
    real = steps.settle_step
    died: list[str] = []

    def dies(*, claim, **more):
        if claim.step == killed_in and not died:
            died.append(claim.step)
            raise Killed
        return real(claim=claim, **more)

    monkeypatch.setattr(connecting, "settle_step", dies)
    monkeypatch.setattr(signup, "settle_step", dies)
    with pytest.raises(Killed):
        _walk(approved, clock, meta=meta)
    row = ConnectionStep.objects.get(onboarding=approved, step=killed_in)
    assert row.state == "RUNNING"
    with pytest.raises(StepRefused, match="busy"):
        steps.claim_step(onboarding_id=approved.id, step=killed_in, actor=ANNA, at=clock.now())
    # The lease runs on real time.
    ConnectionStep.objects.filter(id=row.id).update(leased_until=timezone.now() - timedelta(seconds=1))
    if killed_in == "SIGNUP":  # its code was used: what it gave is kept, and confirmed without another
        assert confirm_again(onboarding_id=approved.id, actor=ANNA, at=clock.now()).outcome == "done"
    elif killed_in == "TENANT":
        assert make_tenant(onboarding_id=approved.id, actor=ANNA, at=clock.now()).outcome == "done"
    stage = Onboarding.objects.get(id=approved.id).stage
    _go_on(approved, clock, Stage(stage))
    assert Municipality.objects.filter(cbs_code=CBS_CODE, stage="LIVE").count() == 1
    assert Number.objects.filter(phone_number_id=PHONE, closed_at=None).count() == 1
    assert set(ConnectionStep.objects.filter(onboarding=approved, state="DONE").values_list("step", flat=True)) == set(
        STEPS
    )


def _go_on(onboarding: Onboarding, clock, stage: Stage) -> None:
    """Take all that is not done yet, from the stage in which it is."""
    given = {"onboarding_id": onboarding.id, "actor": ANNA, "at": clock.now()}
    roads = [
        (Stage.APPROVED, ("TENANT",), None),
        (Stage.CONNECTED, ("SUBSCRIBE", "CREDIT", "GOVERNMENT_FORM"), Stage.GOVERNMENT_APPROVAL_PENDING),
        (Stage.GOVERNMENT_APPROVAL_PENDING, ("GOVERNMENT_APPROVAL", "STORAGE", "REGISTER"), Stage.REGISTERED),
        (Stage.REGISTERED, ("PROFILE", "READ_BACK", "INSTALLED"), Stage.LIVE),
    ]
    begun = [each[0] for each in roads].index(stage)
    for at_stage, names, to in roads[begun:]:
        for name in names:
            if ConnectionStep.objects.filter(onboarding=onboarding, step=name, state="DONE").exists():
                continue
            if name == "INSTALLED":
                _installed(clock.now())
            row = make_tenant(**given) if name == "TENANT" else take_step(step=name, given=BY_HAND, **given)
            assert row.outcome == "done", (name, row.outcome)
        if to is not None:
            move(seen=at_stage, to=to, **given)
