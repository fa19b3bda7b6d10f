"""What leaves: message and outbox row together, or a refusal that says the way out."""

import pytest

from audit.models import Entry
from messaging.core.models import OutboxWake
from messaging.models import Message, OutboxItem, Template
from messaging.replying import TemplateUnusable, ThreadClosed, WindowClosed, reply, send_template
from messaging.threads import close, open_for
from tests.messaging import meta
from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import InvalidContent


class TestReply:
    def test_it_queues_message_outbox_row_and_wake_together(self, thread, agent, clock):
        message = reply(thread_id=thread.id, text="Op de Markt.", actor=agent, at=clock.now())
        item = OutboxItem.objects.get()
        assert (message.state, item.message_id, item.phone_number_id) == ("QUEUED", message.id, thread.phone_number_id)
        assert item.request["biz_opaque_callback_data"] == str(message.id)
        assert item.request["to"] == "+31697000001"
        assert item.request["text"] == {"body": "Op de Markt.", "preview_url": False}
        assert OutboxWake.objects.get().phone_number_id == thread.phone_number_id
        assert str(message.author_id) == agent.id

    def test_the_thread_waits_no_longer(self, thread, agent, clock):
        reply(thread_id=thread.id, text="Op de Markt.", actor=agent, at=clock.move(minutes=5))
        thread.refresh_from_db()
        assert thread.waiting_since is None
        assert thread.last_message_at == clock.now()

    def test_it_is_in_the_audit_trail_without_its_text(self, thread, agent, clock):
        message = reply(thread_id=thread.id, text="Op de Markt.", actor=agent, at=clock.now())
        entry = Entry.objects.get(action="message.queue")
        assert (entry.actor_id, entry.subject) == (agent.id, f"message {message.id}")
        assert "Markt" not in str(entry.details)

    def test_it_is_allowed_until_the_last_second_of_the_window(self, thread, agent, clock):
        reply(thread_id=thread.id, text="Net op tijd.", actor=agent, at=clock.move(hours=23, minutes=59, seconds=59))
        assert OutboxItem.objects.exists()

    def test_it_is_refused_outside_the_window_with_the_way_out(self, thread, agent, approved, clock):
        with pytest.raises(WindowClosed) as refusal:
            reply(thread_id=thread.id, text="Te laat.", actor=agent, at=clock.move(hours=24))
        assert refusal.value.closed_at == clock.now()
        assert refusal.value.templates == ("vervolg_op_uw_vraag",)
        assert not OutboxItem.objects.exists()
        assert Message.objects.filter(direction="OUTBOUND").count() == 0

    def test_it_is_refused_in_a_closed_thread(self, thread, agent, clock):
        close(thread_id=thread.id, actor=agent, at=clock.now())
        with pytest.raises(ThreadClosed):
            reply(thread_id=thread.id, text="Nog iets.", actor=agent, at=clock.now())

    @pytest.mark.parametrize(("text", "error"), [("x" * 4097, LimitExceeded), ("  ", InvalidContent)])
    def test_what_meta_would_refuse_leaves_nothing_behind(self, thread, agent, clock, text, error):
        with pytest.raises(error):
            reply(thread_id=thread.id, text=text, actor=agent, at=clock.now())
        assert not OutboxItem.objects.exists()
        assert not OutboxWake.objects.exists()
        assert not Entry.objects.filter(action="message.queue").exists()

    def test_a_contact_without_a_phone_number_is_answered_by_id(self, utrecht, here, agent, clock):
        meta.receive(utrecht, meta.message(utrecht, wa_id=None, bsuid="NL.134912", at=clock.now()))
        thread = Message.objects.get().thread
        reply(thread_id=thread.id, text="Dag!", actor=agent, at=clock.now())
        request = OutboxItem.objects.get().request
        assert request["recipient"] == "NL.134912"
        assert "to" not in request


class TestTemplates:
    VALUES = {"naam": "Piet", "onderwerp": "uw vergunning"}

    def test_it_is_sent_also_when_the_window_is_closed(self, thread, agent, approved, clock):
        message = send_template(
            thread_id=thread.id, template_id=approved.id, values=self.VALUES, actor=agent, at=clock.move(days=3)
        )
        assert message.text.startswith("Goedendag Piet, u stelde ons een vraag over uw vergunning.")
        assert (message.purpose, message.template_category) == ("SERVICES", "UTILITY")
        (component,) = OutboxItem.objects.get().request["template"]["components"]
        assert [parameter["parameter_name"] for parameter in component["parameters"]] == ["naam", "onderwerp"]

    def test_it_needs_the_approval_of_meta(self, thread, agent, approved, clock):
        Template.objects.update(status="PENDING")
        with pytest.raises(TemplateUnusable, match="template_not_approved"):
            send_template(thread_id=thread.id, template_id=approved.id, values=self.VALUES, actor=agent, at=clock.now())

    @pytest.mark.parametrize("values", [{}, {"naam": "Piet"}, {**VALUES, "datum": "morgen"}])
    def test_it_needs_exactly_its_own_values(self, thread, agent, approved, clock, values):
        with pytest.raises(TemplateUnusable, match="template_parameters_differ"):
            send_template(thread_id=thread.id, template_id=approved.id, values=values, actor=agent, at=clock.now())

    @pytest.mark.parametrize(
        "values",
        [
            {"naam": "Piet", "onderwerp": "de avond van de V.V.D."},
            {"naam": "Piet", "onderwerp": "20% korting op uw zwembadkaart"},
            {"naam": "Piet", "onderwerp": "onze lijst 3. Stem dus op lijst 3"},
        ],
    )
    def test_what_is_filled_in_is_held_to_the_declaration_too(self, thread, agent, approved, clock, values):
        sent = {"thread_id": thread.id, "template_id": approved.id, "actor": agent, "at": clock.now()}
        with pytest.raises(TemplateUnusable, match="template_values_flagged"):
            send_template(values=values, **sent)
        assert not OutboxItem.objects.exists()
        send_template(values=self.VALUES, **sent)

    def test_words_of_the_template_itself_were_judged_before(self, thread, agent, approved, clock):
        Template.objects.update(
            body="Uw verkiezingspas, {{naam}}: {{onderwerp}}.",
            components=[{"type": "BODY", "text": "Uw verkiezingspas, {{naam}}: {{onderwerp}}."}],
        )
        sent = {"thread_id": thread.id, "template_id": approved.id, "actor": agent, "at": clock.now()}
        send_template(values=self.VALUES, **sent)
        with pytest.raises(TemplateUnusable, match="template_values_flagged"):
            send_template(values={**self.VALUES, "onderwerp": "ons stemadvies"}, **sent)


class TestNewThread:
    def test_it_inherits_the_contacts_window_on_the_number(self, thread, agent, clock):
        close(thread_id=thread.id, actor=agent, at=clock.now())
        opened = open_for(contact=thread.contact, phone_number_id=thread.phone_number_id, at=clock.now())
        assert opened.id != thread.id
        assert opened.last_inbound_at == thread.last_inbound_at

    def test_an_open_one_is_found(self, thread, clock):
        assert open_for(contact=thread.contact, phone_number_id=thread.phone_number_id, at=clock.now()).id == thread.id
