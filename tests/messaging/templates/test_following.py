"""The life of a template at the sandbox, heard by its webhooks: what Meta decides holds here before the next send."""

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from messaging.models import Message, OutboxItem, Template, TemplateAlert, TemplateSync
from messaging.replying import TemplateUnusable, send_template
from messaging.templates import due, refusals, tasks
from messaging.templates.assigning import PurposeNotDeclared, assign_purpose
from messaging.templates.defaults import DEFAULTS
from messaging.templates.submitting import LookFailed, submit_drafts
from messaging.templates.syncing import sync
from tenants.models import DeclaredPurpose
from tests.messaging import meta
from tests.messaging.templates.conftest import listed

NAME = "vervolg_op_uw_vraag"
VALUES = {"naam": "Piet", "onderwerp": "uw vergunning"}


@pytest.fixture
def submitted(sandbox, utrecht, hear, clock) -> Template:
    """Return a template of ours that was handed in and approved."""
    handed = submit_drafts(number=utrecht.numbers.get(), at=clock.now())
    assert len(handed) == len(DEFAULTS)
    assert not any(each.problems or each.refused for each in handed)
    hear()
    return Template.objects.get(name=NAME)


@pytest.fixture
def send(thread, agent, clock):
    """Return what sends a template to the citizen."""

    def sent(template: Template, values=VALUES) -> Message:
        return send_template(thread_id=thread.id, template_id=template.id, values=values, actor=agent, at=clock.now())

    return sent


def refused(send, template: Template, code: str) -> None:
    """Check that a template is refused with a code, and that nothing was queued."""
    before = OutboxItem.objects.count()
    with pytest.raises(TemplateUnusable, match=f"^{code}$"):
        send(template)
    assert OutboxItem.objects.count() == before


class TestLife:
    def test_it_is_handed_in_approved_and_sent_with_the_version_it_used(self, submitted, send):
        assert (submitted.status, submitted.category) == ("APPROVED", "UTILITY")
        message = send(submitted)
        assert message.template_version.template == submitted
        assert message.template_version.status == "APPROVED"
        assert [each.status for each in submitted.versions.order_by("number")] == ["DRAFT", "PENDING", "APPROVED"]

    @pytest.mark.parametrize(
        ("action", "code", "alert"),
        [
            ({"action": "pause"}, "template_paused", "PAUSED"),
            ({"action": "disable"}, "template_disabled", "DISABLED"),
            ({"action": "status", "to": "REJECTED"}, "template_rejected", "REJECTED"),
            ({"action": "status", "to": "ARCHIVED"}, "template_archived", "ARCHIVED"),
            ({"action": "status", "to": "FLAGGED"}, "template_not_approved", None),
            ({"action": "status", "to": "IN_APPEAL"}, "template_not_approved", None),
            ({"action": "recategorise", "to": "MARKETING", "notice_seconds": 0}, "template_marketing", "MARKETING"),
        ],
    )
    def test_what_meta_decides_refuses_it_before_meta_is_asked(
        self, submitted, sandbox, hear, send, action, code, alert
    ):
        sandbox.decide(NAME, **action)
        assert len(hear()) == 1
        refused(send, submitted, code)
        assert list(TemplateAlert.objects.filter(ended_at=None).values_list("kind", flat=True)) == (
            [alert] if alert else []
        )

    def test_after_a_pause_it_is_sent_again(self, submitted, sandbox, hear, send):
        sandbox.decide(NAME, "pause")
        hear()
        assert Template.objects.get(name=NAME).status == "PAUSED"
        sandbox.control("clock", {"advance_seconds": 4 * 3600})
        hear()
        assert Template.objects.get(name=NAME).status == "APPROVED"
        send(submitted)
        assert not TemplateAlert.objects.filter(ended_at=None).exists()

    def test_a_day_before_it_becomes_marketing_the_admin_is_warned(self, submitted, sandbox, hear, send):
        sandbox.decide(NAME, "recategorise", to="MARKETING")
        hear()
        warned = Template.objects.get(name=NAME)
        assert (warned.category, warned.coming_category) == ("UTILITY", "MARKETING")
        send(submitted)
        sandbox.control("clock", {"advance_seconds": 86400 + 60})
        hear()
        refused(send, submitted, "template_marketing")
        assert not OutboxItem.objects.exists()
        assert set(Message.objects.filter(direction="OUTBOUND").values_list("failed_reason", flat=True)) == {
            "template_marketing"
        }

    def test_what_meta_makes_marketing_at_once_is_held_from_the_start(self, sandbox, utrecht, hear, clock):
        sandbox.control("switches", {"marketing_words": ["vraag"]})
        submit_drafts(number=utrecht.numbers.get(), at=clock.now())
        hear()
        held = Template.objects.get(name=NAME)
        assert (held.status, held.category) == ("APPROVED", "MARKETING")
        assert TemplateAlert.objects.get(template=held, ended_at=None).kind == "MARKETING"

    def test_an_edit_at_meta_changes_the_text_here(self, submitted, sandbox, hear):
        text = "Goedendag {{naam}}, over {{onderwerp}} hebben wij nieuws voor u."
        body = {**submitted.components[0], "text": text}
        sandbox.graph(submitted.meta_id, {"components": [body]}, method="POST")
        hear()
        changed = Template.objects.get(name=NAME)
        assert (changed.body, changed.status) == (text, "APPROVED")
        assert TemplateSync.objects.get().requested_at is not None

    def test_deleted_at_meta_it_is_refused_after_the_next_look(self, submitted, sandbox, utrecht, send, clock):
        sandbox.delete(NAME)
        sync(number=utrecht.numbers.get(), at=clock.move(hours=1))
        refused(send, submitted, "template_deleted")


