"""The audit trail of one schema."""

from django.db import models
from django.db.models import Q


class Entry(models.Model):
    """One thing that somebody did or saw, with its result. Never changed or deleted: a trigger refuses it.

    Each entry's hash covers its content and the hash before it, so that an alteration behind the database's back is
    found (audit/chain.py). `details` holds keys and counts, never the content of messages. Together they are
    what BIO2 8.15.01 wants of a log line: action, object (subject), result (outcome), origin, actor, moment.
    """

    class Outcome(models.TextChoices):
        """How it ended."""

        OK = "OK"
        DENIED = "DENIED"  # whoever tried may not
        FAILED = "FAILED"

    sequence = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    actor_schema = models.CharField(max_length=63)
    actor_id = models.CharField(max_length=40)
    actor_name = models.CharField(max_length=200)  # as it was then: the user may be gone when this is read
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    outcome = models.CharField(max_length=20)
    # From where: the address as the trusted proxy gives it, or the program that did it. Empty in entries of form 1.
    origin = models.CharField(max_length=100, db_default="")
    details = models.JSONField(default=dict)
    # Which content the hash covers. 1: without origin; what wrote that may still run while a new release comes up.
    form = models.PositiveSmallIntegerField(db_default=1)
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="audit_origin_told", condition=Q(form=1, origin="") | (Q(form=2) & ~Q(origin=""))
            )
        ]
        # The pages search by moment, by who and by what.
        indexes = [
            models.Index(name="audit_by_moment", fields=["at"]),
            models.Index(name="audit_by_actor", fields=["actor_id", "at"]),
            models.Index(name="audit_by_subject", fields=["subject", "at"]),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
