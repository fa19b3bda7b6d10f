"""What the ledger and the invoices refuse beyond a single row (those: tests/refused_rows.py), tried by raw SQL."""

from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction

pytestmark = pytest.mark.django_db

HASH, OTHER_HASH = b"\x01" * 32, b"\x02" * 32
MUNICIPALITY = "00000000-0000-4000-8000-000000000344"
INVOICE, STANDING = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
BY = {
    "recorded_at": "2026-11-05T08:00:00Z",
    "recorded_by_schema": "public",
    "recorded_by_id": "somebody",
    "recorded_by_name": "Somebody",
}
APPROVED = {"approved_by_schema": "public", "approved_by_id": "second", "approved_at": "2026-11-06T08:00:00Z"}
FINAL = {
    **APPROVED,
    "status": "FINALISED",
    "number": "F2026-00009",
    "series": "F",
    "year": 2026,
    "sequence": 1,
    "issue_date": "2026-11-06",
    "seller": "{}",
    "buyer": "{}",
    "finalised_at": "2026-11-06T08:00:00Z",
    "previous_hash": "0" * 64,
    "document_hash": "a" * 64,
}
ROWS = {
    "billing_fact": {
        "phone_number_id": "1001",
        "wamid_hash": HASH,
        "municipality_id": MUNICIPALITY,
        "contact_hash": HASH,
        "first_stamped_at": "2026-10-05T08:00:00Z",
        "recorded_at": "2026-10-05T08:00:00Z",
    },
    "billing_factreport": {
        "phone_number_id": "1001",
        "wamid_hash": HASH,
        "status": "DELIVERED",
        "stamped_at": "2026-10-05T08:00:00Z",
        "pricing_model": "",
        "pricing_type": "",
        "pricing_category": "",
        "purpose": "",
        "template_name": "",
        "template_category": "",
        "recorded_at": "2026-10-05T08:00:00Z",
        "digest": HASH,
    },
    "billing_contactlink": {
        "phone_number_id": "1001",
        "from_contact_hash": HASH,
        "to_contact_hash": OTHER_HASH,
        "municipality_id": MUNICIPALITY,
        "recorded_at": "2026-10-05T08:00:00Z",
    },
    "billing_latecontact": {"phone_number_id": "1001", "contact_hash": HASH, "recorded_at": "2026-10-05T08:00:00Z"},
    "billing_conversation": {
        "phone_number_id": "1001",
        "contact_hash": HASH,
        "category": "UTILITY",
        "opened_at": "2026-10-05T08:00:00Z",
        "ends_at": "2026-10-06T08:00:00Z",
        "opened_date": "2026-10-05",
        "month": "2026-10-01",
        "municipality_id": MUNICIPALITY,
        "purpose": "",
        "template": "",
    },
    "billing_month": {"month": "2026-09-01", "closed_at": "2026-10-05T08:00:00Z"},
    "billing_correction": {
        "run": "2026-10-01",
        "month": "2026-09-01",
        "phone_number_id": "1001",
        "category": "UTILITY",
        "municipality_id": MUNICIPALITY,
        "quantity": 1,
        "by_card": '{"2026-01-01": 1}',
        "recorded_at": "2026-10-05T08:00:00Z",
    },
    "billing_ratecard": {
        "id": 1,
        "valid_from": "2026-01-01",
        "name": "Standard",
        "currency": "EUR",
        "vat_rate": "0.21",
        "platform_fee": "150",
    },
    "billing_rate": {"card_id": 1, "category": "UTILITY", "unit_price": "0.0625"},
    "billing_invoice": {
        "id": INVOICE,
        "municipality_id": MUNICIPALITY,
        "period": "2026-10-01",
        "kind": "USAGE",
        "status": "DRAFT",
        "number": None,
        "currency": "EUR",
        "vat_rate": "0.21",
        "net_cents": 100,
        "vat_cents": 21,
        "total_cents": 121,
        "lines_hash": "",
        "drafted_at": "2026-11-01T08:00:00Z",
    },
    "billing_invoiceline": {
        "invoice_id": INVOICE,
        "position": 1,
        "kind": "CONVERSATIONS",
        "month": "2026-10-01",
        "card_id": 1,
        "category": "UTILITY",
        "description": "",
        "quantity": 1,
        "unit_price": "1",
        "net_cents": 100,
    },
    "billing_billingprofile": {
        "municipality_id": MUNICIPALITY,
        "valid_from": "2026-01-01",
        "legal_name": "Gemeente Utrecht",
        "kvk": "12345678",
        "oin": "",
        "vat_number": "",
        "street": "",
        "postcode": "",
        "city": "",
        "country": "NL",
        "order_reference": "",
        "cost_centre": "",
        "has_no_cost_centre": False,
        "email": "",
        "payment_days": 30,
        **BY,
    },
    "billing_invoicecounter": {"series": "F", "year": 2026, "last": 1},
    "billing_payment": {
        "invoice_id": INVOICE,
        "amount_cents": 1,
        "paid_date": "2026-11-20",
        "reference": "afschrift 1",
        **BY,
    },
    "billing_adjustment": {
        "municipality_id": MUNICIPALITY,
        "run": "2026-11-01",
        "month": "2026-10-01",
        "description": "Storing",
        "reason": "Storing van 3 oktober",
        "net_cents": -100,
        **BY,
    },
    "billing_metaratesheet": {
        "id": 1,
        "valid_from": "2026-01-01",
        "name": "x",
        "source": "made up",
        "read_date": "2026-01-01",
        "is_example": True,
        "unit": "MESSAGE",
        "free_types": "[]",
        "allowances": "{}",
        "default_market": "NL",
    },
    "billing_metarate": {"sheet_id": 1, "market": "NL", "category": "SERVICE", "unit_price": "0.01"},
    "billing_messagecount": {
        "month": "2026-10-01",
        "municipality_id": MUNICIPALITY,
        "category": "UTILITY",
        "messages": 1,
    },
}
APPEND_ONLY = [
    *("fact", "factreport", "contactlink", "latecontact", "month", "correction", "messagecount"),
    *("billingprofile", "payment", "adjustment"),
]
GUARDED = ["conversation", "ratecard", "rate", "invoice", "invoiceline", "invoicecounter"]
FINALISED = "00000000-0000-4000-8000-000000000003"