class TestHandingIn:
    def test_a_marketing_draft_never_reaches_meta(self, sandbox, utrecht, clock):
        Template.objects.filter(name=NAME).update(category="MARKETING")
        handed = submit_drafts(number=utrecht.numbers.get(), at=clock.now())
        (stopped,) = [each for each in handed if each.problems]
        assert [problem.code for problem in stopped.problems] == ["marketing"]
        listing = sandbox.graph(f"{sandbox.waba_id}/message_templates")["data"]
        assert NAME not in {each["name"] for each in listing}
        assert len(listing) == len(DEFAULTS) - 1

    @pytest.mark.parametrize(
        ("purpose", "code"), [("UNASSIGNED", "purpose_missing"), ("TOURISM", "purpose_undeclared")]
    )
    def test_a_draft_needs_a_declared_purpose(self, sandbox, utrecht, clock, purpose, code):
        DeclaredPurpose.objects.filter(municipality=utrecht, purpose="TOURISM").delete()
        Template.objects.filter(name=NAME).update(purpose=purpose)
        handed = submit_drafts(number=utrecht.numbers.get(), at=clock.now())
        found = {problem.code for each in handed if each.template.name == NAME for problem in each.problems}
        assert found == {code}

    def test_one_that_meta_refuses_stops_no_other(self, sandbox, utrecht, hear, clock):
        sandbox.has(listed("was_er"))
        sandbox.delete("was_er")  # its name is not free for 30 days
        Template.objects.filter(name="afspraak_herinnering").update(name="was_er")
        handed = submit_drafts(number=utrecht.numbers.get(), at=clock.now())
        assert {each.template.name: each.refused for each in handed if each.refused} == {"was_er": "meta_100"}
        hear()
        assert Template.objects.filter(status="APPROVED").count() == len(DEFAULTS) - 1

    def test_what_meta_has_already_is_not_handed_in_again(self, submitted, sandbox, utrecht, clock):
        assert submit_drafts(number=utrecht.numbers.get(), at=clock.move(minutes=1)) == []
        assert len(sandbox.graph(f"{sandbox.waba_id}/message_templates")["data"]) == len(DEFAULTS)

    def test_when_meta_cannot_be_read_nothing_is_handed_in(self, sandbox, utrecht, clock):
        number = utrecht.numbers.get()
        number.set_access_token("another")
        with pytest.raises(LookFailed, match="meta_190"):
            submit_drafts(number=number, at=clock.now())


class TestPurpose:
    @pytest.fixture
    def foreign(self, sandbox, utrecht, clock) -> Template:
        """Return a template that was made at Meta, by hand."""
        sandbox.has(listed("van_meta"))
        sync(number=utrecht.numbers.get(), at=clock.now())
        return Template.objects.get(name="van_meta")

    def test_one_that_came_from_meta_is_not_sent_before_it_has_a_purpose(self, foreign, send, agent, clock):
        refused(send, foreign, "template_purpose_missing")
        assign_purpose(template_id=foreign.id, purpose="PERMITS", actor=agent, at=clock.now())
        assert send(foreign, {"naam": "Piet"}).purpose == "PERMITS"

    def test_only_a_declared_purpose_is_given(self, foreign, utrecht, agent, clock):
        DeclaredPurpose.objects.filter(municipality=utrecht, purpose="TOURISM").delete()
        for purpose in ("TOURISM", "PROMOTION", "UNASSIGNED", ""):
            with pytest.raises(PurposeNotDeclared):
                assign_purpose(template_id=foreign.id, purpose=purpose, actor=agent, at=clock.now())
        assert Template.objects.get(id=foreign.id).purpose == "UNASSIGNED"

    def test_one_whose_purpose_is_no_longer_declared_is_refused(self, foreign, send, utrecht, agent, clock):
        assign_purpose(template_id=foreign.id, purpose="PERMITS", actor=agent, at=clock.now())
        DeclaredPurpose.objects.filter(municipality=utrecht, purpose="PERMITS").delete()
        refused(send, foreign, "template_purpose_undeclared")

    def test_after_a_month_without_a_look_it_is_stale(self, foreign, thread, send, agent, clock, utrecht):
        assign_purpose(template_id=foreign.id, purpose="PERMITS", actor=agent, at=clock.now())
        clock.move(days=36)
        refused(send, foreign, "template_stale")
        sync(number=utrecht.numbers.get(), at=clock.now())
        send(foreign, {"naam": "Piet"})


