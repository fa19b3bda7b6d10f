"""Payments, booked by a person from the bank's statement; what is still owed, by age, and what we owe back.

What we owe back, because a note took off what was paid, goes back by the bank, or is set off against another invoice.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from audit.record import Actor, record
from billing.balances import Balance, balance_of, balances_of, settle
from billing.issuing import WrongState
from billing.models import Collection, Invoice, Payment
from billing.models.invoices import FINAL_STATES
from billing.months import day_of
from billing.recording import recorded_by

ENDED = ["paid", "void", "uncollectible"]  # Stripe's states in which it asks for nothing
AGES = (0, 30, 60, 90)  # days past the due date from which a class begins, after what is not due


class BookedAlready(Exception):
    """The same line of a statement is booked on the invoice."""


class MoreThanCameIn(Exception):
    """More would have gone back than came in and was to be paid back."""


class NothingToSetOff(Exception):
    """Nothing is owed back of the one, nothing is open of the other, or they are not of one municipality."""


class AskedAtStripe(Exception):
    """Stripe asks for the whole of the other invoice, and cannot be told that a part of it was set off."""


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

    Raises Invoice.DoesNotExist, WrongState, BookedAlready, MoreThanCameIn; ValueError: nothing to book, no reference.
    """
    if amount_cents == 0 or not reference.strip():
        raise ValueError("a payment has an amount and the reference of the bank's statement")
    invoice = Invoice.objects.select_for_update(no_key=True).get(id=invoice_id, kind=Invoice.Kind.USAGE)
    if invoice.status in (Invoice.Status.DRAFT, Invoice.Status.REVIEW, Invoice.Status.APPROVED):
        raise WrongState(f"it is {invoice.status}: only a finalised invoice is paid")
    before = balance_of(invoice=invoice)
    if amount_cents < 0 and before.paid_cents + amount_cents < min(0, before.total_cents - before.credited_cents):
        raise MoreThanCameIn("no more goes back than came in")
    try:
        with transaction.atomic():
            payment = Payment.objects.create(
                invoice=invoice,
                amount_cents=amount_cents,
                paid_date=paid_date,
                reference=reference.strip()[:100],
                **recorded_by(actor=actor, at=at),
            )
    except IntegrityError as error:
        raise BookedAlready("this payment is booked on the invoice already") from error
    is_paid = settle(invoice=invoice).is_settled
    details = {"amount_cents": amount_cents, "paid_date": paid_date.isoformat(), "is_paid": is_paid}
    record(action="invoice.pay", actor=actor, at=at, subject=f"invoice {invoice_id}", details=details)
    return payment


@transaction.atomic
def set_off(*, invoice_id: UUID, against_id: UUID, actor: Actor, at: datetime) -> int:
    """Set what we owe back of an invoice off against what is open of another of the municipality; return the cents.

    Two bookings that name each other, both or neither; asked for twice, the second finds nothing left. Audited.
    Raises Invoice.DoesNotExist, NothingToSetOff, AskedAtStripe.
    """
    chosen = Invoice.objects.filter(id__in=[invoice_id, against_id], kind=Invoice.Kind.USAGE, status__in=FINAL_STATES)
    locked = {each.id: each for each in chosen.select_for_update(no_key=True).order_by("id")}
    if invoice_id not in locked or against_id not in locked:
        raise Invoice.DoesNotExist
    invoice, against = locked[invoice_id], locked[against_id]
    is_open = balance_of(invoice=against).open_cents
    cents = min(balance_of(invoice=invoice).owed_back_cents, is_open)
    if invoice.municipality_id != against.municipality_id or cents <= 0:
        raise NothingToSetOff("there is nothing to set off between these two")
    if cents < is_open and Collection.objects.filter(invoice=against).exclude(stripe_status__in=ENDED).exists():
        raise AskedAtStripe("Stripe asks for the whole of it")
    for one, other, amount_cents in ((invoice, against, -cents), (against, invoice, cents)):
        reference = f"verrekend met {other.number}"
        before = one.payments.filter(reference__startswith=reference).count()
        Payment.objects.create(
            invoice=one,
            amount_cents=amount_cents,
            paid_date=day_of(moment=at),
            reference=f"{reference} ({before + 1})" if before else reference,
            **recorded_by(actor=actor, at=at),
        )
        settle(invoice=one)
    details = {"amount_cents": cents, "against": str(against_id)}
    record(action="invoice.set_off", actor=actor, at=at, subject=f"invoice {invoice_id}", details=details)
    return cents


def owed_back(*, municipality_id: UUID | None = None) -> list[tuple[Invoice, Balance]]:
    """Return the invoices of which we owe something back, the oldest first; of one municipality or of all."""
    issued = Invoice.objects.filter(kind=Invoice.Kind.USAGE, status__in=FINAL_STATES)
    if municipality_id is not None:
        issued = issued.filter(municipality_id=municipality_id)
    return balances_of(invoices=issued.order_by("finalised_at", "number"), of_which=Q(still_open__lt=0))


def unpaid(*, day: date, municipality_id: UUID | None = None) -> list[Unpaid]:
    """Return the invoices of which something is owed, the longest due first; of one municipality or of all."""
    chosen = Invoice.objects.filter(kind=Invoice.Kind.USAGE, status=Invoice.Status.FINALISED)
    if municipality_id is not None:
        chosen = chosen.filter(municipality_id=municipality_id)
    found = balances_of(invoices=chosen.order_by("due_date", "number"), of_which=Q(still_open__gt=0))
    return [
        Unpaid(invoice=each, balance=balance, days=(day - each.due_date).days if each.due_date else 0)
        for each, balance in found
    ]


def age_of(*, days: int) -> int:
    """Return the class of an age: -1 when it is not due yet, else the last of AGES that it reached."""
    return max((age for age in AGES if days > age), default=-1)
