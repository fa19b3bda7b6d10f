"""Payments, booked by a person from the bank's statement, and what is still owed, by age."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum

from audit.record import Actor, record
from billing.issuing import WrongState
from billing.models import Invoice, Payment

AGES = (0, 30, 60, 90)  # days past the due date from which a class begins, after what is not due


class BookedAlready(Exception):
    """The same line of a statement is booked on the invoice."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What came of an invoice, in cents."""

    total_cents: int
    credited_cents: int
    paid_cents: int

    @property
    def open_cents(self) -> int:
        """What is still owed; negative: what we owe."""
        return self.total_cents - self.credited_cents - self.paid_cents


@dataclass(frozen=True, slots=True)
class Unpaid:
    """One invoice of which something is owed; days: since it was due, negative before."""

    invoice: Invoice
    balance: Balance
    days: int


@transaction.atomic
def book_payment(
    *, invoice_id: UUID, amount_cents: int, paid_date: date, reference: str, actor: Actor, at: datetime
) -> Payment:
    """Book what came in for a finalised invoice, or went back when negative; it is paid when all has come in. Audited.

    Raises Invoice.DoesNotExist, WrongState, BookedAlready; ValueError: nothing to book, or no reference.
    """
    if amount_cents == 0 or not reference.strip():
        raise ValueError("a payment has an amount and the reference of the bank's statement")
    invoice = Invoice.objects.select_for_update(no_key=True).get(id=invoice_id, kind=Invoice.Kind.USAGE)
    if invoice.status in (Invoice.Status.DRAFT, Invoice.Status.REVIEW, Invoice.Status.APPROVED):
        raise WrongState(f"it is {invoice.status}: only a finalised invoice is paid")
    try:
        with transaction.atomic():
            payment = Payment.objects.create(
                invoice=invoice,
                amount_cents=amount_cents,
                paid_date=paid_date,
                reference=reference.strip()[:100],
                recorded_at=at,
                recorded_by_schema=actor.schema,
                recorded_by_id=actor.id,
                recorded_by_name=actor.name,
            )
    except IntegrityError as error:
        raise BookedAlready("this payment is booked on the invoice already") from error
    is_paid = balance_of(invoice=invoice).open_cents <= 0
    if invoice.status != Invoice.Status.CREDITED:
        wanted = Invoice.Status.PAID if is_paid else Invoice.Status.FINALISED
        if invoice.status != wanted:
            invoice.status = wanted
            invoice.save(update_fields=["status"])
    details = {"amount_cents": amount_cents, "paid_date": paid_date.isoformat(), "is_paid": is_paid}
    record(action="invoice.pay", actor=actor, at=at, subject=f"invoice {invoice_id}", details=details)
    return payment


def balance_of(*, invoice: Invoice) -> Balance:
    """Return what came of an invoice."""
    notes = invoice.credit_notes.filter(status=Invoice.Status.FINALISED)
    return Balance(
        total_cents=invoice.total_cents,
        credited_cents=notes.aggregate(sum=Sum("total_cents"))["sum"] or 0,
        paid_cents=invoice.payments.aggregate(sum=Sum("amount_cents"))["sum"] or 0,
    )


def unpaid(*, day: date, municipality_id: UUID | None = None) -> list[Unpaid]:
    """Return the invoices of which something is owed, the longest due first; of one municipality or of all."""
    chosen = Invoice.objects.filter(kind=Invoice.Kind.USAGE, status=Invoice.Status.FINALISED)
    if municipality_id is not None:
        chosen = chosen.filter(municipality_id=municipality_id)
    invoices = list(chosen.order_by("due_date", "number"))
    ids = [invoice.id for invoice in invoices]
    paid = dict(Payment.objects.filter(invoice__in=ids).values_list("invoice_id").annotate(Sum("amount_cents")))
    notes = Invoice.objects.filter(credits__in=ids, status=Invoice.Status.FINALISED)
    credited = dict(notes.values_list("credits_id").annotate(Sum("total_cents")))
    found = [
        Unpaid(
            invoice=invoice,
            balance=Balance(invoice.total_cents, credited.get(invoice.id, 0), paid.get(invoice.id, 0)),
            days=(day - invoice.due_date).days if invoice.due_date else 0,
        )
        for invoice in invoices
    ]
    return [each for each in found if each.balance.open_cents > 0]


def age_of(*, days: int) -> int:
    """Return the class of an age: -1 when it is not due yet, else the last of AGES that it reached."""
    return max((age for age in AGES if days > age), default=-1)
