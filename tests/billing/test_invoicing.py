import json
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from worked_cases import STANDARD_CARD

from audit.models import Entry
from audit.record import Actor
from billing import reading
from billing.cards import NoRate, NoRateCard
from billing.closing import EarlierMonthOpen, MonthNotOver
from billing.invoicing import conversation_counts, run
from billing.models import Correction, Invoice
from billing.prices import load_card
from tenants.stages import Stage

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
IN_OCTOBER = datetime(2026, 10, 10, 8, 0, tzinfo=UTC)
IN_NOVEMBER = datetime(2026, 11, 10, 8, 0, tzinfo=UTC)
OCTOBER_ENDS = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
NOVEMBER_ENDS = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
OCTOBER_STANDS = datetime(2026, 11, 4, 23, 0, tzinfo=UTC)  # day 5 in Amsterdam
NOVEMBER_STANDS = datetime(2026, 12, 4, 23, 0, tzinfo=UTC)
FINANCE = Actor.system("tests")


def october(**others) -> list[Invoice]:
    at = OCTOBER_STANDS if others.get("review") else OCTOBER_ENDS
    return run(month=OCTOBER, at=at, actor=FINANCE, **others)


def lines(invoice: Invoice) -> list[tuple]:
    ordered = invoice.lines.order_by("position")
    return [(line.kind, line.month, line.category, line.quantity, line.net_cents) for line in ordered]


class TestRun:
    def test_it_drafts_what_the_rate_card_says(self, standard_card, utrecht, delft, deliver):
        deliver(utrecht, 11, category="utility", day=IN_OCTOBER)
        deliver(utrecht, 3, category="marketing", day=IN_OCTOBER)
        # 11 x 0.0625 = 0.6875 -> 0.69; 3 x 0.1495 = 0.4485 -> 0.45; 150.00. Net 151.14, VAT 31.7394 -> 31.74.
        of_delft, of_utrecht = october()
        assert lines(of_utrecht) == [
            ("CONVERSATIONS", OCTOBER, "MARKETING", 3, 45),
            ("CONVERSATIONS", OCTOBER, "UTILITY", 11, 69),
            ("PLATFORM_FEE", OCTOBER, "", 1, 15000),
        ]
        assert (of_utrecht.net_cents, of_utrecht.vat_cents, of_utrecht.total_cents) == (15114, 3174, 18288)
        assert (of_utrecht.status, of_utrecht.number, of_utrecht.municipality_id) == ("DRAFT", None, utrecht.id)
        # Delft used nothing: 150.00, VAT 31.50.
        assert (of_delft.municipality_id, of_delft.total_cents) == (delft.id, 18150)

    def test_it_changes_nothing_when_repeated(self, standard_card, utrecht, deliver):
        deliver(utrecht, 5, day=IN_OCTOBER)
        before = [(invoice.id, invoice.lines_hash, invoice.drafted_at, lines(invoice)) for invoice in october()]
        later = run(month=OCTOBER, at=NOVEMBER_ENDS, actor=FINANCE)
        assert [(invoice.id, invoice.lines_hash, invoice.drafted_at, lines(invoice)) for invoice in later] == before

    def test_it_follows_the_usage_in_the_same_draft(self, standard_card, utrecht, deliver):
        deliver(utrecht, 5, day=IN_OCTOBER)
        before = october()[1]
        deliver(utrecht, 2, day=IN_OCTOBER, series="more")
        after = october()[1]
        assert after.id == before.id
        assert after.lines_hash != before.lines_hash
        assert lines(after)[0] == ("CONVERSATIONS", OCTOBER, "UTILITY", 7, 44)  # 7 x 0.0625 = 0.4375

    def test_it_bills_a_suspended_municipality_and_no_offboarded_one(self, standard_card, utrecht, delft):
        type(utrecht).objects.filter(pk=utrecht.pk).update(stage=Stage.SUSPENDED)
        type(delft).objects.filter(pk=delft.pk).update(stage=Stage.OFFBOARDED)
        assert [invoice.municipality_id for invoice in october()] == [utrecht.id]

    def test_it_bills_what_an_offboarded_municipality_still_used(self, standard_card, delft, deliver):
        deliver(delft, 1, day=IN_OCTOBER)
        type(delft).objects.filter(pk=delft.pk).update(stage=Stage.OFFBOARDED)
        assert delft.id in [invoice.municipality_id for invoice in october()]

    def test_it_bills_nobody_for_a_month_before_they_came(self, standard_card, delft):
        type(delft).objects.filter(pk=delft.pk).update(created_at=OCTOBER_ENDS)
        assert delft.id not in [invoice.municipality_id for invoice in october()]

    def test_it_refuses_a_month_that_is_not_over(self, standard_card):
        with pytest.raises(MonthNotOver, match="2026-11 is not over yet"):
            run(month=NOVEMBER, at=OCTOBER_ENDS, actor=FINANCE)

    def test_it_refuses_a_month_without_a_rate_card(self, db):
        with pytest.raises(NoRateCard, match="2026-10-01"):
            october()
        assert not Invoice.objects.exists()

    def test_it_refuses_a_category_without_a_price_and_changes_nothing(self, standard_card, utrecht, delft, deliver):
        deliver(delft, 1, day=IN_OCTOBER)
        deliver(utrecht, 1, category="group_utility", day=IN_OCTOBER)
        with pytest.raises(NoRate, match="GROUP_UTILITY"):
            october()
        assert not Invoice.objects.exists()

    def test_it_leaves_an_entry_in_the_trail(self, standard_card, utrecht):
        october()
        entry = Entry.objects.latest("sequence")
        assert (entry.action, entry.subject) == ("invoices.run", "invoices 2026-10")
        assert entry.details == {"invoices": 2, "changed": 2, "review": False, "total_cents": 36300}

    def test_it_counts_by_municipality_and_category(self, utrecht, delft, deliver):
        deliver(utrecht, 3, day=IN_OCTOBER)
        deliver(utrecht, 2, category="service", day=IN_OCTOBER)
        deliver(delft, 1, day=IN_OCTOBER)
        deliver(delft, 4, day=IN_NOVEMBER)
        assert conversation_counts(month=OCTOBER) == {
            utrecht.id: {"SERVICE": 2, "UTILITY": 3},
            delft.id: {"UTILITY": 1},
        }


