"""The audit trail of one schema."""

from django.db import models


class Entry(models.Model):
    """One thing that somebody did or saw, with its result. Never changed or deleted: a trigger refuses it.

    Each entry's hash covers its content and the hash before it, so that an alteration behind the database's back is
    found (audit/chain.py). `details` holds keys and counts, never the content of messages.
    """

    sequence = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    actor_schema = models.CharField(max_length=63)
    actor_id = models.CharField(max_length=40)
    actor_name = models.CharField(max_length=200)  # as it was then: the user may be gone when this is read
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    outcome = models.CharField(max_length=20)
    details = models.JSONField(default=dict)
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        # The pages search by moment, by who and by what.
        indexes = [
            models.Index(name="audit_by_moment", fields=["at"]),
            models.Index(name="audit_by_actor", fields=["actor_id", "at"]),
            models.Index(name="audit_by_subject", fields=["subject", "at"]),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
