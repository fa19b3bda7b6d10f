"""A review closes its month in a moment: nobody's inbox waits for the drafts, and what was broken off is finished."""

import json
import threading
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from worked_cases import STANDARD_CARD

from audit.models import Entry
from audit.record import Actor
from billing import invoicing
from billing.cards import NoRate
from billing.closing import EarlierMonthOpen
from billing.invoicing import conversation_counts, run
from billing.models import Invoice, Month
from billing.prices import load_card

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
IN_OCTOBER = datetime(2026, 10, 10, 8, 0, tzinfo=UTC)
IN_NOVEMBER = datetime(2026, 11, 10, 8, 0, tzinfo=UTC)
OCTOBER_ENDS = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
NOVEMBER_ENDS = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
OCTOBER_STANDS = datetime(2026, 11, 4, 23, 0, tzinfo=UTC)  # day 5 in Amsterdam
NOVEMBER_STANDS = datetime(2026, 12, 4, 23, 0, tzinfo=UTC)
FINANCE = Actor.system("tests")


class BrokenOff(Exception):
    """The process ended, as far as its transaction is concerned."""


@pytest.fixture
def broken_off(standard_card, utrecht, deliver, monkeypatch) -> None:
    """Leave October closed, and its invoices not yet drafted."""

    def breaks(*_):
        raise BrokenOff

    deliver(utrecht, 5, day=IN_OCTOBER)
    with monkeypatch.context() as breaking:
        breaking.setattr(invoicing, "_store", breaks)
        with pytest.raises(BrokenOff):
            run(month=OCTOBER, at=OCTOBER_STANDS, actor=FINANCE, review=True)
    assert Month.objects.get().month == OCTOBER
    assert not Invoice.objects.exists()


def shown(invoices: list[Invoice]) -> list[tuple]:
    return [(invoice.municipality_id, invoice.status, invoice.net_cents, invoice.lines_hash) for invoice in invoices]


class TestBrokenOff:
    @pytest.mark.parametrize("review", [True, False])
    def test_the_next_run_of_the_month_finishes_it(self, broken_off, utrecht, deliver, review):
        deliver(utrecht, 3, day=IN_OCTOBER, series="late")  # after the closing: a correction of November's
        finished = run(month=OCTOBER, at=NOVEMBER_ENDS, actor=FINANCE, review=review)
        assert [(invoice.status, invoice.net_cents) for invoice in finished] == [("REVIEW", 15000), ("REVIEW", 15031)]
        assert conversation_counts(month=OCTOBER) == {utrecht.id: {"UTILITY": 5}}
        again = run(month=OCTOBER, at=NOVEMBER_STANDS, actor=FINANCE, review=True)
        assert shown(again) == shown(finished)
        november = run(month=NOVEMBER, at=NOVEMBER_STANDS, actor=FINANCE, review=True)
        assert [line.quantity for line in november[1].lines.filter(kind="CORRECTION")] == [3]

    def test_a_later_month_does_not_pass_it_over(self, broken_off, utrecht, deliver):
        deliver(utrecht, 1, day=IN_NOVEMBER)
        with pytest.raises(EarlierMonthOpen, match="2026-10 must be reviewed before 2026-11"):
            run(month=NOVEMBER, at=NOVEMBER_STANDS, actor=FINANCE, review=True)
        run(month=OCTOBER, at=NOVEMBER_STANDS, actor=FINANCE, review=True)
        assert len(run(month=NOVEMBER, at=NOVEMBER_STANDS, actor=FINANCE, review=True)) == 2

    def test_prices_do_not_change_under_it(self, broken_off):
        dearer = json.loads(STANDARD_CARD.read_text()) | {"valid_from": "2026-10-16"}
        with pytest.raises(Exception, match="2026-10 is closed"):
            load_card(text=json.dumps(dearer), actor=FINANCE, at=OCTOBER_ENDS)


class TestRefusing:
    def test_what_has_no_price_leaves_the_month_open(self, standard_card, utrecht, deliver):
        deliver(utrecht, 1, category="telepathy", day=IN_OCTOBER)
        with pytest.raises(NoRate):
            run(month=OCTOBER, at=OCTOBER_STANDS, actor=FINANCE, review=True)
        assert not Month.objects.exists()
        assert not Invoice.objects.exists()
        assert not Entry.objects.filter(action="invoices.run").exists()


class TestRecordingMeanwhile:
    def test_nobody_who_records_waits_for_the_drafts(self, committing_db, utrecht, deliver, monkeypatch):
        load_card(text=STANDARD_CARD.read_text(), actor=FINANCE, at=IN_OCTOBER)
        deliver(utrecht, 5, day=IN_OCTOBER)
        drafting, go_on = threading.Event(), threading.Event()
        original = invoicing._store

        def slow(*given):
            drafting.set()
            assert go_on.wait(20)
            return original(*given)

        def review():
            try:
                run(month=OCTOBER, at=OCTOBER_STANDS, actor=FINANCE, review=True)
            finally:
                connection.close()

        monkeypatch.setattr(invoicing, "_store", slow)
        running = threading.Thread(target=review)
        running.start()
        try:
            assert drafting.wait(20)
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            deliver(utrecht, 2, day=IN_NOVEMBER)
            deliver(utrecht, 1, day=IN_OCTOBER, series="late")
        finally:
            go_on.set()
            running.join()
        assert conversation_counts(month=NOVEMBER) == {utrecht.id: {"UTILITY": 2}}
        assert {invoice.status for invoice in Invoice.objects.filter(period=OCTOBER)} == {"REVIEW"}
        assert conversation_counts(month=OCTOBER) == {utrecht.id: {"UTILITY": 5}}
