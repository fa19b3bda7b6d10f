"""What a municipality tells citizens by itself, and to whom it was told (messaging/office/telling.py)."""

from django.db import models
from django.db.models import Q

from messaging.models.people import Contact


class ClosedAnswer(models.Model):
    """That citizens are answered while the municipality is closed: one row, or none while nobody chose so."""

    LONGEST_TEXT = 600

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    own_text = models.CharField(max_length=LONGEST_TEXT, default="", blank=True)  # in place of ours
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="closed_answer_is_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return f"{self.saved_at:%Y-%m-%d %H:%M}"


class Told(models.Model):
    """That a citizen was told something by itself, and until when they are not told it again."""

    class What(models.TextChoices):
        CLOSED = "CLOSED", "Gesloten"
        NOTICE = "NOTICE", "Privacy"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, db_index=False, related_name="told")
    what = models.CharField(max_length=10, choices=What.choices)
    told_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="told_once", fields=["contact", "what"]),
            models.CheckConstraint(name="told_what_known", condition=Q(what__in=["CLOSED", "NOTICE"])),
            models.CheckConstraint(name="told_until_later", condition=Q(until__gt=models.F("told_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.until:%Y-%m-%d}"
