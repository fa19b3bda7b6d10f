"""Prices, and the invoices made with them. Amounts are cents of an euro; prices are Decimal to 6 places."""

import uuid

from django.db import models
from django.db.models import F, Q

EUR = "EUR"


class RateCard(models.Model):
    """The prices from a date on, until the next card's. Once an invoice used it, a trigger refuses any change."""

    valid_from = models.DateField(unique=True)  # one card a day; a day of the calendar in Amsterdam
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, default=EUR)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4)  # 0.2100 is 21%
    platform_fee = models.DecimalField(max_digits=12, decimal_places=6)  # a month, for each municipality

    class Meta:
        constraints = [
            # Lines of two currencies cannot be added.
            models.CheckConstraint(name="rate_card_in_euro", condition=Q(currency=EUR)),
            # A rate of 21 would be 2100%.
            models.CheckConstraint(name="rate_card_vat_rate", condition=Q(vat_rate__gte=0, vat_rate__lt=1)),
            # What is owed back is a correction, not a price.
            models.CheckConstraint(name="rate_card_platform_fee", condition=Q(platform_fee__gte=0)),
        ]

    def __str__(self) -> str:
        return self.name


class Rate(models.Model):
    """The price of one conversation of a category."""

    card = models.ForeignKey(RateCard, on_delete=models.CASCADE, related_name="rates")
    category = models.TextField()
    unit_price = models.DecimalField(max_digits=12, decimal_places=6)

    class Meta:
        constraints = [
            # One price each.
            models.UniqueConstraint(name="rate_once", fields=["card", "category"]),
            # What is owed back is a correction, not a price.
            models.CheckConstraint(name="rate_not_negative", condition=Q(unit_price__gte=0)),
            # As conversations write it, or it would never be found.
            models.CheckConstraint(name="rate_category_form", condition=Q(category__regex=r"^[A-Z][A-Z0-9_]*$")),
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.unit_price}"


class Invoice(models.Model):
    """What one municipality owes for one month.

        DRAFT -> REVIEW

    DRAFT: follows the usage, each run makes it anew where something changed. REVIEW: its month is closed; a trigger
    refuses any change of amounts and lines. A number is given when it is finalised, never before.
    """

    class Kind(models.TextChoices):
        """What an invoice is for."""

        USAGE = "USAGE", "Verbruik"

    class Status(models.TextChoices):
        """How far an invoice is."""

        DRAFT = "DRAFT", "Concept"
        REVIEW = "REVIEW", "In controle"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    municipality_id = models.UUIDField()
    period = models.DateField()
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.USAGE)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DRAFT)
    number = models.CharField(max_length=40, null=True, unique=True)  # several drafts have none
    currency = models.CharField(max_length=3, default=EUR)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4)
    net_cents = models.BigIntegerField()
    vat_cents = models.BigIntegerField()
    total_cents = models.BigIntegerField()
    lines_hash = models.CharField(max_length=64)  # SHA-256 over the canonical lines and totals (billing/rating.py)
    drafted_at = models.DateTimeField()  # when it got the lines that it has

    class Meta:
        constraints = [
            # A month is billed once to each.
            models.UniqueConstraint(name="invoice_once", fields=["municipality_id", "period", "kind"]),
            models.CheckConstraint(name="invoice_period_is_first_day", condition=Q(period__day=1)),
            models.CheckConstraint(
                name="invoice_total_is_net_and_vat", condition=Q(total_cents=F("net_cents") + F("vat_cents"))
            ),
            models.CheckConstraint(name="invoice_status_known", condition=Q(status__in=["DRAFT", "REVIEW"])),
            models.CheckConstraint(name="invoice_kind_known", condition=Q(kind__in=["USAGE"])),
            # Numbers have no gaps, so none is given to what may still change.
            models.CheckConstraint(
                name="invoice_number_only_when_final",
                condition=Q(number=None) | ~Q(status__in=["DRAFT", "REVIEW"]),
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"{self.status.lower()} {self.period:%Y-%m}"


class InvoiceLine(models.Model):
    """One line of an invoice: a quantity at a price, rounded to cents once."""

    class Kind(models.TextChoices):
        """What a line is for."""

        CONVERSATIONS = "CONVERSATIONS", "Conversaties"
        CORRECTION = "CORRECTION", "Correctie"
        PLATFORM_FEE = "PLATFORM_FEE", "Platform"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    month = models.DateField()  # the month of use: the period, or for a correction the closed month
    card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="lines")
    category = models.TextField(blank=True)  # '' for the platform fee
    description = models.CharField(max_length=200)
    quantity = models.IntegerField()
    unit_price = models.DecimalField(max_digits=12, decimal_places=6)
    net_cents = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="invoice_line_position", fields=["invoice", "position"]),
            models.CheckConstraint(
                name="invoice_line_kind_known",
                condition=Q(kind__in=["CONVERSATIONS", "CORRECTION", "PLATFORM_FEE"]),
            ),
            # Only a correction owes back.
            models.CheckConstraint(
                name="invoice_line_not_negative", condition=Q(quantity__gte=0) | Q(kind="CORRECTION")
            ),
            # The platform fee is the one line without a category.
            models.CheckConstraint(
                name="invoice_line_category",
                condition=Q(kind="PLATFORM_FEE", category="") | ~Q(kind="PLATFORM_FEE") & ~Q(category=""),
            ),
        ]

    def __str__(self) -> str:
        return self.description
