from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, transaction

from audit.record import Actor
from billing.adjusting import ReversedAlready, RunClosed, adjust, take_back
from billing.invoicing import run
from billing.models import Adjustment, Invoice

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
AT = datetime(2026, 11, 6, 9, 0, tzinfo=UTC)
FARID = Actor("public", "11111111-1111-4111-8111-111111111111", "Farid Finance")


def book(municipality, *, month=OCTOBER, cents=-2500, actor=FARID, **others) -> Adjustment:
    return adjust(
        municipality_id=municipality.id,
        run=month,
        month=OCTOBER,
        description="Storing van 3 oktober",
        reason="Afgesproken met de contractmanager",
        net_cents=cents,
        actor=actor,
        at=AT,
        **others,
    )


@pytest.mark.django_db
class TestAdjust:
    def test_it_stands_on_the_invoice_of_its_run(self, standard_card, utrecht):
        book(utrecht)
        run(month=OCTOBER, at=AT, actor=FARID)
        invoice = Invoice.objects.get(municipality_id=utrecht.id)
        # 150.00 - 25.00 = 125.00; VAT 26.25.
        assert [(line.kind, line.net_cents) for line in invoice.lines.order_by("position")] == [
            ("PLATFORM_FEE", 15000),
            ("ADJUSTMENT", -2500),
        ]
        assert (invoice.net_cents, invoice.vat_cents) == (12500, 2625)

    def test_it_is_booked_by_a_person_with_a_reason(self, utrecht):
        with pytest.raises(ValueError, match="by a person"):
            book(utrecht, actor=Actor.system("run_invoices"))
        with pytest.raises(ValueError, match="an amount"):
            book(utrecht, cents=0)

    def test_it_waits_for_the_next_month_when_its_own_is_closed(self, standard_card, utrecht):
        run(month=OCTOBER, at=AT, actor=FARID, review=True)
        with pytest.raises(RunClosed, match="2026-10 is closed"):
            book(utrecht)
        assert book(utrecht, month=NOVEMBER).run == NOVEMBER

    def test_a_mistake_is_taken_back_once_by_a_row_that_names_it(self, standard_card, utrecht):
        wrong = book(utrecht)
        back = take_back(adjustment_id=wrong.id, run=OCTOBER, reason="Vergissing", actor=FARID, at=AT)
        assert (back.reverses_id, back.net_cents) == (wrong.id, 2500)
        with pytest.raises(ReversedAlready):
            take_back(adjustment_id=wrong.id, run=OCTOBER, reason="Vergissing", actor=FARID, at=AT)
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Adjustment.objects.filter(id=wrong.id).update(net_cents=1)