class TestMetasAnswers:
    @pytest.mark.parametrize(
        ("code", "refusal", "status"),
        [
            (132015, "template_paused", "PAUSED"),
            (132016, "template_disabled", "DISABLED"),
            (132001, "template_stale", "APPROVED"),
            (132000, "template_stale", "APPROVED"),
            (132012, "template_stale", "APPROVED"),
        ],
    )
    def test_a_failed_status_tells_of_the_template_too(self, utrecht, submitted, send, clock, code, refusal, status):
        message = send(submitted)
        errors = [{"code": code, "title": "no"}]
        opaque_id = str(message.id)
        for _ in range(2):
            meta.receive(
                utrecht,
                meta.status(utrecht, wamid="wamid.T", status="failed", opaque_id=opaque_id, errors=errors),
            )
        template = Template.objects.get(name=NAME)
        assert (template.status, message.template_version.template_id) == (status, template.id)
        refused(send, submitted, refusal)
        assert TemplateSync.objects.get().requested_at is not None
        assert template.versions.filter(source="REFUSAL").count() == (status != "APPROVED")

    def test_a_look_ends_the_doubt(self, utrecht, submitted, send, clock):
        message = send(submitted)
        refusals.follow(message_id=message.id, code=132001, at=clock.now())
        refused(send, submitted, "template_stale")
        sync(number=utrecht.numbers.get(), at=clock.move(minutes=1))
        send(submitted)

    @pytest.mark.parametrize("code", [131026, 131047, 100])
    def test_other_refusals_say_nothing_of_the_template(self, submitted, send, clock, code):
        refusals.follow(message_id=send(submitted).id, code=code, at=clock.now())
        assert Template.objects.get(name=NAME).status == "APPROVED"
        assert TemplateSync.objects.get().requested_at is None


class TestTurns:
    def test_what_nobody_looked_at_is_due_and_then_not_for_a_day(self, utrecht, delft, sandbox, clock):
        with schema_context("public"):
            assert set(due.schemas(at=clock.now())) <= {"utrecht", "delft"}
            assert len(due.schemas(at=clock.now())) == 1  # spread: not all at once
        tasks.sync_templates(schema_name="utrecht")
        tasks.sync_templates(schema_name="delft")
        with schema_context("public"):
            assert due.schemas(at=clock.now()) == ["delft"] or due.schemas(at=clock.now()) == []
            assert due.schemas(at=clock.move(days=1, seconds=1)) != []

    def test_a_failed_look_is_taken_again_after_an_hour(self, utrecht, delft, sandbox, clock):
        utrecht.numbers.update(access_token_encrypted=None)
        delft.numbers.update(closed_at=clock.now())
        tasks.sync_templates(schema_name="utrecht")
        with schema_context("public"):
            assert due.schemas(at=clock.move(minutes=59)) == []
            assert due.schemas(at=clock.move(minutes=2)) == ["utrecht"]

    def test_who_asked_comes_first(self, utrecht, delft, sandbox, clock):
        from messaging.templates import requesting

        tasks.sync_templates(schema_name="utrecht")
        with schema_context("utrecht"):
            requesting.request(waba_id=utrecht.numbers.get().waba_id, at=clock.now())
        with schema_context("public"):
            assert due.schemas(at=clock.now()) == ["utrecht", "delft"]

    def test_the_sweep_is_as_frequent_as_its_spread_supposes(self):
        from config.celery import app

        entry = app.conf.beat_schedule["sweep-templates"]
        assert entry["schedule"] == due.SWEEP_SECONDS
        assert entry["task"] == tasks.sweep_templates.name
        route = app.conf.task_routes.get(tasks.sync_templates.name, {"queue": app.conf.task_default_queue})
        assert route["queue"] == "maintenance"

    def test_nobody_is_left_alone(self, here):
        tasks.sync_templates(schema_name="niemand")
        assert connection.schema_name == "utrecht"
