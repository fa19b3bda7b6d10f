"""What agents write and do about a thread, for each other alone. No citizen ever sees it."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q

from messaging.models.people import Thread


class ThreadNote(models.Model):
    """One internal note, or one thing that was done to the thread. Append-only in use: nothing alters one."""

    class Kind(models.TextChoices):
        NOTE = "NOTE", "Notitie"
        ASSIGNED = "ASSIGNED", "Toegewezen"
        RELEASED = "RELEASED", "Losgelaten"
        SNOOZED = "SNOOZED", "Uitgesteld"
        WOKEN = "WOKEN", "Weer opgepakt"
        CASE = "CASE", "Zaaknummer"
        TEAM = "TEAM", "Team"
        CLOSED = "CLOSED", "Gesloten"

    MOST_CHARACTERS = 4000

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, db_index=False, related_name="notes")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    text = models.TextField(default="", blank=True)  # of a note; of the others what it became, or why
    author_id = models.UUIDField(null=True)  # the user who did it; null: the system
    about_id = models.UUIDField(null=True)  # the user it was assigned to
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="thread_note_kind_known",
                condition=Q(kind__in=["NOTE", "ASSIGNED", "RELEASED", "SNOOZED", "WOKEN", "CASE", "TEAM", "CLOSED"]),
            ),
            # A note says something.
            models.CheckConstraint(name="thread_note_not_empty", condition=~Q(kind="NOTE") | ~Q(text="")),
        ]
        # A thread shows them between its messages.
        indexes = [models.Index(name="thread_note_by_thread", fields=["thread", "at"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"

    def until(self) -> datetime | None:
        """Return until when the thread was put aside, where that is what was done."""
        return datetime.fromisoformat(self.text) if self.kind == self.Kind.SNOOZED else None


class Mention(models.Model):
    """A user who was named in a note, and whether they saw it."""

    note = models.ForeignKey(ThreadNote, on_delete=models.CASCADE, related_name="mentions")
    user_id = models.UUIDField()
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="mention_once", fields=["note", "user_id"])]
        # What somebody has not seen yet.
        indexes = [models.Index(name="mention_unseen", fields=["user_id"], condition=Q(seen_at=None))]

    def __str__(self) -> str:
        return str(self.user_id)
