"""The ledger: what Meta reported of messages, and the conversations derived from it.

Facts, reports, links and corrections are only ever appended; triggers refuse the rest. No citizen can be recognised:
contact and wamid (which contains a telephone number) are HMAC-SHA256 hashes, the contact's over its internal id, under
a key that belongs to the number and lies in `tenants`. '' stands where nothing was known.
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Deferrable, ExpressionWrapper, F, Func, Q
from django.db.models.lookups import Exact

from billing.conversations import FREE_ENTRY_POINT_PERIOD, PERIOD, Category, Status

HASH_BYTES = 32
LATE = "Reported after its month was closed"
# Absolute time: adding an interval of a day to a moment would follow the session's summer time.
LENGTH = ExpressionWrapper(F("ends_at") - F("opened_at"), output_field=models.DurationField())
PERIOD_OF_TIME = Func("opened_at", "ends_at", RangeBoundary(), function="TSTZRANGE", output_field=DateTimeRangeField())


class Fact(models.Model):
    """One message that reached its contact: there from its first delivered or read report on. Append-only.

    Its moment, pricing, purpose and template follow from its reports, and may change when one comes late.
    """

    phone_number_id = models.CharField(max_length=40)
    wamid_hash = models.BinaryField(max_length=HASH_BYTES)
    municipality_id = models.UUIDField()
    contact_hash = models.BinaryField(max_length=HASH_BYTES)
    # The stamp of the report that made the fact known. The moment is never later, so the facts of open months are
    # found by it.
    first_stamped_at = models.DateTimeField()
    # Of the recipient, as Meta prices it; '' where no telephone number was known. Nobody is recognised by it.
    market = models.CharField(max_length=20, default="", db_default="")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            # One fact for each message, however often it is reported.
            models.UniqueConstraint(name="fact_once", fields=["phone_number_id", "wamid_hash"]),
        ]
        indexes = [
            # Recomputing a contact reads its facts of the open months.
            models.Index(name="fact_by_contact", fields=["phone_number_id", "contact_hash", "first_stamped_at"]),
            # What Meta charges for a month reads its facts; they lie in order of time, so few blocks are enough.
            BrinIndex(name="fact_by_time", fields=["first_stamped_at"]),
        ]

    def __str__(self) -> str:
        return f"fact {self.pk}"


class FactReport(models.Model):
    """One status of one message as Meta reported it, with what the message was sent for. Append-only.

    A `SENT` report stands alone until the message is delivered: it only matters for pricing.
    """

    phone_number_id = models.CharField(max_length=40)
    wamid_hash = models.BinaryField(max_length=HASH_BYTES)
    status = models.CharField(max_length=9, choices=[(status.value, status.value.lower()) for status in Status])
    stamped_at = models.DateTimeField()
    # Meta's own words, kept as given: what Meta will charge is computed from them too.
    pricing_model = models.TextField(blank=True)
    pricing_type = models.TextField(blank=True)
    pricing_category = models.TextField(blank=True)
    purpose = models.TextField(blank=True)
    template_name = models.TextField(blank=True)
    template_category = models.TextField(blank=True)
    recorded_at = models.DateTimeField()
    digest = models.BinaryField(max_length=HASH_BYTES)  # SHA-256 over what was reported

    class Meta:
        constraints = [
            # The same report again changes nothing. Also finds a fact's reports.
            models.UniqueConstraint(name="fact_report_once", fields=["phone_number_id", "wamid_hash", "digest"]),
            # Other statuses make no fact and carry no pricing that counts.
            models.CheckConstraint(
                name="fact_report_status_known", condition=Q(status__in=[status.value for status in Status])
            ),
        ]

    def __str__(self) -> str:
        return f"report {self.pk}"


class ContactLink(models.Model):
    """On this number, one contact turned out to be another. Append-only; links form chains to the canonical contact."""

    phone_number_id = models.CharField(max_length=40)
    from_contact_hash = models.BinaryField(max_length=HASH_BYTES)
    to_contact_hash = models.BinaryField(max_length=HASH_BYTES)
    municipality_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            # A contact has one successor, so that each chain has one end.
            models.UniqueConstraint(name="contact_link_once", fields=["phone_number_id", "from_contact_hash"]),
            # Nobody is their own successor.
            models.CheckConstraint(
                name="contact_link_to_another", condition=~Q(from_contact_hash=F("to_contact_hash"))
            ),
        ]
        indexes = [
            # Finds all who are now one contact.
            models.Index(name="contact_link_to", fields=["phone_number_id", "to_contact_hash"]),
        ]

    def __str__(self) -> str:
        return f"link {self.pk}"


class LateContact(models.Model):
    """A contact of whom something came after the closing of its month: closed months are recomputed for these alone."""

    phone_number_id = models.CharField(max_length=40)
    contact_hash = models.BinaryField(max_length=HASH_BYTES)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Being late twice is being late.
            models.UniqueConstraint(name="late_contact_once", fields=["phone_number_id", "contact_hash"]),
        ]

    def __str__(self) -> str:
        return f"late contact {self.pk}"


class Conversation(models.Model):
    """One metered period of one contact on one number, derived from facts (billing/conversations.py).

        OPEN -> FROZEN (its month is closed)

    OPEN: replaced (deleted and inserted) when a report or link comes late. FROZEN: stands for good; a trigger refuses
    to add, alter or delete conversations of a closed month. No column says so: closing a month touches no row here.
    """

    phone_number_id = models.CharField(max_length=40)
    contact_hash = models.BinaryField(max_length=HASH_BYTES)
    category = models.TextField()
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    opened_date = models.DateField()  # in Amsterdam: chooses the rate card
    month = models.DateField()
    municipality_id = models.UUIDField()
    purpose = models.TextField(blank=True)
    template = models.TextField(blank=True)

    class Meta:
        constraints = [
            # A contact is in one period of a category at a time. Deferred: a recomputation replaces several at once.
            ExclusionConstraint(
                name="conversation_no_overlap",
                expressions=[
                    ("phone_number_id", RangeOperators.EQUAL),
                    ("contact_hash", RangeOperators.EQUAL),
                    ("category", RangeOperators.EQUAL),
                    (PERIOD_OF_TIME, RangeOperators.OVERLAPS),
                ],
                deferrable=Deferrable.DEFERRED,
            ),
            # 24 hours, or the 72 of a free entry point.
            models.CheckConstraint(
                name="conversation_period",
                condition=Q(Exact(LENGTH, PERIOD))
                | Q(Exact(LENGTH, FREE_ENTRY_POINT_PERIOD), category=Category.REFERRAL_CONVERSION.value),
            ),
            # The month is that of the opening day.
            models.CheckConstraint(
                name="conversation_month_of_opening",
                condition=Q(
                    month=Func(
                        "opened_date", function="date_trunc", template="date_trunc('month', %(expressions)s)::date"
                    )
                ),
            ),
            # The opening day is Amsterdam's.
            models.CheckConstraint(
                name="conversation_opened_date",
                condition=Q(
                    opened_date=Func("opened_at", template="(%(expressions)s AT TIME ZONE 'Europe/Amsterdam')::date")
                ),
            ),
        ]
        indexes = [
            # Recomputing a contact reads its conversations that reach into the open months.
            models.Index(name="conversation_by_contact", fields=["phone_number_id", "contact_hash", "ends_at"]),
            # An invoice run counts a month by municipality, and reads nothing else.
            models.Index(
                name="conversation_by_month",
                fields=["month", "municipality_id", "phone_number_id", "category", "opened_date"],
            ),
        ]

    def __str__(self) -> str:
        return f"conversation {self.pk}"


class Month(models.Model):
    """A closed month.

        OPEN (no row) -> REVIEW (this row)

    It closes when its run enters review, and every month before it with it. From then on its conversations stand, and
    what comes later becomes corrections. Months close in order and never open again.
    """

    month = models.DateField(primary_key=True)
    closed_at = models.DateTimeField()
    # The last report and link that were known: what was billed can be derived again from these alone.
    last_report_id = models.BigIntegerField(null=True)
    last_link_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            # A month is written as its first day.
            models.CheckConstraint(name="month_is_first_day", condition=Q(month__day=1)),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class Correction(models.Model):
    """What a run bills more or less for a month that was closed before it. Append-only.

    Quantity: that month's conversations as if no month had ever been closed, minus those billed, minus the
    corrections of earlier runs.
    """

    run = models.DateField()  # the month whose run bills it
    month = models.DateField()  # the closed month that it corrects
    phone_number_id = models.CharField(max_length=40)
    category = models.TextField()
    municipality_id = models.UUIDField()
    quantity = models.IntegerField()
    # {"key of the rate card" (billing/cards.py): quantity}, no zeros: cards may change within a month.
    by_card = models.JSONField()
    reason = models.CharField(max_length=200, default=LATE, db_default=LATE)
    recorded_at = models.DateTimeField()
    recorded_by_name = models.CharField(max_length=200, default="", db_default="")  # who closed the month of the run

    class Meta:
        constraints = [
            # One row each run. The municipality is among them because a number may move to another.
            models.UniqueConstraint(
                name="correction_once", fields=["run", "phone_number_id", "category", "month", "municipality_id"]
            ),
            # A run corrects only months before its own.
            models.CheckConstraint(name="correction_of_earlier_month", condition=Q(month__lt=F("run"))),
            # A row says something.
            models.CheckConstraint(name="correction_not_empty", condition=~Q(by_card={})),
        ]

    def __str__(self) -> str:
        return f"correction {self.pk}"


class MessageCount(models.Model):
    """How many messages reached contacts in a month, as counted when it was closed. Append-only.

    Kept for municipalities whose rate card prices messages; a message that is reported later is not billed.
    """

    month = models.DateField()
    municipality_id = models.UUIDField()
    category = models.TextField()
    messages = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="message_count_once", fields=["month", "municipality_id", "category"]),
        ]

    def __str__(self) -> str:
        return f"messages {self.pk}"
