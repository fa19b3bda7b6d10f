"""What Meta's webhooks say of templates: every event, late, twice and in any order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.models import InboxEvent, Message, OutboxItem, Template, TemplateAlert, TemplateSync, TemplateVersion
from messaging.replying import TemplateUnusable, send_template
from messaging.templates import updates
from tests.messaging import meta

NAME = "vervolg_op_uw_vraag"
AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
VALUES = {"naam": "Piet", "onderwerp": "uw vergunning"}
STATUS, QUALITY = "message_template_status_update", "message_template_quality_update"
COMPONENTS, CATEGORY = "message_template_components_update", "template_category_update"


def value(**more: Any) -> dict[str, Any]:
    """Return a value of a field about the template."""
    named = {"message_template_id": 77, "message_template_name": NAME, "message_template_language": "nl"}
    return {**named, **more}


def body(utrecht, field: str, of: dict[str, Any], at: datetime = AT) -> dict[str, Any]:
    """Return a webhook's body with one value."""
    waba_id = utrecht.numbers.get().waba_id
    entry = {"id": waba_id, "time": int(at.timestamp()), "changes": [{"field": field, "value": of}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def tell(utrecht, field: str, at: datetime = AT, **of: Any) -> Template:
    """Have Meta tell something of the template; return it."""
    meta.receive(utrecht, body(utrecht, field, value(**of), at))
    return Template.objects.get(name=NAME, language="nl")


def open_alerts() -> set[str]:
    return set(TemplateAlert.objects.filter(ended_at=None).values_list("kind", flat=True))


@pytest.fixture(autouse=True)
def _here(here) -> None:
    """Stand in Utrecht's schema."""


class TestStatus:
    @pytest.mark.parametrize(
        ("event", "status"),
        [
            *((each, each) for each in ("APPROVED", "REJECTED", "PENDING", "PAUSED", "DISABLED", "FLAGGED")),
            *((each, each) for each in ("IN_APPEAL", "LIMIT_EXCEEDED", "LOCKED", "DELETED", "PENDING_DELETION")),
            *(("ARCHIVED", "ARCHIVED"), ("UNARCHIVED", "APPROVED"), ("REINSTATED", "APPROVED")),
            ("HIBERNATING", "UNKNOWN"),
        ],
    )
    def test_each_event_has_its_status_and_a_version(self, utrecht, event, status):
        template = tell(utrecht, STATUS, event=event, reason="NONE")
        assert (template.status, template.reason, template.meta_id) == (status, "", "77")
        assert template.meta_status == ("HIBERNATING" if status == "UNKNOWN" else "")
        version = template.versions.order_by("-number").first()
        assert (version.number, version.at, version.source) == (2, AT, "WEBHOOK")
        assert (version.changed, version.status) == (["status"], status)

    def test_it_keeps_why(self, utrecht):
        why = {"reason": "The variables have no examples.", "recommendation": "Give one for each."}
        template = tell(utrecht, STATUS, event="REJECTED", reason="INVALID_FORMAT", rejection_info=why)
        assert template.reason == "INVALID_FORMAT"
        assert template.explanation == "The variables have no examples. Give one for each."
        assert open_alerts() == {"REJECTED"}
        paused = {"title": "SECOND_PAUSE", "description": "Paused for 6 hours."}
        template = tell(utrecht, STATUS, AT + timedelta(hours=1), event="PAUSED", reason=None, other_info=paused)
        assert (template.reason, template.explanation) == ("SECOND_PAUSE", "Paused for 6 hours.")
        assert open_alerts() == {"PAUSED"}

    def test_what_came_later_stands_whatever_came_first(self, utrecht):
        tell(utrecht, STATUS, AT + timedelta(hours=2), event="PAUSED")
        template = tell(utrecht, STATUS, AT, event="APPROVED")
        assert template.status == "PAUSED"
        assert template.versions.count() == 2

    def test_the_same_twice_changes_nothing(self, utrecht):
        tell(utrecht, STATUS, event="APPROVED")
        meta.replay("utrecht")
        updates.apply(field=STATUS, value=value(event="APPROVED"), waba_id=utrecht.numbers.get().waba_id, at_entry=AT)
        assert Template.objects.get(name=NAME).versions.count() == 2

    def test_a_template_that_we_do_not_know_is_taken_in_without_a_purpose(self, utrecht):
        of = {**value(event="APPROVED", message_template_category="UTILITY"), "message_template_name": "van_elders"}
        meta.receive(utrecht, body(utrecht, STATUS, of))
        template = Template.objects.get(name="van_elders")
        assert (template.status, template.purpose, template.problem) == ("APPROVED", "UNASSIGNED", "NOT_LISTED")
        assert TemplateSync.objects.get(waba_id=template.waba_id).requested_at == AT

    @pytest.mark.parametrize(
        "of",
        [
            {"event": "APPROVED"},
            {"event": "APPROVED", "message_template_name": "x" * 513, "message_template_language": "nl"},
            {"event": "APPROVED", "message_template_name": "x", "message_template_language": ["nl"]},
            {"message_template_name": NAME, "message_template_language": "nl", "event": 7},
        ],
    )
    def test_one_that_cannot_be_read_is_laid_aside_and_stops_no_other(self, utrecht, of):
        meta.receive(utrecht, body(utrecht, STATUS, of), body(utrecht, STATUS, value(event="APPROVED")))
        assert sorted(InboxEvent.objects.values_list("state", flat=True)) == ["APPLIED", "DEAD"]
        assert Template.objects.get(name=NAME).status == "APPROVED"

    def test_a_version_cannot_be_changed(self, utrecht):
        tell(utrecht, STATUS, event="APPROVED")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            TemplateVersion.objects.update(status="DRAFT")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            TemplateVersion.objects.all().delete()


class TestCategory:
    def test_a_notice_warns_and_changes_nothing_yet(self, utrecht, approved):
        due = AT + timedelta(days=1)
        notice = {"new_category": "UTILITY", "correct_category": "MARKETING"}
        template = tell(utrecht, CATEGORY, **notice, category_update_timestamp=int(due.timestamp()))
        assert (template.category, template.coming_category) == ("UTILITY", "MARKETING")
        assert template.coming_category_at == due
        assert open_alerts() == {"CATEGORY_COMING"}

    def test_when_it_is_done_the_template_is_held_and_the_alert_says_so(self, utrecht, approved):
        tell(utrecht, CATEGORY, new_category="UTILITY", correct_category="MARKETING", category_update_timestamp=1)
        done = AT + timedelta(days=1)
        template = tell(utrecht, CATEGORY, done, previous_category="UTILITY", new_category="MARKETING")
        assert (template.category, template.coming_category) == ("MARKETING", "")
        assert open_alerts() == {"MARKETING"}
        assert template.versions.latest("number").category == "MARKETING"

    def test_the_notice_that_comes_after_the_change_is_too_late(self, utrecht, approved):
        done = AT + timedelta(days=1)
        tell(utrecht, CATEGORY, done, previous_category="UTILITY", new_category="MARKETING")
        template = tell(utrecht, CATEGORY, new_category="UTILITY", correct_category="MARKETING")
        assert (template.category, template.coming_category) == ("MARKETING", "")

    def test_a_marketing_one_is_refused_and_its_queued_messages_never_reach_meta(
        self, utrecht, thread, agent, approved, clock
    ):
        asked = {"thread_id": thread.id, "template_id": approved.id, "values": VALUES, "actor": agent}
        message = send_template(**asked, at=clock.now())
        assert message.template_version == approved.versions.latest("number")
        tell(utrecht, CATEGORY, previous_category="UTILITY", new_category="MARKETING")
        message.refresh_from_db()
        assert (message.state, message.failed_reason) == ("FAILED", "template_marketing")
        assert not OutboxItem.objects.exists()
        with pytest.raises(TemplateUnusable, match="template_marketing"):
            send_template(**asked, at=clock.now())
        assert Message.objects.filter(direction="OUTBOUND").count() == 1

    def test_when_meta_thinks_again_it_can_be_sent_again(self, utrecht, thread, agent, approved, clock):
        tell(utrecht, CATEGORY, previous_category="UTILITY", new_category="MARKETING")
        later = AT + timedelta(days=2)
        tell(utrecht, CATEGORY, later, previous_category="MARKETING", new_category="UTILITY")
        assert open_alerts() == set()
        send_template(thread_id=thread.id, template_id=approved.id, values=VALUES, actor=agent, at=clock.now())


class TestQualityAndComponents:
    def test_quality_follows_and_red_is_an_alert(self, utrecht):
        template = tell(utrecht, QUALITY, previous_quality_score="GREEN", new_quality_score="RED")
        assert template.quality == "RED"
        assert open_alerts() == {"LOW_QUALITY"}
        template = tell(
            utrecht, QUALITY, AT + timedelta(hours=1), previous_quality_score="RED", new_quality_score="GREEN"
        )
        assert (template.quality, open_alerts()) == ("GREEN", set())

    def test_changed_texts_replace_the_texts_and_another_look_is_asked_for(self, utrecht):
        new = "Goedendag {{naam}}, over {{onderwerp}} hebben wij nieuws voor u."
        template = tell(utrecht, COMPONENTS, message_template_element=new, message_template_footer="Gemeente")
        assert template.body == new
        assert [each["type"] for each in template.components] == ["BODY", "FOOTER"]
        assert [each["name"] for each in template.parameters] == ["naam", "onderwerp"]
        assert template.parameters[0]["example"] == "mevrouw De Vries"
        assert template.versions.latest("number").changed == ["components"]
        assert TemplateSync.objects.get(waba_id=template.waba_id).requested_at == AT


MOMENTS = st.integers(0, 5).map(lambda hours: AT + timedelta(hours=hours))
TOLD = st.one_of(
    st.tuples(
        st.just(STATUS),
        st.fixed_dictionaries(
            {"event": st.sampled_from(["APPROVED", "REJECTED", "PAUSED", "DISABLED", "DELETED", "ARCHIVED", "ODD"])},
            optional={
                "message_template_category": st.sampled_from(["UTILITY", "MARKETING"]),
                "reason": st.sampled_from(["NONE", "SCAM", None]),
            },
        ),
    ),
    st.tuples(
        st.just(QUALITY), st.fixed_dictionaries({"new_quality_score": st.sampled_from(["GREEN", "YELLOW", "RED"])})
    ),
    st.tuples(
        st.just(CATEGORY),
        st.fixed_dictionaries(
            {"new_category": st.sampled_from(["UTILITY", "MARKETING"])},
            optional={"correct_category": st.sampled_from(["UTILITY", "MARKETING"])},
        ),
    ),
    st.tuples(
        st.just(COMPONENTS),
        st.fixed_dictionaries(
            {"message_template_element": st.sampled_from(["Dag {{naam}}, tot dan.", "Dag {{naam}}, tot ziens."])},
            optional={"message_template_footer": st.sampled_from(["Utrecht", "Gemeente Utrecht"])},
        ),
    ),
)


def ended() -> dict[str, Any]:
    """Return how everything ended: the template, and the alerts that are open."""
    (template,) = Template.objects.filter(name=NAME).values()
    return {"template": template, "alerts": open_alerts()}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(st.tuples(MOMENTS, TOLD), min_size=2, max_size=6), data=st.data())
def test_any_order_and_any_repetition_ends_the_same(utrecht, here, told, data):
    waba_id = utrecht.numbers.get().waba_id
    again = data.draw(st.permutations([*told, *data.draw(st.lists(st.sampled_from(told), max_size=3))]))
    ends = []
    for order in (told, again):
        with transaction.atomic():
            for at, (field, of) in order:
                updates.apply(field=field, value=value(**of), waba_id=waba_id, at_entry=at)
            ends.append(ended())
            transaction.set_rollback(True)
    assert ends[0] == ends[1]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=4))
@pytest.mark.parametrize("field", [STATUS, QUALITY, COMPONENTS, CATEGORY])
def test_odd_values_never_break_more_than_their_own_event(utrecht, here, field, raw):
    names = ("event", "reason", "other_info", "new_quality_score", "new_category", "correct_category")
    names += ("category_update_timestamp", "message_template_element", "message_template_buttons", "rejection_info")
    meta.store(utrecht, body(utrecht, field, value(**dict.fromkeys(names, raw))))
    with transaction.atomic():
        from messaging import inbox

        inbox.drain(schema_name="utrecht")
        failed = InboxEvent.objects.filter(reason__startswith="failed")
        assert not failed.exists(), failed.get().reason
        transaction.set_rollback(True)
