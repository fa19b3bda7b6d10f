"""What Meta will charge, worked by hand with made-up rates: the rules of three periods, markets and allowances."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

import pytest
from django.core.management import CommandError, call_command

from audit.record import Actor
from billing.costs import BadRateSheet, charges, load_sheet, margins, sheets_of
from billing.invoicing import run
from billing.metering import StatusReport, record_reports
from whatsapp.markets import market_of

FINANCE = Actor.system("tests")
AT = datetime(2026, 11, 6, 9, 0, tzinfo=UTC)
SHEET = {
    "name": "Worked",
    "source": "made up",
    "read_date": "2026-11-22",
    "example": True,
    "currency": "EUR",
    "default_market": "NL",
}
BY_CONVERSATION = SHEET | {
    "valid_from": "2024-11-01",
    "unit": "CONVERSATION",
    "free_types": [],
    "allowances": {},
    "prices": {"NL": {"UTILITY": "0.04", "SERVICE": "0"}},
}
BY_TEMPLATE = SHEET | {
    "valid_from": "2025-07-01",
    "unit": "MESSAGE",
    "free_types": ["free_customer_service", "free_entry_point"],
    "allowances": {},
    "prices": {"NL": {"UTILITY": "0.03", "SERVICE": "0"}, "DE": {"UTILITY": "0.05"}},
}
SERVICE_TOO = BY_TEMPLATE | {
    "valid_from": "2026-10-01",
    "free_types": ["free_entry_point"],
    "allowances": {"SERVICE": 2},
    "prices": {"NL": {"UTILITY": "0.03", "SERVICE": "0.01", "REFERRAL_CONVERSION": "0"}},
}


@pytest.fixture
def sheets(db):
    """Load the rules of the three periods."""
    for sheet in (BY_CONVERSATION, BY_TEMPLATE, SERVICE_TOO):
        load_sheet(text=json.dumps(sheet), actor=FINANCE, at=AT)


def reach(municipality, day: datetime, *messages: tuple, contact: str = "a") -> None:
    """Record messages that reached one contact, an hour apart: (type, category[, market])."""
    number = municipality.numbers.get()
    record_reports(
        reports=[
            StatusReport(
                municipality_id=municipality.id,
                phone_number_id=number.phone_number_id,
                pseudonym_key=number.pseudonym_key(),
                contact_id=uuid5(NAMESPACE_URL, contact),
                wamid=f"{contact} {day} {place}",
                status="delivered",
                stamped_at=day + timedelta(hours=place),
                pricing_model="PMP",
                pricing_type=kind,
                pricing_category=category,
                purpose=None,
                template_name=None,
                template_category=None,
                market=market[0] if market else "",
            )
            for place, (kind, category, *market) in enumerate(messages)
        ],
        recorded_at=AT,
    )


def shown(month: date) -> list[tuple]:
    return [(each.category, each.units, each.charged, each.euros, each.unpriced) for each in charges(month=month)]


class TestCharges:
    def test_until_july_2025_each_conversation_is_charged(self, sheets, utrecht):
        # Three messages in 24 hours, and one later: two conversations of 0.04.
        day = datetime(2025, 6, 10, 8, 0, tzinfo=UTC)
        reach(utrecht, day, *[("regular", "utility")] * 3)
        reach(utrecht, day + timedelta(days=2), ("regular", "utility"))
        assert shown(date(2025, 6, 1)) == [("UTILITY", 2, 2, Decimal("0.08"), 0)]

    def test_from_july_2025_each_template_is_charged_unless_the_window_is_open(self, sheets, utrecht):
        # 3 utility templates, one of them free inside the window: 2 x 0.03. Service is free.
        day = datetime(2025, 7, 10, 8, 0, tzinfo=UTC)
        free = ("free_customer_service", "utility")
        reach(utrecht, day, ("regular", "utility"), ("regular", "utility"), free, ("free_customer_service", "service"))
        assert shown(date(2025, 7, 1)) == [
            ("SERVICE", 1, 0, Decimal(0), 0),
            ("UTILITY", 3, 2, Decimal("0.06"), 0),
        ]

    def test_from_october_2026_replies_and_templates_in_the_window_are_charged_too(self, sheets, utrecht):
        # Utility inside the window: 0.03. Five replies, two of which are the number's allowance: 3 x 0.01. What comes
        # by a free entry point stays free.
        day = datetime(2026, 10, 10, 8, 0, tzinfo=UTC)
        reply = ("free_customer_service", "service")
        reach(utrecht, day, ("free_customer_service", "utility"), *[reply] * 5)
        reach(utrecht, day, ("free_entry_point", "referral_conversion"), contact="b")
        assert shown(date(2026, 10, 1)) == [
            ("REFERRAL_CONVERSION", 1, 0, Decimal(0), 0),
            ("SERVICE", 5, 3, Decimal("0.03"), 0),
            ("UTILITY", 1, 1, Decimal("0.03"), 0),
        ]

    def test_the_rules_change_at_midnight_in_amsterdam(self, sheets, utrecht):
        # 23:30 on 30 September is 21:30 UTC: free in the window. An hour later it is October.
        reply = ("free_customer_service", "utility")
        reach(utrecht, datetime(2026, 9, 30, 21, 30, tzinfo=UTC), reply, reply)
        assert shown(date(2026, 9, 1)) == [("UTILITY", 1, 0, Decimal(0), 0)]
        assert shown(date(2026, 10, 1)) == [("UTILITY", 1, 1, Decimal("0.03"), 0)]

    def test_the_recipients_market_chooses_the_price_and_an_unknown_one_is_said(self, sheets, utrecht):
        # Germany 0.05, the Netherlands and no number at all 0.03; of France nothing is known.
        day = datetime(2025, 7, 10, 8, 0, tzinfo=UTC)
        reach(utrecht, day, *[("regular", "utility", market) for market in ("DE", "NL", "", "FR")])
        assert shown(date(2025, 7, 1)) == [("UTILITY", 4, 3, Decimal("0.11"), 1)]

    def test_before_the_first_sheet_nothing_is_known(self, sheets, utrecht):
        reach(utrecht, datetime(2024, 10, 10, 8, 0, tzinfo=UTC), ("regular", "utility"))
        assert shown(date(2024, 10, 1)) == [("UTILITY", 1, 0, Decimal(0), 1)]


class TestMargins:
    def test_they_are_what_is_billed_less_what_meta_charges(self, sheets, standard_card, utrecht, delft):
        day = datetime(2026, 10, 10, 8, 0, tzinfo=UTC)
        reach(utrecht, day, *[("regular", "utility")] * 4)
        run(month=date(2026, 10, 1), at=AT, actor=FINANCE)
        # Utrecht: one conversation 0.0625 -> 0.06, and 150.00; Meta 4 x 0.03 = 0.12.
        of_delft, of_utrecht = margins(month=date(2026, 10, 1))
        assert (of_utrecht.billed_cents, of_utrecht.cost_cents, of_utrecht.margin_cents) == (15006, 12, 14994)
        assert (of_delft.billed_cents, of_delft.cost_cents) == (15000, 0)
        assert [sheet.is_example for sheet in sheets_of(month=date(2026, 10, 1))] == [True]


class TestLoadMetaRates:
    def test_the_examples_that_are_shipped_load_and_say_that_they_are(self, db, clock, capsys):
        from billing import costs

        folder = costs.__file__.rsplit("/", 1)[0] + "/meta_rates"
        for day in ("2024-11-01", "2025-07-01", "2026-10-01"):
            call_command("load_meta_rates", f"{folder}/example-{day}.json")
        assert capsys.readouterr().out.count("(example)") == 3

    @pytest.mark.parametrize(
        "change",
        [
            {"currency": "USD"},
            {"unit": "DAY"},
            {"source": ""},
            {"prices": {"NL": {"UTILITY": "-1"}}},
            {"prices": {"NL": 1}},
        ],
        ids=str,
    )
    def test_it_refuses_what_is_none(self, change, db):
        with pytest.raises(BadRateSheet):
            load_sheet(text=json.dumps(BY_TEMPLATE | change), actor=FINANCE, at=AT)

    def test_it_says_in_one_line_why_it_refuses(self, db, clock, tmp_path):
        file = tmp_path / "rates.json"
        file.write_text("{}")
        with pytest.raises(CommandError, match="exactly these keys") as refused:
            call_command("load_meta_rates", str(file))
        assert refused.value.returncode == 2


@pytest.mark.parametrize(
    ("wa_id", "market"),
    [
        ("31612345678", "NL"),
        ("4915112345678", "DE"),
        ("2341234567", "NG"),
        ("3531234567", "OTHER"),
        ("", ""),
        ("x", ""),
    ],
)
def test_a_market_is_known_by_the_calling_code(wa_id, market):
    assert market_of(wa_id=wa_id) == market