@pytest.fixture(autouse=True)
def one_row_each(db):
    """Put one good row into every table, and an invoice that is out of draft with its line."""
    for table, row in ROWS.items():
        insert(table, row)
    insert("billing_invoice", ROWS["billing_invoice"] | {"id": STANDING, "period": "2026-08-01"})
    insert("billing_invoiceline", ROWS["billing_invoiceline"] | {"invoice_id": STANDING})
    execute("UPDATE billing_invoice SET status = 'REVIEW' WHERE id = %s", STANDING)
    insert("billing_invoice", ROWS["billing_invoice"] | {"id": FINALISED, "period": "2026-07-01"} | FINAL)


def insert(table: str, row: dict) -> None:
    columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
    execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", *row.values())


def execute(statement: str, *values) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


class TestConstraints:
    def test_they_let_periods_meet_and_categories_overlap(self):
        row = ROWS["billing_conversation"]
        insert(
            "billing_conversation",
            row | {"opened_at": "2026-10-06T08:00:00Z", "ends_at": "2026-10-07T08:00:00Z", "opened_date": "2026-10-06"},
        )
        insert("billing_conversation", row | {"category": "SERVICE"})
        insert("billing_conversation", row | {"category": "REFERRAL_CONVERSION", "ends_at": "2026-10-08T08:00:00Z"})

    def test_they_measure_periods_by_absolute_time_in_any_session(self):
        night = {"opened_at": "2026-10-24T10:00:00Z", "ends_at": "2026-10-25T10:00:00Z", "opened_date": "2026-10-24"}
        execute("SET LOCAL TIME ZONE 'Europe/Amsterdam'")
        insert("billing_conversation", ROWS["billing_conversation"] | night)


