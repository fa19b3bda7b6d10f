"""What citizens are told by itself: while it is closed, and at first contact; once each, in no person's place."""

from datetime import UTC, datetime, timedelta

import pytest

from audit.models import Entry
from audit.record import Actor
from messaging.models import Message, OutboxItem, PrivacyNotice, Thread, Told
from messaging.office import closed, setting, telling
from tests.messaging import meta

ADMIN = Actor.system("tests")
FRIDAY_EVENING = datetime(2026, 3, 6, 19, 30, tzinfo=UTC)


@pytest.fixture
def office(utrecht, here, clock):
    """Have Utrecht answer on weekdays from nine to five, and say so outside these hours; it is Friday evening."""
    clock.set(FRIDAY_EVENING)
    periods = [(weekday, 540, 1020) for weekday in range(5)]
    setting.save_hours(periods=periods, holidays=[], actor=ADMIN, at=clock.now())
    closed.save_answer(is_on=True, own_text="", actor=ADMIN, at=clock.now())
    return utrecht


def write(municipality, clock, n: int, **more) -> None:
    meta.receive(municipality, meta.message(municipality, wamid=f"wamid.T{n}", at=clock.now(), **more))


def told() -> list[str]:
    return list(
        Message.objects.filter(direction="OUTBOUND").order_by("created_at", "id").values_list("text", flat=True)
    )


def test_a_citizen_is_told_once_for_as_long_as_it_is_closed(office, clock):
    write(office, clock, 1)
    (text,) = told()
    assert text == (
        "Bedankt voor uw bericht aan de gemeente Utrecht. Wij zijn nu gesloten. "
        "U krijgt antwoord vanaf maandag 9 maart om 09.00 uur. Is er direct gevaar? Bel dan 112."
    )
    thread = Thread.objects.get()
    assert thread.waiting_since == clock.now()  # nobody was answered by that
    assert OutboxItem.objects.get().priority == OutboxItem.Priority.REPLY
    assert Entry.objects.filter(action="message.queue", actor_name="automatic answer").count() == 1
    clock.move(hours=20)
    write(office, clock, 2)
    write(office, clock, 1)  # comes twice
    assert len(told()) == 1
    write(office, clock, 3, wa_id="31697000009", name="Anna")  # each citizen for themselves
    assert len(told()) == 2
    # On Monday it is open, and in the evening a new time has begun.
    clock.set(datetime(2026, 3, 9, 8, 30, tzinfo=UTC))
    write(office, clock, 4)
    assert len(told()) == 2
    clock.set(datetime(2026, 3, 9, 16, 30, tzinfo=UTC))
    write(office, clock, 5)
    assert told()[-1].count("dinsdag 10 maart") == 1
    assert len(told()) == 3


def test_the_first_contact_is_told_of_privacy_once_a_year_in_the_form_that_was_chosen(office, clock):
    page = {"url": "https://utrecht.example/privacy", "own_text": ""}
    setting.save_notice(**page, form_of_address=PrivacyNotice.FormOfAddress.INFORMAL, actor=ADMIN, at=clock.now())
    write(office, clock, 1)
    (text,) = told()  # one message, of both
    assert text.startswith("Bedankt voor je bericht aan de gemeente Utrecht. We zijn nu gesloten.")
    assert "Je chat met de gemeente Utrecht." in text
    assert text.endswith("https://utrecht.example/privacy")
    clock.set(datetime(2026, 3, 9, 9, tzinfo=UTC))
    write(office, clock, 2)
    assert len(told()) == 1
    clock.set(datetime(2027, 3, 10, 9, tzinfo=UTC))
    write(office, clock, 3)
    assert told()[-1].startswith("Je chat met")


def test_who_asks_nothing_or_cannot_be_answered_is_told_nothing(office, clock):
    write(office, clock, 1, text="STOP")
    (text,) = told()
    assert "afgemeld" in text  # confirmed, and that is all
    write(office, clock, 2, type="reaction", reaction={"message_id": "wamid.T1", "emoji": "👍"}, wa_id="31697000008")
    # What comes a day late opens no window any more.
    late = meta.message(office, wamid="wamid.T3", at=clock.now() - timedelta(hours=25), wa_id="31697000009")
    meta.receive(office, late)
    assert len(told()) == 1
    assert not Told.objects.exists()


def test_where_nothing_was_chosen_nobody_is_told_anything_and_two_queries_say_so(
    office, clock, django_assert_num_queries
):
    closed.save_answer(is_on=False, own_text="", actor=ADMIN, at=clock.now())
    write(office, clock, 1)
    assert told() == []
    written = list(Message.objects.all())
    with django_assert_num_queries(3):  # and the one that reads the threads
        telling.tell(written=written, place="Utrecht", at=clock.now())


def test_the_municipality_says_it_in_its_own_words(office, clock):
    own = "Dicht! {open} weer. {name}"
    closed.save_answer(is_on=True, own_text=own, actor=ADMIN, at=clock.now())
    with pytest.raises(closed.BadAnswer):
        closed.save_answer(is_on=True, own_text="a" * 601, actor=ADMIN, at=clock.now())
    write(office, clock, 1)
    assert told() == ["Dicht! vanaf maandag 9 maart om 09.00 uur weer. {name}"]
