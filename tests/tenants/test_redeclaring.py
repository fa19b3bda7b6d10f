"""A declaration changes by approval alone: what was declared holds until then, and everything follows it after."""

from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django_tenants.utils import schema_context

from audit.models import Entry
from audit.record import Actor
from messaging.models import Message, OutboxItem, Template, Thread
from messaging.replying import TemplateUnusable, send_template
from messaging.templates import drafting
from messaging.templates.drafting import CannotSave, Wording
from tenants.models import DeclarationChange
from tenants.onboarding import redeclaring
from tenants.onboarding.redeclaring import AlreadyDecided, NothingChanges, ReasonMissing, Unfit, WaitsAlready
from tests.messaging import meta

BEA = Actor(schema="utrecht", id=str(UUID(int=1)), name="Bea")
OTTO = Actor(schema="public", id=str(UUID(int=2)), name="Otto")
VALUES = {"naam": "Piet", "onderwerp": "uw vraag"}
ACCEPTED = {
    f"accept_{each}": "yes" for each in ("PROMOTION", "POLITICAL_CAMPAIGN", "VOTER_DATA", "ELECTION_INTERFERENCE")
}


def given(*purposes: str, **more: str) -> dict[str, str]:
    wanted = {f"use_{each}": "yes" for each in purposes} | {f"describe_{each}": "Daarvoor" for each in purposes}
    return {**wanted, **ACCEPTED, "signatory_name": "P. Jansen", "signatory_function": "Gemeentesecretaris", **more}


@pytest.fixture
def ask(utrecht, clock):
    """Return what asks for other purposes of Utrecht, which declared PERMITS and SERVICES."""
    utrecht.declared_purposes.exclude(purpose__in=["PERMITS", "SERVICES"]).delete()
    with schema_context("utrecht"):
        # As if there were none of the other purposes: versions are for good.
        Template.objects.exclude(purpose__in=["PERMITS", "SERVICES"]).update(waba_id="2999999999999")

    def asked(*purposes: str, **more: str) -> DeclarationChange:
        with schema_context("utrecht"):
            return redeclaring.ask(municipality=utrecht, given=given(*purposes, **more), actor=BEA, at=clock.now())

    return asked


@pytest.fixture
def decide(clock):
    """Return what decides on a change, at the console."""

    def decided(change, *, approve=True, reason=""):
        connection.set_schema_to_public()
        return redeclaring.decide(change_id=change.id, approve=approve, reason=reason, actor=OTTO, at=clock.now())

    return decided


def now_declared(municipality) -> list[str]:
    return redeclaring.declared(municipality=municipality)


def draft(clock, purpose: str) -> Template:
    body = "Goedendag {{naam}}, kijk op onze website. U bent welkom."
    wording = Wording(name=f"over_{purpose.lower()}", language="nl", purpose=purpose, body=body)
    return drafting.create(waba_id="2000000000344", wording=wording, actor=BEA, at=clock.now())


def queued(utrecht, clock) -> Message:
    """Have a template of SERVICES wait in the outbox."""
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
        Template.objects.filter(name="vervolg_op_uw_vraag").update(status="APPROVED")
        return again(clock)


def again(clock) -> Message:
    template, thread = Template.objects.get(name="vervolg_op_uw_vraag"), Thread.objects.get()
    return send_template(thread_id=thread.id, template_id=template.id, values=VALUES, actor=BEA, at=clock.now())


