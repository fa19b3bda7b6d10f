"""A number that also lives in the Business app on a phone, calls, and numbers where another application answers."""

from datetime import timedelta

import pytest

from billing.models import Fact
from messaging.models import Consent, Contact, LooseStatus, Message, Thread
from tenants.models import Trouble
from tests.messaging import meta

AT = meta.RECEIVED_AT
PIET = "31697000001"

pytestmark = pytest.mark.usefixtures("here", "clock")


def later(seconds: int):
    return AT + timedelta(seconds=seconds)


def field(municipality, name: str, **value):
    metadata = {"display_phone_number": "31970100344", "phone_number_id": meta.number_id(municipality)}
    number = municipality.numbers.get()
    return meta.account(waba_id=number.waba_id, field=name, value={"metadata": metadata, **value})


def echo(municipality, seconds: int, wamid: str = "wamid.phone"):
    said = {"from": "31970100344", "to": PIET, "id": wamid, "timestamp": str(int(later(seconds).timestamp()))}
    return field(municipality, "smb_message_echoes", message_echoes=[{**said, "type": "text", "text": {"body": "Dag"}}])


class TestMessagesFromThePhone:
    @pytest.mark.parametrize("turned", [False, True])
    def test_one_stands_in_the_thread_with_its_statuses_whichever_came_first(self, utrecht, turned):
        told = [echo(utrecht, 5), meta.status(utrecht, wamid="wamid.phone", status="read", at=later(7))]
        for body in reversed(told) if turned else told:
            meta.receive(utrecht, body)
        message = Message.objects.get()
        assert (message.direction, message.state, message.text) == ("OUTBOUND", "READ", "Dag")
        assert message.statuses.get().stamped_at == later(7)
        assert Fact.objects.count() == 1
        assert not LooseStatus.objects.exists()

    @pytest.mark.parametrize("turned", [False, True])
    def test_who_waited_has_an_answer_and_who_asks_again_waits_again(self, utrecht, turned):
        told = [
            meta.message(utrecht, wamid="wamid.1", at=AT),
            echo(utrecht, 5),
            meta.message(utrecht, wamid="wamid.2", at=later(9)),
        ]
        for body in reversed(told) if turned else told:
            meta.receive(utrecht, body)
        assert Thread.objects.get().waiting_since == later(9)

    def test_what_was_said_before_opens_nothing(self, utrecht):
        before = str(int((AT - timedelta(days=90)).timestamp()))
        said = {"id": "wamid.old", "from": PIET, "timestamp": before, "type": "text", "text": {"body": "Ooit"}}
        chunk = {"metadata": {"phase": 2}, "threads": [{"id": PIET, "messages": [said]}]}
        meta.receive(utrecht, field(utrecht, "history", history=[chunk]))
        thread = Thread.objects.get()
        assert (thread.state, thread.imported, thread.waiting_since) == ("CLOSED", True, None)
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.new"))
        assert Thread.objects.get(state="OPEN").messages.get().wamid == "wamid.new"

    @pytest.mark.parametrize("turned", [False, True])
    def test_its_lane_keeps_to_the_twenty_a_second_that_meta_lets_it(self, utrecht, turned):
        shown = {"display_phone_number": utrecht.numbers.get().display_phone_number.lstrip("+")}
        faster = {"field": "phone_number_quality_update", "value": {**shown, "event": "THROUGHPUT_UPGRADE"}}
        told = [echo(utrecht, 5), meta.account(waba_id=utrecht.numbers.get().waba_id, **faster)]
        for body in reversed(told) if turned else told:
            meta.receive(utrecht, body)
        assert utrecht.numbers.get().messages_per_second == 20

    def test_the_address_book_of_the_phone_is_not_taken_over(self, utrecht):
        entry = {"type": "contact", "contact": {"full_name": "Tante Riet", "phone_number": PIET}, "action": "add"}
        meta.receive(utrecht, field(utrecht, "smb_app_state_sync", state_sync=[entry]))
        assert not Contact.objects.exists()


def test_a_call_opens_the_window_and_somebody_waits(utrecht):
    called = {"id": "wacid.1", "from": PIET, "event": "connect", "timestamp": str(int(AT.timestamp()))}
    meta.receive(utrecht, field(utrecht, "calls", calls=[called, {**called, "event": "terminate"}]))
    thread = Thread.objects.get()
    assert (thread.last_inbound_at, thread.waiting_since) == (AT, AT)
    assert Message.objects.get().kind == "call"


def test_a_call_of_ours_opens_nothing(utrecht):
    called = {"id": "wacid.1", "to": PIET, "event": "connect", "direction": "BUSINESS_INITIATED"}
    meta.receive(utrecht, field(utrecht, "calls", calls=[{**called, "timestamp": str(int(AT.timestamp()))}]))
    assert not Thread.objects.exists()


@pytest.mark.parametrize("turned", [False, True])
def test_standby_is_noticed_until_a_citizen_reaches_us_again(utrecht, turned):
    said = {"id": "wamid.b", "from": PIET, "timestamp": str(int(AT.timestamp())), "type": "text", "text": {"body": "?"}}
    silent = field(utrecht, "standby", messages=[said])
    meta.receive(utrecht, silent)
    assert Trouble.objects.get(closed_at=None).kind == "STANDBY"
    assert Message.objects.get().text == "?"
    meta.receive(utrecht, meta.message(utrecht, wamid="wamid.2", at=later(60)))
    if turned:
        meta.replay("utrecht")
    assert not Trouble.objects.filter(closed_at=None).exists()


def test_what_somebody_set_in_whatsapp_counts_as_their_word(utrecht):
    told = {"wa_id": PIET, "category": "marketing_messages"}
    stop, resume = (
        {**told, "value": word, "timestamp": int(later(n).timestamp())} for n, word in ((5, "stop"), (3, "resume"))
    )
    meta.receive(utrecht, field(utrecht, "user_preferences", user_preferences=[stop, resume, "garbage"]))
    words = Consent.objects.order_by("at").values_list("word", "source", "at")
    assert list(words) == [("OPT_IN", "WHATSAPP", later(3)), ("OPT_OUT", "WHATSAPP", later(5))]


@pytest.mark.parametrize("turned", [False, True])
def test_another_id_is_the_same_person_whichever_update_came_first(utrecht, turned):
    changed = {"user_id": {"previous": "NL.Anna1", "current": "NL.Anna2"}, "timestamp": str(int(later(5).timestamp()))}
    told = [
        meta.message(utrecht, wamid="wamid.1", wa_id=None, bsuid="NL.Anna1"),
        field(utrecht, "user_id_update", user_id_update=[changed]),
        meta.message(utrecht, wamid="wamid.2", wa_id=None, bsuid="NL.Anna2", at=later(9)),
    ]
    for body in reversed(told) if turned else told:
        meta.receive(utrecht, body)
    assert Contact.objects.get(merged_into=None).bsuid == "NL.Anna2"
    assert Thread.objects.get(state="OPEN").messages.count() == 2
