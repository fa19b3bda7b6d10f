"""Invoices, credit notes and their lines. Amounts are cents of an euro; prices are Decimal to 6 places."""

import uuid

from django.db import models
from django.db.models import F, Q, Value

from billing.models.prices import EUR, RateCard

OPEN_STATES = ["DRAFT", "REVIEW", "APPROVED"]  # without a number
FINAL_STATES = ["FINALISED", "PAID", "CREDITED"]
WITHOUT_CATEGORY = ["PLATFORM_FEE", "ONBOARDING_FEE", "DISCOUNT", "MINIMUM", "ADJUSTMENT"]


class Invoice(models.Model):
    """What one municipality owes for one month, or, as a credit note, what of an invoice it does not owe.

        DRAFT -> REVIEW -> APPROVED -> FINALISED -> PAID
                   ^----------'            '---------'-----> CREDITED

    DRAFT: follows the usage, each run makes it anew where something changed. REVIEW: its month is closed; a trigger
    refuses any change of amounts and lines. APPROVED: by another person than who prepared it; may be sent back.
    FINALISED: has its number, its place in the chain and a copy of who sells and who buys, and never changes again.
    PAID: nothing is owed any more, by payments, credit notes or both; of one that comes to nothing, at once. CREDITED:
    credit notes come to all of it. A credit note begins in REVIEW and ends FINALISED; its amounts are positive, and are
    taken off. What of it happened is said by billing/balances.py.
    """

    class Kind(models.TextChoices):
        """What an invoice is for."""

        USAGE = "USAGE", "Verbruik"
        CREDIT_NOTE = "CREDIT_NOTE", "Creditnota"

    class Status(models.TextChoices):
        """How far an invoice is."""

        DRAFT = "DRAFT", "Concept"
        REVIEW = "REVIEW", "In controle"
        APPROVED = "APPROVED", "Goedgekeurd"
        FINALISED = "FINALISED", "Definitief"
        PAID = "PAID", "Betaald"
        CREDITED = "CREDITED", "Gecrediteerd"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    municipality_id = models.UUIDField()
    period = models.DateField()
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.USAGE)
    credits = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="credit_notes")
    reason = models.CharField(max_length=200, blank=True, default="", db_default="")  # why a credit note was made
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DRAFT)
    number = models.CharField(max_length=40, null=True, unique=True)  # several drafts have none
    currency = models.CharField(max_length=3, default=EUR)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4)  # of its own month; lines may have another
    net_cents = models.BigIntegerField()
    vat_cents = models.BigIntegerField()
    total_cents = models.BigIntegerField()
    # [{"rate": "0.2100", "net_cents": …, "vat_cents": …}], in order of rate
    vat = models.JSONField(default=list, db_default=Value([], models.JSONField()))
    lines_hash = models.CharField(max_length=64)  # SHA-256 over the canonical lines and totals (billing/rating.py)
    drafted_at = models.DateTimeField()  # when it got the lines that it has

    # Who did what, by schema, id and name as then. The system's id is "system".
    prepared_by_schema = models.CharField(max_length=63, blank=True, default="", db_default="")
    prepared_by_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    prepared_by_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    approved_by_schema = models.CharField(max_length=63, blank=True, default="", db_default="")
    approved_by_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    approved_by_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    approved_at = models.DateTimeField(null=True)

    # From the finalising transaction, and never changed after it.
    series = models.CharField(max_length=1, blank=True, default="", db_default="")  # F: invoices, C: credit notes
    year = models.PositiveSmallIntegerField(null=True)
    sequence = models.PositiveIntegerField(null=True)
    issue_date = models.DateField(null=True)
    due_date = models.DateField(null=True)  # none on a credit note
    seller = models.JSONField(null=True)  # billing/parties.py says what is in it
    buyer = models.JSONField(null=True)
    finalised_at = models.DateTimeField(null=True)
    previous_hash = models.CharField(
        max_length=64, blank=True, default="", db_default=""
    )  # of the document before it in its series and year
    document_hash = models.CharField(
        max_length=64, blank=True, default="", db_default=""
    )  # SHA-256 over all that the document says

    class Meta:
        constraints = [
            # A month is billed once to each.
            models.UniqueConstraint(
                name="invoice_once", fields=["municipality_id", "period", "kind"], condition=Q(kind="USAGE")
            ),
            models.CheckConstraint(name="invoice_period_is_first_day", condition=Q(period__day=1)),
            models.CheckConstraint(
                name="invoice_total_is_net_and_vat", condition=Q(total_cents=F("net_cents") + F("vat_cents"))
            ),
            models.CheckConstraint(name="invoice_status_known", condition=Q(status__in=[*OPEN_STATES, *FINAL_STATES])),
            models.CheckConstraint(name="invoice_kind_known", condition=Q(kind__in=["USAGE", "CREDIT_NOTE"])),
            # Numbers have no gaps, so none is given to what may still change.
            models.CheckConstraint(
                name="invoice_number_only_when_final",
                condition=Q(number=None) | ~Q(status__in=OPEN_STATES),
            ),
            # What is final has all that makes it a document.
            models.CheckConstraint(
                name="invoice_final_is_whole",
                condition=Q(status__in=OPEN_STATES)
                | Q(
                    number__isnull=False,
                    year__isnull=False,
                    sequence__isnull=False,
                    issue_date__isnull=False,
                    seller__isnull=False,
                    buyer__isnull=False,
                    finalised_at__isnull=False,
                    previous_hash__regex="^[0-9a-f]{64}$",
                    document_hash__regex="^[0-9a-f]{64}$",
                ),
            ),
            # A number is given once.
            models.UniqueConstraint(name="invoice_sequence_once", fields=["series", "year", "sequence"]),
            # The chain has no branches.
            models.UniqueConstraint(
                name="invoice_chain_once",
                fields=["series", "year", "previous_hash"],
                condition=~Q(previous_hash=""),
            ),
            # Each kind has its series.
            models.CheckConstraint(
                name="invoice_series_of_kind",
                condition=Q(series="") | Q(series="F", kind="USAGE") | Q(series="C", kind="CREDIT_NOTE"),
            ),
            # A credit note names its invoice and its reason, and nothing else does.
            models.CheckConstraint(
                name="invoice_credits",
                condition=Q(kind="CREDIT_NOTE", credits__isnull=False) & ~Q(reason="")
                | Q(credits=None, reason="") & ~Q(kind="CREDIT_NOTE"),
            ),
            # Four eyes: who prepared it does not approve it.
            models.CheckConstraint(
                name="invoice_four_eyes",
                condition=Q(approved_by_id="")
                | ~Q(approved_by_id=F("prepared_by_id"), approved_by_schema=F("prepared_by_schema")),
            ),
            # Nothing goes on without a person's approval.
            models.CheckConstraint(
                name="invoice_approved_by_somebody",
                condition=Q(status__in=["DRAFT", "REVIEW"])
                | Q(approved_at__isnull=False) & ~Q(approved_by_id__in=["", "system"]),
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"{self.status.lower()} {self.period:%Y-%m}"


class InvoiceLine(models.Model):
    """One line of an invoice: a quantity at a price, rounded to cents once."""

    class Kind(models.TextChoices):
        """What a line is for."""

        CONVERSATIONS = "CONVERSATIONS", "Conversaties"
        INCLUDED = "INCLUDED", "Inbegrepen"
        MESSAGES = "MESSAGES", "Berichten"
        CORRECTION = "CORRECTION", "Correctie"
        PLATFORM_FEE = "PLATFORM_FEE", "Platform"
        ONBOARDING_FEE = "ONBOARDING_FEE", "Aansluiting"
        DISCOUNT = "DISCOUNT", "Korting"
        MINIMUM = "MINIMUM", "Minimum"
        ADJUSTMENT = "ADJUSTMENT", "Handmatige correctie"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    month = models.DateField()  # the month of use: the period, or for a correction the closed month
    card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="lines")
    category = models.TextField(blank=True)  # '' where no category is priced
    description = models.CharField(max_length=200)
    quantity = models.IntegerField()
    unit_price = models.DecimalField(max_digits=12, decimal_places=6)
    net_cents = models.BigIntegerField()
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4, null=True)  # NULL: that of the invoice
    # How many conversations of its category and card come before those it counts, in order of opening.
    skips = models.PositiveIntegerField(default=0, db_default=0)
    credits = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="credited_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="invoice_line_position", fields=["invoice", "position"]),
            models.CheckConstraint(
                name="invoice_line_kind_known",
                condition=Q(
                    kind__in=[
                        *("CONVERSATIONS", "INCLUDED", "MESSAGES", "CORRECTION", "PLATFORM_FEE"),
                        *("ONBOARDING_FEE", "DISCOUNT", "MINIMUM", "ADJUSTMENT"),
                    ]
                ),
            ),
            # Only a correction owes back.
            models.CheckConstraint(
                name="invoice_line_not_negative", condition=Q(quantity__gte=0) | Q(kind="CORRECTION")
            ),
            # What is counted has a category; fees and what people booked have none.
            models.CheckConstraint(
                name="invoice_line_category",
                condition=Q(kind__in=WITHOUT_CATEGORY, category="") | ~Q(kind__in=WITHOUT_CATEGORY) & ~Q(category=""),
            ),
        ]

    def __str__(self) -> str:
        return self.description