class TestReview:
    def test_it_makes_month_and_invoices_stand(self, standard_card, utrecht, deliver):
        deliver(utrecht, 5, day=IN_OCTOBER)
        reviewed = october(review=True)
        deliver(utrecht, 2, day=IN_OCTOBER, series="late")
        again = october(review=True)
        assert {invoice.status for invoice in reviewed} == {"REVIEW"}
        assert [invoice.lines_hash for invoice in again] == [invoice.lines_hash for invoice in reviewed]
        assert conversation_counts(month=OCTOBER) == {utrecht.id: {"UTILITY": 5}}

    def test_it_corrects_what_came_late_in_the_next_run_and_once_only(self, standard_card, utrecht, deliver):
        deliver(utrecht, 5, day=IN_OCTOBER)
        october(review=True)
        deliver(utrecht, 2, day=IN_OCTOBER, series="late")
        deliver(utrecht, 1, day=IN_NOVEMBER)
        drafted = run(month=NOVEMBER, at=NOVEMBER_ENDS, actor=FINANCE)[1]
        reviewed = run(month=NOVEMBER, at=NOVEMBER_STANDS, actor=FINANCE, review=True)[1]
        # 1 x 0.0625 -> 0.06; 2 x 0.0625 = 0.125 -> 0.13.
        assert lines(reviewed) == [
            ("CONVERSATIONS", NOVEMBER, "UTILITY", 1, 6),
            ("CORRECTION", OCTOBER, "UTILITY", 2, 13),
            ("PLATFORM_FEE", NOVEMBER, "", 1, 15000),
        ]
        assert drafted.lines_hash == reviewed.lines_hash
        assert [(row.month, row.quantity) for row in Correction.objects.all()] == [(OCTOBER, 2)]
        # What is behind the line, from when the month is closed on.
        (behind,) = reading.line(invoice_id=reviewed.id, position=2).corrections
        number = utrecht.numbers.get().display_phone_number
        assert (behind.number, behind.quantity, behind.recorded_at) == (number, 2, NOVEMBER_STANDS)
        december = run(month=date(2026, 12, 1), at=datetime(2027, 1, 1, tzinfo=UTC), actor=FINANCE)[1]
        assert lines(december) == [("PLATFORM_FEE", date(2026, 12, 1), "", 1, 15000)]

    def test_it_corrects_at_the_price_of_the_day(self, standard_card, utrecht, deliver):
        dearer = json.loads(STANDARD_CARD.read_text()) | {"valid_from": "2026-10-16", "prices": {"UTILITY": "0.07"}}
        load_card(text=json.dumps(dearer), actor=FINANCE, at=IN_OCTOBER)
        october(review=True)
        deliver(utrecht, 10, day=datetime(2026, 10, 15, 12, 0, tzinfo=UTC))
        deliver(utrecht, 10, day=datetime(2026, 10, 16, 12, 0, tzinfo=UTC))
        reviewed = run(month=NOVEMBER, at=NOVEMBER_STANDS, actor=FINANCE, review=True)[1]
        # 10 x 0.0625 = 0.625 -> 0.63; 10 x 0.07 = 0.70.
        assert lines(reviewed)[:2] == [
            ("CORRECTION", OCTOBER, "UTILITY", 10, 63),
            ("CORRECTION", OCTOBER, "UTILITY", 10, 70),
        ]
        (row,) = Correction.objects.all()
        assert (row.quantity, row.by_card) == (20, {"2026-01-01": 10, "2026-10-16": 10})

    def test_it_corrects_what_came_late_from_before_the_first_card(self, standard_card, utrecht, deliver):
        october(review=True)
        deliver(utrecht, 1, day=datetime(2025, 12, 10, tzinfo=UTC))
        drafted = run(month=NOVEMBER, at=NOVEMBER_ENDS, actor=FINANCE)[1]
        assert lines(drafted)[0] == ("CORRECTION", date(2025, 12, 1), "UTILITY", 1, 6)

    def test_it_refuses_to_pass_over_a_month_with_usage(self, standard_card, utrecht, deliver):
        deliver(utrecht, 1, day=IN_OCTOBER)
        with pytest.raises(EarlierMonthOpen, match="2026-10 must be reviewed before 2026-11"):
            run(month=NOVEMBER, at=NOVEMBER_STANDS, actor=FINANCE, review=True)

    def test_it_refuses_to_leave_drafts_behind(self, standard_card, utrecht):
        october()
        with pytest.raises(EarlierMonthOpen, match="2026-10 must be reviewed before 2026-11"):
            run(month=NOVEMBER, at=NOVEMBER_STANDS, actor=FINANCE, review=True)


