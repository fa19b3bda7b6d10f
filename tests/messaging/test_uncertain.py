"""A person decides about an uncertain message: once, whoever else decides or whatever Meta reports at that moment."""

from datetime import timedelta
from uuid import UUID

import pytest
from django_tenants.utils import schema_context

from audit.models import Entry
from audit.record import Actor
from messaging import uncertain
from messaging.failures import FIRST_ARRIVED
from messaging.models import Message, OutboxItem, Template, TemplateVersion, Thread, UncertainChoice
from messaging.replying import ThreadClosed, WindowClosed, reply, reply_with, send_template
from messaging.templates.filling import TemplateUnusable
from messaging.threads import close
from messaging.uncertain import ChosenOtherwise, NotUncertain
from tests.messaging import meta
from tests.messaging.test_waiting_for_each_other import at_once
from whatsapp.outgoing import Button, Reaction, ReplyButtons

ANNA, BART = (
    Actor(schema="utrecht", id=str(UUID(int=number)), name=name) for number, name in ((1, "Anna"), (2, "Bart"))
)


def lost(message: Message) -> Message:
    """Have the answer to a message's sending never come."""
    OutboxItem.objects.filter(message=message).delete()
    Message.objects.filter(id=message.id).update(state="UNCERTAIN")
    message.refresh_from_db()
    return message


@pytest.fixture
def message(thread, agent, clock) -> Message:
    """Return an uncertain answer."""
    asked = Message.objects.get()
    return lost(
        reply(thread_id=thread.id, text="Op de Markt.", actor=agent, at=clock.now(), reply_to_wamid=asked.wamid)
    )


class TestSendAgain:
    def test_it_is_a_new_message_that_names_the_one_it_repeats(self, message, agent, clock):
        made = uncertain.send_again(message_id=message.id, actor=agent, at=clock.now())
        (item,) = OutboxItem.objects.all()
        assert item.message_id == made.repeated_by_id != message.id
        assert item.request["biz_opaque_callback_data"] == str(made.repeated_by_id)
        assert item.request["text"] == {"body": "Op de Markt.", "preview_url": False}
        assert item.request["context"] == {"message_id": message.replies_to_wamid}
        assert item.message.text == "Op de Markt."
        message.refresh_from_db()
        assert message.state == "UNCERTAIN"  # nobody knows more than before
        assert not uncertain.unsettled().exists()

    def test_however_often_it_is_asked_it_is_queued_once(self, message, agent, clock):
        made = [uncertain.send_again(message_id=message.id, actor=agent, at=clock.now()) for _ in range(3)]
        assert len(set(made)) == 1
        assert OutboxItem.objects.count() == 1

    def test_it_is_in_the_trail_without_a_word_of_it(self, message, agent, clock):
        made = uncertain.send_again(message_id=message.id, actor=agent, at=clock.now())
        entry = Entry.objects.get(action="message.choose")
        assert entry.subject == f"message {message.id}"
        assert entry.details == {"choice": "SEND_AGAIN", "repeated_by": str(made.repeated_by_id)}

    def test_it_is_settled_by_reports_of_its_own(self, utrecht, message, agent, clock):
        again = uncertain.send_again(message_id=message.id, actor=agent, at=clock.now()).repeated_by
        meta.receive(utrecht, meta.status(utrecht, wamid="wamid.2", status="read", opaque_id=str(again.id)))
        message.refresh_from_db()
        again.refresh_from_db()
        assert (message.state, again.state) == ("UNCERTAIN", "READ")

    def test_one_that_is_uncertain_too_is_decided_about_anew(self, message, agent, clock):
        again = uncertain.send_again(message_id=message.id, actor=agent, at=clock.now()).repeated_by
        lost(again)
        assert list(uncertain.unsettled()) == [again]
        uncertain.send_again(message_id=again.id, actor=agent, at=clock.now())
        assert Message.objects.filter(text="Op de Markt.").count() == 3

    @pytest.mark.parametrize("state", ["QUEUED", "SENDING", "ACCEPTED", "DELIVERED"])
    def test_what_is_known_is_not_sent_again(self, message, agent, clock, state):
        Message.objects.filter(id=message.id).update(state=state, wamid="wamid.1")
        for choose in (uncertain.send_again, uncertain.leave):
            with pytest.raises(NotUncertain):
                choose(message_id=message.id, actor=agent, at=clock.now())
        assert not OutboxItem.objects.exists()

    def test_it_may_not_leave_after_the_window_and_nothing_is_decided_then(self, message, agent, clock):
        with pytest.raises(WindowClosed):
            uncertain.send_again(message_id=message.id, actor=agent, at=clock.now() + timedelta(hours=25))
        assert list(uncertain.unsettled()) == [message]

    def test_a_second_click_after_the_window_is_told_what_the_first_did(self, message, agent, clock):
        first = uncertain.send_again(message_id=message.id, actor=agent, at=clock.now())
        later = clock.now() + timedelta(hours=25)
        assert uncertain.send_again(message_id=message.id, actor=agent, at=later) == first

    def test_it_may_not_leave_in_a_closed_thread(self, message, thread, agent, clock):
        close(thread_id=thread.id, actor=agent, at=clock.now())
        with pytest.raises(ThreadClosed):
            uncertain.send_again(message_id=message.id, actor=agent, at=clock.now())
        assert uncertain.leave(message_id=message.id, actor=agent, at=clock.now()).choice == "LEAVE"

    def test_buttons_and_reactions_are_what_they_were(self, thread, agent, clock):
        asked = Message.objects.get()
        buttons = ReplyButtons(body="Welke?", buttons=(Button(id="a", title="Eén"), Button(id="b", title="Twee")))
        for content in (buttons, Reaction(wamid=asked.wamid, emoji="👍")):
            sent = reply_with(thread_id=thread.id, content=content, actor=agent, at=clock.now())
            before = OutboxItem.objects.get(message=sent).request
            made = uncertain.send_again(message_id=lost(sent).id, actor=agent, at=clock.now())
            after = OutboxItem.objects.get(message=made.repeated_by).request
            assert {**after, "biz_opaque_callback_data": ""} == {**before, "biz_opaque_callback_data": ""}


