"""What citizens write becomes contacts, threads and messages: once, in the right schema, whatever comes beside it."""

from datetime import timedelta

import pytest
from django_tenants.utils import schema_context

from billing.models import ContactLink
from messaging.models import Contact, InboxEvent, Message, Template, Thread
from tests.messaging import meta

TABLES = ("messaging_contact", "messaging_thread", "messaging_message", "messaging_messagestatus")


@pytest.mark.usefixtures("here", "clock")
class TestReceiving:
    def test_it_stores_a_message_in_the_thread_of_its_contact(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, text="Waar is het stadhuis?"))
        message = Message.objects.get()
        assert (message.text, message.kind, message.state) == ("Waar is het stadhuis?", "text", "RECEIVED")
        assert message.thread.contact.wa_id == "31697000001"
        assert message.thread.contact.profile_name == "Piet"
        assert message.thread.waiting_since == message.thread.last_inbound_at == meta.RECEIVED_AT

    def test_it_puts_nothing_in_another_schema(self, utrecht, delft):
        meta.receive(utrecht, meta.message(utrecht))
        with schema_context("delft"):
            assert not Contact.objects.exists()
            assert not InboxEvent.objects.exists()
            assert not Message.objects.exists()

    def test_it_keeps_one_thread_for_one_contact(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1"), meta.message(utrecht, wamid="wamid.2"))
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.3"))
        assert Thread.objects.get().messages.count() == 3

    def test_it_stores_a_repeated_message_once(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht), meta.message(utrecht))
        meta.receive(utrecht, meta.message(utrecht))
        assert Message.objects.count() == 1

    def test_applying_everything_again_changes_nothing(self, utrecht):
        meta.receive(
            utrecht,
            meta.message(utrecht),
            meta.message(utrecht, wamid="wamid.2", bsuid="NL.abc123", wa_id=None),
            meta.message(utrecht, wamid="wamid.3", bsuid="NL.abc123"),
        )
        Thread.objects.update(waiting_since=None)  # somebody answered
        before = meta.contents("utrecht", TABLES)
        meta.replay("utrecht")
        assert meta.contents("utrecht", TABLES) == before

    def test_it_knows_a_contact_without_a_phone_number(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, wa_id=None, bsuid="NL.134912"))
        contact = Contact.objects.get()
        assert (contact.wa_id, contact.bsuid) == (None, "NL.134912")

    def test_it_takes_the_missing_id_over_when_meta_tells_it(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, wa_id=None, bsuid="NL.134912"))
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.2", bsuid="NL.134912"))
        contact = Contact.objects.get()
        assert (contact.wa_id, contact.bsuid) == ("31697000001", "NL.134912")

    def test_it_merges_two_contacts_when_meta_links_them(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1"))
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.2", wa_id=None, bsuid="NL.134912"))
        assert Contact.objects.count() == 2
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.3", bsuid="NL.134912"))
        contact = Contact.objects.get(merged_into=None)
        assert (contact.wa_id, contact.bsuid) == ("31697000001", "NL.134912")
        assert Thread.objects.get(state="OPEN").messages.count() == 3
        assert ContactLink.objects.count() == 1

    def test_it_merges_two_contacts_within_one_batch(self, utrecht):
        meta.receive(
            utrecht,
            meta.message(utrecht, wamid="wamid.1"),
            meta.message(utrecht, wamid="wamid.2", wa_id=None, bsuid="NL.134912"),
            meta.message(utrecht, wamid="wamid.3", bsuid="NL.134912"),
            meta.message(utrecht, wamid="wamid.4", wa_id=None, bsuid="NL.134912"),
        )
        assert Contact.objects.filter(merged_into=None).count() == 1
        assert Thread.objects.get(state="OPEN").messages.count() == 4

    def test_a_closed_thread_is_followed_by_a_new_one(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1"))
        Thread.objects.update(state="CLOSED", closed_at=meta.RECEIVED_AT)
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.2"))
        assert Thread.objects.count() == 2

    def test_a_reaction_asks_for_no_answer(self, utrecht):
        reaction = {"type": "reaction", "reaction": {"message_id": "wamid.0", "emoji": "👍"}}
        before = meta.RECEIVED_AT - timedelta(hours=3)
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.0", at=before))
        Thread.objects.update(waiting_since=None)
        meta.receive(utrecht, meta.message(utrecht, **reaction))
        thread = Thread.objects.get()
        assert thread.waiting_since is None
        assert thread.last_inbound_at == meta.RECEIVED_AT

    def test_it_sets_group_messages_aside(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, type="text", text={"body": "hoi"}, group_id="g1"))
        assert not Message.objects.exists()
        assert InboxEvent.objects.get().state == "APPLIED"

    def test_it_keeps_a_kind_that_it_does_not_know(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, type="hologram", hologram={"depth": 3}))
        message = Message.objects.get()
        assert (message.kind, message.content, message.text) == ("hologram", {"depth": 3}, "")

    def test_it_takes_over_the_review_of_a_template(self, utrecht):
        value = {
            "event": "APPROVED",
            "message_template_id": 594425479261596,
            "message_template_name": "vervolg_op_uw_vraag",
            "message_template_language": "nl",
        }
        entry = {
            "id": utrecht.numbers.get().waba_id,
            "time": 1772442000,
            "changes": [{"field": "message_template_status_update", "value": value}],
        }
        meta.receive(utrecht, {"object": "whatsapp_business_account", "entry": [entry]})
        assert Template.objects.get(name="vervolg_op_uw_vraag").status == "APPROVED"
        assert Template.objects.get(name="follow_up_on_your_question").status == "DRAFT"
