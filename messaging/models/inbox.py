"""What Meta delivered, before it is understood."""

from django.db import models


class InboxEvent(models.Model):
    """One update as Meta delivered it, stored before it is understood.

        OPEN -> APPLIED      applied, exactly once
         ^ \\--> DEAD         could not be applied: a dead letter with its reason, which never blocks the rest
         \\------/  put back by a person or a command (messaging/dead_letters.py), to be tried anew

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
    attempts = models.PositiveSmallIntegerField(default=0)  # tries alone, counted before each of them
    replays = models.PositiveSmallIntegerField(default=0)
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "inbox_event"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
