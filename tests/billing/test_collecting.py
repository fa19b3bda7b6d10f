"""Stripe collects what was issued, over HTTP: whatever breaks off, one invoice with our number and our totals."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from stripe_account import KEY, SECRET, Account, stripe_account

from audit.record import Actor
from billing.balances import balance_of
from billing.collecting import events, gateway, steps
from billing.crediting import credit
from billing.documents.content import read
from billing.invoicing import run
from billing.issuing import approve, finalise
from billing.models import Collection, Invoice, Payment, StripeCustomer, StripeEvent
from billing.parties import Profile, save_profile
from billing.paying import book_payment, owed_back
from sandbox.stripe_room.telling import sign

OCTOBER = date(2026, 10, 1)
IN_OCTOBER = datetime(2026, 10, 10, 8, 0, tzinfo=UTC)
PREPARER, SECOND = Actor("public", "1", "Farid Finance"), Actor("public", "2", "Tineke Toezicht")
DOOR = "/webhooks/stripe"


@pytest.fixture(scope="module")
def server():
    with stripe_account() as account:
        yield account


@pytest.fixture
def account(server: Account, settings, monkeypatch) -> Account:
    """Return an empty account, in which this installation collects."""
    server.control("reset")
    settings.STRIPE_API_KEY, settings.STRIPE_API_BASE, settings.STRIPE_WEBHOOK_SECRET = KEY, server.api, SECRET
    settings.SELLER = {
        "NAME": "BSP B.V.",
        "KVK": "12345678",
        "BTW": "NL001234567B01",
        "IBAN": "NL91ABNA0417164300",
        "ADDRESS": "Kade 1; 1234 AB Delft",
    }
    monkeypatch.setattr(gateway, "TIMEOUT_SECONDS", 0.6)
    return server


@pytest.fixture
def at() -> datetime:
    """Return today: Stripe takes no days of payment that are over."""
    return timezone.now()


@pytest.fixture
def issued(account, standard_card, utrecht, deliver, at) -> Invoice:
    """Return Utrecht's October, 151.14 + 31.74, final and due to be collected."""
    deliver(utrecht, 11, category="utility", day=IN_OCTOBER)
    deliver(utrecht, 3, category="marketing", day=IN_OCTOBER)
    run(month=OCTOBER, at=at, actor=PREPARER, review=True, early=True)
    profile = Profile(
        legal_name="Gemeente Utrecht",
        oin="00000001001299992000",
        street="Stadsplateau 1",
        postcode="3521 AZ",
        city="Utrecht",
        order_reference="INK-2026-17",
        cost_centre="4410",
        email="crediteuren@utrecht.example",
    )
    save_profile(municipality_id=utrecht.id, profile=profile, valid_from=OCTOBER, actor=PREPARER, at=at)
    return issue(Invoice.objects.get(municipality_id=utrecht.id), at)


def issue(invoice: Invoice, at: datetime) -> Invoice:
    approve(invoice_id=invoice.id, actor=SECOND, at=at)
    return finalise(invoice_id=invoice.id, actor=SECOND, at=at)


def collect(at: datetime, *, sweeps: int = 1) -> Collection:
    """Sweep, each time as if the waiting were over; return the only collection."""
    for _ in range(sweeps):
        Collection.objects.update(due_at=timezone.now())
        steps.collect_due(at=at)
    return Collection.objects.order_by("invoice__kind").last()


