"""Who wrote: numbers pass to other people, ids and numbers change, and Meta links what we knew apart."""

from datetime import timedelta

import pytest

from billing.models import ContactLink
from messaging.core.models import UnknownUpdate
from messaging.models import Contact, InboxEvent, Message, Thread
from tests.messaging import meta

ANNA, BOB = "NL.Anna00001", "NL.Bob000001"
LATER = meta.RECEIVED_AT + timedelta(seconds=1)
ONE, TWO, THREE = "31697000001", "31697000002", "31697000003"

pytestmark = pytest.mark.usefixtures("here", "clock")


def ids() -> set[tuple[str | None, str | None]]:
    """Return the ids of every contact that was not merged into another."""
    return set(Contact.objects.filter(merged_into=None).values_list("wa_id", "bsuid"))


def texts_of(**contact) -> list[str]:
    """Return what a contact wrote, in order."""
    messages = Message.objects.filter(**{f"thread__contact__{name}": value for name, value in contact.items()})
    return list(messages.order_by("stamped_at", "wamid").values_list("text", flat=True))


def changed_number(municipality, *, old: str, new: str, wamid: str = "wamid.SYS", bsuid: str | None = None, **more):
    """Return the body by which WhatsApp tells that a person has another number; it names no contact."""
    system = {"body": f"User changed from {old} to {new}", "wa_id": new, "type": "user_changed_number", **more}
    body = meta.message(municipality, wamid=wamid, wa_id=old, bsuid=bsuid, type="system", system=system)
    del body["entry"][0]["changes"][0]["value"]["contacts"]
    return body


def changed_id(municipality, *, old: str, new: str, wa_id: str | None = None, wamid: str = "wamid.SYS"):
    """Return the body by which WhatsApp tells that a person has another id; the old one stands in a sentence alone."""
    system = {"body": f"User changed from {old} to {new}", "user_id": new, "type": "user_changed_user_id"}
    body = meta.message(municipality, wamid=wamid, wa_id=wa_id, type="system", system=system)
    del body["entry"][0]["changes"][0]["value"]["contacts"]
    return body


