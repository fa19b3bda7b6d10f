"""Statuses move a message forward only, whatever their order, and settle what was uncertain."""

from itertools import permutations

import pytest

from billing.models import Fact
from messaging.models import Message, MessageStatus, OutboxItem
from messaging.replying import reply
from tenants.trouble import open_troubles
from tests.messaging import meta

WAMID = "wamid.OUT1"


@pytest.fixture
def sent(thread, agent, clock) -> Message:
    """Return a reply that Meta accepted."""
    message = reply(thread_id=thread.id, text="Op de Markt.", actor=agent, at=clock.now())
    OutboxItem.objects.all().delete()
    Message.objects.filter(id=message.id).update(state="ACCEPTED", wamid=WAMID)
    return message


def state_of(message: Message) -> str:
    message.refresh_from_db()
    return message.state


class TestForward:
    @pytest.mark.parametrize("order", list(permutations(["sent", "delivered", "read"])))
    def test_every_order_ends_at_read(self, utrecht, sent, order):
        for status in order:
            meta.receive(utrecht, meta.status(utrecht, wamid=WAMID, status=status))
        assert state_of(sent) == "READ"
        assert MessageStatus.objects.count() == 3
        assert Fact.objects.count() == 1

    def test_read_needs_no_delivered(self, utrecht, sent):
        meta.receive(utrecht, meta.status(utrecht, wamid=WAMID, status="read"))
        assert state_of(sent) == "READ"

    def test_failed_keeps_metas_reason(self, utrecht, sent):
        errors = [{"code": 131026, "title": "Message undeliverable"}]
        meta.receive(utrecht, meta.status(utrecht, wamid=WAMID, status="failed", errors=errors))
        sent.refresh_from_db()
        assert (sent.state, sent.failed_code, sent.failed_reason) == ("FAILED", 131026, "Message undeliverable")

    def test_delivered_after_failed_takes_the_reason_away(self, utrecht, sent):
        errors = [{"code": 131026, "title": "Message undeliverable"}]
        meta.receive(utrecht, meta.status(utrecht, wamid=WAMID, status="failed", errors=errors))
        meta.receive(utrecht, meta.status(utrecht, wamid=WAMID, status="delivered"))
        sent.refresh_from_db()
        assert (sent.state, sent.failed_code, sent.failed_reason) == ("DELIVERED", None, "")

    def test_a_status_that_meta_invents_later_changes_nothing(self, utrecht, sent):
        meta.receive(utrecht, meta.status(utrecht, wamid=WAMID, status="teleported"))
        assert state_of(sent) == "ACCEPTED"
        assert MessageStatus.objects.get().status == "teleported"


class TestOurId:
    @pytest.mark.parametrize("state", ["QUEUED", "SENDING", "UNCERTAIN"])
    def test_a_status_finds_the_message_whose_answer_never_came(self, utrecht, thread, agent, clock, state):
        message = reply(thread_id=thread.id, text="Op de Markt.", actor=agent, at=clock.now())
        Message.objects.filter(id=message.id).update(state=state)
        meta.receive(utrecht, meta.status(utrecht, wamid=WAMID, status="sent", opaque_id=str(message.id)))
        message.refresh_from_db()
        assert (message.state, message.wamid) == ("SENT", WAMID)
        assert not OutboxItem.objects.exists()

    def test_an_opaque_id_that_is_not_ours_is_no_error(self, utrecht, sent):
        meta.receive(utrecht, meta.status(utrecht, wamid=WAMID, status="read", opaque_id="order 12"))
        assert state_of(sent) == "READ"

    def test_an_inbound_message_is_not_moved_by_a_status(self, utrecht, thread):
        inbound = Message.objects.get()
        meta.receive(utrecht, meta.status(utrecht, wamid=inbound.wamid, status="read"))
        assert state_of(inbound) == "RECEIVED"

    def test_what_another_program_sent_from_the_number_is_metered_too(self, utrecht, here, clock):
        meta.receive(utrecht, meta.status(utrecht, wamid="wamid.elsewhere", status="delivered"))
        fact = Fact.objects.get()
        assert fact.municipality_id == utrecht.id


class TestFailuresThatConcernTheNumber:
    @pytest.mark.parametrize(
        ("code", "kind"), [(190, "TOKEN"), (131031, "LOCKED"), (131042, "PAYMENT"), (133010, "UNREGISTERED")]
    )
    def test_a_code_that_stops_is_heeded_in_a_status_too(self, utrecht, thread, agent, clock, code, kind):
        sent = reply(thread_id=thread.id, text="Goedemiddag", actor=agent, at=clock.now())
        failed = {"code": code, "title": "No"}
        meta.receive(
            utrecht, meta.status(utrecht, wamid="wamid.OUT", status="failed", opaque_id=str(sent.id), errors=[failed])
        )
        assert [trouble.kind for trouble in open_troubles(municipality_id=utrecht.id)] == [kind]

    @pytest.mark.parametrize("code", [4, 80007, 130429, 131056, 131026, 131047, 131000])
    def test_other_codes_stop_nothing(self, utrecht, thread, agent, clock, code):
        sent = reply(thread_id=thread.id, text="Goedemiddag", actor=agent, at=clock.now())
        failed = {"code": code, "title": "No"}
        meta.receive(
            utrecht, meta.status(utrecht, wamid="wamid.OUT", status="failed", opaque_id=str(sent.id), errors=[failed])
        )
        sent.refresh_from_db()
        assert (sent.state, sent.failed_code) == ("FAILED", code)
        assert not open_troubles(municipality_id=utrecht.id).exists()
