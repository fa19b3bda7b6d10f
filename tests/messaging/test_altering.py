"""Edits, withdrawals and reactions: whichever comes first, a message ends as it is meant to be, and nothing is lost."""

from datetime import timedelta
from itertools import permutations

import pytest

from messaging import lists, reading
from messaging.models import Alteration, Contact, InboxEvent, Message, Sighting, Thread, WindowOpening
from messaging.replying import reply
from tests.messaging import meta

AT = meta.RECEIVED_AT
FIRST = "wamid.first"

pytestmark = pytest.mark.usefixtures("here", "clock")


def later(seconds: int):
    return AT + timedelta(seconds=seconds)


def edit(municipality, text: str, seconds: int, wamid: str = "wamid.edit", of: str = FIRST):
    inner = {"original_message_id": of, "message": {"type": "text", "text": {"body": text}}}
    return meta.message(municipality, wamid=wamid, at=later(seconds), type="edit", edit=inner)


def revoke(municipality, seconds: int, wamid: str = "wamid.revoke", of: str = FIRST):
    return meta.message(municipality, wamid=wamid, at=later(seconds), type="revoke", revoke={"original_message_id": of})


def reaction(municipality, emoji: str | None, seconds: int, wamid: str, of: str = FIRST):
    said = {"message_id": of} | ({} if emoji is None else {"emoji": emoji})
    return meta.message(municipality, wamid=wamid, at=later(seconds), type="reaction", reaction=said)


def view():
    return reading.thread(thread_id=Thread.objects.get().id, at=later(60))


def forget(municipality) -> None:
    """Make as if nothing had come."""
    for model in (WindowOpening, Alteration, Message, Thread, Contact, Sighting, InboxEvent):
        model.objects.all().delete()


