"""What the machines' door keeps: keys, and the answers of requests that may be repeated.

The same tables stand in `public` for the BSP's systems and in each schema for its municipality's, so that a key of one
is nothing in another.
"""

import uuid

from django.db import connection, models
from django.db.models import Q

from api.scopes import SCOPES
from audit.record import Actor


class ApiKey(models.Model):
    """A key with which a system calls (API-sleutel); the secret is shown once and not kept.

        ACTIVE -> EXPIRED (expires_at has passed)
           \\----> REVOKED (revoked_at is set), for good

    prefix: the part of the key by which its row is found; it opens nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)  # of the system that holds it, as the municipality knows it
    scopes = models.JSONField()
    prefix = models.CharField(max_length=12, unique=True)
    secret_hash = models.BinaryField(max_length=32)  # SHA-256: the secret is 256 random bits, so no salt or stretching
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)  # to the minute

    class Meta:
        constraints = [
            # Two keys of one name could not be told apart in the trail.
            models.UniqueConstraint(name="api_key_name_once", fields=["name"], condition=Q(revoked_at=None)),
            models.CheckConstraint(name="api_key_scopes_known", condition=Q(scopes__contained_by=sorted(SCOPES))),
            models.CheckConstraint(name="api_key_has_a_scope", condition=~Q(scopes=[])),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    def actor(self) -> Actor:
        """Return who acts with this key, as the trail keeps it."""
        return Actor(schema=connection.schema_name, id=str(self.id), name=f"API: {self.name}")  # type: ignore[attr-defined]


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
