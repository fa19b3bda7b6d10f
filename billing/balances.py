"""What came of an issued invoice: credited, paid, open; and the state that follows from these."""

from dataclasses import dataclass

from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.models import Invoice, Payment


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


def balances_of(*, invoices: QuerySet[Invoice], of_which: Q | None = None) -> list[tuple[Invoice, Balance]]:
    """Return invoices in their order, each with what came of it. of_which: chooses by `still_open`, in cents.

    The one place that says what counts: payments as they were booked, and credit notes once they are final.
    """
    paid = Payment.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice").annotate(sum=Sum("amount_cents"))
    notes = Invoice.objects.filter(credits=OuterRef("pk"), status=Invoice.Status.FINALISED).order_by()
    taken_off = notes.values("credits").annotate(sum=Sum("total_cents"))
    summed = invoices.annotate(
        paid=Coalesce(Subquery(paid.values("sum")), 0, output_field=BigIntegerField()),
        taken_off=Coalesce(Subquery(taken_off.values("sum")), 0, output_field=BigIntegerField()),
    ).annotate(still_open=F("total_cents") - F("taken_off") - F("paid"))
    if of_which is not None:
        summed = summed.filter(of_which)
    return [(each, Balance(each.total_cents, each.taken_off, each.paid)) for each in summed]


def balance_of(*, invoice: Invoice) -> Balance:
    """Return what came of an invoice."""
    ((_, balance),) = balances_of(invoices=Invoice.objects.filter(pk=invoice.pk))
    return balance


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
