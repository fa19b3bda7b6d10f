"""New words for a template that Meta has: kept aside, judged as a draft is, handed in within Meta's limits, once."""

import pytest
from django_tenants.utils import schema_context

from audit.models import Entry
from audit.record import Actor
from messaging.core.models import DraftReview
from messaging.models import Template, TemplateEdit
from messaging.templates import drafting, editing, judging, submitting, syncing
from messaging.templates.drafting import CannotSave
from messaging.templates.editing import NoEdit
from tests.messaging.templates.conftest import listed
from whatsapp.outcomes import MetaUnreachable, Reason

BEA = Actor(schema="utrecht", id="bea", name="Bea")
OTHER = "Goedendag {{naam}}, uw aanvraag is binnen. Wij bellen u op."
FLAGGED = "Goedendag {{naam}}, na de verkiezingen bellen wij u op."


@pytest.fixture
def template(sandbox, utrecht, clock) -> Template:
    """Return a template that Meta has and approved, and Utrecht gave a purpose."""
    sandbox.has(listed("ontvangst"))
    syncing.sync(number=utrecht.numbers.get(), at=clock.now())
    Template.objects.filter(name="ontvangst").update(purpose="SERVICES")
    return Template.objects.get(name="ontvangst")


@pytest.fixture
def write(template, clock):
    """Return what writes other words for it."""

    def written(body: str = OTHER) -> None:
        wording = drafting.wording_of(template=template)
        wording = drafting.Wording(**{**vars_of(wording), "body": body})
        editing.save(template_id=template.id, wording=wording, actor=BEA, at=clock.now())

    return written


def vars_of(wording: drafting.Wording) -> dict:
    return {name: getattr(wording, name) for name in wording.__slots__}


@pytest.fixture
def hand_in(template, utrecht, clock):
    """Return what hands it in."""

    def handed() -> submitting.Handed:
        return editing.submit(template_id=template.id, number=utrecht.numbers.get(), actor=BEA, at=clock.now())

    return handed


def bodies(sandbox) -> list[str]:
    found = sandbox.graph(f"{sandbox.waba_id}/message_templates?fields=name,status,components")["data"]
    return [part["text"] for each in found for part in each["components"] if each["name"] == "ontvangst"]


def edits(sandbox) -> int:
    """Return how often the sandbox was asked to edit it, by its books."""
    rows = sandbox.control("books?list=changes")["changes"]["rows"]
    return sum(row["path"].endswith(f"/{Template.objects.get(name='ontvangst').meta_id}") for row in rows)


@pytest.mark.parametrize("status", ["REJECTED", "PAUSED", "APPROVED"])
def test_what_meta_has_goes_on_until_its_other_words_are_handed_in_once(
    sandbox, template, write, hand_in, clock, status
):
    sandbox.decide("ontvangst", "pause" if status == "PAUSED" else "status", to=status)
    Template.objects.filter(id=template.id).update(status=status)
    before = template.components
    write()
    write()  # replaces
    template.refresh_from_db()
    assert (template.components, template.status) == (before, status)
    assert TemplateEdit.objects.count() == 1
    assert edits(sandbox) == 0
    handed = hand_in()
    assert (handed.refused, handed.problems) == ("", ())
    template.refresh_from_db()
    assert (template.status, template.body) == ("PENDING", OTHER)
    assert bodies(sandbox) == [OTHER]
    assert not TemplateEdit.objects.exists()
    version = template.versions.latest("number")
    assert (version.source, set(version.changed)) == ("OURS", {"status", "components"})
    assert Entry.objects.filter(action="template.submit").get().details == {"outcome": "PENDING", "edit": True}
    with pytest.raises(NoEdit):
        hand_in()
    assert edits(sandbox) == 1


def test_an_answer_that_never_came_is_found_at_meta_and_not_asked_again(
    sandbox, template, write, hand_in, clock, monkeypatch
):
    write()
    real = editing._edit

    async def unheard(would_be, token):
        await real(would_be, token)
        raise MetaUnreachable(Reason.READ_TIMEOUT, may_have_happened=True)

    with monkeypatch.context() as patch:
        patch.setattr(editing, "_edit", unheard)
        assert hand_in().refused
    assert TemplateEdit.objects.exists(), "nothing was lost"
    clock.move(seconds=10)
    assert hand_in().refused == ""
    template.refresh_from_db()
    assert template.body == OTHER
    assert not TemplateEdit.objects.exists()
    assert edits(sandbox) == 1


def test_flagged_words_wait_for_the_bsp_as_those_of_a_draft(sandbox, template, write, hand_in, utrecht, clock):
    write(FLAGGED)
    assert [each.code for each in hand_in().problems] == ["policy_flagged"]
    judging.ask(template_id=template.id, municipality=utrecht, actor=BEA, at=clock.now())
    review = DraftReview.objects.get()
    assert FLAGGED in str(review.components)
    assert [each.code for each in hand_in().problems] == ["policy_waiting"]
    with schema_context("public"):
        judging.decide(review_id=review.id, release=True, reason="Het gaat over de balie.", actor=BEA, at=clock.now())
    assert edits(sandbox) == 0
    assert hand_in().problems == ()
    assert bodies(sandbox) == [FLAGGED]


def test_an_approved_one_is_edited_once_a_day_and_ten_times_in_thirty_days(
    sandbox, template, write, hand_in, utrecht, clock
):
    for place in range(10):
        if place:
            clock.move(seconds=3600)
            write(f"Goedendag {{{{naam}}}}, dit is brief {place}. Wij bellen u op.")
            assert [each.code for each in hand_in().problems] == ["edited_today"]
            clock.move(seconds=24 * 3600)
        write(f"Goedendag {{{{naam}}}}, dit is brief {place}. Wij bellen u op.")
        sandbox.control("clock", {"to": clock.now().isoformat()})
        assert hand_in().problems == ()
        syncing.sync(number=utrecht.numbers.get(), at=clock.now())
        template.refresh_from_db()
        assert template.status == "APPROVED", "the sandbox reviews at once"
    clock.move(seconds=25 * 3600)
    write("Goedendag {{naam}}, dit is een brief te veel. Wij bellen u op.")
    assert [each.code for each in hand_in().problems] == ["edited_often"]
    clock.move(seconds=21 * 24 * 3600)
    sandbox.control("clock", {"to": clock.now().isoformat()})
    assert hand_in().problems == ()


def test_what_cannot_be_edited_is_left_alone(sandbox, template, write, clock):
    for status in ("PENDING", "DISABLED", "DELETED"):
        Template.objects.filter(id=template.id).update(status=status)
        with pytest.raises(CannotSave, match="not_changeable"):
            write()
    Template.objects.filter(id=template.id).update(status="APPROVED")
    write()
    assert editing.drop(template_id=template.id, actor=BEA, at=clock.now())
    assert not editing.drop(template_id=template.id, actor=BEA, at=clock.now())