class TestAppendOnly:
    @pytest.mark.parametrize("table", APPEND_ONLY)
    @pytest.mark.parametrize("change", ["UPDATE {} SET {column} = {column}", "DELETE FROM {}", "TRUNCATE {}"])
    def test_it_refuses_any_change(self, table, change):
        column = next(iter(ROWS[f"billing_{table}"]))
        with pytest.raises(IntegrityError, match="append-only"):
            execute(change.format(f"billing_{table}", column=column))

    @pytest.mark.parametrize("table", GUARDED)
    def test_it_refuses_to_empty_a_table_at_once(self, table):
        with pytest.raises(IntegrityError, match="append-only"):
            execute(f"TRUNCATE billing_{table} CASCADE")


class TestFrozen:
    def close(self) -> None:
        insert("billing_month", ROWS["billing_month"] | {"month": "2026-10-01"})

    def test_it_refuses_to_delete_a_conversation_of_a_closed_month(self):
        self.close()
        with pytest.raises(IntegrityError, match="closed: it stands"):
            execute("DELETE FROM billing_conversation")

    def test_it_refuses_a_new_conversation_in_a_closed_month_or_before_it(self):
        self.close()
        row = ROWS["billing_conversation"] | {"category": "SERVICE"}
        with pytest.raises(IntegrityError, match="closed: it stands"):
            insert("billing_conversation", row)
        earlier = {
            "opened_at": "2026-09-05T08:00:00Z",
            "ends_at": "2026-09-06T08:00:00Z",
            "opened_date": "2026-09-05",
            "month": "2026-09-01",
        }
        with pytest.raises(IntegrityError, match="closed: it stands"):
            insert("billing_conversation", row | earlier)

    def test_it_refuses_to_alter_any_conversation(self):
        with pytest.raises(IntegrityError, match="never altered"):
            execute("UPDATE billing_conversation SET purpose = 'CRISIS'")

    def test_it_refuses_to_close_an_earlier_month_after_a_later_one(self):
        self.close()
        with pytest.raises(IntegrityError, match="later month"):
            insert("billing_month", ROWS["billing_month"] | {"month": "2026-08-01"})


class TestInvoices:
    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE billing_ratecard SET platform_fee = 1",
            "UPDATE billing_rate SET unit_price = 1",
            "DELETE FROM billing_rate",
            "DELETE FROM billing_ratecard",
        ],
    )
    def test_they_hold_on_to_the_prices_they_used(self, change):
        with pytest.raises(IntegrityError, match="was used"):
            execute(change)

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE billing_invoice SET net_cents = 0, total_cents = vat_cents WHERE id = %s",
            "UPDATE billing_invoice SET status = 'DRAFT' WHERE id = %s",
            "UPDATE billing_invoice SET lines_hash = 'other' WHERE id = %s",
            "UPDATE billing_invoiceline SET quantity = 2 WHERE invoice_id = %s",
            "DELETE FROM billing_invoiceline WHERE invoice_id = %s",
        ],
    )
    def test_they_stand_out_of_draft(self, change):
        with pytest.raises(IntegrityError, match="out of draft stand"):
            execute(change, STANDING)

    def test_they_take_no_new_line_out_of_draft(self):
        with pytest.raises(IntegrityError, match="out of draft stand"):
            insert("billing_invoiceline", ROWS["billing_invoiceline"] | {"invoice_id": STANDING, "position": 2})

    def test_they_are_never_deleted(self):
        execute("DELETE FROM billing_invoiceline WHERE invoice_id = %s", INVOICE)
        with pytest.raises(IntegrityError, match="never deleted"):
            execute("DELETE FROM billing_invoice WHERE id = %s", INVOICE)

    def test_they_may_change_in_draft(self):
        execute("UPDATE billing_invoice SET net_cents = 0, total_cents = vat_cents WHERE id = %s", INVOICE)
        execute("UPDATE billing_invoiceline SET quantity = 2 WHERE invoice_id = %s", INVOICE)


