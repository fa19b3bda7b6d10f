"""From a month under review to documents with numbers: four eyes, gapless numbers, chain, credit notes, payments."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from worked_cases import STANDARD_CARD

from audit.record import Actor
from billing import issuing
from billing.balances import balance_of
from billing.canonical import NO_DOCUMENT
from billing.crediting import NothingToCredit, credit
from billing.invoicing import run
from billing.issuing import ProfileIncomplete, SamePerson, WrongState, approve, finalise, send_back
from billing.models import Invoice, InvoiceCounter, InvoiceLine
from billing.parties import Profile, SellerIncomplete, find_profile, save_profile
from billing.paying import BookedAlready, book_payment, unpaid
from billing.prices import load_card
from tenants.models import Municipality

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
IN_OCTOBER = datetime(2026, 10, 10, 8, 0, tzinfo=UTC)
REVIEWED = datetime(2026, 11, 6, 9, 0, tzinfo=UTC)
APPROVED = REVIEWED + timedelta(days=1)
FINAL = REVIEWED + timedelta(days=2)  # 8 November
PREPARER = Actor("public", "11111111-1111-4111-8111-111111111111", "Farid Finance")
SECOND = Actor("public", "22222222-2222-4222-8222-222222222222", "Tineke Toezicht")
SELLER = {
    "NAME": "Voorbeeld BSP B.V.",
    "KVK": "12345678",
    "BTW": "NL001234567B01",
    "IBAN": "NL91ABNA0417164300",
    "ADDRESS": "Kerkstraat 1; 3511 AB Utrecht",
    "EMAIL": "facturen@bsp.example",
}
PROFILE = Profile(
    legal_name="Gemeente Utrecht",
    oin="00000001001299992000",
    street="Stadsplateau 1",
    postcode="3521 AZ",
    city="Utrecht",
    order_reference="INK-2026-17",
    cost_centre="4410",
    payment_days=30,
)


@pytest.fixture(autouse=True)
def sold_by(settings):
    settings.SELLER = SELLER


def know_buyer(municipality, **changes) -> None:
    profile = Profile(**{name: getattr(PROFILE, name) for name in Profile.__dataclass_fields__} | changes)
    save_profile(
        municipality_id=municipality.id, profile=profile, valid_from=date(2026, 1, 1), actor=PREPARER, at=IN_OCTOBER
    )


@pytest.fixture
def reviewed(standard_card, utrecht, deliver) -> Invoice:
    """Return Utrecht's October under review: 11 x 0.0625 -> 0.69, 3 x 0.1495 -> 0.45, 150.00; 151.14 + 31.74."""
    deliver(utrecht, 11, category="utility", day=IN_OCTOBER)
    deliver(utrecht, 3, category="marketing", day=IN_OCTOBER)
    run(month=OCTOBER, at=REVIEWED, actor=PREPARER, review=True)
    know_buyer(utrecht)
    return Invoice.objects.get(municipality_id=utrecht.id)


@pytest.fixture
def final(reviewed) -> Invoice:
    """Return it finalised."""
    approve(invoice_id=reviewed.id, actor=SECOND, at=APPROVED)
    return finalise(invoice_id=reviewed.id, actor=SECOND, at=FINAL)


class TestApprove:
    def test_it_takes_another_person_than_who_prepared_it(self, reviewed):
        for same in (PREPARER, Actor.system("run_invoices")):
            with pytest.raises(SamePerson):
                approve(invoice_id=reviewed.id, actor=same, at=APPROVED)
        made = approve(invoice_id=reviewed.id, actor=SECOND, at=APPROVED)
        assert (made.status, made.prepared_by_name, made.approved_by_name) == (
            "APPROVED",
            "Farid Finance",
            "Tineke Toezicht",
        )

    def test_the_database_holds_the_four_eyes_too(self, reviewed):
        with pytest.raises(IntegrityError, match="invoice_four_eyes"), transaction.atomic():
            Invoice.objects.filter(id=reviewed.id).update(
                status="APPROVED",
                approved_by_schema=PREPARER.schema,
                approved_by_id=PREPARER.id,
                approved_at=APPROVED,
            )

    @pytest.mark.parametrize(
        ("lacks", "said"),
        [
            ({"order_reference": ""}, "order_reference"),
            ({"cost_centre": ""}, "cost_centre or has_no_cost_centre"),
            ({"oin": "", "kvk": ""}, "kvk or oin"),
            ({"street": "", "postcode": ""}, "street, postcode"),
        ],
    )
    def test_it_needs_to_know_the_buyer(self, reviewed, utrecht, lacks, said):
        know_buyer(utrecht, **lacks)
        with pytest.raises(ProfileIncomplete, match=said):
            approve(invoice_id=reviewed.id, actor=SECOND, at=APPROVED)

    def test_a_buyer_without_a_cost_centre_is_invoiced_when_somebody_said_so(self, reviewed, utrecht):
        know_buyer(utrecht, cost_centre="", has_no_cost_centre=True)
        approve(invoice_id=reviewed.id, actor=SECOND, at=APPROVED)
        buyer = finalise(invoice_id=reviewed.id, actor=SECOND, at=FINAL).buyer
        assert (buyer["cost_centre"], "has_no_cost_centre" in buyer) == ("", False)

    def test_it_refuses_a_draft_and_can_be_taken_back(self, standard_card, utrecht, reviewed):
        (draft, *_) = run(month=NOVEMBER, at=datetime(2026, 12, 1, tzinfo=UTC), actor=PREPARER)
        with pytest.raises(WrongState):
            approve(invoice_id=draft.id, actor=SECOND, at=APPROVED)
        approve(invoice_id=reviewed.id, actor=SECOND, at=APPROVED)
        assert send_back(invoice_id=reviewed.id, actor=SECOND, at=APPROVED).status == "REVIEW"
        with pytest.raises(WrongState):
            finalise(invoice_id=reviewed.id, actor=SECOND, at=FINAL)


