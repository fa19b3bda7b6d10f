"""Who is suspended, resumed or ended is told: each admin by mail, and the municipality's own trail."""

from datetime import date
from uuid import UUID

import pytest
from django.db import connection, transaction
from django_tenants.utils import schema_context

from accounts import letters, posting
from accounts.models import Mail, RoleGrant
from audit.models import Entry
from audit.record import Actor
from tenants.models import ApplicationVersion, Municipality, Onboarding, StageMove
from tenants.onboarding.moves import MoveRefused, move
from tenants.stages import Stage

OTTO = Actor(schema="public", id=str(UUID(int=2)), name="Otto Operator")
WHY = "Er wordt iets nagegaan."


@pytest.fixture
def go(utrecht, clock):
    """Return what moves Utrecht on, at the console."""

    def moved(seen: str, to: Stage, *, reason: str = "", **more: date | None) -> None:
        connection.set_schema_to_public()
        onboarding = Onboarding.objects.get(municipality=utrecht)
        move(onboarding_id=onboarding.id, seen=seen, to=to, actor=OTTO, at=clock.now(), reason=reason, **more)

    return moved


def waiting() -> int:
    with schema_context("utrecht"):
        return Mail.objects.exclude(state="SENT").count()


def test_each_admin_is_told_in_their_language_why_since_when_and_whom_to_ask(go, clock, mailed):
    go("LIVE", Stage.SUSPENDED, reason=WHY)
    dutch, english = mailed()
    assert (dutch.to, english.to) == (["bea@utrecht.example"], ["john@utrecht.example"])
    assert dutch.subject == "Het verzenden is opgeschort – WhatsApp van de gemeente Utrecht"
    assert english.subject.startswith("Sending was suspended")
    for said in (
        f"Waarom: {WHY}",
        "Otto Operator",
        "op 2 maart 2026 10:00",
        "komt nog binnen",
        "http://utrecht.localhost",
    ):
        assert said in dutch.body
    assert "still comes in" in english.body
    clock.move(hours=3)
    go("SUSPENDED", Stage.LIVE)
    dutch, english = mailed()
    assert dutch.subject.startswith("Het verzenden is hervat")
    for said in ("2 March 2026", f"Why: {WHY}", "Otto Operator", "resumed", "suspended since"):
        assert said in english.body
    assert mailed() == []
    with schema_context("utrecht"):
        trail = Entry.objects.filter(action="onboarding.move").order_by("sequence")
        assert [each.details["to"] for each in trail] == ["SUSPENDED", "LIVE"]
        assert WHY not in str(list(trail.values_list("details", flat=True)))


def test_of_both_shortly_after_each_other_one_mail_goes_and_tells_of_both(go, clock, mailed):
    go("LIVE", Stage.SUSPENDED, reason=WHY)
    go("SUSPENDED", Stage.LIVE)
    assert waiting() == 2
    dutch, _ = mailed()
    assert "hervat" in dutch.subject
    assert WHY in dutch.body


def test_nobody_is_told_what_did_not_happen_or_holds_no_longer(go, mailed):
    for reason in ("", "x" * 1001):
        with pytest.raises(MoveRefused):
            go("LIVE", Stage.SUSPENDED, reason=reason)
    with pytest.raises(MoveRefused, match="moved_meanwhile"):
        go("SUSPENDED", Stage.LIVE)
    assert waiting() == 0
    go("LIVE", Stage.SUSPENDED, reason=WHY)
    with schema_context("utrecht"):
        RoleGrant.objects.filter(role="ADMIN").delete()
        for each in Mail.objects.all():
            assert posting.send(mail_id=each.id, write=letters.write) is None
    assert waiting() == 0


def test_who_is_ended_is_told_what_becomes_of_their_data_and_until_when(go, utrecht, clock, mailed):
    go("LIVE", Stage.SUSPENDED, reason=WHY)
    for day in (None, date(2026, 3, 2), date(2026, 3, 1)):  # none, today, before
        with pytest.raises(MoveRefused, match="no_data_until"):
            go("SUSPENDED", Stage.OFFBOARDED, reason="Opgezegd.", data_until=day)
    assert Municipality.objects.get(id=utrecht.id).stage == "SUSPENDED"
    privacy = {"onboarding": utrecht.onboarding, "part": "PRIVACY", "version": 1, "by_name": "Anna"}
    values = {"agreement": "Verwerkersovereenkomst 3.0", "agreement_date": "2026-02-01"}
    ApplicationVersion.objects.create(at=clock.now(), by_schema="public", by_id="a", values=values, **privacy)
    go("SUSPENDED", Stage.OFFBOARDED, reason="Opgezegd.", data_until=date(2026, 6, 30))
    dutch, english = mailed()  # one each: that of the suspension was not sent yet, and holds no longer
    assert dutch.subject == "WhatsApp op dit platform is beëindigd – WhatsApp van de gemeente Utrecht"
    for said in (
        "Waarom: Opgezegd.",
        "op 2 maart 2026 10:00",
        "tot en met 30 juni 2026",
        "Verwerkersovereenkomst 3.0, 1 februari 2026",
        "Otto Operator",
        "http://utrecht.localhost",
    ):
        assert said in dutch.body
    assert WHY not in dutch.body
    assert "until 30 June 2026" in english.body
    assert mailed() == []
    with schema_context("utrecht"):
        last = Entry.objects.filter(action="onboarding.move").latest("sequence")
        assert (last.details["to"], last.details["data_until"]) == ("OFFBOARDED", "2026-06-30")


def test_an_end_that_is_not_told_did_not_happen(go, utrecht, mailed, monkeypatch):
    def fail(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(posting, "post", fail)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        go("LIVE", Stage.OFFBOARDED, reason="Opgezegd.", data_until=date(2026, 6, 30))
    connection.set_schema_to_public()
    assert Municipality.objects.get(id=utrecht.id).stage == "LIVE"
    assert not StageMove.objects.filter(to_stage="OFFBOARDED").exists()
