"""Whether a municipality is open at a moment: week, holidays, days of their own; and its privacy notice."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.models import Entry
from audit.record import Actor
from messaging.models import Office, OpenPeriod, SpecialDay
from messaging.office.holidays import USUAL, Holiday, date_of, holiday_on
from messaging.office.hours import is_open, opens_next
from messaging.office.notice import compose_notice, form_of_address
from messaging.office.setting import BadHours, BadNotice, add_special_day, remove_special_day, save_hours, save_notice

ADMIN = Actor.system("tests")
WALL = ZoneInfo("Europe/Amsterdam")


def wall(day: str, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=WALL).astimezone(UTC)


class TestHolidays:
    # Of 2026 as the government publishes them; the King's birthday of 2025 fell on a Sunday.
    @pytest.mark.parametrize(
        ("holiday", "day"),
        [
            (Holiday.NEW_YEAR, "2026-01-01"),
            (Holiday.GOOD_FRIDAY, "2026-04-03"),
            (Holiday.EASTER_SUNDAY, "2026-04-05"),
            (Holiday.EASTER_MONDAY, "2026-04-06"),
            (Holiday.KINGS_DAY, "2026-04-27"),
            (Holiday.KINGS_DAY, "2025-04-26"),
            (Holiday.LIBERATION_DAY, "2026-05-05"),
            (Holiday.LIBERATION_JUBILEE, "2030-05-05"),
            (Holiday.ASCENSION_DAY, "2026-05-14"),
            (Holiday.DAY_AFTER_ASCENSION, "2026-05-15"),
            (Holiday.WHIT_SUNDAY, "2026-05-24"),
            (Holiday.WHIT_MONDAY, "2026-05-25"),
            (Holiday.CHRISTMAS_DAY, "2026-12-25"),
            (Holiday.SECOND_CHRISTMAS_DAY, "2026-12-26"),
        ],
    )
    def test_each_falls_on_its_day(self, holiday, day):
        found = date.fromisoformat(day)
        assert date_of(holiday=holiday, year=found.year) == found
        assert holiday_on(day=found, among=[holiday]) == holiday
        assert holiday_on(day=found, among=set(Holiday) - {holiday, Holiday.LIBERATION_DAY}) is None

    def test_the_jubilee_is_of_every_fifth_year_alone(self):
        assert date_of(holiday=Holiday.LIBERATION_JUBILEE, year=2026) is None

    @given(st.integers(min_value=2020, max_value=2120))
    def test_the_king_has_no_sunday(self, year):
        assert date_of(holiday=Holiday.KINGS_DAY, year=year).isoweekday() != 7


class TestHours:
    def test_a_new_municipality_has_office_hours_and_the_usual_holidays(self, here):
        assert set(Office.objects.get().holidays) == set(USUAL)
        # A Thursday in winter and one in summer: by the clock on the wall, not by UTC.
        for day in ("2026-11-26", "2026-06-25"):
            asked = ("08:59:59", "09:00", "16:59:59", "17:00")
            assert [is_open(at=wall(day, clock)) for clock in asked] == [False, True, True, False]
        closed = ("2026-11-28", "2026-11-29", "2026-12-25", "2026-04-27", "2026-05-14")  # weekend and holidays
        assert not any(is_open(at=wall(day, "10:00")) for day in closed)
        assert is_open(at=wall("2026-04-03", "10:00"))  # Good Friday is none of the usual

    def test_it_says_when_it_opens_next(self, here):
        assert opens_next(at=wall("2026-12-24", "17:00")) == wall("2026-12-28", "09:00")  # over Christmas and a weekend
        assert opens_next(at=wall("2026-11-26", "08:00")) == wall("2026-11-26", "09:00")
        assert opens_next(at=wall("2026-11-26", "09:00")) == wall("2026-11-27", "09:00")
        assert opens_next(at=wall("2026-03-27", "18:00")) == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)  # summer time
        save_hours(periods=[], holidays=[], actor=ADMIN, at=wall("2026-11-26", "09:00"))
        assert opens_next(at=wall("2026-11-26", "09:00")) is None

    def test_a_day_may_have_two_parts_and_end_at_midnight(self, here, clock):
        save_hours(periods=[(3, 540, 720), (3, 780, 1440)], holidays=[], actor=ADMIN, at=clock.now())
        asked = ("11:59", "12:00", "13:00", "23:59")
        assert [is_open(at=wall("2026-11-26", at)) for at in asked] == [True, False, True, True]
        assert not is_open(at=wall("2026-11-27", "00:00"))

    def test_a_special_day_goes_before_holiday_and_weekday(self, here, clock):
        at = clock.now()
        afternoon = date(2026, 12, 24)
        made = add_special_day(day=afternoon, name=" Kerst  avond ", window=(540, 960), actor=ADMIN, at=at)
        add_special_day(day=date(2026, 12, 25), name="Crisis", window=(600, 720), actor=ADMIN, at=at)
        add_special_day(day=date(2026, 11, 26), name="Studiedag", window=None, actor=ADMIN, at=at)
        assert made.name == "Kerst avond"
        moments = [("2026-12-24", "15:59"), ("2026-12-24", "16:00"), ("2026-12-25", "10:00"), ("2026-11-26", "10:00")]
        assert [is_open(at=wall(*moment)) for moment in moments] == [True, False, True, False]
        remove_special_day(day_id=made.id, actor=ADMIN, at=at)
        assert is_open(at=wall("2026-12-24", "16:00"))
        actions = Entry.objects.filter(action__startswith="office.").order_by("id").values_list("action", flat=True)
        assert list(actions)[-4:] == [*["office.special_day"] * 3, "office.special_day_removed"]

    def test_where_nothing_was_chosen_it_is_always_open(self, here):
        Office.objects.all().delete()
        assert is_open(at=wall("2026-12-25", "03:00"))
        assert opens_next(at=wall("2026-12-25", "03:00")) is None

    @pytest.mark.parametrize(
        ("periods", "code"),
        [
            ([(0, 540, 540)], "closes_before_opening"),
            ([(0, 720, 540)], "closes_before_opening"),
            ([(0, 540, 1441)], "closes_before_opening"),
            ([(1, 540, 720), (1, 700, 800)], "overlap"),
        ],
    )
    def test_what_cannot_be_is_refused_and_nothing_is_lost(self, here, clock, periods, code):
        before = list(OpenPeriod.objects.values())
        with pytest.raises(BadHours) as refused:
            save_hours(periods=periods, holidays=[], actor=ADMIN, at=clock.now())
        assert refused.value.code == code
        assert list(OpenPeriod.objects.values()) == before

    def test_a_date_is_taken_once(self, here, clock):
        day = {"day": date(2026, 12, 24), "window": None, "actor": ADMIN, "at": clock.now()}
        add_special_day(name="Een", **day)
        with pytest.raises(BadHours, match="day_taken"):
            add_special_day(name="Twee", **day)
        assert SpecialDay.objects.get().name == "Een"


class TestThePrivacyNotice:
    def test_none_was_written_so_nobody_is_told_anything(self, here):
        assert compose_notice(name="Utrecht") is None
        assert form_of_address() == "FORMAL"

    def test_it_addresses_citizens_as_the_municipality_does_and_takes_its_own_words_as_they_are(self, here, clock):
        notice = {"url": " https://www.utrecht.example/privacy ", "actor": ADMIN, "at": clock.now()}
        save_notice(form_of_address="FORMAL", own_text="", **notice)
        formal = compose_notice(name="Utrecht")
        assert formal.startswith("U chat met de gemeente Utrecht.")
        assert formal.endswith("leest u op https://www.utrecht.example/privacy")
        save_notice(
            form_of_address="INFORMAL", own_text="\0", **{**notice, "url": "HTTPS://www.utrecht.example/privacy"}
        )
        assert compose_notice(name="Utrecht").startswith("Je chat met de gemeente Utrecht.")
        assert form_of_address() == "INFORMAL"
        save_notice(form_of_address="INFORMAL", own_text="Hoi {name}, dit is Utrecht.", **notice)
        said = (
            "Hoi {name}, dit is Utrecht. Hoe wij met je gegevens omgaan, lees je op https://www.utrecht.example/privacy"
        )
        assert compose_notice(name="Utrecht") == said

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"url": "http://www.utrecht.example/"}, "url_not_secure"),
            ({"url": "javascript:alert(1)"}, "url_not_secure"),
            ({"url": "https://a@b.example/"}, "url_not_secure"),
            ({"url": "https://[x"}, "url_not_secure"),
            ({"url": "https://www.utrecht.example/a b"}, "url_not_secure"),
            ({"url": "https://www.utrecht.example/\0"}, "url_not_secure"),
            ({"url": f"https://www.utrecht.example/{'x' * 300}"}, "url_not_secure"),
            ({"form_of_address": "RUDE"}, "address_unknown"),
            ({"own_text": "x" * 601}, "text_too_long"),
        ],
    )
    def test_what_cannot_be_is_refused(self, here, clock, changed, code):
        good = {"url": "https://www.utrecht.example/", "form_of_address": "FORMAL", "own_text": ""}
        with pytest.raises(BadNotice, match=code):
            save_notice(**{**good, **changed}, actor=ADMIN, at=clock.now())
        assert compose_notice(name="Utrecht") is None