class TestFinalise:
    def test_it_freezes_number_parties_and_days(self, final):
        found = Invoice.objects.get(id=final.id)
        assert (found.number, found.status, found.issue_date, found.due_date) == (
            "F2026-00001",
            "FINALISED",
            date(2026, 11, 8),
            date(2026, 12, 8),
        )
        assert (found.buyer["legal_name"], found.buyer["order_reference"]) == ("Gemeente Utrecht", "INK-2026-17")
        assert (found.seller["vat_number"], found.seller["city"]) == ("NL001234567B01", "Utrecht")
        assert (found.seller["street"], found.seller["postcode"]) == ("Kerkstraat 1", "3511 AB")
        assert found.vat == [{"rate": "0.2100", "net_cents": 15114, "vat_cents": 3174}]
        assert found.previous_hash == NO_DOCUMENT
        assert finalise(invoice_id=final.id, actor=SECOND, at=FINAL + timedelta(days=1)).number == "F2026-00001"

    def test_a_profile_that_changes_later_changes_no_document(self, final, utrecht):
        know_buyer(utrecht, legal_name="Gemeente Anders")
        assert Invoice.objects.get(id=final.id).buyer["legal_name"] == "Gemeente Utrecht"
        assert find_profile(municipality_id=utrecht.id, day=OCTOBER).legal_name == "Gemeente Anders"

    def test_it_refuses_while_the_seller_is_not_known_and_gives_no_number(self, reviewed, settings):
        settings.SELLER = SELLER | {"KVK": "", "IBAN": None}
        approve(invoice_id=reviewed.id, actor=SECOND, at=APPROVED)
        with pytest.raises(SellerIncomplete, match="SELLER_KVK, SELLER_IBAN"):
            finalise(invoice_id=reviewed.id, actor=SECOND, at=FINAL)
        assert not InvoiceCounter.objects.exists()

    def test_each_year_counts_from_one(self, reviewed, delft):
        know_buyer(delft)
        of_delft = Invoice.objects.get(municipality_id=delft.id)
        for each in (reviewed, of_delft):
            approve(invoice_id=each.id, actor=SECOND, at=APPROVED)
        # 31 December 23:59:59 in Amsterdam, and a second later.
        edge = datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC)
        assert finalise(invoice_id=reviewed.id, actor=SECOND, at=edge).number == "F2026-00001"
        after = finalise(invoice_id=of_delft.id, actor=SECOND, at=edge + timedelta(seconds=1))
        assert (after.number, after.issue_date, after.previous_hash) == ("F2027-00001", date(2027, 1, 1), NO_DOCUMENT)


