"""What came of an issued invoice: credited, paid, open; and the state that follows from these."""

from dataclasses import dataclass

from django.db.models import Sum

from billing.models import Invoice


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

    @property
    def owed_back_cents(self) -> int:
        """What we owe; 0 when nothing."""
        return max(0, -self.open_cents)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is owed to us any more, and, of an invoice that owes back, nothing by us."""
        return self.open_cents <= 0 if self.total_cents > 0 else self.open_cents == 0


def balance_of(*, invoice: Invoice) -> Balance:
    """Return what came of an invoice."""
    notes = invoice.credit_notes.filter(status=Invoice.Status.FINALISED)
    return Balance(
        total_cents=invoice.total_cents,
        credited_cents=notes.aggregate(sum=Sum("total_cents"))["sum"] or 0,
        paid_cents=invoice.payments.aggregate(sum=Sum("amount_cents"))["sum"] or 0,
    )


def settle(*, invoice: Invoice) -> Balance:
    """Have an issued invoice, which the caller locked, say what came of it; return that.

    CREDITED when notes took every line off, which stays; else PAID when it is settled, by money, notes or both.
    """
    balance = balance_of(invoice=invoice)
    is_credited = (
        0 != balance.credited_cents == balance.total_cents and not invoice.lines.filter(credited_by=None).exists()
    )
    wanted = Invoice.Status.PAID if balance.is_settled else Invoice.Status.FINALISED
    if is_credited:
        wanted = Invoice.Status.CREDITED
    if invoice.status not in (wanted, Invoice.Status.CREDITED):
        invoice.status = wanted
        invoice.save(update_fields=["status"])
    return balance
