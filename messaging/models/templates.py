"""What Meta approved, or is asked to approve."""

import uuid

from django.db import models
from django.db.models import Q

from tenants.declaration import Purpose


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