class TestHandingOver:
    def test_stripe_has_one_invoice_with_our_number_lines_and_totals(self, account, issued, at):
        row = collect(at)
        assert (row.step, row.stripe_status, row.trouble) == ("DONE", "open", "")
        books = account.books()
        (made,), (customer,) = books["invoices"], books["customers"]
        assert (made["number"], made["subtotal"], made["total"]) == (issued.number, 15114, 18288)
        assert (made["collection_method"], made["auto_advance"], books["sent"]) == ("send_invoice", False, [made["id"]])
        assert made["payment_settings"]["payment_method_types"] == ["customer_balance"]
        assert [field["value"] for field in made["custom_fields"]] == ["INK-2026-17", "4410"]
        assert [line["amount"] for line in made["lines"]["data"]] == [45, 69, 15000]
        assert sum(tax["amount"] for line in made["lines"]["data"] for tax in line["taxes"]) == 3174
        assert customer["metadata"] == {"municipality_id": str(issued.municipality_id)}
        asked = len(books["requests"])
        collect(at)
        assert len(account.books()["requests"]) == asked  # what is done is not asked for again

    @pytest.mark.parametrize("kind", ["timeout_after_commit", "cut_after_commit", "error_500_after_commit"])
    def test_when_every_step_breaks_off_after_it_was_done_there_is_one_invoice(self, account, issued, at, kind):
        operations = ("customers", "invoices", "invoices/add_lines", "invoices/finalize", "invoices/send")
        for operation in operations:
            account.fault(kind, f"POST {operation}")
        row = collect(at, sweeps=7)
        assert (row.step, row.trouble) == ("DONE", "")
        books = account.books()
        (made,) = books["invoices"]
        assert len(books["customers"]) == 1
        assert (made["number"], made["total"], len(made["lines"]["data"])) == (issued.number, issued.total_cents, 3)
        # A mail that may have left is asked for with the same key; of an error that Stripe kept, with another.
        assert len(books["sent"]) == (2 if kind == "error_500_after_commit" else 1)

    def test_it_goes_on_when_it_died_before_it_stored_what_stripe_answered(self, account, issued, at, monkeypatch):
        class Died(Exception):
            """The process ended."""

        for name in ("create_customer", "create_invoice", "add_lines", "finalize", "send"):
            original = getattr(gateway, name)

            def dies(*, _original=original, **given):
                _original(**given)
                raise Died

            with monkeypatch.context() as patched:
                patched.setattr(gateway, name, dies)
                with pytest.raises(Died):
                    collect(at)
        # Longer than Stripe keeps keys.
        account.control("forget_keys")
        assert collect(at).step == "DONE"
        books = account.books()
        assert (len(books["customers"]), len(books["invoices"]), books["invoices"][0]["total"]) == (1, 1, 18288)

    def test_it_waits_while_stripe_asks_to_or_fails_before_it_did_anything(self, account, issued, at):
        account.fault("rate_limit", count=2)
        for trouble, kind in (("", "rate_limit"), ("", ""), ("STRIPE_FAILED", "error_500_before")):
            if kind == "error_500_before":
                account.fault(kind, "POST invoices/finalize")
            row = collect(at)
            assert row.trouble == trouble
            assert row.due_at > timezone.now() or row.step == "DONE"
        assert collect(at).step == "DONE"

    def test_a_difference_stops_it_and_our_invoice_stands(self, account, issued, at, monkeypatch):
        original = gateway.add_lines

        def adds_and_somebody_edits(*, stripe_id, **given):
            original(stripe_id=stripe_id, **given)
            account.control("act", do="change", invoice=stripe_id, cents=1)

        monkeypatch.setattr(gateway, "add_lines", adds_and_somebody_edits)
        row = collect(at)
        assert (row.step, row.trouble) == ("STOPPED", "DIFFERS subtotal")
        assert account.books()["invoices"][0]["status"] == "draft"
        issued.refresh_from_db()
        assert (issued.status, issued.total_cents) == ("FINALISED", 18288)
        # It is put right at Stripe, and a person has it taken up again.
        account.control("act", do="change", invoice=row.stripe_id, cents=-1)
        assert steps.resume(invoice_id=issued.id, actor=SECOND, at=at)
        assert not steps.resume(invoice_id=issued.id, actor=SECOND, at=at)
        assert collect(at).step == "DONE"

    def test_what_stripe_refuses_stops_it(self, account, issued, at):
        account.control("take_number", number=issued.number)
        row = collect(at)
        assert (row.step, row.trouble) == ("STOPPED", "REFUSED invoice_number_taken")

    def test_the_credit_note_follows_its_invoice(self, account, issued, at):
        note = issue(credit(invoice_id=issued.id, positions=[3], reason="Storing", actor=PREPARER, at=at), at)
        account.fault("timeout_after_commit", "POST credit_notes")
        for _ in range(4):
            collect(at)
        assert set(Collection.objects.values_list("step", flat=True)) == {"DONE"}
        (made,) = account.books()["credit_notes"]
        assert (made["total"], made["metadata"]["number"]) == (note.total_cents, note.number)
        assert account.books()["invoices"][0]["amount_remaining"] == balance_of(invoice=issued).open_cents

    def test_without_a_key_nothing_is_handed_over(self, issued, account, at, settings):
        Collection.objects.all().delete()
        settings.STRIPE_API_KEY = None
        steps.queue(invoice=issued)
        assert not Collection.objects.exists()
        assert (steps.collect_due(at=at), events.apply_due(at=at), steps.close_settled()) == (0, 0, 0)

    def test_the_vat_of_lines_comes_to_that_of_the_document_whatever_is_left_over(self, issued):
        paper = read(invoice_id=issued.id)
        taxes = gateway.tax_of_lines(paper=paper)
        assert sum(taxes) == paper.vat_cents
        for line, tax in zip(paper.lines, taxes, strict=True):
            assert abs(Decimal(tax) - line.net_cents * line.vat_rate) < 1


