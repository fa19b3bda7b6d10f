"""What rate cards may say beside a price, worked by hand: allowance, tiers, discount, minimum, fees, messages, VAT."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.cards import Card, Terms, Tier, card_on, cards_for
from billing.portions import split
from billing.rating import Adjusted, CorrectedUsage, Extras, Usage, bill

OCTOBER, SEPTEMBER = date(2026, 10, 1), date(2026, 9, 1)
MIDDLE = date(2026, 10, 16)
TIERED = {"UTILITY": (Tier(1001, Decimal("0.05")), Tier(5001, Decimal("0.04")))}


def card(*, first: date = date(2026, 1, 1), price: str = "0.06", fee: str = "100", tiers=None, **terms) -> Card:
    return Card(first, Decimal("0.21"), Decimal(fee), {"UTILITY": Decimal(price)}, tiers or {}, Terms(**terms))


def october(quantity: int, *cards: Card, extras: Extras | None = None, corrections=()):
    usage = [Usage(OCTOBER, "UTILITY", quantity)] if quantity else []
    return bill(period=OCTOBER, usage=usage, corrections=corrections, cards=cards, extras=extras)


def shown(made) -> list[tuple]:
    return [(line.kind, line.quantity, f"{line.unit_price:.2f}", line.net_cents) for line in made.lines]


class TestAllowanceAndTiers:
    def test_the_allowance_goes_first_and_the_tiers_count_what_is_left(self):
        # 6,500 used, 500 included: 6,000 paid: 1,000 x 0.06 = 60.00; 4,000 x 0.05 = 200.00; 1,000 x 0.04 = 40.00.
        made = october(6500, card(tiers=TIERED, included={"UTILITY": 500}))
        assert shown(made) == [
            ("INCLUDED", 500, "0.00", 0),
            ("CONVERSATIONS", 1000, "0.06", 6000),
            ("CONVERSATIONS", 4000, "0.05", 20000),
            ("CONVERSATIONS", 1000, "0.04", 4000),
            ("PLATFORM_FEE", 1, "100.00", 10000),
        ]
        assert (made.net_cents, made.vat_cents, made.total_cents) == (40000, 8400, 48400)
        assert [line.skips for line in made.lines[:4]] == [0, 500, 1500, 5500]

    def test_an_allowance_that_is_not_used_up_costs_nothing_and_gives_nothing_back(self):
        assert shown(october(499, card(included={"UTILITY": 500})))[0] == ("INCLUDED", 499, "0.00", 0)

    def test_by_volume_one_tier_holds_for_all(self):
        # 6,000 reach the tier from 5,001 on: 6,000 x 0.04 = 240.00. 5,000 do not: 5,000 x 0.05 = 250.00.
        by_volume = card(tiers=TIERED, volume=frozenset({"UTILITY"}))
        assert shown(october(6000, by_volume))[0] == ("CONVERSATIONS", 6000, "0.04", 24000)
        assert shown(october(5000, by_volume))[0] == ("CONVERSATIONS", 5000, "0.05", 25000)

    def test_prices_that_change_within_a_month_begin_no_tier_anew(self):
        # 1 to 15 October: 800 x 0.06 = 48.00. From the 16th 0.07, and 0.05 from the 1,001st: 200 x 0.07 = 14.00,
        # 300 x 0.05 = 15.00.
        dearer = card(first=MIDDLE, price="0.07", tiers=TIERED)
        made = bill(
            period=OCTOBER,
            usage=[Usage(MIDDLE, "UTILITY", 500), Usage(OCTOBER, "UTILITY", 800)],
            corrections=(),
            cards=[card(tiers=TIERED), dearer],
        )
        assert shown(made)[:3] == [
            ("CONVERSATIONS", 800, "0.06", 4800),
            ("CONVERSATIONS", 200, "0.07", 1400),
            ("CONVERSATIONS", 300, "0.05", 1500),
        ]

    @given(st.integers(0, 20_000), st.integers(0, 3000), st.booleans())
    def test_the_portions_add_up_to_what_was_used(self, quantity, included, by_volume):
        of = card(
            tiers=TIERED,
            included={"UTILITY": included},
            volume=frozenset({"UTILITY"} if by_volume else ()),
        )
        portions = split(category="UTILITY", used=[(of, quantity)], base=of)
        assert sum(portion.quantity for portion in portions) == quantity
        assert all(portion.quantity > 0 for portion in portions)

    @given(st.integers(0, 20_000))
    def test_graduated_tiers_never_make_more_use_cheaper(self, quantity):
        of = card(tiers=TIERED, fee="0")
        assert october(quantity + 1, of).net_cents >= october(quantity, of).net_cents

    def test_a_municipalitys_own_card_comes_before_the_standard_one_on_its_days(self):
        theirs = UUID(int=1)
        own = Card(
            OCTOBER,
            Decimal("0.21"),
            Decimal(100),
            {"UTILITY": Decimal("0.01")},
            valid_until=date(2026, 11, 1),
            municipality_id=theirs,
        )
        known = [card(), own]
        assert card_on(cards=cards_for(cards=known, municipality_id=theirs), day=OCTOBER) is own
        assert card_on(cards=cards_for(cards=known, municipality_id=theirs), day=date(2026, 11, 1)) is known[0]
        assert card_on(cards=cards_for(cards=known, municipality_id=UUID(int=2)), day=OCTOBER) is known[0]


class TestDiscountAndMinimum:
    def test_the_discount_is_taken_of_what_was_used_before_rounding(self):
        # 333 x 0.035 = 11.655 -> 11.66. 10% of 11.655 = 1.1655 -> -1.17. With 100.00: 110.49; VAT 23.2029 -> 23.20.
        made = october(333, card(price="0.035", discount=Decimal("0.1")))
        assert shown(made)[1:] == [("PLATFORM_FEE", 1, "100.00", 10000), ("DISCOUNT", 1, "-1.17", -117)]
        assert (made.net_cents, made.vat_cents) == (11049, 2320)
        assert made.lines[-1].description == "Korting op verbruik, 10%"

    def test_the_minimum_is_a_line_of_its_own_after_the_discount(self):
        # 500 x 0.06 = 30.00, discount 3.00, platform 100.00: 127.00. To 150.00: 23.00. VAT 31.50.
        made = october(500, card(discount=Decimal("0.1"), minimum=Decimal(150)))
        assert shown(made)[-1] == ("MINIMUM", 1, "23.00", 2300)
        assert (made.net_cents, made.vat_cents) == (15000, 3150)

    def test_what_is_over_the_minimum_has_no_such_line(self):
        assert "MINIMUM" not in [line.kind for line in october(900, card(minimum=Decimal(150))).lines]

    def test_a_one_off_fee_does_not_count_towards_the_minimum(self):
        made = october(0, card(minimum=Decimal(150), onboarding_fee=Decimal(500)), extras=Extras(is_first=True))
        assert shown(made) == [
            ("PLATFORM_FEE", 1, "100.00", 10000),
            ("ONBOARDING_FEE", 1, "500.00", 50000),
            ("MINIMUM", 1, "50.00", 5000),
        ]

    def test_the_onboarding_fee_is_charged_in_the_first_month_alone(self):
        assert shown(october(0, card(onboarding_fee=Decimal(500)))) == [("PLATFORM_FEE", 1, "100.00", 10000)]


class TestMessages:
    def test_each_message_may_have_its_price(self):
        # 10 conversations x 0.06 = 0.60; 45 messages x 0.01 = 0.45.
        priced = card(message_prices={"UTILITY": Decimal("0.01")})
        made = october(10, priced, extras=Extras(messages={"UTILITY": 45}))
        assert shown(made)[:2] == [("CONVERSATIONS", 10, "0.06", 60), ("MESSAGES", 45, "0.01", 45)]

    def test_only_those_above_fair_use_are_charged(self):
        # 10 conversations, 4 messages each are fair: 45 - 40 = 5 x 0.01 = 0.05.
        fair = card(message_prices={"UTILITY": Decimal("0.01")}, fair_use={"UTILITY": 4})
        assert shown(october(10, fair, extras=Extras(messages={"UTILITY": 45})))[1] == ("MESSAGES", 5, "0.01", 5)
        assert len(october(10, fair, extras=Extras(messages={"UTILITY": 40})).lines) == 2


class TestCorrectionsOfTieredMonths:
    def test_what_came_late_costs_what_its_place_in_the_month_costs(self):
        # 990 were billed; 20 more are places 991 to 1,010: 10 x 0.06 = 0.60 and 10 x 0.05 = 0.50.
        tiered = card(tiers=TIERED)
        late = CorrectedUsage(SEPTEMBER, tiered.key, "UTILITY", 20)
        extras = Extras(billed={(SEPTEMBER, "UTILITY"): {tiered.key: 990}})
        made = october(0, tiered, corrections=[late], extras=extras)
        assert shown(made)[:2] == [("CORRECTION", 10, "0.06", 60), ("CORRECTION", 10, "0.05", 50)]

    def test_by_volume_the_whole_month_moves_to_the_other_tier(self):
        # 995 x 0.06 were billed; 1,005 x 0.05 it is: +50.25 - 59.70 = -9.45.
        tiered = card(tiers=TIERED, volume=frozenset({"UTILITY"}))
        late = CorrectedUsage(SEPTEMBER, tiered.key, "UTILITY", 10)
        extras = Extras(billed={(SEPTEMBER, "UTILITY"): {tiered.key: 995}})
        made = october(0, tiered, corrections=[late], extras=extras)
        assert shown(made)[:2] == [("CORRECTION", -995, "0.06", -5970), ("CORRECTION", 1005, "0.05", 5025)]

    @given(st.integers(0, 8000), st.integers(0, 8000), st.integers(0, 2000))
    def test_billed_and_corrected_come_to_what_the_month_would_have_cost_at_once(self, billed, late, included):
        tiered = card(tiers=TIERED, fee="0", included={"UTILITY": included})
        change = CorrectedUsage(OCTOBER, tiered.key, "UTILITY", late)
        extras = Extras(billed={(OCTOBER, "UTILITY"): {tiered.key: billed}})
        corrected = bill(period=date(2026, 11, 1), usage=(), corrections=[change], cards=[tiered], extras=extras)
        assert october(billed, tiered).net_cents + corrected.net_cents == october(billed + late, tiered).net_cents


class TestVat:
    def test_it_is_taken_once_for_each_rate_on_the_sum(self):
        # September at 9%: 75 x 0.06 = 4.50 -> 0.405 -> 0.41. October at 21%: 37.50 + 12.50 = 50.00 -> 10.50; line by
        # line it would be 7.88 + 2.63 = 10.51.
        low = Card(SEPTEMBER, Decimal("0.09"), Decimal(0), {"UTILITY": Decimal("0.06")}, valid_until=OCTOBER)
        high = Card(OCTOBER, Decimal("0.21"), Decimal("12.50"), {"UTILITY": Decimal("0.0375")})
        made = bill(
            period=OCTOBER,
            usage=[Usage(OCTOBER, "UTILITY", 1000)],
            corrections=[CorrectedUsage(SEPTEMBER, low.key, "UTILITY", 75)],
            cards=[low, high],
        )
        assert [(vat.rate, vat.net_cents, vat.vat_cents) for vat in made.vat] == [
            (Decimal("0.09"), 450, 41),
            (Decimal("0.21"), 5000, 1050),
        ]
        assert (made.net_cents, made.vat_cents, made.total_cents) == (5450, 1091, 6541)

    @pytest.mark.parametrize(("net", "vat"), [(50, 11), (-50, -11), (250, 53), (-250, -53)])
    def test_a_half_cent_goes_away_from_zero_so_that_a_credit_mirrors_its_invoice(self, net, vat):
        # 0.50 x 21% = 0.105; 2.50 x 21% = 0.525.
        made = october(0, card(fee="0"), extras=Extras(adjustments=[Adjusted(OCTOBER, "x", net)]))
        assert made.vat_cents == vat
