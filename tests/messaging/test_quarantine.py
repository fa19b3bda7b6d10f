"""What was nobody's is handed over when its number is onboarded: once, in order, whole; else it is erased."""

from datetime import timedelta

import orjson
import pytest
from django.core.management import call_command
from django.db import connection
from django_tenants.utils import schema_context

from audit.models import Entry
from audit.record import Actor
from messaging import inbox, quarantine
from messaging.core.partitions import UNOWNED
from messaging.models import InboxEvent, Message
from tenants import provisioning
from tenants.encryption import encrypt
from tenants.models import Number
from tests.messaging import meta
from whatsapp.payloads import split

ELSEWHERE = {"phone_number_id": "700000000000001", "waba_id": "800000000000001"}


def lay_by(*bodies, at=meta.RECEIVED_AT):
    """Store webhooks in the quarantine as the intake does."""
    with connection.cursor() as cursor:
        for body in bodies:
            for event in split(body=body, received_at=at):
                payload = {"encrypted": encrypt(plain=orjson.dumps(event.payload)).decode(), "waba_id": event.waba_id}
                cursor.execute(
                    "INSERT INTO public.inbox (municipality_id, dedup_key, kind, field, phone_number_id, payload,"
                    " received_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    [
                        UNOWNED,
                        event.dedup_key,
                        event.kind,
                        event.field,
                        event.phone_number_id,
                        orjson.dumps(payload).decode(),
                        at,
                    ],
                )


def of_elsewhere(utrecht, body):
    entry = body["entry"][0]
    entry["id"] = ELSEWHERE["waba_id"]
    entry["changes"][0]["value"]["metadata"]["phone_number_id"] = ELSEWHERE["phone_number_id"]
    return body


def account_update():
    change = {"field": "account_alerts", "value": {"alert_type": "x"}}
    return {"object": "x", "entry": [{"id": ELSEWHERE["waba_id"], "time": 1, "changes": [change]}]}


def left() -> int:
    return sum(each.count for each in quarantine.counts())


@pytest.fixture
def waiting(utrecht, clock):
    """Have three messages and an account update for a number that nobody has."""
    lay_by(*(of_elsewhere(utrecht, meta.message(utrecht, wamid=f"wamid.{n}", text=f"geheim {n}")) for n in range(3)))
    lay_by(account_update())
    return utrecht


def onboard(utrecht, **other) -> Number:
    return Number.objects.create(
        municipality=utrecht,
        **{**ELSEWHERE, **other},
        display_phone_number="+31970100099",
        pseudonym_key_encrypted=Number.new_pseudonym_key(),
        opened_at=meta.RECEIVED_AT,
    )


class TestClaiming:
    def test_it_is_handed_over_in_the_order_of_its_coming_and_applied(self, waiting, clock):
        onboard(waiting)
        assert quarantine.claim(at=clock.now()) == 4
        assert left() == 0
        inbox.drain(schema_name="utrecht")
        with schema_context("utrecht"):
            assert [event.state for event in InboxEvent.objects.order_by("id")] == ["APPLIED"] * 4
            assert list(Message.objects.order_by("created_at").values_list("text", flat=True)) == [
                "geheim 0",
                "geheim 1",
                "geheim 2",
            ]
            noted = Entry.objects.filter(action="inbox.claim").values_list("details", flat=True)
            assert sorted(details["events"] for details in noted) == [1, 3]

    def test_it_happens_once(self, waiting, clock, monkeypatch):
        monkeypatch.setattr(quarantine, "PORTION", 2)
        onboard(waiting)
        assert (quarantine.claim(at=clock.now()), quarantine.claim(at=clock.now())) == (4, 0)

    def test_what_came_again_since_is_not_stored_twice(self, waiting, clock):
        again = of_elsewhere(waiting, meta.message(waiting, wamid="wamid.1", text="geheim 1"))
        onboard(waiting)
        with schema_context("utrecht"):
            meta.store(waiting, again)
        quarantine.claim(at=clock.now())
        inbox.drain(schema_name="utrecht")
        with schema_context("utrecht"):
            assert (InboxEvent.objects.count(), Message.objects.count(), left()) == (4, 3, 0)

    def test_what_is_still_nobodys_stays(self, waiting, clock):
        assert quarantine.claim(at=clock.now()) == 0
        onboard(waiting, phone_number_id="700000000000002", waba_id="800000000000002")
        assert (quarantine.claim(at=clock.now()), left()) == (0, 4)

    def test_an_account_with_numbers_at_two_municipalities_is_nobodys(self, waiting, delft, clock):
        onboard(waiting)
        onboard(delft, phone_number_id="700000000000002")
        assert quarantine.claim(at=clock.now()) == 3
        assert left() == 1

    def test_a_closed_number_claims_nothing(self, waiting, clock):
        onboard(
            waiting,
        )
        Number.objects.filter(**ELSEWHERE).update(closed_at=clock.now())
        assert quarantine.claim(at=clock.now()) == 0

    def test_what_no_key_opens_stays_and_stops_nobody(self, waiting, clock):
        with connection.cursor() as cursor:
            cursor.execute(
                'UPDATE quarantine.inbox_event SET payload = \'{"encrypted": "x"}\''
                " WHERE id = (SELECT min(id) FROM quarantine.inbox_event)"
            )
        onboard(waiting)
        assert (quarantine.claim(at=clock.now()), left()) == (3, 1)

    def test_making_a_municipality_has_it_done_soon(self, committing_db, utrecht, clock, monkeypatch):
        lay_by(of_elsewhere(utrecht, meta.message(utrecht)))
        asked = []
        monkeypatch.setattr(quarantine.current_app, "send_task", lambda name, **_: asked.append(name))
        provisioning.create(
            schema_name="zwolle",
            name="Zwolle",
            cbs_code="GM0193",
            **ELSEWHERE,
            display_phone_number="+31970100193",
            access_token=None,
            actor=Actor.system("tests"),
            at=clock.now(),
        )
        assert asked == ["messaging.tasks.claim_unowned"]
        assert quarantine.claim(at=clock.now()) == 1
        inbox.drain(schema_name="zwolle")
        with schema_context("zwolle"):
            assert Message.objects.get().text == "Goedemorgen"


class TestErasing:
    def test_what_nobody_claims_goes_after_thirty_days(self, waiting, clock):
        assert quarantine.erase(at=meta.RECEIVED_AT + timedelta(days=30)) == 0
        assert quarantine.erase(at=meta.RECEIVED_AT + timedelta(days=30, seconds=1)) == 4
        assert left() == 0
        assert Entry.objects.get(action="quarantine.erase").details["events"] == 4


class TestWhatIsShown:
    def test_it_is_counts_by_number_or_account(self, waiting, capsys):
        shown = quarantine.counts()
        assert [(each.phone_number_id, each.waba_id, each.count) for each in shown] == [
            (ELSEWHERE["phone_number_id"], "", 3),
            ("", ELSEWHERE["waba_id"], 1),
        ]
        call_command("claim_events", "--list")
        said = capsys.readouterr().out
        assert f"unclaimed: 3 of number {ELSEWHERE['phone_number_id']}" in said
        assert "geheim" not in said

    def test_the_command_hands_over(self, waiting, capsys):
        onboard(waiting)
        call_command("claim_events")
        assert capsys.readouterr().out == "handed over 4 events\n"
