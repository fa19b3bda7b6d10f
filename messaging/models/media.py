"""Pictures, sound, video and documents: what Meta keeps for us for a few days, and what we keep of it."""

import uuid

from django.db import models
from django.db.models import Q


class Medium(models.Model):
    """One medium (bestand): of a citizen, fetched from Meta, or of our own, uploaded by an agent or a system.

    A citizen's: PENDING -> STORED
                  ^ |  \\---> REJECTED   larger than is taken; nothing is kept of it
                  | |------> EXPIRED    Meta keeps it no longer: gone for good
                  \\-+------> FAILED     given up by the machine; a person may ask again while Meta keeps it
    Our own:     STORED
    Any of them: ERASED, with its blobs.

    The rows are the queue: PENDING and due. `claim` is raised by each claim and checked when its outcome is written,
    so that of two workers only the last one counts. What a citizen called a file is nowhere but in `filename`.
    """

    class State(models.TextChoices):
        PENDING = "PENDING", "Wordt opgehaald"
        STORED = "STORED", "Opgeslagen"
        FAILED = "FAILED", "Mislukt"
        EXPIRED = "EXPIRED", "Verlopen"
        REJECTED = "REJECTED", "Geweigerd"
        ERASED = "ERASED", "Gewist"

    class Caution(models.TextChoices):
        TYPE_DIFFERS = "TYPE_DIFFERS", "Is iets anders dan het zegt te zijn"
        DANGEROUS = "DANGEROUS", "Kan een computer schaden"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10)  # Meta's: audio, document, image, sticker, video
    state = models.CharField(max_length=10, choices=State.choices)
    reason = models.CharField(max_length=40, default="", blank=True)  # of the last failure: a code, for web/words.py
    filename = models.TextField(default="", blank=True)
    is_voice = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    # As Meta described it.
    phone_number_id = models.CharField(max_length=40, default="", blank=True)
    meta_id = models.CharField(max_length=128, default="", blank=True)
    meta_url = models.TextField(default="", blank=True)  # of the webhook: works for minutes, with the token only
    declared_type = models.CharField(max_length=200, default="", blank=True)
    declared_sha256 = models.CharField(max_length=100, default="", blank=True)
    expires_at = models.DateTimeField(null=True)  # until when Meta keeps it
    # Its place in the queue, in real time: back-off does not follow a moved clock.
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    claim = models.BigIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)
    # What came.
    content_type = models.CharField(max_length=100, default="", blank=True)  # by its content, whatever it was called
    caution = models.CharField(max_length=20, choices=Caution.choices, default="", blank=True)
    size_bytes = models.BigIntegerField(null=True)
    sha256 = models.BinaryField(max_length=32, null=True)
    thumbnail_width = models.PositiveSmallIntegerField(null=True)
    thumbnail_height = models.PositiveSmallIntegerField(null=True)
    stored_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="medium_pending_is_due",
                condition=~Q(state="PENDING")
                | Q(due_at__isnull=False, expires_at__isnull=False) & ~Q(meta_id="") & ~Q(phone_number_id=""),
            ),
            models.CheckConstraint(
                name="medium_stored_is_known",
                condition=~Q(state="STORED")
                | Q(size_bytes__isnull=False, sha256__isnull=False, stored_at__isnull=False) & ~Q(content_type=""),
            ),
            models.CheckConstraint(
                name="medium_failed_has_reason",
                condition=~Q(state__in=["FAILED", "EXPIRED", "REJECTED"]) | ~Q(reason=""),
            ),
        ]
        # Those to be fetched now; the queue holds nothing else.
        indexes = [models.Index(name="medium_due", fields=["due_at"], condition=Q(state="PENDING"))]

    def __str__(self) -> str:
        return str(self.id)


class Blob(models.Model):
    """One object in the storage, written down before it is written there, so that none is ever forgotten.

    WRITING -> KEPT -> DISCARDED; a sweep removes what is DISCARDED, and what was WRITING for long: its process died.
    """

    class Part(models.TextChoices):
        ORIGINAL = "ORIGINAL"
        THUMBNAIL = "THUMBNAIL"

    class State(models.TextChoices):
        WRITING = "WRITING"
        KEPT = "KEPT"
        DISCARDED = "DISCARDED"

    name = models.CharField(max_length=100, primary_key=True)  # its path in the storage: schema and random
    medium = models.ForeignKey(Medium, on_delete=models.PROTECT, null=True, related_name="blobs")  # since it is kept
    part = models.CharField(max_length=10, choices=Part.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WRITING)
    changed_at = models.DateTimeField()  # real time

    class Meta:
        constraints = [
            models.UniqueConstraint(name="blob_kept_once", fields=["medium", "part"], condition=Q(state="KEPT")),
            models.CheckConstraint(name="blob_kept_of_medium", condition=~Q(state="KEPT") | Q(medium__isnull=False)),
        ]
        # What the sweep looks for.
        indexes = [models.Index(name="blob_to_remove", fields=["changed_at"], condition=~Q(state="KEPT"))]

    def __str__(self) -> str:
        return self.name


class MetaUpload(models.Model):
    """A medium of ours as Meta knows it: usable by one number, for 30 days from its upload."""

    medium = models.ForeignKey(Medium, on_delete=models.CASCADE, related_name="uploads")
    phone_number_id = models.CharField(max_length=40)
    meta_id = models.CharField(max_length=128)
    uploaded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="meta_upload_once", fields=["medium", "phone_number_id"])]

    def __str__(self) -> str:
        return self.meta_id