class TestATemplate:
    @pytest.fixture
    def message(self, thread, approved, agent, clock) -> Message:
        values = {"naam": "Piet", "onderwerp": "uw vergunning"}
        sent = send_template(thread_id=thread.id, template_id=approved.id, values=values, actor=agent, at=clock.now())
        return lost(sent)

    def test_it_is_filled_as_it_was_also_after_the_window(self, message, agent, clock):
        later = clock.now() + timedelta(days=2)
        made = uncertain.send_again(message_id=message.id, actor=agent, at=later)
        item = OutboxItem.objects.select_related("message").get()
        assert item.request["template"] == message.content
        again = item.message
        assert again == made.repeated_by
        assert (again.template_name, again.purpose, again.template_version_id) == (
            message.template_name,
            message.purpose,
            message.template_version_id,
        )

    def test_one_that_meta_paused_is_not_sent(self, message, approved, agent, clock):
        Template.objects.filter(id=approved.id).update(status="PAUSED")
        with pytest.raises(TemplateUnusable, match="template_paused"):
            uncertain.send_again(message_id=message.id, actor=agent, at=clock.now())

    def test_one_that_says_something_else_now_is_not_sent(self, message, approved, agent, clock):
        last = TemplateVersion.objects.filter(template=approved).latest("number")
        last.pk, last.number, last.changed = None, last.number + 1, ["components"]
        last.save()
        with pytest.raises(TemplateUnusable, match="template_changed"):
            uncertain.send_again(message_id=message.id, actor=agent, at=clock.now())
        assert list(uncertain.unsettled()) == [message]


class TestLeave:
    def test_it_is_asked_about_no_more_and_stays_uncertain(self, message, agent, clock):
        made = uncertain.leave(message_id=message.id, actor=agent, at=clock.now())
        assert made == uncertain.leave(message_id=message.id, actor=agent, at=clock.now())
        message.refresh_from_db()
        assert message.state == "UNCERTAIN"
        assert not uncertain.unsettled().exists()
        assert not OutboxItem.objects.exists()

    def test_a_status_settles_it_whenever_it_comes(self, utrecht, message, agent, clock):
        uncertain.leave(message_id=message.id, actor=agent, at=clock.now())
        meta.receive(utrecht, meta.status(utrecht, wamid="wamid.1", status="sent", opaque_id=str(message.id)))
        message.refresh_from_db()
        assert message.state == "SENT"

    def test_the_other_choice_is_refused_after_it_and_before(self, message, agent, clock):
        uncertain.leave(message_id=message.id, actor=agent, at=clock.now())
        with pytest.raises(ChosenOtherwise) as refused:
            uncertain.send_again(message_id=message.id, actor=agent, at=clock.now())
        assert refused.value.choice.choice == "LEAVE"
        assert not OutboxItem.objects.exists()


