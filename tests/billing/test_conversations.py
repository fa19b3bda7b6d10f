import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worked_cases import CASES, PureLedger, expected_conversations, expected_corrections

from billing.conversations import (
    FREE_ENTRY_POINT_PERIOD,
    PERIOD,
    Category,
    FactView,
    Pricing,
    ReportView,
    Status,
    derive,
    fact_of,
    normal_category,
)

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0")) or 400  # `make fuzz` looks at more
START = datetime(2026, 10, 30, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
class TestTheCasesWorkedByHand:
    def test_they_come_out_of_the_definition(self, case):
        ledger = PureLedger().play(case["steps"])
        assert ledger.conversations() == expected_conversations(case)
        assert ledger.corrections == expected_corrections(case)


def fact(hours: float, category: str = "SERVICE", *, entry: bool = False, key: str = "") -> FactView:
    moment = START + timedelta(hours=hours)
    return FactView(key or f"w{hours}", moment, "REFERRAL_CONVERSION" if entry else category, entry)


# Stamps on a coarse grid, so that ties and exact edges of 24 and 72 hours are common.
STAMPS = st.integers(0, 40).map(lambda step: START + timedelta(hours=6 * step))
PRICINGS = st.sampled_from(
    [
        Pricing(),
        Pricing("PMP", "regular", "utility"),
        Pricing("PMP", "regular", "marketing"),
        Pricing("PMP", "free_customer_service", "service"),
        Pricing("PMP", "free_entry_point", "referral_conversion"),
        Pricing("PMP", "regular", "referral_conversion"),
        Pricing("PMP", "regular", ""),
    ]
)
REPORTS = st.builds(
    ReportView,
    st.sampled_from(Status),
    STAMPS,
    PRICINGS,
    st.sampled_from(["", "PERMITS", "SERVICES"]),
    st.sampled_from(["", "afspraak"]),
    st.sampled_from(["", "UTILITY"]),
)
LEDGERS = st.lists(st.tuples(st.sampled_from("abcdefgh"), REPORTS), max_size=30)


def derived(reports: list[tuple[str, ReportView]]):
    by_message: dict[str, list[ReportView]] = {}
    for key, report in reports:
        by_message.setdefault(key, []).append(report)
    facts = [fact_of(key=key, reports=of_message) for key, of_message in by_message.items()]
    return derive(facts=[fact for fact in facts if fact])


class TestAnyOrder:
    @settings(max_examples=EXAMPLES, deadline=None)
    @given(LEDGERS, st.randoms(use_true_random=False))
    def test_it_gives_the_same_conversations_shuffled_and_repeated(self, reports, random):
        repeated = reports + [random.choice(reports) for _ in range(len(reports) // 2)]
        random.shuffle(repeated)
        assert derived(repeated) == derived(reports)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(LEDGERS)
    def test_it_never_lets_two_periods_of_a_category_overlap(self, reports):
        views = derived(reports)
        for one, other in pairwise(views):
            assert one.opened_at <= other.opened_at
        for place, one in enumerate(views):
            for other in views[place + 1 :]:
                assert one.category != other.category or one.ends_at <= other.opened_at

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(LEDGERS)
    def test_it_has_a_running_period_for_each_message_that_arrived(self, reports):
        views = derived(reports)
        for key in {key for key, _ in reports}:
            found = fact_of(key=key, reports=[report for owner, report in reports if owner == key])
            if found is None:
                continue
            assert any(
                view.opened_at <= found.moment < view.ends_at
                and (view.category == found.category or view.from_free_entry_point)
                for view in views
            )

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(LEDGERS)
    def test_it_gives_the_same_when_frozen_months_hold_all_that_was_known(self, reports):
        edge = START + timedelta(hours=35)
        views = derived(reports)
        frozen = [view for view in views if view.opened_at < edge]
        facts = {}
        for key in {key for key, _ in reports}:
            facts[key] = fact_of(key=key, reports=[report for owner, report in reports if owner == key])
        reopened = derive(facts=[fact for fact in facts.values() if fact], frozen=frozen, open_from=edge)
        assert frozen + reopened == views


class TestDerive:
    def test_it_opens_nothing_without_facts(self):
        assert derive(facts=[]) == []

    def test_it_lasts_24_hours_to_the_microsecond(self):
        last = FactView("late", START + PERIOD - timedelta(microseconds=1), "SERVICE")
        assert len(derive(facts=[fact(0), last])) == 1
        assert len(derive(facts=[fact(0), fact(24)])) == 2

    def test_it_lasts_72_hours_for_a_free_entry_point(self):
        (only,) = derive(facts=[fact(0, entry=True), fact(71.99), fact(50, "UTILITY")])
        assert (only.category, only.ends_at - only.opened_at) == (Category.REFERRAL_CONVERSION, FREE_ENTRY_POINT_PERIOD)

    def test_it_settles_a_tie_of_one_category_by_the_key(self):
        one = FactView("1", START, "SERVICE", purpose="PERMITS")
        two = FactView("2", START, "SERVICE", purpose="SERVICES")
        assert [view.purpose for view in derive(facts=[two, one])] == ["PERMITS"]

    def test_it_keeps_a_free_entry_point_in_a_running_period_of_its_own_category(self):
        assert len(derive(facts=[fact(0, "REFERRAL_CONVERSION"), fact(1, entry=True)])) == 1


class TestFactOf:
    def test_it_is_none_for_what_was_only_sent(self):
        assert fact_of(key="w", reports=[ReportView(Status.SENT, START, Pricing("PMP", "regular", "utility"))]) is None

    def test_it_believes_the_earliest_of_two_reports_of_one_status(self):
        reports = [
            ReportView(Status.DELIVERED, START + timedelta(hours=1), Pricing("PMP", "regular", "marketing")),
            ReportView(Status.DELIVERED, START, Pricing("PMP", "regular", "utility")),
        ]
        assert fact_of(key="w", reports=reports).category == "UTILITY"
        assert fact_of(key="w", reports=reversed(reports)).category == "UTILITY"

    def test_it_takes_a_purpose_from_whichever_report_knows_one(self):
        reports = [ReportView(Status.READ, START), ReportView(Status.SENT, START, purpose="PERMITS")]
        assert fact_of(key="w", reports=reports).purpose == "PERMITS"


class TestNormalCategory:
    @pytest.mark.parametrize("written", ["authentication-international", "Authentication_International "])
    def test_it_knows_the_spellings_of_one_category(self, written):
        assert normal_category(category=written) == Category.AUTHENTICATION_INTERNATIONAL

    def test_it_keeps_one_that_nobody_has_heard_of(self):
        assert normal_category(category="general_purpose_ai") == "GENERAL_PURPOSE_AI"
