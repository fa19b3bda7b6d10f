"""What the machines' door keeps: the answers of requests that may be repeated; in `public` for the BSP's systems."""

from django.db import models

from accounts.models import ApiKey


class IdempotencyRecord(models.Model):
    """One request that a key may repeat, and what it was answered.

    Written in the transaction of what it did: after a crash there are both or neither, and whoever repeats meanwhile
    waits at the unique constraint. Kept for 24 hours.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="idempotency_records")
    idempotency_key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)  # SHA-256 of address and canonical body
    status = models.PositiveSmallIntegerField(null=True)  # null only inside the transaction that writes it
    answer = models.TextField(null=True)  # JSON as text: members come back in the order in which they were given
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="idempotency_record_once", fields=["api_key", "idempotency_key"])]
        # What is older than 24 hours is deleted.
        indexes = [models.Index(name="idempotency_record_by_age", fields=["created_at"])]

    def __str__(self) -> str:
        return str(self.pk)
