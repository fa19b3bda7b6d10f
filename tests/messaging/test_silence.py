"""Silence is noticed where a number normally talks, and nowhere else; it ends with the next event."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django_tenants.utils import schema_context
from hypothesis import given
from hypothesis import strategies as st

from messaging.core.models import NumberHour, UnknownUpdate
from messaging.silence import AMSTERDAM, find_silences, is_holiday
from tenants.models import Number, Trouble
from tests.messaging import meta

THURSDAY = datetime(2026, 6, 11, 12, 30, tzinfo=UTC)  # half past two in Amsterdam

TODAY = THURSDAY.date()


@pytest.fixture
def number(utrecht, clock):
    Number.objects.filter(municipality=utrecht).update(opened_at=THURSDAY - timedelta(days=300))
    clock.set(THURSDAY)
    return meta.number_id(utrecht)


def talk(number, *, days, messages=8, hours=range(7, 20), until=THURSDAY):
    """Have citizens written on a number in each of these hours (of Amsterdam) of these days."""
    rows = []
    for day in days:
        for hour in hours:
            local = datetime.combine(day, datetime.min.time(), AMSTERDAM).replace(hour=hour)
            at = local.astimezone(UTC)
            if at < until:
                rows.append(
                    NumberHour(
                        phone_number_id=number,
                        hour=at,
                        municipality_id=Number.objects.get(phone_number_id=number).municipality_id,
                        messages=messages,
                    )
                )
    NumberHour.objects.bulk_create(rows)


def weeks(today=TODAY, count=6):
    return [today - timedelta(weeks=week) for week in range(1, count + 1)]


def silent() -> list[str]:
    return list(Trouble.objects.filter(kind="SILENT", closed_at=None).values_list("detail", flat=True))


class TestSilence:
    def test_a_number_that_normally_talks_is_missed(self, number):
        talk(number, days=weeks())
        assert find_silences(at=THURSDAY) == 1
        assert silent() == ["nothing for 2 hours or more, where 16 messages are usual"]

    def test_it_is_told_once(self, number):
        talk(number, days=weeks())
        find_silences(at=THURSDAY)
        assert find_silences(at=THURSDAY + timedelta(minutes=10)) == 0
        assert len(silent()) == 1

    def test_a_busy_one_is_missed_sooner(self, number):
        talk(number, days=weeks(), messages=40)
        talk(number, days=[THURSDAY.date()], hours=[12])
        assert find_silences(at=THURSDAY) == 1  # 13 to 14 o'clock, and the half hour since

    def test_one_event_of_any_kind_is_no_silence(self, number):
        talk(number, days=weeks())
        NumberHour.objects.create(
            phone_number_id=number,
            hour=THURSDAY.replace(minute=0),
            municipality_id=Number.objects.get(phone_number_id=number).municipality_id,
            statuses=1,
        )
        assert find_silences(at=THURSDAY) == 0

    @pytest.mark.parametrize(
        ("case", "talked"),
        [
            ("quiet", {"messages": 1}),
            ("busy on one day of six", {"messages": 500, "days": weeks()[:1]}),
            ("busy on four days of six", {"messages": 50, "days": weeks()[:4]}),
            ("only in the evening", {"messages": 50, "hours": range(17, 22)}),
        ],
    )
    def test_a_number_that_is_often_quiet_is_left_alone(self, number, case, talked):
        talk(number, **{"days": weeks(), **talked})
        assert find_silences(at=THURSDAY) == 0, case

    def test_a_night_is_no_silence(self, number):
        talk(number, days=weeks(), messages=100)
        assert find_silences(at=datetime(2026, 6, 11, 1, 30, tzinfo=UTC)) == 0

    def test_a_new_number_is_not_judged(self, number):
        Number.objects.update(opened_at=THURSDAY - timedelta(weeks=3))
        talk(number, days=weeks(count=3), messages=100)
        assert find_silences(at=THURSDAY) == 0

    def test_a_public_holiday_is_compared_with_sundays(self, number):
        ascension = datetime(2026, 5, 14, 12, 30, tzinfo=UTC)
        assert is_holiday(ascension.date())
        talk(number, days=weeks(ascension.date(), 8)[1:], messages=100)
        assert find_silences(at=ascension) == 0
        assert find_silences(at=ascension - timedelta(weeks=1)) == 1

    def test_a_holiday_before_does_not_hide_a_silence(self, number):
        days = [day for day in weeks(count=8) if not is_holiday(day)]
        assert len(days) < 8
        talk(number, days=days)
        assert find_silences(at=THURSDAY) == 1

    def test_summer_time_does_not_move_the_hours(self, number):
        at = datetime(2026, 4, 9, 6, 30, tzinfo=UTC)  # half past eight; in UTC an hour earlier than in March
        talk(number, days=weeks(at.date()), hours=range(6, 8), messages=100, until=at)
        assert find_silences(at=at) == 1
        Trouble.objects.all().delete()
        NumberHour.objects.all().delete()
        talk(number, days=weeks(at.date()), hours=range(9, 12), messages=100, until=at)
        assert find_silences(at=at) == 0

    def test_a_closed_number_may_be_silent(self, number):
        talk(number, days=weeks())
        Number.objects.update(closed_at=THURSDAY)
        assert find_silences(at=THURSDAY) == 0

    def test_the_next_event_ends_it(self, number, utrecht, clock):
        talk(number, days=weeks())
        find_silences(at=THURSDAY)
        clock.move(minutes=20)
        with schema_context("utrecht"):
            meta.receive(utrecht, meta.message(utrecht))
        assert silent() == []
        assert Trouble.objects.get().closed_at == clock.now()


class TestCounts:
    def test_it_counts_by_number_and_hour_with_the_longest_lag(self, utrecht, clock):
        with schema_context("utrecht"):
            late = meta.RECEIVED_AT - timedelta(seconds=90)
            meta.receive(utrecht, meta.message(utrecht), meta.message(utrecht, wamid="wamid.2", at=late))
            meta.receive(utrecht, meta.status(utrecht, wamid="wamid.OUT", status="sent"))
        counted = NumberHour.objects.get()
        assert (counted.messages, counted.statuses, counted.lag_seconds) == (2, 1, 90)
        assert counted.hour == meta.RECEIVED_AT.replace(minute=0)

    def test_what_is_put_back_is_not_counted_again(self, utrecht, clock):
        from messaging.models import InboxEvent

        with schema_context("utrecht"):
            meta.receive(utrecht, meta.message(utrecht))
            InboxEvent.objects.update(replays=1, replayed_at=clock.now())
            meta.replay("utrecht")
        assert NumberHour.objects.get().messages == 1

    def test_unknown_kinds_and_fields_are_counted_without_what_they_hold(self, utrecht, clock):
        with schema_context("utrecht"):
            meta.receive(
                utrecht,
                meta.message(utrecht, wamid="wamid.1", type="hologram", hologram={"x": "geheim"}),
                meta.message(utrecht, wamid="wamid.2", type="hologram", hologram={"x": "geheim"}),
                meta.message(utrecht, wamid="wamid.3", type="Ik ben Jan!", text={"body": "x"}),
                meta.message(utrecht, wamid="wamid.4"),
            )
        counted = UnknownUpdate.objects.values_list("field", "kind", "times")
        assert set(counted) == {("messages", "hologram", 2), ("messages", "other", 1)}


class TestHolidays:
    @pytest.mark.parametrize(
        "day",
        [
            "2026-04-03",
            "2026-04-05",
            "2026-04-06",
            "2026-04-27",
            "2026-05-14",
            "2026-05-25",
            "2026-12-25",
            "2025-04-26",
            "2025-04-20",
            "2024-03-31",
            "2027-03-28",
            "2028-04-16",
        ],
    )
    def test_it_knows_them(self, day):
        assert is_holiday(date.fromisoformat(day))

    @given(st.dates(min_value=date(2020, 1, 1), max_value=date(2099, 12, 31)))
    def test_a_year_has_few(self, day):
        assert 12 <= sum(is_holiday(date(day.year, 1, 1) + timedelta(days=n)) for n in range(365)) <= 16