class TestCredit:
    def test_a_note_of_everything_leaves_nothing_owed(self, final):
        note = credit(invoice_id=final.id, positions=None, reason="Dubbel", actor=PREPARER, at=FINAL)
        assert (note.status, note.net_cents, note.vat_cents, note.total_cents) == ("REVIEW", 15114, 3174, 18288)
        with pytest.raises(SamePerson):
            approve(invoice_id=note.id, actor=PREPARER, at=FINAL)
        approve(invoice_id=note.id, actor=SECOND, at=FINAL)
        made = finalise(invoice_id=note.id, actor=SECOND, at=FINAL)
        assert (made.number, made.due_date, made.buyer) == ("C2026-00001", None, final.buyer)
        final.refresh_from_db()
        assert final.status == "CREDITED"
        assert balance_of(invoice=final).open_cents == 0

    def test_notes_by_lines_come_to_the_invoice_to_the_last_cent(self, final):
        # Lines 0.45, 0.69 and 150.00: VAT 0.0945 -> 0.09, 0.1449 -> 0.14, and for the last what is left: 31.51.
        vats = []
        for position in (1, 2, 3):
            note = credit(invoice_id=final.id, positions=[position], reason="x", actor=PREPARER, at=FINAL)
            approve(invoice_id=note.id, actor=SECOND, at=FINAL)
            vats.append(finalise(invoice_id=note.id, actor=SECOND, at=FINAL).vat_cents)
        assert vats == [9, 14, 3151]
        assert balance_of(invoice=final).open_cents == 0
        final.refresh_from_db()
        assert final.status == "CREDITED"

    def test_a_line_is_credited_once(self, final):
        credit(invoice_id=final.id, positions=[1], reason="x", actor=PREPARER, at=FINAL)
        with pytest.raises(NothingToCredit):
            credit(invoice_id=final.id, positions=[1], reason="x", actor=PREPARER, at=FINAL)
        with pytest.raises(NothingToCredit):
            credit(invoice_id=final.id, positions=[1, 2], reason="x", actor=PREPARER, at=FINAL)

    def test_nothing_else_than_a_finalised_invoice_is_credited(self, reviewed):
        with pytest.raises(WrongState):
            credit(invoice_id=reviewed.id, positions=None, reason="x", actor=PREPARER, at=FINAL)


class TestPayment:
    def pay(self, invoice, cents, reference="afschrift 1"):
        return book_payment(
            invoice_id=invoice.id,
            amount_cents=cents,
            paid_date=date(2026, 12, 1),
            reference=reference,
            actor=PREPARER,
            at=FINAL,
        )

    def test_it_is_paid_when_all_has_come_in(self, final):
        self.pay(final, 10000)
        final.refresh_from_db()
        assert (final.status, balance_of(invoice=final).open_cents) == ("FINALISED", 8288)
        self.pay(final, 8288, "afschrift 2")
        final.refresh_from_db()
        assert final.status == "PAID"
        self.pay(final, -8288, "teruggeboekt")
        final.refresh_from_db()
        assert final.status == "FINALISED"

    def test_the_same_line_of_a_statement_is_booked_once(self, final):
        self.pay(final, 10000)
        with pytest.raises(BookedAlready):
            self.pay(final, 10000)
        assert balance_of(invoice=final).paid_cents == 10000

    def test_what_is_unpaid_has_its_age(self, final):
        self.pay(final, 10000)
        ((only),) = unpaid(day=date(2026, 12, 18))
        assert (only.days, only.balance.open_cents) == (10, 8288)


class TestExplainInvoice:
    def test_it_comes_to_the_same_from_the_facts(self, final, capsys):
        call_command("explain_invoice", "F2026-00001")
        said = capsys.readouterr().out
        assert "11 x 0.062500 = 0.687500 -> 0.69" in said
        assert "net 151.14 + VAT 31.74 = 182.88 EUR" in said
        assert "MARKETING 3, UTILITY 11" in said
        assert "it comes to the same" in said

    def test_what_came_after_the_closing_changes_nothing(self, final, utrecht, deliver):
        deliver(utrecht, 2, day=IN_OCTOBER, series="late")
        call_command("explain_invoice", "F2026-00001")

    def test_it_finds_a_document_that_was_altered_behind_the_triggers(self, final):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # the table may not be altered before they are looked at
            cursor.execute("ALTER TABLE billing_invoice DISABLE TRIGGER billing_invoice_guard")
            cursor.execute("ALTER TABLE billing_invoiceline DISABLE TRIGGER billing_line_guard")
        InvoiceLine.objects.filter(invoice=final, category="UTILITY").update(quantity=12)
        with pytest.raises(CommandError, match="its hash differs") as refused:
            call_command("explain_invoice", "F2026-00001")
        assert refused.value.returncode == 1
        assert "rated again 11 x" in str(refused.value)

    def test_it_finds_a_fact_that_is_gone(self, final):
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE billing_fact DISABLE TRIGGER billing_fact_append_only")
            cursor.execute("DELETE FROM billing_fact WHERE id = (SELECT min(id) FROM billing_fact)")
        with pytest.raises(CommandError, match="the facts make"):
            call_command("explain_invoice", "F2026-00001")

    def test_it_explains_a_credit_note(self, final, capsys):
        note = credit(invoice_id=final.id, positions=[2], reason="Te veel", actor=PREPARER, at=FINAL)
        approve(invoice_id=note.id, actor=SECOND, at=FINAL)
        finalise(invoice_id=note.id, actor=SECOND, at=FINAL)
        call_command("explain_invoice", "C2026-00001")
        assert "credits F2026-00001: Te veel" in capsys.readouterr().out

    def test_it_knows_no_other_number(self, db):
        with pytest.raises(CommandError) as refused:
            call_command("explain_invoice", "F2026-99999")
        assert refused.value.returncode == 2


