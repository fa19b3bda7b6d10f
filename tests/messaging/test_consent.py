"""Who may be written to first: citizens' own words, WhatsApp's, recorded ones, and what each does to sending."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from audit.models import Entry
from messaging import consent, opting
from messaging.consent import InvalidConsent, NotConsented, record_opt_in, record_opt_out
from messaging.models import Consent, Contact, Message, OutboxItem, Thread
from messaging.playing import find_answers
from messaging.replying import reply, send_template
from messaging.threads import open_for
from tests.messaging import meta

VALUES = {"naam": "Piet", "onderwerp": "uw vergunning"}
TOLD, SET, RECORDED = Consent.Source.MESSAGE, Consent.Source.WHATSAPP, Consent.Source.RECORDED
OUT = Consent.Word.OPT_OUT


@pytest.fixture
def stranger(utrecht, here, clock) -> Thread:
    """Return a thread with a citizen who never wrote."""
    contact = Contact.objects.create(wa_id="31697000077", created_at=clock.now())
    return open_for(contact=contact, phone_number_id=meta.number_id(utrecht), at=clock.now())


@pytest.fixture
def write(utrecht, thread, clock):
    """Return a function that has the citizen of the thread write something now."""

    def say(text: str, wamid: str, **more) -> None:
        meta.receive(utrecht, meta.message(utrecht, wamid=wamid, text=text, at=clock.now(), **more))

    return say


def send(thread, approved, agent, clock):
    return send_template(thread_id=thread.id, template_id=approved.id, values=VALUES, actor=agent, at=clock.now())


def confirmations() -> list[str]:
    return [item.message.text for item in OutboxItem.objects.select_related("message").order_by("id")]


class TestFirstTemplate:
    def test_it_needs_an_opt_in_of_who_never_wrote(self, stranger, approved, agent, clock):
        with pytest.raises(NotConsented) as refusal:
            send(stranger, approved, agent, clock)
        assert refusal.value.code == "opt_in_needed"
        assert refusal.value.contact_ids == (stranger.contact_id,)
        assert not OutboxItem.objects.exists()

    def test_it_leaves_after_an_opt_in(self, stranger, approved, agent, clock):
        record_opt_in(
            contact=stranger.contact,
            at=clock.now(),
            source=RECORDED,
            how="Vinkje op formulier",
            evidence="Z-1",
            actor=agent,
        )
        assert send(stranger, approved, agent, clock).state == "QUEUED"

    def test_it_needs_none_of_who_wrote_before(self, thread, approved, agent, clock):
        clock.move(days=90)
        assert send(thread, approved, agent, clock).state == "QUEUED"


class TestWords:
    @pytest.mark.parametrize(
        "text",
        [
            "STOP",
            "stop.",
            " Stop! ",
            "«stop»",
            "ＳＴＯＰ",
            "Stop 🛑",
            "stop stop",
            "AFMELDEN",
            "Opt-out",
            "uitschrijven",
        ],
    )
    def test_it_ends_templates_and_not_answers(self, write, thread, approved, agent, clock, text):
        write(text, "wamid.STOP")
        with pytest.raises(NotConsented, match="opted_out"):
            send(thread, approved, agent, clock)
        assert reply(thread_id=thread.id, text="Wij helpen u graag.", actor=agent, at=clock.now()).state == "QUEUED"

    @pytest.mark.parametrize(
        "text", ["Stop daarmee", "Kan ik mij afmelden?", "stoplicht kapot", "STOP " + "!" * 60, "start verbouwing"]
    )
    def test_it_is_no_word_within_a_sentence(self, write, text):
        write(text, "wamid.NO")
        assert not Consent.objects.exists()

    def test_a_tap_on_a_templates_button_counts(self, write):
        write("", "wamid.TAP", type="button", button={"text": "Stop", "payload": "STOP"})
        assert Consent.objects.get().word == "OPT_OUT"

    def test_a_choice_from_a_menu_does_not(self, write):
        chosen = {"type": "button_reply", "button_reply": {"id": "1", "title": "Stop"}}
        write("", "wamid.MENU", type="interactive", interactive=chosen)
        assert not Consent.objects.exists()

    @pytest.mark.parametrize("text", ["START", "aanmelden", "Opt in!"])
    def test_a_fresh_word_lifts_it(self, write, thread, approved, agent, clock, text):
        write("STOP", "wamid.STOP")
        clock.move(minutes=1)
        write(text, "wamid.START")
        assert send(thread, approved, agent, clock).state == "QUEUED"
        assert [(each.word, each.source) for each in consent.history(contact=thread.contact)] == [
            ("OPT_IN", "MESSAGE"),
            ("OPT_OUT", "MESSAGE"),
        ]

    def test_the_latest_stands_whatever_came_first(self, write, thread, clock):
        now = clock.now()
        clock.set(now + timedelta(minutes=5))
        write("START", "wamid.START")
        clock.set(now)
        write("STOP", "wamid.STOP")
        assert consent.standing(contact=thread.contact).word == "OPT_IN"
        assert confirmations() == []

    def test_a_recorded_opt_in_lifts_it(self, write, thread, approved, agent, clock):
        write("STOP", "wamid.STOP")
        clock.move(hours=2)
        record_opt_in(contact=thread.contact, at=clock.now(), source=RECORDED, how="Telefonisch", actor=agent)
        assert send(thread, approved, agent, clock).state == "QUEUED"


class TestConfirmation:
    def test_it_is_given_once_also_when_the_webhook_comes_again(self, write, utrecht, thread):
        write("Afmelden", "wamid.STOP")
        write("Afmelden", "wamid.STOP")
        meta.replay("utrecht")
        assert len(confirmations()) == 1
        assert confirmations()[0].startswith("U bent afgemeld: gemeente Utrecht stuurt u")
        assert Consent.objects.get().confirmation.text == confirmations()[0]

    def test_it_is_not_repeated_for_the_same_wish(self, write, clock):
        write("STOP", "wamid.STOP1")
        clock.move(minutes=1)
        write("stop", "wamid.STOP2")
        assert len(confirmations()) == 1
        assert Consent.objects.count() == 2

    def test_it_speaks_the_language_of_the_word(self, write, clock):
        write("Unsubscribe", "wamid.1")
        clock.move(minutes=1)
        write("start", "wamid.2")
        english, both = confirmations()
        assert english.startswith("You are unsubscribed: the municipality of Utrecht")
        assert "U bent aangemeld" in both
        assert "You are subscribed" in both

    def test_it_is_left_out_when_the_window_is_over(self, write, utrecht, thread, clock):
        stamp = clock.now()
        clock.move(days=2)
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.LATE", text="STOP", at=stamp))
        assert Consent.objects.get().confirmation is None
        assert confirmations() == []

    def test_it_answers_nobodys_question(self, write, thread):
        waiting_since = thread.waiting_since
        write("STOP", "wamid.STOP")
        thread.refresh_from_db()
        assert thread.waiting_since == waiting_since is not None

    def test_nobody_waits_for_an_answer_to_the_word_alone(self, utrecht, here, clock):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.STOP", text="STOP", at=clock.now()))
        assert Thread.objects.get().waiting_since is None


class TestFromWhatsApp:
    def test_it_is_kept_once(self, thread, clock):
        first = record_opt_out(contact=thread.contact, at=clock.now(), source=SET)
        again = record_opt_out(contact=thread.contact, at=clock.now(), source=SET, recorded_at=clock.move(hours=1))
        assert first == again
        assert Consent.objects.count() == 1

    def test_templates_that_wait_are_taken_back(self, thread, approved, agent, clock):
        queued = send(thread, approved, agent, clock)
        answer = reply(thread_id=thread.id, text="Dag.", actor=agent, at=clock.now())
        record_opt_out(contact=thread.contact, at=clock.now(), source=SET)
        queued.refresh_from_db()
        assert (queued.state, queued.failed_reason) == ("FAILED", "opted_out")
        assert [item.message_id for item in OutboxItem.objects.all()] == [answer.id]

    def test_what_a_lane_has_claimed_is_left_to_it(self, thread, approved, agent, clock):
        send(thread, approved, agent, clock)
        OutboxItem.objects.update(claimed_by=1)
        Message.objects.filter(direction="OUTBOUND").update(state="SENDING")
        record_opt_out(contact=thread.contact, at=clock.now(), source=SET)
        assert OutboxItem.objects.count() == 1

    def test_old_news_takes_nothing_back(self, thread, approved, agent, clock):
        record_opt_in(contact=thread.contact, at=clock.now(), source=SET)
        send(thread, approved, agent, clock)
        record_opt_out(contact=thread.contact, at=clock.now() - timedelta(days=1), source=SET, recorded_at=clock.now())
        assert OutboxItem.objects.count() == 1


class TestRecorded:
    def test_it_says_how_and_who(self, stranger, agent, clock):
        record_opt_in(
            contact=stranger.contact,
            at=clock.now() - timedelta(days=3),
            recorded_at=clock.now(),
            source=RECORDED,
            how="Vinkje bij de aanvraag",
            evidence="Z-2026-31",
            actor=agent,
        )
        kept = Consent.objects.get()
        assert (kept.how, kept.evidence, kept.actor_name) == ("Vinkje bij de aanvraag", "Z-2026-31", "Agent")
        entry = Entry.objects.get(action="consent.opt_in")
        assert (entry.subject, entry.details) == (f"contact {stranger.contact_id}", {"source": "RECORDED"})

    @pytest.mark.parametrize(
        ("how", "hours", "code"), [("  ", 0, "consent_how_missing"), ("Balie", 1, "consent_in_future")]
    )
    def test_it_refuses_what_says_nothing(self, stranger, agent, clock, how, hours, code):
        with pytest.raises(InvalidConsent, match=code):
            record_opt_in(
                contact=stranger.contact,
                at=clock.now() + timedelta(hours=hours),
                recorded_at=clock.now(),
                source=RECORDED,
                how=how,
                actor=agent,
            )

    @pytest.mark.parametrize(
        "statement",
        ["UPDATE messaging_consent SET word = 'OPT_IN'", "DELETE FROM messaging_consent", "TRUNCATE messaging_consent"],
    )
    def test_it_is_never_changed(self, thread, clock, statement):
        record_opt_out(contact=thread.contact, at=clock.now(), source=SET)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                cursor.execute(statement)


class TestMerged:
    def test_the_word_of_either_stands_for_both(self, utrecht, thread, approved, agent, clock):
        other = Contact.objects.create(bsuid="NL.77", created_at=clock.now())
        record_opt_out(contact=other, at=clock.now(), source=SET)
        linked = meta.message(utrecht, wamid="wamid.LINK", bsuid="NL.77", at=clock.move(minutes=1))
        meta.receive(utrecht, linked)
        kept = Contact.objects.get(merged_into=None)
        assert consent.standing(contact=kept).word == OUT
        with pytest.raises(NotConsented, match="opted_out"):
            send(Thread.objects.get(state="OPEN"), approved, agent, clock)

    def test_what_waits_for_the_one_is_taken_back_by_the_word_of_the_other(
        self, utrecht, thread, approved, agent, clock
    ):
        waits = send(thread, approved, agent, clock)
        answer = reply(thread_id=thread.id, text="Wij helpen u graag.", actor=agent, at=clock.now())
        other = Contact.objects.create(bsuid="NL.77", created_at=clock.now())
        record_opt_out(contact=other, at=clock.now(), source=SET)
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.LINK", bsuid="NL.77", at=clock.move(minutes=1)))
        waits.refresh_from_db()
        assert (waits.state, waits.failed_reason) == ("FAILED", "opted_out")
        assert list(OutboxItem.objects.values_list("message_id", flat=True)) == [answer.id]

    def test_who_became_part_of_another_on_the_way_is_still_that_person(self, utrecht, thread, approved, agent, clock):
        """An agent has the one before them, and records what they say while Meta links the two."""
        before_them = Contact.objects.create(bsuid="NL.77", created_at=clock.now())
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.LINK", bsuid="NL.77", at=clock.move(minutes=1)))
        waits = send(Thread.objects.get(state="OPEN"), approved, agent, clock)
        record_opt_out(contact=before_them, at=clock.now(), source=RECORDED, actor=agent)
        waits.refresh_from_db()
        assert (waits.state, waits.failed_reason) == ("FAILED", "opted_out")


@given(st.text(max_size=60))
def test_any_text_means_something_or_nothing(text):
    found = opting.meant(kind="text", text=text)
    assert found is None or any(letter.isalnum() for letter in text)


@given(
    st.sampled_from(sorted(opting.WORDS)),
    st.text(alphabet="!?.,;:'\"()* \t\n-_🛑", max_size=8),
    st.text(alphabet="!?.,;:'\"()* \t\n-_🛑", max_size=8),
    st.booleans(),
)
def test_a_word_is_known_whatever_stands_around_it(word, before, after, upper):
    text = before + (word.upper() if upper else word) + after
    assert opting.meant(kind="text", text=text) == opting.WORDS[word]


def test_agents_at_play_leave_who_opted_out_alone(write, utrecht, thread, approved, clock):
    write("Afmelden", "wamid.STOP")
    clock.move(hours=25)
    assert list(find_answers(at=clock.now())) == []
