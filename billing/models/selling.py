"""Around an invoice: whom it is addressed to, the numbers given, the payments booked, and what people correct."""

from django.db import models
from django.db.models import F, Q

from billing.models.invoices import Invoice


class BillingProfile(models.Model):
    """Who a municipality is as a buyer, from a day on, until the next one. Append-only: a change is another row."""

    municipality_id = models.UUIDField()
    valid_from = models.DateField()
    legal_name = models.CharField(max_length=200)
    kvk = models.CharField(max_length=8, blank=True)
    oin = models.CharField(max_length=20, blank=True)
    vat_number = models.CharField(max_length=20, blank=True)
    street = models.CharField(max_length=200, blank=True)  # with the house number
    postcode = models.CharField(max_length=10, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, default="NL")
    order_reference = models.CharField(max_length=100, blank=True)
    cost_centre = models.CharField(max_length=100, blank=True)
    has_no_cost_centre = models.BooleanField(default=False, db_default=False)  # finance said that the buyer uses none
    email = models.EmailField(blank=True)  # where invoices go
    payment_days = models.PositiveSmallIntegerField(default=30)
    recorded_at = models.DateTimeField()
    recorded_by_schema = models.CharField(max_length=63)
    recorded_by_id = models.CharField(max_length=64)
    recorded_by_name = models.CharField(max_length=200)

    class Meta:
        constraints = [
            # As the Chamber of Commerce gives it.
            models.CheckConstraint(name="billing_profile_kvk", condition=Q(kvk="") | Q(kvk__regex="^[0-9]{8}$")),
            # As Logius gives it.
            models.CheckConstraint(name="billing_profile_oin", condition=Q(oin="") | Q(oin__regex="^0[0-9]{19}$")),
            # One or none, or not decided yet; never both.
            models.CheckConstraint(
                name="billing_profile_cost_centre", condition=Q(cost_centre="") | Q(has_no_cost_centre=False)
            ),
            # The law gives public bodies 30 days; agreed otherwise, up to 60.
            models.CheckConstraint(
                name="billing_profile_payment_days", condition=Q(payment_days__gte=1, payment_days__lte=60)
            ),
        ]
        indexes = [
            # Finds the profile of a day.
            models.Index(name="billing_profile_of_day", fields=["municipality_id", "valid_from", "id"]),
        ]

    def __str__(self) -> str:
        return self.legal_name


class InvoiceCounter(models.Model):
    """The last number given in a series and year. Counts up by one, in the transaction that finalises; never back."""

    series = models.CharField(max_length=1)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="invoice_counter_once", fields=["series", "year"]),
            # Numbers begin at one.
            models.CheckConstraint(name="invoice_counter_positive", condition=Q(last__gte=1)),
            # Two series, so that credit notes make no gaps among invoices.
            models.CheckConstraint(name="invoice_counter_series", condition=Q(series__in=["F", "C"])),
        ]

    def __str__(self) -> str:
        return f"{self.series}{self.year}"


class Payment(models.Model):
    """Money that came in, or went back, for an invoice. Append-only: a mistake is booked back."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments")
    amount_cents = models.BigIntegerField()  # negative: paid back, or a mistake booked back
    paid_date = models.DateField()
    reference = models.CharField(max_length=100)  # of the bank's statement
    recorded_at = models.DateTimeField()
    recorded_by_schema = models.CharField(max_length=63)
    recorded_by_id = models.CharField(max_length=64)
    recorded_by_name = models.CharField(max_length=200)

    class Meta:
        constraints = [
            # The same line of a statement is booked once.
            models.UniqueConstraint(name="payment_once", fields=["invoice", "reference", "amount_cents", "paid_date"]),
            models.CheckConstraint(name="payment_not_zero", condition=~Q(amount_cents=0)),
        ]

    def __str__(self) -> str:
        return f"payment {self.pk}"


class Adjustment(models.Model):
    """An amount that a person bills more or less, with the reason. Append-only: taken back by another that names it.

    Billed by the run of its month, on a line of its own, until that month is closed.
    """

    municipality_id = models.UUIDField()
    run = models.DateField()  # the month whose run bills it
    month = models.DateField()  # the month that it is about
    corrects = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="adjustments")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversed_by")
    description = models.CharField(max_length=200)  # as it stands on the invoice
    reason = models.CharField(max_length=500)  # for ourselves
    net_cents = models.BigIntegerField()
    recorded_at = models.DateTimeField()
    recorded_by_schema = models.CharField(max_length=63)
    recorded_by_id = models.CharField(max_length=64)
    recorded_by_name = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.CheckConstraint(name="adjustment_not_zero", condition=~Q(net_cents=0)),
            # Nobody remembers why afterwards.
            models.CheckConstraint(name="adjustment_has_a_reason", condition=~Q(reason="") & ~Q(description="")),
            models.CheckConstraint(
                name="adjustment_months", condition=Q(run__day=1, month__day=1, month__lte=F("run"))
            ),
            # By a person.
            models.CheckConstraint(name="adjustment_by_a_person", condition=~Q(recorded_by_id__in=["", "system"])),
        ]

    def __str__(self) -> str:
        return self.description