class TestRunInvoices:
    def test_it_prints_the_same_when_repeated(self, standard_card, utrecht, deliver, clock, capsys):
        deliver(utrecht, 5, day=IN_OCTOBER)
        clock.set(OCTOBER_ENDS)
        call_command("run_invoices", period="2026-10", json=True)
        first = capsys.readouterr().out
        clock.move(hours=1)
        call_command("run_invoices", period="2026-10", json=True)
        assert capsys.readouterr().out == first
        (_, of_utrecht) = json.loads(first)["invoices"]
        assert of_utrecht["schema"] == "utrecht"
        assert UUID(of_utrecht["id"])
        assert (of_utrecht["net_cents"], of_utrecht["vat_cents"], of_utrecht["total_cents"]) == (15031, 3157, 18188)
        assert of_utrecht["lines"][0]["unit_price"] == "0.062500"

    def test_it_sums_up_for_people(self, standard_card, utrecht, clock, capsys):
        clock.set(OCTOBER_ENDS)
        with pytest.raises(CommandError, match="from day 5 of the next month") as refused:
            call_command("run_invoices", period="2026-10", review=True)
        assert refused.value.returncode == 2
        clock.set(OCTOBER_STANDS)
        call_command("run_invoices", period="2026-10", review=True)
        assert capsys.readouterr().out.splitlines()[-1] == "2 invoices for 2026-10, 363.00 EUR with VAT"

    @pytest.mark.parametrize("period", ["2026-13", "2026-11", "2026-10"])
    def test_it_says_in_one_line_why_it_refuses(self, period, db, clock):
        clock.set(OCTOBER_ENDS)
        with pytest.raises(CommandError) as refused:
            call_command("run_invoices", period=period)
        assert refused.value.returncode == 2
        assert len(str(refused.value).splitlines()) == 1