class TestEdits:
    def test_it_shows_the_last_and_keeps_what_was_said_before_in_any_order(self, utrecht):
        told = [
            meta.message(utrecht, wamid=FIRST, text="Maandag"),
            edit(utrecht, "Dinsdag", 5, "wamid.e1"),
            edit(utrecht, "Woensdag", 9, "wamid.e2"),
        ]
        for order in permutations(told):
            forget(utrecht)
            for body in order:
                meta.receive(utrecht, body)
            (shown,) = view().messages
            assert (shown.message.text, shown.message.edited_at) == ("Woensdag", later(9))
            assert shown.message.original == {"kind": "text", "text": "Maandag", "content": {"body": "Maandag"}}
            assert [(version.text, version.at) for version in shown.versions] == [
                ("Maandag", AT),
                ("Dinsdag", later(5)),
            ]

    def test_of_two_in_one_second_it_is_always_the_same(self, utrecht):
        told = [
            meta.message(utrecht, wamid=FIRST),
            edit(utrecht, "A", 5, "wamid.e1"),
            edit(utrecht, "B", 5, "wamid.e2"),
        ]
        ends = set()
        for order in permutations(told):
            forget(utrecht)
            meta.receive(utrecht, *order)
            ends.add(Message.objects.get().text)
        assert ends == {"B"}

    def test_a_new_caption_keeps_the_medium(self, utrecht):
        image = {"id": "900", "mime_type": "image/jpeg", "caption": "Oud"}
        inner = {"original_message_id": FIRST, "message": {"type": "image", "image": {"caption": "Nieuw"}}}
        meta.receive(utrecht, meta.message(utrecht, wamid=FIRST, type="image", image=image))
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.e", at=later(1), type="edit", edit=inner))
        message = Message.objects.get()
        assert (message.kind, message.text, message.content["id"]) == ("image", "Nieuw", "900")

    def test_it_opens_no_window_and_lets_nobody_wait(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, wamid=FIRST))
        Thread.objects.update(waiting_since=None)
        meta.receive(utrecht, edit(utrecht, "Dinsdag", 5))
        thread = Thread.objects.get()
        assert (thread.last_inbound_at, thread.waiting_since) == (AT, None)

    def test_a_citizen_cannot_edit_what_the_municipality_said(self, utrecht, thread, agent, clock):
        message = reply(thread_id=thread.id, text="Op de Markt.", actor=agent, at=clock.now())
        Message.objects.filter(id=message.id).update(state="ACCEPTED", wamid="wamid.ours")
        meta.receive(utrecht, edit(utrecht, "Nergens", 5, of="wamid.ours"), revoke(utrecht, 6, of="wamid.ours"))
        message.refresh_from_db()
        assert (message.text, message.edited_at, message.revoked_at) == ("Op de Markt.", None, None)

    def test_one_that_does_not_say_of_which_message_is_a_line_of_its_own(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.e", type="edit", edit={"message": {}}))
        assert Message.objects.get().kind == "edit"

    def test_applying_again_changes_nothing(self, utrecht):
        meta.receive(utrecht, edit(utrecht, "Dinsdag", 5), meta.message(utrecht, wamid=FIRST), revoke(utrecht, 9))
        tables = ("messaging_message", "messaging_alteration", "messaging_thread", "messaging_contact")
        before = meta.contents("utrecht", tables)
        meta.replay("utrecht")
        assert meta.contents("utrecht", tables) == before


class TestWithdrawals:
    @pytest.mark.parametrize("turned", [False, True])
    def test_it_marks_the_message_and_keeps_what_it_said(self, utrecht, turned):
        told = [meta.message(utrecht, wamid=FIRST, text="Vergissing"), revoke(utrecht, 5)]
        for body in reversed(told) if turned else told:
            meta.receive(utrecht, body)
        message = Message.objects.get()
        assert (message.text, message.revoked_at) == ("Vergissing", later(5))
        (row,) = lists.inbox(at=later(9)).rows
        assert row.last_is_revoked

    @pytest.mark.parametrize("turned", [False, True])
    def test_the_status_deleted_says_the_same(self, utrecht, turned):
        told = [meta.message(utrecht, wamid=FIRST), meta.status(utrecht, wamid=FIRST, status="deleted", at=later(7))]
        for body in reversed(told) if turned else told:
            meta.receive(utrecht, body)
        message = Message.objects.get()
        assert (message.state, message.revoked_at) == ("RECEIVED", later(7))


class TestReactions:
    def test_it_is_beside_its_message_and_the_last_one_stands_in_any_order(self, utrecht):
        told = [
            meta.message(utrecht, wamid=FIRST),
            reaction(utrecht, "👍", 2, "wamid.r1"),
            reaction(utrecht, "", 3, "wamid.r2"),
            reaction(utrecht, "❤️", 4, "wamid.r3"),
        ]
        for order in permutations(told):
            forget(utrecht)
            for body in order:
                meta.receive(utrecht, body)
            (shown,) = view().messages
            assert [each.emoji for each in shown.reactions] == ["❤️"]
            assert Thread.objects.get().last_inbound_at == later(4)
            forget(utrecht)
            meta.receive(utrecht, *order)  # together
            assert Thread.objects.get().last_inbound_at == later(4)

    @pytest.mark.parametrize("emoji", ["", None])
    def test_taken_away_it_is_gone(self, utrecht, emoji):
        meta.receive(
            utrecht,
            meta.message(utrecht, wamid=FIRST),
            reaction(utrecht, emoji, 3, "wamid.r2"),
            reaction(utrecht, "👍", 2, "wamid.r1"),
        )
        assert view().messages[0].reactions == ()

    def test_to_a_message_of_ours_it_stands_too(self, utrecht, thread, agent, clock):
        message = reply(thread_id=thread.id, text="Op de Markt.", actor=agent, at=clock.now())
        Message.objects.filter(id=message.id).update(state="ACCEPTED", wamid="wamid.ours")
        meta.receive(utrecht, reaction(utrecht, "🙏", 5, "wamid.r", of="wamid.ours"))
        shown = {each.message.id: each for each in view().messages}
        assert [each.emoji for each in shown[message.id].reactions] == ["🙏"]
        assert Message.objects.count() == 2

    def test_it_makes_no_thread_and_keeps_the_window_for_the_one_to_come(self, utrecht):
        meta.receive(utrecht, reaction(utrecht, "👍", 20, "wamid.r"))
        assert not Thread.objects.exists()
        assert WindowOpening.objects.get().contact == Contact.objects.get()
        meta.receive(utrecht, meta.message(utrecht, wamid=FIRST))
        assert Thread.objects.get().last_inbound_at == later(20)


class TestWhatIsShown:
    def test_an_answer_links_to_what_it_answers(self, utrecht):
        meta.receive(utrecht, meta.message(utrecht, wamid=FIRST, text="Eerst"))
        context = {"context": {"from": "31532222222", "id": FIRST}, "type": "text", "text": {"body": "Toen"}}
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.2", at=later(1), **context))
        first, second = view().messages
        assert (first.quote, second.quote.id, second.quote.text) == (None, first.message.id, "Eerst")

    def test_an_answer_to_what_is_not_here_says_so(self, utrecht):
        context = {"context": {"id": "wamid.lost"}, "type": "text", "text": {"body": "Toen"}}
        meta.receive(utrecht, meta.message(utrecht, **context))
        (shown,) = view().messages
        assert (shown.quote.id, shown.quote.text) == (None, "")

    def test_a_forward_and_where_somebody_came_from_are_kept(self, utrecht):
        told = {"context": {"frequently_forwarded": True}, "referral": {"source_type": "ad", "source_id": "1"}}
        meta.receive(utrecht, meta.message(utrecht, type="text", text={"body": "x"}, **told))
        message = Message.objects.get()
        assert (message.forwarded, message.referral) == (True, {"source_type": "ad", "source_id": "1"})

    def test_an_alteration_of_nobody_known_is_kept(self, utrecht):
        meta.receive(utrecht, edit(utrecht, "Dinsdag", 5, of="wamid.never"))
        assert Alteration.objects.get().text == "Dinsdag"
        assert InboxEvent.objects.get().state == "APPLIED"
