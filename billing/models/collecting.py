"""How invoices are collected by Stripe: whom it knows, how far each is, and what it told us."""

from django.db import models
from django.db.models import Q

from billing.models.invoices import Invoice


class StripeCustomer(models.Model):
    """A municipality as Stripe knows it. The row is there before Stripe is asked, so that it is found again."""

    municipality_id = models.UUIDField(unique=True)
    stripe_id = models.CharField(max_length=255, null=True, unique=True)
    email = models.EmailField(blank=True, default="", db_default="")  # as Stripe was told last
    first_asked_at = models.DateTimeField()  # real time
    key_version = models.PositiveSmallIntegerField(default=1, db_default=1)

    def __str__(self) -> str:
        return f"stripe customer {self.pk}"


class Collection(models.Model):
    """One issued invoice or credit note on its way to Stripe, one step after another, each safe to repeat.

        QUEUED -> DRAFTED -> FILLED -> COMPARED -> OPEN -> DONE      an invoice
        QUEUED -> DONE                                               a credit note of a collected invoice
           '--------'----------'----------'--------'-----> STOPPED   a person looks; our issued document stands

    DRAFTED: Stripe has a draft with our number. FILLED: with our lines. COMPARED: its totals were read back and are
    ours to the cent. OPEN: Stripe finalised it, and it was compared again. DONE: mailed by Stripe, where there is an
    address. What Stripe says of it afterwards is mirrored in stripe_status. Moments of the queue are of real time.
    """

    class Step(models.TextChoices):
        """What was done last."""

        QUEUED = "QUEUED"
        DRAFTED = "DRAFTED"
        FILLED = "FILLED"
        COMPARED = "COMPARED"
        OPEN = "OPEN"
        DONE = "DONE"
        STOPPED = "STOPPED"

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, primary_key=True, related_name="collection")
    step = models.CharField(max_length=10, choices=Step, default=Step.QUEUED)
    stripe_id = models.CharField(max_length=255, null=True, unique=True)  # of the invoice, or of the credit note
    stripe_status = models.CharField(max_length=20, blank=True, default="", db_default="")
    stripe_paid_cents = models.BigIntegerField(default=0, db_default=0)
    is_overdue = models.BooleanField(default=False, db_default=False)  # as Stripe told
    trouble = models.CharField(max_length=100, blank=True, default="", db_default="")  # a code, for a person to look at
    key_version = models.PositiveSmallIntegerField(default=1, db_default=1)  # counts up when Stripe kept an error
    attempts = models.PositiveIntegerField(default=0, db_default=0)  # of this step
    due_at = models.DateTimeField()  # while in hand: when its lease ends
    seen_at = models.DateTimeField(null=True)  # when what is mirrored was asked for

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="collection_step",
                condition=Q(step__in=["QUEUED", "DRAFTED", "FILLED", "COMPARED", "OPEN", "DONE", "STOPPED"]),
            ),
            # Whatever is past the first step is known at Stripe by an id.
            models.CheckConstraint(
                name="collection_known_at_stripe",
                condition=Q(stripe_id__isnull=False) | Q(step__in=["QUEUED", "STOPPED"]),
            ),
            # Who has to look is told why.
            models.CheckConstraint(name="collection_stopped_why", condition=~Q(step="STOPPED", trouble="")),
        ]
        indexes = [
            # The sweep asks for what is due.
            models.Index(name="collection_due", fields=["due_at"], condition=~Q(step__in=["DONE", "STOPPED"])),
        ]

    def __str__(self) -> str:
        return f"collection {self.pk}"

    @property
    def trouble_kind(self) -> str:
        """The first word of the trouble, which is ours; the rest may be Stripe's."""
        return self.trouble.partition(" ")[0]


class StripeEvent(models.Model):
    """That Stripe told of something, once by its id. Only what is needed to ask Stripe again: it is never believed."""

    event_id = models.CharField(max_length=255, primary_key=True)
    kind = models.CharField(max_length=100)  # such as invoice.paid
    object_id = models.CharField(max_length=255)
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, blank=True, default="", db_default="")  # APPLIED or IGNORED
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField()  # real time; while in hand: when its lease ends

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="stripe_event_outcome",
                condition=Q(outcome="", applied_at=None)
                | Q(outcome__in=["APPLIED", "IGNORED"], applied_at__isnull=False),
            ),
        ]
        indexes = [
            # The sweep asks for what is due, the first received first.
            models.Index(name="stripe_event_due", fields=["due_at"], condition=Q(applied_at=None)),
        ]

    def __str__(self) -> str:
        return self.event_id