class TestFinalised:
    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE billing_invoice SET number = 'F2026-00010' WHERE id = %s",
            'UPDATE billing_invoice SET buyer = \'{"name": "other"}\' WHERE id = %s',
            "UPDATE billing_invoice SET issue_date = '2026-11-07' WHERE id = %s",
            "UPDATE billing_invoice SET document_hash = repeat('b', 64) WHERE id = %s",
            "UPDATE billing_invoice SET approved_by_name = 'Other' WHERE id = %s",
            "UPDATE billing_invoice SET status = 'PAID', due_date = NULL, year = 2025 WHERE id = %s",
        ],
    )
    def test_it_never_changes(self, change):
        with pytest.raises(IntegrityError, match="finalised invoice is never changed"):
            execute(change, FINALISED)

    def test_it_is_paid_or_credited_and_nothing_else(self):
        for status in ("REVIEW", "APPROVED"):
            with pytest.raises(IntegrityError, match="does not go from FINALISED to"):
                execute("UPDATE billing_invoice SET status = %s, number = number WHERE id = %s", status, FINALISED)
        execute("UPDATE billing_invoice SET status = 'PAID' WHERE id = %s", FINALISED)
        execute("UPDATE billing_invoice SET status = 'CREDITED' WHERE id = %s", FINALISED)

    def test_none_is_finalised_that_was_not_approved(self):
        whole = ", ".join(f"{name} = %s" for name in FINAL)
        values = (FINAL | {"number": "F2026-00010", "sequence": 2, "previous_hash": "b" * 64}).values()
        with pytest.raises(IntegrityError, match="does not go from REVIEW to FINALISED"):
            execute(f"UPDATE billing_invoice SET {whole} WHERE id = %s", *values, STANDING)


class TestCounter:
    def test_it_goes_up_by_one(self):
        execute("UPDATE billing_invoicecounter SET last = last + 1")
        for change in ("last = last + 2", "last = last - 1", "last = last", "year = 2027"):
            with pytest.raises(IntegrityError, match="goes up by one"):
                execute(f"UPDATE billing_invoicecounter SET {change}")

    def test_it_begins_at_one(self):
        with pytest.raises(IntegrityError, match="goes up by one"):
            insert("billing_invoicecounter", {"series": "C", "year": 2026, "last": 7})

    def test_it_is_never_deleted(self):
        with pytest.raises(IntegrityError, match="append-only"):
            execute("DELETE FROM billing_invoicecounter")


class TestAdjustments:
    def test_none_is_booked_for_a_run_that_is_closed(self):
        insert("billing_month", ROWS["billing_month"] | {"month": "2026-11-01"})
        with pytest.raises(IntegrityError, match="month of this run is closed"):
            insert("billing_adjustment", ROWS["billing_adjustment"])


class TestRateCards:
    def test_a_used_card_may_end_in_an_open_month_alone(self):
        execute("UPDATE billing_ratecard SET valid_until = '2026-10-15'")
        with pytest.raises(IntegrityError, match="used on those days"):
            execute("UPDATE billing_ratecard SET valid_until = '2026-09-30'")
        insert("billing_month", ROWS["billing_month"] | {"month": "2026-10-01"})
        with pytest.raises(IntegrityError, match="used on those days"):
            execute("UPDATE billing_ratecard SET valid_until = NULL")


def test_buyers_that_were_complete_without_a_cost_centre_stay_so():
    # One without stands there already; as the column is when it was just added, with its default.
    row = ROWS["billing_billingprofile"]
    insert("billing_billingprofile", row | {"cost_centre": "4410"})
    execute(import_module("billing.migrations.0008_cost_centre_decided").DECIDED)
    later = {name: value for name, value in row.items() if name != "has_no_cost_centre"}
    insert("billing_billingprofile", later)
    with connection.cursor() as cursor:
        cursor.execute("SELECT cost_centre, has_no_cost_centre FROM billing_billingprofile ORDER BY id")
        assert cursor.fetchall() == [("", True), ("4410", False), ("", False)]
