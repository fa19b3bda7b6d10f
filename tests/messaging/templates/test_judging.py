"""A flagged draft waits for the BSP, and Meta never sees it before somebody released these very words."""

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from audit.models import Entry
from audit.record import Actor
from messaging.core.models import DraftReview
from messaging.models import Template, TemplateSync
from messaging.templates import judging, submitting, syncing
from messaging.templates.drafting import Wording, change, create
from messaging.templates.submitting import problems_of
from whatsapp.outcomes import CreatedTemplate

ADMIN, BSP = Actor.system("Bea Beheer"), Actor.system("Olga Onboarding")
FLAGGED = "Goedendag, op de dag van de verkiezingen is de balie dicht. U kunt een dag later terecht."
PLAIN = "Goedendag, op woensdag is de balie dicht. U kunt een dag later terecht."


def wording(body=FLAGGED, name="balie_dicht"):
    return Wording(name=name, language="nl", purpose="SERVICES", body=body)


@pytest.fixture
def draft(utrecht, clock):
    """Return a flagged draft of Utrecht's, in whose schema the test runs."""
    with schema_context("utrecht"):
        waba = utrecht.numbers.get().waba_id
        yield create(waba_id=waba, wording=wording(), actor=ADMIN, at=clock.now())


def codes(template, clock):
    return [each.code for each in problems_of(template=Template.objects.get(id=template.id), at=clock.now())]


def ask(template, utrecht, clock):
    return judging.ask(template_id=template.id, municipality=utrecht, actor=ADMIN, at=clock.now())


def decide(review, clock, *, release, reason="Het gaat over openingstijden."):
    with schema_context("public"):
        return judging.decide(review_id=review.id, release=release, reason=reason, actor=BSP, at=clock.now())


class TestWaiting:
    def test_a_draft_without_flagged_words_needs_nobody(self, draft, utrecht, clock):
        change(template_id=draft.id, wording=wording(PLAIN), actor=ADMIN, at=clock.now())
        assert codes(draft, clock) == []
        assert ask(draft, utrecht, clock).review is None
        assert not DraftReview.objects.exists()

    def test_a_flagged_one_is_held_until_it_is_released(self, draft, utrecht, clock):
        assert codes(draft, clock) == ["policy_flagged"]
        review = ask(draft, utrecht, clock).review
        assert codes(draft, clock) == ["policy_waiting"]
        assert review.findings == [["ELECTION_INTERFERENCE", "verkiezingen"]]
        decide(review, clock, release=True)
        assert codes(draft, clock) == []

    def test_a_refused_one_is_held_for_good_with_its_reason(self, draft, utrecht, clock):
        decide(ask(draft, utrecht, clock).review, clock, release=False, reason="Noem de verkiezingen niet.")
        assert codes(draft, clock) == ["policy_refused"]
        assert judging.judgement(template=draft, at=clock.now()).review.reason == "Noem de verkiezingen niet."
        assert ask(draft, utrecht, clock).review.state == "REFUSED"  # asking again is no way round

    def test_a_release_holds_for_these_words_alone(self, draft, utrecht, clock):
        decide(ask(draft, utrecht, clock).review, clock, release=True)
        change(template_id=draft.id, wording=wording(FLAGGED + " Stemadvies volgt."), actor=ADMIN, at=clock.now())
        assert codes(draft, clock) == ["policy_flagged"]
        change(template_id=draft.id, wording=wording(), actor=ADMIN, at=clock.now())
        assert codes(draft, clock) == []

    @pytest.mark.parametrize(
        "changed",
        [
            {"header": "Verkiezingen"},
            {"footer": "Stem op de VVD"},
            {"replies": ("Stemadvies",)},
            {"link_label": "Meer", "link": "https://voorbeeld.example/verkiezingen"},
            {"name": "stemadvies"},
            {"body": "Goedendag {{naam}}, wij horen graag van u.", "examples": {"naam": "kiezer"}},
        ],
    )
    def test_every_part_of_it_is_looked_at(self, draft, utrecht, clock, changed):
        values = {"name": "balie_dicht", "language": "nl", "purpose": "SERVICES", "body": PLAIN} | changed
        change(template_id=draft.id, wording=Wording(**values), actor=ADMIN, at=clock.now())
        assert "policy_flagged" in codes(draft, clock)

    def test_meta_never_sees_one_that_waits(self, draft, utrecht, clock, monkeypatch):
        handed = []

        async def creating(template, _token):
            handed.append(template.name)
            return CreatedTemplate(template_id="1", status="PENDING", category="UTILITY")

        monkeypatch.setattr(syncing, "sync", lambda **_: TemplateSync(outcome="OK"))
        monkeypatch.setattr(submitting, "_create", creating)
        Template.objects.exclude(id=draft.id).update(status="APPROVED")
        (one,) = submitting.submit_drafts(number=utrecht.numbers.get(), at=clock.now())
        assert [each.code for each in one.problems] == ["policy_flagged"]
        assert handed == []
        decide(ask(draft, utrecht, clock).review, clock, release=True)
        submitting.submit_drafts(number=utrecht.numbers.get(), at=clock.now())
        assert handed == ["balie_dicht"]


class TestDeciding:
    def test_it_needs_a_reason_and_is_taken_once(self, draft, utrecht, clock):
        review = ask(draft, utrecht, clock).review
        for reason, error in (("  ", judging.ReasonMissing), ("x" * 1001, judging.ReasonTooLong)):
            with pytest.raises(error):
                decide(review, clock, release=True, reason=reason)
        decide(review, clock, release=False)
        with pytest.raises(judging.AlreadyDecided) as taken:
            decide(review, clock, release=True)
        assert taken.value.review.state == "REFUSED"
        assert DraftReview.objects.get().state == "REFUSED"

    def test_both_sides_have_it_on_record(self, draft, utrecht, clock):
        decide(ask(draft, utrecht, clock).review, clock, release=True)
        assert Entry.objects.filter(action="template.ask_review", actor_name="Bea Beheer").count() == 1
        connection.set_schema_to_public()
        entry = Entry.objects.get(action="template.decide_review")
        assert (entry.actor_name, entry.details["state"]) == ("Olga Onboarding", "RELEASED")

    def test_asking_twice_is_asking_once(self, draft, utrecht, clock):
        assert ask(draft, utrecht, clock).review.id == ask(draft, utrecht, clock).review.id
        assert Entry.objects.filter(action="template.ask_review").count() == 1
