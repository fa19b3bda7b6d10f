"""What one municipality and its citizens said to each other. All of it lies in the municipality's own schema."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q

from messaging.window import window_end
from tenants.declaration import Purpose


class InboxEvent(models.Model):
    """One update as Meta delivered it, stored before it is understood.

        OPEN -> APPLIED      applied, exactly once
          \\---> DEAD         could not be applied: a dead letter with its reason, which never blocks the rest

    It is this schema's partition of `public.inbox` (messaging/core/partitions.py); Django reads and updates it, the
    intake inserts through the parent.
    """

    class State(models.TextChoices):
        OPEN = "OPEN"
        APPLIED = "APPLIED"
        DEAD = "DEAD"

    id = models.BigIntegerField(primary_key=True)
    municipality_id = models.UUIDField()
    dedup_key = models.BinaryField(max_length=32)
    kind = models.TextField()
    field = models.TextField()
    phone_number_id = models.TextField(null=True)
    payload = models.JSONField()
    received_at = models.DateTimeField()
    state = models.TextField(choices=State.choices)
    reason = models.TextField(default="")
    applied_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "inbox_event"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Contact(models.Model):
    """A person who writes (inwoner): known by a `wa_id`, by a business-scoped user id (`bsuid`), or by both.

    When Meta links two, the younger is merged into the older and its row keeps pointing there, because metered facts
    name contacts by these ids.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    wa_id = models.CharField(max_length=40, unique=True, null=True)
    bsuid = models.CharField(max_length=140, unique=True, null=True)
    profile_name = models.CharField(max_length=300, default="", blank=True)
    username = models.CharField(max_length=100, default="", blank=True)
    created_at = models.DateTimeField()
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="merged")

    class Meta:
        constraints = [
            # A merged contact's ids have moved to the one that it was merged into.
            models.CheckConstraint(
                name="contact_has_an_id",
                condition=Q(merged_into__isnull=False, wa_id=None, bsuid=None)
                | Q(merged_into=None) & (Q(wa_id__isnull=False) | Q(bsuid__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Thread(models.Model):
    """What agent and citizen see (gesprek): one contact on one number, opened and closed.

    OPEN -> CLOSED; a new message opens a new thread.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", "Open"
        CLOSED = "CLOSED", "Gesloten"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="threads")
    phone_number_id = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    last_inbound_at = models.DateTimeField(null=True)  # Meta's stamp of the contact's last message on this number
    last_message_at = models.DateTimeField()
    waiting_since = models.DateTimeField(null=True)  # the first message of the contact that nobody answered yet

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="thread_open_once", fields=["contact", "phone_number_id"], condition=Q(state="OPEN")
            ),
            models.CheckConstraint(
                name="thread_closed_has_moment",
                condition=Q(state="OPEN", closed_at=None) | Q(state="CLOSED", closed_at__isnull=False),
            ),
        ]
        # The inbox lists open threads by last message, and those that wait by how long.
        indexes = [
            models.Index(name="thread_open_by_last", fields=["-last_message_at"], condition=Q(state="OPEN")),
            models.Index(name="thread_waiting", fields=["waiting_since"], condition=Q(state="OPEN")),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def window_ends_at(self) -> datetime | None:
        """Return when the service window closes or closed, or None when the contact never wrote."""
        return window_end(last_inbound_at=self.last_inbound_at)


class Template(models.Model):
    """A message that Meta approved, or is asked to approve, in one language of one WhatsApp Business Account.

    DRAFT -> PENDING -> APPROVED <-> PAUSED -> DISABLED
                 \\----> REJECTED
    """

    class Status(models.TextChoices):
        DRAFT = "DRAFT", "Concept"
        PENDING = "PENDING", "Ter beoordeling"
        APPROVED = "APPROVED", "Goedgekeurd"
        REJECTED = "REJECTED", "Afgewezen"
        PAUSED = "PAUSED", "Gepauzeerd"
        DISABLED = "DISABLED", "Uitgeschakeld"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    waba_id = models.CharField(max_length=40)
    meta_id = models.CharField(max_length=40, default="", blank=True)
    name = models.CharField(max_length=512)
    language = models.CharField(max_length=10)
    category = models.CharField(max_length=40)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DRAFT)
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    body = models.TextField()
    parameters = models.JSONField(default=list)  # [{"name": …, "example": …}], named parameters of the body, in order

    class Meta:
        constraints = [
            models.UniqueConstraint(name="template_once", fields=["waba_id", "name", "language"]),
            models.CheckConstraint(
                name="template_status_known",
                condition=Q(status__in=["DRAFT", "PENDING", "APPROVED", "REJECTED", "PAUSED", "DISABLED"]),
            ),
            models.CheckConstraint(name="template_purpose_known", condition=Q(purpose__in=Purpose.values)),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"


class Message(models.Model):
    """One message, of a citizen or to one.

    Inbound:  RECEIVED
    Outbound: QUEUED -> SENDING -> ACCEPTED -> SENT -> DELIVERED -> READ -> PLAYED
                 ^         |  \\-----> UNCERTAIN ...     settled by a status that echoes our id, else by a person
                 |         |\\-------> FAILED            Meta refused it, or reported so later
                 \\---------/  throttled or surely not accepted: tried again later

    After ACCEPTED a message only moves forward: accepted < sent < failed < delivered < read < played.
    """

    class Direction(models.TextChoices):
        INBOUND = "INBOUND"
        OUTBOUND = "OUTBOUND"

    class State(models.TextChoices):
        RECEIVED = "RECEIVED", "Ontvangen"
        QUEUED = "QUEUED", "In de wachtrij"
        SENDING = "SENDING", "Wordt verzonden"
        UNCERTAIN = "UNCERTAIN", "Onzeker"
        ACCEPTED = "ACCEPTED", "Aangenomen"
        SENT = "SENT", "Verzonden"
        FAILED = "FAILED", "Mislukt"
        DELIVERED = "DELIVERED", "Afgeleverd"
        READ = "READ", "Gelezen"
        PLAYED = "PLAYED", "Afgespeeld"

    FORWARD = (State.ACCEPTED, State.SENT, State.FAILED, State.DELIVERED, State.READ, State.PLAYED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="messages")
    direction = models.CharField(max_length=10, choices=Direction.choices)
    kind = models.CharField(max_length=40)  # Meta's word: text, image, template …; an unknown one is kept as it came
    text = models.TextField(default="", blank=True)  # what a person reads: body, caption, button
    content = models.JSONField(default=dict)  # the object that Meta sent or gets, by its kind
    wamid = models.CharField(max_length=200, unique=True, null=True)
    replies_to_wamid = models.CharField(max_length=200, default="", blank=True)
    state = models.CharField(max_length=10, choices=State.choices)
    stamped_at = (
        models.DateTimeField()
    )  # inbound: Meta's stamp; outbound: when it was queued. A thread is shown by this
    created_at = models.DateTimeField()
    author_id = models.UUIDField(null=True)  # the user who wrote it
    purpose = models.CharField(max_length=20, choices=Purpose.choices, default="", blank=True)
    template_name = models.CharField(max_length=512, default="", blank=True)
    template_category = models.CharField(max_length=40, default="", blank=True)
    failed_code = models.IntegerField(null=True)  # Meta's code, or null when it never reached Meta
    failed_reason = models.CharField(max_length=300, default="", blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="message_state_fits_direction",
                condition=Q(direction="INBOUND", state="RECEIVED", wamid__isnull=False)
                | Q(
                    direction="OUTBOUND",
                    state__in=[
                        "QUEUED",
                        "SENDING",
                        "UNCERTAIN",
                        "ACCEPTED",
                        "SENT",
                        "FAILED",
                        "DELIVERED",
                        "READ",
                        "PLAYED",
                    ],
                ),
            ),
            models.CheckConstraint(
                name="message_accepted_has_wamid",
                condition=Q(state__in=["QUEUED", "SENDING", "UNCERTAIN", "FAILED"]) | Q(wamid__isnull=False),
            ),
            models.CheckConstraint(
                name="message_failed_has_reason", condition=~Q(state="FAILED") | ~Q(failed_reason="")
            ),
        ]
        # A thread is read in the order of stamps; what is uncertain or failed is listed.
        indexes = [
            models.Index(F("thread"), F("stamped_at"), F("id"), name="message_by_thread"),
            models.Index(
                name="message_unsettled", fields=["state"], condition=Q(state__in=["QUEUED", "SENDING", "UNCERTAIN"])
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class MessageStatus(models.Model):
    """One status that Meta reported of a message, kept whatever the message's state became."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="statuses")
    status = models.CharField(max_length=20)
    participant = models.CharField(max_length=40, default="", blank=True)
    stamped_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="message_status_once", fields=["message", "status", "participant"])]

    def __str__(self) -> str:
        return self.status


class OutboxItem(models.Model):
    """One message that waits for its lane, or is in its hands; written in the message's own transaction.

    It goes when the outcome is known or UNCERTAIN; the message stays. claimed_by is the fencing token of the lease
    under which it was claimed: when that lease has ended without an outcome, the message is UNCERTAIN.
    """

    class Priority(models.IntegerChoices):
        REPLY = 0
        CRISIS = 1
        BROADCAST = 2

    id = models.BigAutoField(primary_key=True)
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="outbox_item")
    phone_number_id = models.CharField(max_length=40)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    priority = models.PositiveSmallIntegerField(choices=Priority.choices)
    request = models.JSONField()  # Meta's JSON, without the recipient, who may still change number
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()  # real time: pacing and back-off do not follow a moved clock
    claimed_by = models.BigIntegerField(null=True)

    class Meta:
        # A lane claims what is due, replies first; a contact's messages one after the other.
        indexes = [
            models.Index(name="outbox_of_lane", fields=["phone_number_id", "priority", "id"]),
            models.Index(name="outbox_of_contact", fields=["contact", "id"]),
        ]

    def __str__(self) -> str:
        return str(self.message_id)
