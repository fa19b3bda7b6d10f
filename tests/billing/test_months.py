from datetime import UTC, date, datetime

import pytest

from billing.months import BadMonth, end_of, month_of, next_month, parse_month, previous_month, start_of


class TestEdges:
    def test_they_follow_amsterdam_over_the_change_of_the_clock(self):
        assert start_of(month=date(2026, 10, 1)) == datetime(2026, 9, 30, 22, tzinfo=UTC)
        assert end_of(month=date(2026, 10, 1)) == datetime(2026, 10, 31, 23, tzinfo=UTC)

    def test_they_meet_over_the_year(self):
        assert next_month(month=date(2026, 12, 1)) == date(2027, 1, 1)
        assert previous_month(month=date(2027, 1, 1)) == date(2026, 12, 1)
        assert previous_month(month=date(2026, 12, 1)) == date(2026, 11, 1)

    def test_they_hold_their_own_moments(self):
        assert month_of(moment=end_of(month=date(2026, 10, 1))) == date(2026, 11, 1)

    def test_they_refuse_a_day_within_the_month(self):
        with pytest.raises(BadMonth):
            start_of(month=date(2026, 10, 2))


class TestParseMonth:
    def test_it_reads_a_month(self):
        assert parse_month(text="2026-10") == date(2026, 10, 1)

    @pytest.mark.parametrize("text", ["2026-13", "2026-1", "october", "2026-10-01", "", "202610", "2026-W1"])
    def test_it_refuses_what_is_none(self, text):
        with pytest.raises(BadMonth):
            parse_month(text=text)
