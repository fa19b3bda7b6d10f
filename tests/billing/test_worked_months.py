"""Whole months worked by hand, from what Meta reports to the amount due: long and short months, edges, entry points.

Pure: statuses become facts, facts conversations, conversations lines. The arithmetic stands beside each.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from billing.cards import Card, Terms
from billing.conversations import ConversationView, Pricing, ReportView, Status, derive, fact_of
from billing.months import day_of, end_of, start_of
from billing.rating import Bill, Extras, Usage, bill

HOUR = timedelta(hours=1)
UTILITY = Pricing("PMP", "regular", "utility")
PRICES = {"UTILITY": Decimal("0.0625"), "SERVICE": Decimal("0.045"), "REFERRAL_CONVERSION": Decimal(0)}
CARD = Card(date(2025, 1, 1), Decimal("0.21"), Decimal(150), PRICES)


def reached(*moments: datetime, said: Pricing = UTILITY) -> list[ConversationView]:
    """Return the conversations of one contact whom messages reached at these moments."""
    return derive(facts=told(*moments, said=said))


def told(*moments: datetime, said: Pricing = UTILITY):
    reports = [[ReportView(Status.DELIVERED, moment, said)] for moment in moments]
    facts = [fact_of(key=f"{moment} {said}", reports=own) for moment, own in zip(moments, reports, strict=True)]
    return [fact for fact in facts if fact is not None]


def of_month(month: date, *conversations: ConversationView, cards=(CARD,), extras: Extras | None = None) -> Bill:
    """Return the bill of those that opened in the month."""
    days = Counter((day_of(moment=each.opened_at), each.category) for each in conversations if each.month == month)
    usage = [Usage(day, category, count) for (day, category), count in days.items()]
    return bill(period=month, usage=usage, corrections=(), cards=cards, extras=extras)


def amounts(made: Bill) -> tuple[list[tuple[str, int, int]], int, int, int]:
    lines = [(line.category or line.kind, line.quantity, line.net_cents) for line in made.lines]
    return lines, made.net_cents, made.vat_cents, made.total_cents


@pytest.mark.parametrize(
    ("month", "hours", "opened", "utility_cents", "net", "vat", "total"),
    [
        # A message each hour to one contact, from the first instant of the month. A conversation takes 24 hours of
        # absolute time, whatever the clock on the wall does.
        # March 2026: 30 x 24 + 23 = 743 hours, so 31. 31 x 0.0625 = 1.9375 -> 1.94; 151.94 x 21% = 31.9074 -> 31.91.
        (date(2026, 3, 1), 743, 31, 194, 15194, 3191, 18385),
        # October 2026: 31 x 24 + 1 = 745 hours, so 32. 32 x 0.0625 = 2.00; 152.00 x 21% = 31.92.
        (date(2026, 10, 1), 745, 32, 200, 15200, 3192, 18392),
        # December 2026: 31 x 24 = 744 hours, so 31, as March.
        (date(2026, 12, 1), 744, 31, 194, 15194, 3191, 18385),
    ],
    ids=["743", "745", "744"],
)
def test_a_month_has_as_many_conversations_as_its_hours_hold(month, hours, opened, utility_cents, net, vat, total):
    first = start_of(month=month)
    every = [first + place * HOUR for place in range(hours)]
    assert every[-1] + HOUR == end_of(month=month)
    made = of_month(month, *reached(*every))
    assert amounts(made) == ([("UTILITY", opened, utility_cents), ("PLATFORM_FEE", 1, 15000)], net, vat, total)


def test_in_the_night_of_25_hours_a_conversation_ends_an_hour_earlier_on_the_wall():
    # 24 October 12:00 summer time is 10:00Z; 24 hours later it is 25 October 11:00 winter time, 10:00Z. A message at
    # 10:59 belongs to it, one at 11:00 opens another: 2 x 0.0625 = 0.125 -> 0.13. 150.13 x 21% = 31.5273 -> 31.53.
    noon = datetime(2026, 10, 24, 10, 0, tzinfo=UTC)
    made = of_month(date(2026, 10, 1), *reached(noon, noon + 24 * HOUR - timedelta(minutes=1), noon + 24 * HOUR))
    assert amounts(made) == ([("UTILITY", 2, 13), ("PLATFORM_FEE", 1, 15000)], 15013, 3153, 18166)


def test_at_the_years_edge_the_opening_decides_the_month_and_the_price():
    # 31 December 23:59:59 in Amsterdam is 22:59:59Z. Three contacts: one is reached then and once more in the new
    # year, within its 24 hours; two are reached at midnight, at 2027's price of 0.07 and fee of 160.
    # December: 1 x 0.0625 -> 0.06; 150.06 x 21% = 31.5126 -> 31.51.
    # January: 2 x 0.07 = 0.14; 160.14 x 21% = 33.6294 -> 33.63.
    last = datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC)
    midnight = last + timedelta(seconds=1)
    dearer = Card(date(2027, 1, 1), Decimal("0.21"), Decimal(160), {"UTILITY": Decimal("0.07")})
    opened = [*reached(last, midnight + HOUR), *reached(midnight), *reached(midnight)]
    december, january = (
        of_month(month, *opened, cards=(CARD, dearer)) for month in (date(2026, 12, 1), date(2027, 1, 1))
    )
    assert amounts(december) == ([("UTILITY", 1, 6), ("PLATFORM_FEE", 1, 15000)], 15006, 3151, 18157)
    assert amounts(january) == ([("UTILITY", 2, 14), ("PLATFORM_FEE", 1, 16000)], 16014, 3363, 19377)


def test_a_free_entry_point_takes_in_all_of_72_hours_and_costs_nothing():
    # 10 October 09:00 (07:00Z): the citizen came by an advertisement; 72 hours, until 13 October 09:00. Utility and
    # service inside are its own. At 09:00 on the 13th utility opens: 1 x 0.0625 -> 0.06.
    entry = datetime(2026, 10, 10, 7, 0, tzinfo=UTC)
    facts = [
        *told(entry, said=Pricing("PMP", "free_entry_point", "referral_conversion")),
        *told(entry + HOUR, entry + 71 * HOUR, said=UTILITY),
        *told(entry + 2 * HOUR, said=Pricing("PMP", "free_customer_service", "service")),
        *told(entry + 72 * HOUR, said=UTILITY),
    ]
    made = of_month(date(2026, 10, 1), *derive(facts=facts))
    assert amounts(made)[0] == [("REFERRAL_CONVERSION", 1, 0), ("UTILITY", 1, 6), ("PLATFORM_FEE", 1, 15000)]


def test_both_of_metas_pricing_models_make_the_same_bill():
    # Until July 2025 Meta charged conversations (CBP), since then messages (PMP); our unit is our own. Three messages,
    # the third after 24 hours: 2 x 0.0625 = 0.125 -> 0.13.
    first = datetime(2025, 7, 1, 8, 0, tzinfo=UTC)
    moments = (first, first + 23 * HOUR, first + 24 * HOUR)
    bills = [
        of_month(date(2025, 7, 1), *reached(*moments, said=Pricing(model, "regular", "utility")))
        for model in ("CBP", "PMP", "")
    ]
    assert amounts(bills[0])[0] == [("UTILITY", 2, 13), ("PLATFORM_FEE", 1, 15000)]
    assert bills[0] == bills[1] == bills[2]


def test_from_october_2026_a_card_may_pass_on_what_replies_cost():
    # Meta charges replies from 1 October 2026, so the card of that day prices those above 10 a conversation at 0.01.
    # One citizen gets 12 replies on 30 September and 12 on 2 October. September: 1 x 0.045 -> 0.05. October:
    # 1 x 0.045 -> 0.05, and 12 - 10 = 2 x 0.01 = 0.02; 150.07 x 21% = 31.5147 -> 31.51.
    reply = Pricing("PMP", "free_customer_service", "service")
    terms = Terms(message_prices={"SERVICE": Decimal("0.01")}, fair_use={"SERVICE": 10})
    autumn = Card(date(2026, 10, 1), Decimal("0.21"), Decimal(150), PRICES, {}, terms)
    minutes = [timedelta(minutes=place) for place in range(12)]
    opened = [
        *reached(*(datetime(2026, 9, 30, 8, 0, tzinfo=UTC) + each for each in minutes), said=reply),
        *reached(*(datetime(2026, 10, 2, 8, 0, tzinfo=UTC) + each for each in minutes), said=reply),
    ]
    cards, extras = (CARD, autumn), Extras(messages={"SERVICE": 12})
    september, october = (
        of_month(month, *opened, cards=cards, extras=extras) for month in (date(2026, 9, 1), date(2026, 10, 1))
    )
    assert amounts(september)[0] == [("SERVICE", 1, 5), ("PLATFORM_FEE", 1, 15000)]
    assert amounts(october) == ([("SERVICE", 1, 5), ("SERVICE", 2, 2), ("PLATFORM_FEE", 1, 15000)], 15007, 3151, 18158)
