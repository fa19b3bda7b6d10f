"""Rate cards as they are stored and used: whose they are, where they end, messages, and what a look at one shows."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

import pytest
from django.core.management import CommandError, call_command
from worked_cases import STANDARD_CARD

from audit.record import Actor
from billing import overview
from billing.card_files import BadRateCard, as_file, parse_card
from billing.invoicing import run
from billing.metering import StatusReport, record_reports
from billing.models import Invoice, MessageCount, RateCard
from billing.months import end_of, start_of
from billing.prices import UsedRateCard, all_cards, load_card, schedule_card

pytestmark = pytest.mark.django_db

STANDARD = json.loads(STANDARD_CARD.read_text())
FINANCE = Actor("public", "1", "Farid Finance")
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
IN_OCTOBER = datetime(2026, 10, 10, 8, 0, tzinfo=UTC)
AT = datetime(2026, 11, 6, 9, 0, tzinfo=UTC)
FULL = STANDARD | {
    "valid_from": "2026-11-01",
    "valid_until": "2027-01-01",
    "prices": {"UTILITY": [{"from": 1, "price": "0.06"}, {"from": 1001, "price": "0.05"}], "SERVICE": "0.04"},
    "included": {"SERVICE": 100},
    "volume": ["UTILITY"],
    "message_prices": {"SERVICE": "0.002"},
    "fair_use": {"SERVICE": 12},
    "onboarding_fee": "750.00",
    "discount": "0.05",
    "minimum": "200.00",
}


def load(municipality=None, at=AT, **changes) -> str:
    own = municipality.id if municipality else None
    text = json.dumps(STANDARD | changes)
    return load_card(text=text, actor=FINANCE, at=at, municipality_id=own).outcome


def reach(municipality, count: int, *, contact: str = "a", category: str = "utility") -> None:
    """Have so many messages reach one contact within a day."""
    number = municipality.numbers.get()
    record_reports(
        reports=[
            StatusReport(
                municipality_id=municipality.id,
                phone_number_id=number.phone_number_id,
                pseudonym_key=number.pseudonym_key(),
                contact_id=uuid5(NAMESPACE_URL, contact),
                wamid=f"{contact} {category} {place}",
                status=status,
                stamped_at=IN_OCTOBER + timedelta(minutes=place),
                pricing_model="PMP",
                pricing_type="regular",
                pricing_category=category,
                purpose="PERMITS",
                template_name=None,
                template_category=None,
            )
            for place in range(count)
            for status in ("sent", "delivered", "read")
        ],
        recorded_at=AT,
    )


class TestFiles:
    def test_a_card_is_written_as_it_is_read(self):
        name, card = parse_card(text=json.dumps(FULL))
        assert parse_card(text=as_file(name=name, card=card)) == (name, card)

    def test_what_is_stored_is_what_the_file_says(self):
        load(**{key: FULL[key] for key in FULL})
        (stored,) = all_cards()
        assert stored == parse_card(text=json.dumps(FULL))[1]
        assert load(**{key: FULL[key] for key in FULL}) == "UNCHANGED"

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"prices": {"UTILITY": [{"from": 2, "price": "0.1"}]}}, "begin at 1 and go up"),
            ({"prices": {"UTILITY": [{"from": 1, "price": "1"}, {"from": 1, "price": "2"}]}}, "begin at 1 and go up"),
            ({"prices": {"UTILITY": [{"price": "0.1"}]}}, "must hold from and price"),
            ({"prices": {"UTILITY": []}}, "begin at 1"),
            ({"included": {"UTILITY": "many"}}, "included: UTILITY must be a whole number"),
            ({"included": {"TELEPATHY": 5}}, "included: TELEPATHY has no price"),
            ({"volume": ["TELEPATHY"]}, "volume must be a list"),
            ({"fair_use": {"UTILITY": 5}}, "fair_use: UTILITY has no price in message_prices"),
            ({"discount": "5"}, "discount: write 21% as 0.21"),
            ({"minimum": "0.001"}, "minimum has more than 2 decimals"),
            ({"valid_until": "2025-01-01"}, "valid_until must be a day after"),
        ],
        ids=str,
    )
    def test_what_is_wrong_is_said(self, change, said):
        with pytest.raises(BadRateCard, match=said):
            parse_card(text=json.dumps(STANDARD | change))


class TestWhoseAndWhen:
    def test_a_card_ends_the_one_before_it_and_ends_where_the_next_begins(self):
        load()
        load(valid_from="2027-01-01")
        load(valid_from="2026-11-01")
        days = RateCard.objects.order_by("valid_from").values_list("valid_from", "valid_until")
        assert list(days) == [
            (date(2026, 1, 1), date(2026, 11, 1)),
            (date(2026, 11, 1), date(2027, 1, 1)),
            (date(2027, 1, 1), None),
        ]

    def test_a_municipalitys_own_card_holds_in_place_of_the_standard_one(self, utrecht, delft, deliver):
        load()
        load(utrecht, valid_from="2026-10-01", platform_fee="99.00", valid_until="2026-11-01")
        for municipality in (utrecht, delft):
            deliver(municipality, 10, day=IN_OCTOBER, series=municipality.schema_name)
        run(month=OCTOBER, at=AT, actor=FINANCE, review=True)
        net = dict(Invoice.objects.values_list("municipality_id", "net_cents"))
        # 10 x 0.0625 = 0.625 -> 0.63.
        assert (net[utrecht.id], net[delft.id]) == (9963, 15063)
        assert [line.card.municipality_id for line in Invoice.objects.get(municipality_id=utrecht.id).lines.all()] == [
            utrecht.id,
            utrecht.id,
        ]
        # What comes late of October is corrected at its own card's price.
        deliver(utrecht, 2, day=IN_OCTOBER, series="late")
        run(month=NOVEMBER, at=datetime(2026, 12, 6, tzinfo=UTC), actor=FINANCE)
        november = Invoice.objects.get(municipality_id=utrecht.id, period=NOVEMBER)
        assert [(line.kind, line.card.municipality_id) for line in november.lines.order_by("position")] == [
            ("CORRECTION", utrecht.id),
            ("PLATFORM_FEE", None),
        ]

    def test_terms_of_a_month_change_for_nobody_within_it(self, utrecht):
        load()
        with pytest.raises(BadRateCard, match="first of a month only"):
            load(utrecht, valid_from="2026-10-15", minimum="500.00")
        with pytest.raises(BadRateCard, match="first of a month only"):
            load(utrecht, valid_from="2026-10-01", valid_until="2026-10-15", minimum="500.00")

    def test_people_change_prices_for_the_future_alone(self, utrecht):
        load()
        for day in ("2026-11-01", "2026-11-06"):
            with pytest.raises(UsedRateCard, match="for the future only"):
                schedule_card(text=json.dumps(STANDARD | {"valid_from": day}), actor=FINANCE, at=AT)
        made = schedule_card(text=json.dumps(STANDARD | {"valid_from": "2026-11-07"}), actor=FINANCE, at=AT)
        assert made.outcome == "CREATED"

    def test_the_command_loads_a_municipalitys_own(self, utrecht, clock, tmp_path, capsys):
        file = tmp_path / "own.json"
        file.write_text(json.dumps(STANDARD))
        call_command("load_rate_card", str(file), municipality="utrecht")
        assert RateCard.objects.get().municipality_id == utrecht.id
        with pytest.raises(CommandError, match="no municipality nergens"):
            call_command("load_rate_card", str(file), municipality="nergens")


class TestMessages:
    def test_those_above_fair_use_are_charged_and_stand_when_the_month_is_closed(self, utrecht):
        load(message_prices={"UTILITY": "0.01"}, fair_use={"UTILITY": 5})
        reach(utrecht, 12)
        reach(utrecht, 3, contact="b")
        # Two conversations, 15 messages, 10 are fair: 5 x 0.01 = 0.05; conversations 2 x 0.0625 = 0.125 -> 0.13.
        made = run(month=OCTOBER, at=AT, actor=FINANCE, review=True)
        (invoice,) = [each for each in made if each.municipality_id == utrecht.id]
        lines = [(line.kind, line.quantity, line.net_cents) for line in invoice.lines.order_by("position")]
        assert lines == [("CONVERSATIONS", 2, 13), ("MESSAGES", 5, 5), ("PLATFORM_FEE", 1, 15000)]
        assert [(row.category, row.messages) for row in MessageCount.objects.all()] == [("UTILITY", 15)]
        reach(utrecht, 40, contact="c")
        again = run(month=OCTOBER, at=AT, actor=FINANCE)
        assert [each.lines_hash for each in again] == [each.lines_hash for each in made]

    def test_they_are_counted_for_nobody_else(self, utrecht, delft):
        load()
        load(delft, valid_from="2026-10-01", message_prices={"UTILITY": "0.01"})
        reach(utrecht, 12)
        run(month=OCTOBER, at=AT, actor=FINANCE, review=True)
        assert not MessageCount.objects.exists()


class TestMonthsOfSummerTime:
    @pytest.mark.parametrize(("month", "hours"), [(date(2026, 3, 1), 743), (OCTOBER, 745)])
    def test_each_of_its_hours_counts_once(self, utrecht, month, hours):
        load(valid_from="2026-01-01")
        number = utrecht.numbers.get()
        start = start_of(month=month)
        assert end_of(month=month) - start == timedelta(hours=hours)
        record_reports(
            reports=[
                StatusReport(
                    municipality_id=utrecht.id,
                    phone_number_id=number.phone_number_id,
                    pseudonym_key=number.pseudonym_key(),
                    contact_id=uuid5(NAMESPACE_URL, f"{hour}"),
                    wamid=f"{hour}",
                    status="delivered",
                    stamped_at=start + timedelta(hours=hour),
                    pricing_model="PMP",
                    pricing_type="regular",
                    pricing_category="utility",
                    purpose=None,
                    template_name=None,
                    template_category=None,
                )
                for hour in range(-1, hours + 1)  # one hour before and one after it too
            ],
            recorded_at=AT,
        )
        run(month=month, at=AT, actor=FINANCE)
        line = Invoice.objects.get(municipality_id=utrecht.id).lines.get(kind="CONVERSATIONS")
        # March: 743 x 0.0625 = 46.4375 -> 46.44. October: 745 x 0.0625 = 46.5625 -> 46.56.
        assert (line.quantity, line.net_cents) == (hours, {743: 4644, 745: 4656}[hours])

    def test_the_last_second_of_a_year_is_the_old_years(self, utrecht, deliver):
        load(valid_from="2026-01-01")
        edge = datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC)
        deliver(utrecht, 1, day=edge, series="old")
        deliver(utrecht, 1, day=edge + timedelta(seconds=1), series="new")
        run(month=date(2026, 12, 1), at=datetime(2027, 1, 2, tzinfo=UTC), actor=FINANCE)
        line = Invoice.objects.get(municipality_id=utrecht.id).lines.get(kind="CONVERSATIONS")
        assert (line.quantity, line.month) == (1, date(2026, 12, 1))


class TestOverview:
    def test_a_look_at_a_card_says_what_last_month_would_have_been_and_stores_nothing(self, utrecht, delft, deliver):
        load()
        deliver(utrecht, 100, day=IN_OCTOBER)
        _, dearer = parse_card(text=json.dumps(STANDARD | {"valid_from": "2027-01-01", "platform_fee": "175.00"}))
        month, rows = overview.preview(card=dearer, at=AT)
        # 100 x 0.0625 = 6.25.
        assert month == OCTOBER
        assert [(row.municipality, row.before_cents, row.after_cents) for row in rows] == [
            ("Delft", 15000, 17500),
            ("Utrecht", 15625, 18125),
        ]
        assert RateCard.objects.count() == 1
        assert not Invoice.objects.exists()

    def test_a_draft_is_put_beside_the_month_before(self, utrecht, deliver):
        load()
        deliver(utrecht, 10, day=IN_OCTOBER)
        run(month=OCTOBER, at=AT, actor=FINANCE, review=True)
        deliver(utrecht, 14, day=IN_OCTOBER + timedelta(days=31), series="more")
        run(month=NOVEMBER, at=datetime(2026, 12, 1, tzinfo=UTC), actor=FINANCE)
        found = overview.changes(invoice=Invoice.objects.get(municipality_id=utrecht.id, period=NOVEMBER))
        # 14 x 0.0625 = 0.875 -> 0.88, against 0.63.
        assert [(each.kind, each.before_quantity, each.quantity, each.difference_cents) for each in found] == [
            ("CONVERSATIONS", 10, 14, 25),
            ("PLATFORM_FEE", 1, 1, 0),
        ]

    def test_the_running_month_is_shown_with_what_it_comes_to(self, utrecht, deliver):
        load()
        deliver(utrecht, 8, day=IN_OCTOBER)
        shown = overview.month_so_far(at=IN_OCTOBER + timedelta(days=1))
        assert (shown.month, shown.conversations) == (OCTOBER, 8)
        assert {row.municipality.name: row.net_cents for row in shown.rows}["Utrecht"] == 15050
        days = overview.by_day(month=OCTOBER, municipality_id=utrecht.id)
        assert (len(days), days[9].count, sum(day.count for day in days)) == (31, 8, 8)

    def test_what_has_no_price_is_said_and_stops_nobody(self, utrecht, deliver):
        load()
        deliver(utrecht, 1, category="telepathy", day=IN_OCTOBER)
        shown = overview.month_so_far(at=IN_OCTOBER + timedelta(days=1))
        assert {row.municipality.name: row.net_cents for row in shown.rows}["Utrecht"] is None


def test_the_amounts_are_decimals_all_the_way(db):
    load(prices={"UTILITY": "0.000001"})
    assert all_cards()[0].prices == {"UTILITY": Decimal("0.000001")}