def test_what_was_declared_holds_until_the_approval_and_everything_follows_it_after(
    utrecht, clock, ask, decide, mailed
):
    message = queued(utrecht, clock)
    change = ask("PERMITS", "TOURISM")
    assert (change.added, change.withdrawn, change.terms_version) == (["TOURISM"], ["SERVICES"], "2021-01")
    with schema_context("utrecht"):
        assert now_declared(utrecht) == ["PERMITS", "SERVICES"]
        assert again(clock).state == "QUEUED", "sent for what was declared before"
        with pytest.raises(CannotSave, match="purpose_undeclared"):
            draft(clock, "TOURISM")
    assert decide(change).state == "APPROVED"
    dutch, english = mailed()
    assert (dutch.to, english.to) == (["bea@utrecht.example"], ["john@utrecht.example"])
    assert dutch.subject == "De wijziging van uw verklaring is goedgekeurd – WhatsApp van de gemeente Utrecht"
    assert english.subject.startswith("The change of your declaration was approved")
    for said in ("are not sent any more", "wait as drafts", "utrecht.localhost:8000/declaration/"):
        assert said in english.body
    with schema_context("utrecht"):
        assert now_declared(utrecht) == ["PERMITS", "TOURISM"]
        message.refresh_from_db()
        assert (message.state, message.failed_reason) == ("FAILED", "template_purpose_undeclared")
        assert not OutboxItem.objects.exists()
        with pytest.raises(TemplateUnusable, match="template_purpose_undeclared"):
            again(clock)
        assert draft(clock, "TOURISM").status == "DRAFT"
        waba_id = utrecht.numbers.get().waba_id
        defaults = Template.objects.filter(purpose="TOURISM", waba_id=waba_id).exclude(name="over_tourism")
        assert {each.status for each in defaults} == {"DRAFT"}
        assert defaults.count() == 2, "Dutch and English"
        trail = Entry.objects.filter(action__startswith="declaration.").order_by("sequence")
        assert list(trail.values_list("action", flat=True)) == ["declaration.ask", "declaration.decide"]
    connection.set_schema_to_public()
    assert Entry.objects.get(action="declaration.decide").details["withdrawn"] == ["SERVICES"]


def test_a_rejection_says_why_and_changes_nothing_and_a_decision_is_final(utrecht, clock, ask, decide, mailed):
    change = ask("PERMITS", "SERVICES", "TOURISM")
    with pytest.raises(WaitsAlready):
        ask("PERMITS")
    with pytest.raises(ReasonMissing):
        decide(change, approve=False, reason=" ")
    assert mailed() == []
    assert decide(change, approve=False, reason="Te ruim.").state == "REJECTED"
    dutch, _ = mailed()
    assert "Waarom: Te ruim." in dutch.body
    assert "afgewezen" in dutch.subject
    assert now_declared(utrecht) == ["PERMITS", "SERVICES"]
    with pytest.raises(AlreadyDecided):
        decide(change)
    with pytest.raises(IntegrityError, match="decided stays"), transaction.atomic():
        DeclarationChange.objects.filter(id=change.id).update(reason="Anders")
    with pytest.raises(IntegrityError, match="decided stays"), transaction.atomic():
        DeclarationChange.objects.filter(id=change.id).delete()
    other = ask("PERMITS")
    with schema_context("utrecht"):
        redeclaring.withdraw(change_id=other.id, municipality=utrecht, actor=BEA, at=clock.now())
    with pytest.raises(AlreadyDecided):
        decide(other)
    assert mailed() == []
    assert now_declared(utrecht) == ["PERMITS", "SERVICES"]


def test_what_cannot_be_is_said_by_field_and_another_may_not_take_it_back(utrecht, delft, clock, ask):
    with pytest.raises(NothingChanges):
        ask("SERVICES", "PERMITS")
    for more, field, code in (
        ({"describe_TOURISM": " "}, "describe_TOURISM", "wanted"),
        ({"accept_PROMOTION": ""}, "accept_PROMOTION", "unaccepted"),
        ({"signatory_name": ""}, "signatory_name", "wanted"),
        ({"signatory_function": "x" * 201}, "signatory_function", "too_long"),
    ):
        with pytest.raises(Unfit) as unfit:
            ask("TOURISM", **more)
        assert unfit.value.codes == {field: code}
    with pytest.raises(Unfit) as unfit:
        ask()
    assert "no_purpose" in unfit.value.codes.values()
    change = ask("TOURISM")
    with pytest.raises(DeclarationChange.DoesNotExist):
        redeclaring.withdraw(change_id=change.id, municipality=delft, actor=BEA, at=clock.now())
