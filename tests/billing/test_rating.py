from datetime import date
from decimal import Decimal

import pytest

from billing.cards import Card, NoRate, NoRateCard, card_on
from billing.rating import CorrectedUsage, Usage, bill

OCTOBER = date(2026, 10, 1)
STANDARD = Card(
    date(2026, 1, 1),
    Decimal("0.21"),
    Decimal("150"),
    {"UTILITY": Decimal("0.0625"), "SERVICE": Decimal("0.045"), "REFERRAL_CONVERSION": Decimal(0)},
)
AUTUMN = Card(
    date(2026, 10, 16), Decimal("0.21"), Decimal("150"), {"UTILITY": Decimal("0.07"), "SERVICE": Decimal("0.045")}
)


def october(*usage: Usage, corrections=(), cards=(STANDARD,)):
    return bill(period=OCTOBER, usage=usage, corrections=corrections, cards=cards)


class TestBill:
    def test_it_adds_up_as_by_hand(self):
        # UTILITY 1003 x 0.0625 = 62.6875 -> 62.69; SERVICE 77 x 0.045 = 3.465 -> 3.47 (a half goes up);
        # platform 150.00. Net 216.16; VAT 21% = 45.3936 -> 45.39; total 261.55.
        made = october(
            Usage(OCTOBER, "UTILITY", 1000), Usage(date(2026, 10, 31), "UTILITY", 3), Usage(OCTOBER, "SERVICE", 77)
        )
        assert [(line.category, line.quantity, line.net_cents) for line in made.lines] == [
            ("SERVICE", 77, 347),
            ("UTILITY", 1003, 6269),
            ("", 1, 15000),
        ]
        assert (made.net_cents, made.vat_cents, made.total_cents) == (21616, 4539, 26155)

    def test_it_prices_each_conversation_by_the_card_of_its_day(self):
        # 15 October: 10 x 0.0625 = 0.625 -> 0.63; 16 October: 10 x 0.07 = 0.70.
        made = october(
            Usage(date(2026, 10, 15), "UTILITY", 10), Usage(date(2026, 10, 16), "UTILITY", 10), cards=(STANDARD, AUTUMN)
        )
        assert [(line.card, line.net_cents) for line in made.lines[:2]] == [
            (STANDARD.key, 63),
            (AUTUMN.key, 70),
        ]

    def test_it_gives_back_what_was_billed_too_much(self):
        # -9 x 0.0625 = -0.5625 -> -0.56; -1 x 0.045 = -0.045 -> -0.05 (a half goes away from zero). Net 149.39.
        made = october(
            corrections=[
                CorrectedUsage(date(2026, 9, 1), STANDARD.key, "UTILITY", -9),
                CorrectedUsage(date(2026, 9, 1), STANDARD.key, "SERVICE", -1),
            ]
        )
        assert [(line.kind, line.month, line.net_cents) for line in made.lines[:2]] == [
            ("CORRECTION", date(2026, 9, 1), -5),
            ("CORRECTION", date(2026, 9, 1), -56),
        ]
        assert made.net_cents == 14939

    def test_it_adds_up_the_numbers_of_a_municipality_in_one_line(self):
        change = CorrectedUsage(date(2026, 9, 1), STANDARD.key, "UTILITY", 2)
        made = october(corrections=[change, change])
        assert [line.quantity for line in made.lines] == [4, 1]

    def test_it_leaves_out_what_comes_to_nothing(self):
        change = CorrectedUsage(date(2026, 9, 1), STANDARD.key, "UTILITY", 2)
        back = CorrectedUsage(date(2026, 9, 1), STANDARD.key, "UTILITY", -2)
        assert len(october(corrections=[change, back]).lines) == 1

    def test_it_has_the_same_hash_for_the_same_usage_in_any_order(self):
        one, two = Usage(OCTOBER, "UTILITY", 2), Usage(OCTOBER, "SERVICE", 1)
        assert october(one, two).lines_hash == october(two, one).lines_hash
        assert october(one, two).lines_hash != october(one).lines_hash

    def test_it_refuses_a_category_without_a_price(self):
        with pytest.raises(NoRate, match="2026-01-01 has no price for GROUP_UTILITY"):
            october(Usage(OCTOBER, "GROUP_UTILITY", 1))

    def test_it_writes_lines_in_dutch(self):
        (line, fee) = october(Usage(OCTOBER, "REFERRAL_CONVERSION", 1)).lines
        assert line.description == "Conversaties referral conversion, oktober 2026 (tarief vanaf 1 januari 2026)"
        assert fee.description == "Platform, oktober 2026"


class TestCardOn:
    def test_it_is_the_last_that_began(self):
        assert card_on(cards=[STANDARD, AUTUMN], day=date(2026, 10, 15)) is STANDARD
        assert card_on(cards=[STANDARD, AUTUMN], day=date(2026, 10, 16)) is AUTUMN

    def test_it_refuses_a_day_before_the_first(self):
        with pytest.raises(NoRateCard, match="2025-12-31"):
            card_on(cards=[STANDARD, AUTUMN], day=date(2025, 12, 31))
