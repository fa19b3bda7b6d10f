"""What a municipality marks its threads with, and the answers that it has ready."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from messaging.models.people import Thread


class Label(models.Model):
    """A word of the municipality's own that agents put on threads, made by an admin."""

    class Colour(models.TextChoices):
        """Names of tokens, never a colour itself: the theme decides (web/static/web/house.css)."""

        PLAIN = "PLAIN", "Grijs"
        INFO = "INFO", "Blauw"
        GOOD = "GOOD", "Groen"
        WARNING = "WARNING", "Oranje"
        BAD = "BAD", "Rood"
        ACCENT = "ACCENT", "Paars"

    LONGEST_NAME = 30

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=LONGEST_NAME)
    colour = models.CharField(max_length=10, choices=Colour.choices, default=Colour.PLAIN)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), name="label_name_once"),
            models.CheckConstraint(name="label_has_name", condition=~Q(name="")),
            models.CheckConstraint(
                name="label_colour_known",
                condition=Q(colour__in=["PLAIN", "INFO", "GOOD", "WARNING", "BAD", "ACCENT"]),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ThreadLabel(models.Model):
    """One label on one thread."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, db_index=False, related_name="labels")
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="threads")

    class Meta:
        constraints = [models.UniqueConstraint(name="thread_label_once", fields=["thread", "label"])]

    def __str__(self) -> str:
        return str(self.label_id)


class CannedReply(models.Model):
    """An answer that is ready: found by its shortcut, and filled in before an agent sends it.

    At most one is the safe route: offered when a citizen sends a number that does not belong in WhatsApp.
    """

    LONGEST_SHORTCUT, LONGEST_TITLE, LONGEST_TEXT = 30, 80, 4096

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    shortcut = models.CharField(max_length=LONGEST_SHORTCUT)  # small letters, digits and hyphens
    title = models.CharField(max_length=LONGEST_TITLE)
    text = models.TextField()
    is_safe_route = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="canned_reply_shortcut_once", fields=["shortcut"]),
            models.CheckConstraint(
                name="canned_reply_shortcut_plain", condition=Q(shortcut__regex=r"^[a-z0-9]+(-[a-z0-9]+)*$")
            ),
            models.CheckConstraint(name="canned_reply_says_something", condition=~Q(title="") & ~Q(text="")),
            models.UniqueConstraint(
                name="canned_reply_one_safe_route", fields=["is_safe_route"], condition=Q(is_safe_route=True)
            ),
        ]

    def __str__(self) -> str:
        return self.shortcut


class ReplyDraft(models.Model):
    """What an agent was writing in a thread and did not send yet: kept here, so that a lost session loses nothing."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, db_index=False, related_name="drafts")
    user_id = models.UUIDField()
    text = models.TextField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="reply_draft_once", fields=["thread", "user_id"]),
            # An empty one is deleted.
            models.CheckConstraint(name="reply_draft_not_empty", condition=~Q(text="")),
        ]

    def __str__(self) -> str:
        return str(self.thread_id)