class TestVerifyInvoices:
    def test_it_finds_all_as_it_was_issued_and_says_what_was_not(self, final, reviewed, delft, capsys):
        note = credit(invoice_id=final.id, positions=[2], reason="Te veel", actor=PREPARER, at=FINAL)
        know_buyer(delft)
        of_delft = Invoice.objects.get(municipality_id=delft.id)
        for each in (note, of_delft):
            approve(invoice_id=each.id, actor=SECOND, at=FINAL)
            finalise(invoice_id=each.id, actor=SECOND, at=FINAL)
        of_delft.refresh_from_db()
        call_command("verify_invoices")
        said = capsys.readouterr().out
        # 151.14 and 150.00; 31.74 and 31.50. The note: 0.69, 0.1449 -> 0.14.
        assert f"F2026: 2 documents, net 301.14, VAT 63.24 EUR, last hash {of_delft.document_hash}" in said
        assert "C2026: 1 documents, net 0.69, VAT 0.14 EUR" in said
        call_command("verify_invoices", "--year", "2025", "--json")
        assert json.loads(capsys.readouterr().out) == {"series": []}
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table, trigger in (
                ("billing_invoiceline", "billing_line_guard"),
                ("billing_invoice", "billing_invoice_guard"),
            ):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        InvoiceLine.objects.filter(invoice=final, category="UTILITY").update(net_cents=70)
        Invoice.objects.filter(id=of_delft.id).update(sequence=3, number="F2026-00003", previous_hash="1" * 64)
        with pytest.raises(CommandError) as refused:
            call_command("verify_invoices")
        assert refused.value.returncode == 1
        for difference in (
            "F2026-00001: its lines do not come to its net amount",
            "F2026-00001: its hash differs",
            "F2026-00002 is missing: F2026-00003 stands in its place",
            "F2026-00003: the chain is broken",
        ):
            assert difference in str(refused.value)


class Crash(Exception):
    """The process ended, as far as its transaction is concerned."""


class TestFinalisingSideBySide:
    def test_fifty_with_crashes_leave_numbers_without_gap_or_double(self, committing_db, settings, monkeypatch):
        settings.SELLER = SELLER
        ids = self.approved(50)
        crashing, lock = set(ids[::7]), threading.Lock()
        original = issuing._hash_before

        def crash_once(invoice):
            with lock:
                doomed = invoice.id in crashing
                crashing.discard(invoice.id)
            if doomed:  # after the number was given, before the transaction committed
                raise Crash
            return original(invoice)

        monkeypatch.setattr(issuing, "_hash_before", crash_once)

        def one(invoice_id):
            try:
                while True:
                    try:
                        return finalise(invoice_id=invoice_id, actor=SECOND, at=FINAL).number
                    except Crash:
                        continue
            finally:
                connection.close()

        with ThreadPoolExecutor(10) as pool:
            numbers = list(pool.map(one, [*ids, *ids[:10]]))  # and ten of them twice
        assert sorted(set(numbers)) == [f"F2026-{place:05d}" for place in range(1, 51)]
        assert numbers[50:] == numbers[:10]
        chain = list(Invoice.objects.order_by("sequence").values_list("previous_hash", "document_hash"))
        assert [before for before, _ in chain] == [NO_DOCUMENT, *(own for _, own in chain[:-1])]

    def approved(self, count):
        load_card(text=json.dumps(json.loads(STANDARD_CARD.read_text())), actor=PREPARER, at=IN_OCTOBER)
        for place in range(count - Municipality.objects.exclude(schema_name="public").count()):
            # The rows alone: numbers are given in `public`, and no schema is touched.
            Municipality.objects.bulk_create(
                [
                    Municipality(
                        id=uuid4(),
                        schema_name=f"gemeente{place}",
                        name=f"Gemeente {place}",
                        cbs_code=f"GM{7000 + place}",
                        stage="LIVE",
                        created_at=datetime(2026, 1, 1, tzinfo=UTC),
                    )
                ]
            )
        run(month=OCTOBER, at=REVIEWED, actor=PREPARER, review=True)
        ids = list(Invoice.objects.order_by("id").values_list("id", flat=True))
        for invoice in Invoice.objects.all():
            know_buyer(Municipality(id=invoice.municipality_id))
        for invoice_id in ids:
            approve(invoice_id=invoice_id, actor=SECOND, at=APPROVED)
        return ids
