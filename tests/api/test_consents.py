"""Opt-in and opt-out by machine: recorded, found again, seen on the thread, and followed when something is sent."""

import pytest
from django_tenants.utils import schema_context

from messaging.models import Consent, Contact
from tests.api.test_messages import AGREED, TEMPLATE, queued
from tests.messaging import meta

STRANGER = {"phoneNumber": "+31697000009"}
PIET = {"phoneNumber": "+31697000001"}


def test_who_never_wrote_gets_no_template_without_an_opt_in(api, approved):
    answer = api.post("/messages", {"recipient": STRANGER, "template": TEMPLATE})
    assert (answer.status_code, answer.json()["code"]) == (409, "opt_in_needed")
    assert queued() == []
    with schema_context("utrecht"):
        assert not Contact.objects.exists()


def test_an_opt_in_is_recorded_first_and_used_after(api, approved):
    answer = api.post("/consents", {"recipient": STRANGER, "word": "OPT_IN", **AGREED})
    assert answer.status_code == 201
    assert answer.json() == {
        "word": "OPT_IN",
        "source": "RECORDED",
        "saidAt": "2026-02-01T09:00:00Z",
        "recordedAt": "2026-03-02T09:00:00Z",
        "how": "Vinkje bij de aanvraag",
        "evidence": "Z-2026-31",
        "recordedBy": "API: Zaaksysteem",
    }
    assert api.post("/messages", {"recipient": STRANGER, "template": TEMPLATE}).status_code == 201


def test_it_may_be_repeated(api, utrecht):
    body = {"recipient": STRANGER, "word": "OPT_IN", **AGREED}
    assert api.post("/consents", body).json() == api.post("/consents", body).json()
    with schema_context("utrecht"):
        assert Consent.objects.count() == 1


def test_an_opt_in_along_with_every_message_does_not_lift_a_later_opt_out(api, approved, utrecht, thread, clock):
    body = {"recipient": PIET, "template": TEMPLATE, "optIn": AGREED}
    assert api.post("/messages", body).status_code == 201
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.S", text="Stop", at=clock.move(minutes=1)))
    answer = api.post("/messages", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "opted_out")


def test_it_is_seen_on_the_thread_and_found_by_citizen(api, utrecht, thread, clock):
    assert api.get(f"/threads/{thread.id}").json()["contact"]["consent"] is None
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.S", text="Stop", at=clock.move(minutes=1)))
    assert api.get(f"/threads/{thread.id}").json()["contact"]["consent"] == "OPT_OUT"
    assert [each["contact"]["consent"] for each in api.get("/threads").json()["items"]] == ["OPT_OUT"]
    (found,) = api.post("/consents/_search", PIET).json()["items"]
    assert (found["word"], found["source"], found["recordedBy"]) == ("OPT_OUT", "MESSAGE", "contact")
    assert api.post("/consents/_search", STRANGER).json() == {"items": []}


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"how": " "}, "/how", "blank"),
        ({"saidAt": "2026-02-01T10:00:00"}, "/saidAt", "invalid"),
        ({"saidAt": "gisteren"}, "/saidAt", "invalid"),
        ({"word": "MAYBE"}, "/word", "invalid_choice"),
        ({"evidence": "x" * 201}, "/evidence", "max_length"),
        ({"by": "me"}, "/by", "unknown"),
    ],
)
def test_it_points_at_what_is_wrong(api, change, pointer, code):
    answer = api.post("/consents", {"recipient": STRANGER, "word": "OPT_IN", **AGREED, **change})
    assert answer.status_code == 400
    assert (pointer, code) in [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


def test_nobody_agrees_in_the_future(api, approved):
    tomorrow = {**AGREED, "saidAt": "2026-03-02T10:00:00Z"}
    for path, body in [
        ("/consents", {"recipient": STRANGER, "word": "OPT_IN", **tomorrow}),
        ("/messages", {"recipient": STRANGER, "template": TEMPLATE, "optIn": tomorrow}),
    ]:
        answer = api.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "consent_in_future")
    with schema_context("utrecht"):
        assert not Consent.objects.exists()
