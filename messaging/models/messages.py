"""What was said, what Meta reported of it, and what waits for its lane."""

import uuid

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Case, F, Q, When

from messaging.models.media import Medium
from messaging.models.people import Contact, Thread
from messaging.models.templates import TemplateVersion
from tenants.declaration import Purpose


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
    # Without an index of its own: message_by_thread begins with it, and each change of state would pay for both.
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, db_index=False, related_name="messages")
    direction = models.CharField(max_length=10, choices=Direction.choices)
    kind = models.CharField(max_length=40)  # Meta's word: text, image, template …; an unknown one is kept as it came
    text = models.TextField(default="", blank=True)  # what a person reads: body, caption, button
    content = models.JSONField(default=dict)  # the object that Meta sent or gets, by its kind
    medium = models.ForeignKey(Medium, on_delete=models.PROTECT, null=True, db_index=False, related_name="messages")
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
    # Without an index: versions are never deleted, and every incoming message would pay for it.
    template_version = models.ForeignKey(
        TemplateVersion, on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )
    forwarded = models.BooleanField(default=False)
    referral = models.JSONField(null=True)  # the advertisement or post from which the citizen came
    # What the writer did to it afterwards: text and content are the latest, `original` is what it was at first.
    edited_at = models.DateTimeField(null=True)
    original = models.JSONField(null=True)  # {"kind", "text", "content"}
    revoked_at = models.DateTimeField(null=True)  # withdrawn: kept, and shown as withdrawn
    # Since when nobody knows whether it was sent; null in each other state. What is uncertain is looked for by this and
    # not by the state: an index whose condition names the state would have each change of it written to every index.
    uncertain_since = models.GeneratedField(
        expression=Case(When(state="UNCERTAIN", then=F("stamped_at"))),
        output_field=models.DateTimeField(null=True),
        db_persist=True,
    )
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
            # What was said before an edit is never lost.
            models.CheckConstraint(
                name="message_edited_has_original",
                condition=Q(edited_at=None, original=None) | Q(edited_at__isnull=False, original__isnull=False),
            ),
        ]
        # A thread is read in the order of stamps; what is uncertain is listed and counted. No index and no condition of
        # one names the state, and pages have room (messaging/migrations/0022_cheaper_states.py): so a new state is
        # written to its page alone.
        indexes = [
            models.Index(F("thread"), F("stamped_at"), F("id"), name="message_by_thread"),
            # Most have none: only those that have one are held.
            models.Index(name="message_of_medium", fields=["medium"], condition=Q(medium__isnull=False)),
            models.Index(
                name="message_uncertain", fields=["uncertain_since"], condition=Q(uncertain_since__isnull=False)
            ),
            # Those of today are counted (messaging/measuring.py); a few pages, next to no work to keep.
            BrinIndex(name="message_by_day", fields=["created_at"], pages_per_range=32),
            # Words are looked for in Dutch, without accents (messaging/searching.py).
            GinIndex(SearchVector("text", config="public.dutch_plain"), name="message_by_words"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class MessageStatus(models.Model):
    """One status that Meta reported of a message, kept whatever the message's state became."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, db_index=False, related_name="statuses")
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
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, db_index=False, related_name="+")
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