class TestANumberThatPasses:
    def test_it_begins_a_new_contact_and_leaves_the_old_thread_untouched(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1", text="Van Anna", wa_id=ONE, bsuid=ANNA))
        before = Thread.objects.get()
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.2", text="Van Bob", wa_id=ONE, bsuid=BOB))
        assert ids() == {(None, ANNA), (ONE, BOB)}
        assert (texts_of(bsuid=ANNA), texts_of(bsuid=BOB)) == (["Van Anna"], ["Van Bob"])
        after = Thread.objects.get(id=before.id)
        assert (after.contact_id, after.last_message_at) == (before.contact_id, before.last_message_at)

    def test_it_goes_to_whom_the_id_belongs_and_merges_nobody(self, utrecht):
        meta.receive(
            utrecht,
            meta.message(utrecht, wamid="wamid.1", text="Van Anna", wa_id=ONE, bsuid=ANNA),
            meta.message(utrecht, wamid="wamid.2", text="Van Bob", wa_id=TWO, bsuid=BOB),
        )
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.3", text="Weer Bob", wa_id=ONE, bsuid=BOB, at=LATER))
        assert ids() == {(None, ANNA), (ONE, BOB)}
        assert (texts_of(bsuid=ANNA), texts_of(bsuid=BOB)) == (["Van Anna"], ["Van Bob", "Weer Bob"])
        assert not ContactLink.objects.exists()

    def test_two_people_can_exchange_numbers_in_one_batch(self, utrecht):
        meta.receive(
            utrecht,
            meta.message(utrecht, wamid="wamid.1", wa_id=ONE, bsuid=ANNA),
            meta.message(utrecht, wamid="wamid.2", wa_id=TWO, bsuid=BOB),
        )
        meta.receive(
            utrecht,
            meta.message(utrecht, wamid="wamid.3", wa_id=TWO, bsuid=ANNA, at=LATER),
            meta.message(utrecht, wamid="wamid.4", wa_id=ONE, bsuid=BOB, at=LATER),
        )
        assert ids() == {(TWO, ANNA), (ONE, BOB)}
        assert not InboxEvent.objects.filter(state="DEAD").exists()

    def test_it_passes_on_within_one_batch_too(self, utrecht):
        meta.receive(
            utrecht,
            *(
                meta.message(utrecht, wamid=f"wamid.{bsuid}", text=bsuid, wa_id=ONE, bsuid=bsuid)
                for bsuid in (ANNA, BOB, "NL.Cleo00001")
            ),
        )
        assert ids() == {(None, ANNA), (None, BOB), (ONE, "NL.Cleo00001")}
        assert texts_of(bsuid=BOB) == [BOB]
        assert not InboxEvent.objects.filter(state="DEAD").exists()

    def test_a_person_with_the_same_id_has_the_new_number_from_now_on(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1", wa_id=ONE, bsuid=ANNA))
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.2", wa_id=TWO, bsuid=ANNA))
        assert ids() == {(TWO, ANNA)}
        assert Thread.objects.count() == 1


class TestAChangeThatWhatsAppTells:
    @pytest.mark.parametrize("bsuid", [None, ANNA])
    def test_a_new_number_is_followed(self, utrecht, bsuid):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1", wa_id=ONE, bsuid=bsuid))
        meta.receive(utrecht, changed_number(utrecht, old=ONE, new=TWO))
        assert ids() == {(TWO, bsuid)}
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.2", wa_id=TWO))
        assert Thread.objects.count() == 1
        assert not InboxEvent.objects.filter(state="DEAD").exists()

    def test_a_new_id_is_followed_by_the_old_one_in_the_sentence(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1", wa_id=None, bsuid=ANNA))
        meta.receive(utrecht, changed_id(utrecht, old=ANNA, new="NL.Anna00002"))
        assert ids() == {(None, "NL.Anna00002")}

    def test_a_new_id_that_wrote_before_the_change_was_told_is_the_same_person(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1", text="Eerst", wa_id=ONE, bsuid=ANNA))
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.2", text="Toen", wa_id=ONE, bsuid="NL.Anna00002"))
        meta.receive(utrecht, changed_id(utrecht, old=ANNA, new="NL.Anna00002", wa_id=ONE))
        assert ids() == {(ONE, "NL.Anna00002")}
        assert [text for text in texts_of(bsuid="NL.Anna00002") if "changed" not in text] == ["Eerst", "Toen"]
        assert ContactLink.objects.count() == 1

    def test_a_new_number_that_was_a_strangers_leaves_the_stranger_apart(self, utrecht):
        meta.receive(
            utrecht,
            meta.message(utrecht, wamid="wamid.1", text="Van Anna", wa_id=ONE, bsuid=ANNA),
            meta.message(utrecht, wamid="wamid.2", text="Van Bob", wa_id=TWO, bsuid=BOB),
        )
        meta.receive(utrecht, changed_number(utrecht, old=ONE, new=TWO, user_id="NL.Anna00002"))
        assert ids() == {(TWO, "NL.Anna00002"), (None, BOB)}
        assert texts_of(bsuid=BOB) == ["Van Bob"]
        assert not ContactLink.objects.exists()

    def test_it_opens_no_window_and_lets_nobody_wait(self, utrecht, clock):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1", wa_id=ONE, at=clock.now()))
        Thread.objects.update(waiting_since=None)
        before = Thread.objects.get().last_inbound_at
        told = changed_number(utrecht, old=ONE, new=TWO)
        told["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"] = str(int(clock.now().timestamp()) + 3600)
        meta.receive(utrecht, told)
        after = Thread.objects.get()
        assert (after.last_inbound_at, after.waiting_since) == (before, None)
        assert Message.objects.count() == 2

    def test_one_that_we_do_not_know_is_a_line_and_changes_nobody(self, utrecht, clock):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1", wa_id=ONE, at=clock.now()))
        before, known = ids(), Thread.objects.get()
        for nth, more in enumerate(({}, {"wa_id": TWO, "user_id": ANNA})):
            system = {"body": "User changed their security code", "type": "user_identity_changed", **more}
            said = {"wamid": f"wamid.SYS{nth}", "wa_id": ONE, "type": "system", "system": system}
            meta.receive(utrecht, meta.message(utrecht, at=clock.move(minutes=1), **said))
        assert ids() == before
        assert (Thread.objects.get().last_inbound_at, Message.objects.filter(kind="system").count()) == (
            known.last_inbound_at, 2,
        )  # fmt: skip
        counted = UnknownUpdate.objects.values_list("field", "kind", "times")
        assert list(counted) == [("messages", "user_identity_changed", 2)]

    def test_a_thread_that_it_opens_has_the_window_that_there_was(self, utrecht, clock):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1", wa_id=ONE, at=clock.now()))
        Thread.objects.update(state="CLOSED", closed_at=clock.now())
        meta.receive(utrecht, changed_number(utrecht, old=ONE, new=TWO))
        assert Thread.objects.get(state="OPEN").last_inbound_at == clock.now()

    @pytest.mark.parametrize("known", [False, True])
    def test_of_somebody_unknown_it_makes_no_contact(self, utrecht, known):
        if known:
            meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1", wa_id=TWO))
        meta.receive(utrecht, changed_number(utrecht, old=ONE, new=THREE), changed_id(utrecht, old=ANNA, new=BOB))
        assert Contact.objects.count() == Message.objects.count() == int(known)
        assert not InboxEvent.objects.filter(state="DEAD").exists()


class TestMerging:
    def test_a_chain_of_merges_in_one_batch_ends_at_one_contact(self, utrecht, clock):
        """Three that were known apart: two by numbers, one by id; one batch says that they are one person."""
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1", text="1", wa_id=ONE))
        clock.move(minutes=1)
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.2", text="2", wa_id=TWO))
        clock.move(minutes=1)
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.3", text="3", wa_id=None, bsuid=ANNA))
        meta.receive(
            utrecht,
            meta.message(utrecht, wamid="wamid.4", text="4", wa_id=TWO, bsuid=ANNA),
            changed_number(utrecht, old=ONE, new=TWO),
            meta.message(utrecht, wamid="wamid.5", text="5", wa_id=TWO, bsuid=ANNA),
        )
        assert ids() == {(TWO, ANNA)}
        assert not InboxEvent.objects.filter(state="DEAD").exists()
        kept = Contact.objects.get(merged_into=None)
        assert set(Contact.objects.exclude(id=kept.id).values_list("merged_into", flat=True)) == {kept.id}
        texts = [text for text in texts_of(bsuid=ANNA) if "changed" not in text]
        assert sorted(texts) == ["1", "2", "3", "4", "5"]
        assert Thread.objects.filter(state="OPEN").count() == 1
        assert ContactLink.objects.count() == 2

    def test_a_merge_applied_twice_changes_nothing(self, utrecht):
        meta.receive(
            utrecht,
            meta.message(utrecht, wamid="wamid.1", wa_id=ONE),
            meta.message(utrecht, wamid="wamid.2", wa_id=None, bsuid=ANNA),
            meta.message(utrecht, wamid="wamid.3", wa_id=ONE, bsuid=ANNA),
        )
        tables = ["messaging_contact", "messaging_thread", "messaging_message"]
        before = meta.contents("utrecht", tables)
        meta.replay("utrecht")
        assert meta.contents("utrecht", tables) == before


class TestWindow:
    def test_a_thread_opened_by_an_older_message_has_the_newer_window(self, utrecht, clock):
        """Meta delivers late: the message that opens a thread is older than the one by which the window is open."""
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.1", wa_id=ONE, at=clock.now()))
        Thread.objects.update(state="CLOSED", closed_at=clock.now())
        newest = clock.now()
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.2", wa_id=ONE, at=clock.move(hours=-3)))
        assert Thread.objects.get(state="OPEN").last_inbound_at == newest