class TestALateStatus:
    @pytest.mark.parametrize("status", ["sent", "delivered", "read"])
    def test_the_second_is_withdrawn_while_it_waits(self, utrecht, message, agent, clock, status):
        again = uncertain.send_again(message_id=message.id, actor=agent, at=clock.now()).repeated_by
        meta.receive(utrecht, meta.status(utrecht, wamid="wamid.1", status=status, opaque_id=str(message.id)))
        again.refresh_from_db()
        assert (again.state, again.failed_reason) == ("FAILED", FIRST_ARRIVED)
        assert not OutboxItem.objects.exists()

    def test_the_second_goes_when_the_first_failed(self, utrecht, message, agent, clock):
        again = uncertain.send_again(message_id=message.id, actor=agent, at=clock.now()).repeated_by
        errors = [{"code": 131026, "title": "Message undeliverable"}]
        failed = meta.status(utrecht, wamid="wamid.1", status="failed", errors=errors, opaque_id=str(message.id))
        meta.receive(utrecht, failed)
        again.refresh_from_db()
        assert again.state == "QUEUED"
        assert OutboxItem.objects.get().message == again

    def test_what_a_lane_has_in_its_hands_is_left_to_it(self, utrecht, message, agent, clock):
        again = uncertain.send_again(message_id=message.id, actor=agent, at=clock.now()).repeated_by
        Message.objects.filter(id=again.id).update(state="SENDING")
        OutboxItem.objects.update(claimed_by=1)
        meta.receive(utrecht, meta.status(utrecht, wamid="wamid.1", status="sent", opaque_id=str(message.id)))
        again.refresh_from_db()
        assert again.state == "SENDING"
        assert OutboxItem.objects.exists()


class TestAtOnce:
    """With real commits: whoever comes second waits for the first, and sees what it did."""

    @pytest.fixture
    def message(self, committing_db, utrecht, clock) -> Message:
        with schema_context("utrecht"):
            meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
            return lost(reply(thread_id=Thread.objects.get().id, text="Op de Markt.", actor=ANNA, at=clock.now()))

    def test_two_who_send_again_at_once_send_once(self, message, clock):
        def again(actor):
            return lambda: uncertain.send_again(message_id=message.id, actor=actor, at=clock.now())

        assert at_once(*[again(actor) for actor in (ANNA, BART) * 3]) == []
        with schema_context("utrecht"):
            assert OutboxItem.objects.count() == UncertainChoice.objects.count() == 1
            assert Message.objects.filter(text="Op de Markt.").count() == 2
            assert Entry.objects.filter(action="message.choose").count() == 1

    def test_of_two_who_choose_differently_one_is_told(self, message, clock):
        broke = at_once(
            *[lambda: uncertain.send_again(message_id=message.id, actor=ANNA, at=clock.now())] * 2,
            *[lambda: uncertain.leave(message_id=message.id, actor=BART, at=clock.now())] * 2,
        )
        assert [type(error) for error in broke] == [ChosenOtherwise] * 2
        with schema_context("utrecht"):
            made = UncertainChoice.objects.get()
            assert OutboxItem.objects.count() == (1 if made.choice == "SEND_AGAIN" else 0)

    def test_a_status_at_that_moment_leaves_nothing_to_go_out_twice(self, message, utrecht, clock):
        report = meta.status(utrecht, wamid="wamid.1", status="delivered", opaque_id=str(message.id))
        broke = at_once(
            lambda: uncertain.send_again(message_id=message.id, actor=ANNA, at=clock.now()),
            lambda: meta.receive(utrecht, report),
        )
        assert [type(error) for error in broke] in ([], [NotUncertain])
        with schema_context("utrecht"):
            message.refresh_from_db()
            assert message.state == "DELIVERED"
            assert not OutboxItem.objects.exists()