class TestWhatStripeTells:
    @pytest.fixture
    def collected(self, account, issued, at) -> Collection:
        return collect(at)

    def tell(self, account: Account, *, order: str = "as_is", times: int = 1) -> None:
        """Give what Stripe has to tell at the door, in an order, each so many times."""
        sent = account.control("waiting")["events"]
        told = [event for event in sent for _ in range(times)]
        for event in reversed(told) if order == "reversed" else told:
            assert post(event).status_code == 200

    @pytest.mark.parametrize(("order", "times"), [("as_is", 1), ("reversed", 2)])
    def test_payments_are_booked_once_in_any_order(self, account, collected, issued, at, order, times):
        account.control("act", do="tell", invoice=collected.stripe_id, event="invoice.overdue")
        account.control("act", do="pay", invoice=collected.stripe_id, cents=5000)
        account.control("act", do="pay", invoice=collected.stripe_id)
        self.tell(account, order=order, times=times)
        assert StripeEvent.objects.count() == len(account.control("waiting")["events"])
        events.apply_due(at=at)
        StripeEvent.objects.update(applied_at=None, outcome="", due_at=timezone.now())
        events.apply_due(at=at)
        collected.refresh_from_db()
        issued.refresh_from_db()
        assert (collected.stripe_status, collected.is_overdue, collected.trouble) == ("paid", False, "")
        assert (issued.status, balance_of(invoice=issued).open_cents) == ("PAID", 0)
        assert sum(Payment.objects.values_list("amount_cents", flat=True)) == 18288

    def test_each_payment_is_booked_when_it_comes(self, account, collected, issued, at):
        for cents, open_cents in ((5000, 13288), (13288, 0)):
            account.control("act", do="pay", invoice=collected.stripe_id, cents=cents)
            self.tell(account)
            events.apply_due(at=at)
            assert balance_of(invoice=issued).open_cents == open_cents
        assert Payment.objects.count() == 2

    @pytest.mark.parametrize(
        ("act", "trouble"),
        [
            ({"do": "void"}, "VOIDED"),
            ({"do": "uncollectible"}, "UNCOLLECTIBLE"),
            ({"do": "tell", "event": "invoice.payment_failed"}, "PAYMENT_FAILED"),
            ({"do": "change", "cents": 3}, "DIFFERS subtotal"),
            ({"do": "credit", "cents": 100}, "DIFFERS credit_notes"),
        ],
    )
    def test_what_nobody_here_did_raises_an_alarm_and_changes_no_invoice(
        self, account, collected, issued, at, act, trouble
    ):
        account.control("act", invoice=collected.stripe_id, **act)
        self.tell(account)
        events.apply_due(at=at)
        collected.refresh_from_db()
        issued.refresh_from_db()
        assert (collected.trouble, issued.status) == (trouble, "FINALISED")

    def test_a_note_that_is_voided_at_stripe_raises_an_alarm_since_it_asks_for_more_than_we_do(
        self, account, collected, issued, at
    ):
        note = issue(credit(invoice_id=issued.id, positions=[3], reason="Storing", actor=PREPARER, at=at), at)
        # What is told of a note before we know that it is there is none.
        steps_before = Collection.objects.filter(invoice=note)
        account.fault("cut_after_commit", "POST credit_notes")
        for sweep, step in enumerate(("QUEUED", "DONE")):
            collect(at)
            self.tell(account)
            events.apply_due(at=at)
            collected.refresh_from_db()
            assert (steps_before.get().step, collected.trouble) == (step, ""), sweep
        (made,) = account.books()["credit_notes"]
        account.control("act", do="void_note", note=made["id"])
        self.tell(account)
        events.apply_due(at=at)
        collected.refresh_from_db()
        assert (collected.trouble, balance_of(invoice=issued).open_cents) == ("DIFFERS credit_notes", 138)

    def test_what_is_credited_after_stripe_collected_it_is_owed_back_and_recorded_there_once(
        self, account, collected, issued, at
    ):
        account.control("act", do="pay", invoice=collected.stripe_id)
        self.tell(account)
        events.apply_due(at=at)
        note = issue(credit(invoice_id=issued.id, positions=None, reason="Dubbel", actor=PREPARER, at=at), at)
        account.fault("cut_after_commit", "POST credit_notes")
        collect(at, sweeps=2)
        self.tell(account)
        events.apply_due(at=at)
        (made,) = account.books()["credit_notes"]
        assert (made["total"], made["metadata"]["number"]) == (18288, note.number)
        assert set(Collection.objects.values_list("step", "trouble")) == {("DONE", "")}
        assert [(found.id, balance.owed_back_cents) for found, balance in owed_back()] == [(issued.id, 18288)]
        # It goes back by our bank; what Stripe tells again books nothing.
        book_payment(
            invoice_id=issued.id,
            amount_cents=-18288,
            paid_date=at.date(),
            reference="terugbetaald",
            actor=PREPARER,
            at=at,
        )
        StripeEvent.objects.update(applied_at=None, outcome="", due_at=timezone.now())
        events.apply_due(at=at)
        assert (owed_back(), Payment.objects.count()) == ([], 2)

    def test_an_answer_that_is_older_than_what_is_known_changes_nothing(self, account, collected, issued, at):
        account.control("act", do="pay", invoice=collected.stripe_id)
        self.tell(account)
        events.apply_due(at=at)
        late = timezone.now() + timedelta(minutes=1)
        Collection.objects.update(seen_at=late)
        Collection.objects.update(stripe_status="open")
        events.take_over(invoice_id=issued.id, stripe_id=collected.stripe_id, told="invoice.updated", at=at)
        collected.refresh_from_db()
        assert (collected.stripe_status, collected.seen_at) == ("open", late)

    def test_what_was_paid_by_the_bank_is_closed_at_stripe_and_booked_once(self, account, collected, issued, at):
        book_payment(
            invoice_id=issued.id,
            amount_cents=18288,
            paid_date=at.date(),
            reference="afschrift 9",
            actor=PREPARER,
            at=at,
        )
        account.fault("cut_after_commit", "POST invoices/pay")
        assert [steps.close_settled() for _ in range(3)] == [0, 1, 0]
        assert account.books()["requests"].count("POST invoices/pay") == 1
        self.tell(account)
        events.apply_due(at=at)
        assert account.books()["invoices"][0]["status"] == "paid"
        assert Payment.objects.count() == 1

    def test_the_door_takes_what_is_signed_once_and_nothing_else(self, account, collected, settings):
        event = account.control("waiting")["events"][0]
        body = json.dumps(event)
        for signature in (sign(body=body, secret="whsec_other"), sign(body=body, secret=SECRET, at=1), "", "t=1,v1="):
            assert post(event, signature=signature).status_code == 403
        assert not StripeEvent.objects.exists()
        for nothing in ([], {"id": 1}, {"id": "x" * 300, "type": "a", "data": {"object": {}}}):
            assert post(nothing).status_code == 400
        assert [post(event).status_code for _ in range(3)] == [200, 200, 200]
        assert StripeEvent.objects.count() == 1
        assert post({"pad": "x" * 600_000}).status_code == 413
        unknown = {"id": "evt_other", "type": "payout.paid", "data": {"object": {"object": "payout", "id": "po_1"}}}
        assert post(unknown).status_code == 200
        events.apply_due(at=timezone.now())
        assert StripeEvent.objects.get(pk="evt_other").outcome == "IGNORED"
        settings.STRIPE_WEBHOOK_SECRET = None
        assert post(event).status_code == 404

    def test_an_event_waits_while_stripe_does_not_answer(self, account, collected, issued, at):
        account.control("act", do="pay", invoice=collected.stripe_id)
        self.tell(account)
        account.fault("rate_limit", count=50)
        assert events.apply_due(at=at) == StripeEvent.objects.filter(outcome="IGNORED").count()
        assert StripeCustomer.objects.count() == 1
        account.control("clear_faults")
        StripeEvent.objects.update(due_at=timezone.now())
        events.apply_due(at=at)
        issued.refresh_from_db()
        assert issued.status == "PAID"


def post(event: object, *, signature: str | None = None):
    """Give something at Stripe's door."""
    body = json.dumps(event)
    signed = sign(body=body, secret=SECRET) if signature is None else signature
    return Client(headers={"host": "console.localhost"}).post(
        DOOR, body, content_type="application/json", headers={"Stripe-Signature": signed}
    )
