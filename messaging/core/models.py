"""What lies in public of messaging: the lanes' work list and leases, and what operators see of the inboxes.

Nothing here is a citizen's: ids of numbers and municipalities, counts, reasons.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class OutboxWake(models.Model):
    """A note, written with each queued message, that a number's lane has work.

    Append-only for who queues and deleted by the lane's owner, so that neither ever waits for the other. A lost note
    is harmless: the lanes' sweep looks at the outboxes themselves.
    """

    phone_number_id = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.phone_number_id


class Lane(models.Model):
    """The ordered, paced stream of outgoing messages of one number, and who owns it.

    A lane has one owner at a time, by lease. Each change of owner raises the fencing token, and each claim checks it,
    so that an owner who was thought dead can claim nothing more. Leases run on the database's own clock.
    """

    phone_number_id = models.CharField(max_length=40, primary_key=True)
    municipality_id = models.UUIDField()
    owner = models.CharField(max_length=100, default="")
    fencing_token = models.BigIntegerField(default=0)
    leased_until = models.DateTimeField()
    # Set when Meta said that this number cannot send now (token, lock, payment): sending rests until then.
    paused_until = models.DateTimeField(null=True)
    paused_reason = models.CharField(max_length=200, default="")

    class Meta:
        # A sender looks for lanes whose lease has ended.
        indexes = [models.Index(name="lane_by_lease", fields=["leased_until"])]

    def __str__(self) -> str:
        return self.phone_number_id


class Replay(models.Model):
    """Dead letters that somebody asked to have put back, of one municipality or of all: DEAD -> OPEN, each once.

        asked (finished_at empty) -> finished

    What it put back and what died again since is not put back a second time by it. The filters name kinds, fields and
    reasons; they hold nothing of a citizen's. Empty filters: all dead letters.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    municipality_id = models.UUIDField(null=True)  # null: of every municipality
    event_ids = ArrayField(models.BigIntegerField(), null=True)  # null: all that the filters name
    kind = models.TextField(default="", blank=True)
    field = models.TextField(default="", blank=True)
    reason = models.TextField(default="", blank=True)
    asked_by_schema = models.CharField(max_length=63)
    asked_by_id = models.CharField(max_length=100)
    asked_by_name = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    total = models.PositiveIntegerField()  # as counted when it was asked
    done = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # An event's number says nothing without its municipality.
            models.CheckConstraint(
                name="replay_events_of_one_municipality",
                condition=Q(event_ids=None) | Q(municipality_id__isnull=False),
            ),
        ]
        # The sweep goes on with what is not finished; the page shows the last ones.
        indexes = [
            models.Index(name="replay_unfinished", fields=["asked_at"], condition=Q(finished_at=None)),
            models.Index(name="replay_by_time", fields=["-asked_at"]),
        ]

    def __str__(self) -> str:
        return str(self.id)


class NumberHour(models.Model):
    """What came in on a number in one hour, as counts: how a number that normally talks is known to be silent."""

    phone_number_id = models.CharField(max_length=40)
    hour = models.DateTimeField()  # its beginning; an event counts in the hour in which it was received
    municipality_id = models.UUIDField()
    messages = models.PositiveIntegerField(default=0)
    statuses = models.PositiveIntegerField(default=0)
    others = models.PositiveIntegerField(default=0)
    # The longest that a message or status was under way, by Meta's own stamp.
    lag_seconds = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(name="number_hour_once", fields=["phone_number_id", "hour"])]
        # The page adds up today's; old ones are forgotten.
        indexes = [models.Index(name="number_hour_by_hour", fields=["hour"])]

    def __str__(self) -> str:
        return f"{self.phone_number_id} {self.hour}"


class UnknownUpdate(models.Model):
    """A kind of message or a field of Meta's that we do not know yet: how often it came, never what it held."""

    municipality_id = models.UUIDField()
    field = models.CharField(max_length=100)
    kind = models.CharField(max_length=100, default="", blank=True)  # of a message; empty: the field itself is unknown
    times = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="unknown_update_once", fields=["municipality_id", "field", "kind"])]

    def __str__(self) -> str:
        return f"{self.field} {self.kind}"


class InboxFigures(models.Model):
    """How a municipality's inbox stood when it was last looked at (messaging/measuring.py): counts, nobody's words."""

    municipality_id = models.UUIDField(primary_key=True)
    measured_at = models.DateTimeField()
    open = models.PositiveIntegerField()
    oldest_open_at = models.DateTimeField(null=True)
    # [{"kind", "field", "reason", "count", "oldest_at": ISO 8601}], the most frequent first.
    dead = models.JSONField(default=list)
    outbound_today = models.PositiveIntegerField(default=0)
    templates_paused = models.PositiveIntegerField(default=0)  # or disabled, by Meta

    def __str__(self) -> str:
        return str(self.municipality_id)


class DraftReview(models.Model):
    """A municipality's draft of a template that the policy check flagged, before somebody of the BSP.

    WAITING -> RELEASED   it may be handed in at Meta
            -> REFUSED    it may not, for the reason; another wording is another review

    Here, because the BSP's staff never look into a municipality's schema; it is the municipality's own text and no
    citizen's. One for each wording and what was flagged in it: the hash is of both.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", "Wacht op beoordeling"
        RELEASED = "RELEASED", "Vrijgegeven"
        REFUSED = "REFUSED", "Geweigerd"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    municipality_id = models.UUIDField()
    template_id = models.UUIDField()
    wording_hash = models.CharField(max_length=64)
    name = models.CharField(max_length=512)
    language = models.CharField(max_length=10)
    purpose = models.CharField(max_length=20)
    components = models.JSONField()
    findings = models.JSONField()  # [[prohibition, words], …] as tenants/policy.py returned them
    policy_date = models.DateField()  # since when the phrases were as they were then
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=200)  # the name as then
    reason = models.CharField(max_length=1000, default="", blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="draft_review_once", fields=["template_id", "wording_hash"]),
            models.CheckConstraint(
                name="draft_review_state_known", condition=Q(state__in=["WAITING", "RELEASED", "REFUSED"])
            ),
            # Who decided says why, and when.
            models.CheckConstraint(
                name="draft_review_decided_with_reason",
                condition=Q(state="WAITING", decided_at=None, reason="", decided_by="")
                | (~Q(state="WAITING") & Q(decided_at__isnull=False) & ~Q(reason="") & ~Q(decided_by="")),
            ),
        ]
        # The page of the BSP lists what waits, longest first.
        indexes = [models.Index(name="draft_review_waiting", fields=["asked_at"], condition=Q(state="WAITING"))]

    def __str__(self) -> str:
        return f"{self.template_id} {self.state}"
