"""What Meta said of who somebody is and of messages that are not here yet: kept, so that order decides nothing.

Updates come in any order. What cannot be put in place yet is a row here, and takes effect when its other half comes.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from messaging.models.people import Contact


class Sighting(models.Model):
    """A number and an id that Meta named together for one person, or one of them alone, and when last.

    Who has which number now follows from these (messaging/contacts/people.py), not from what was applied last.
    """

    wa_id = models.CharField(max_length=40, default="", blank=True)
    bsuid = models.CharField(max_length=140, default="", blank=True)
    parent_bsuid = models.CharField(max_length=140, default="", blank=True)
    seen_at = models.DateTimeField()
    profile_name = models.CharField(max_length=300, default="", blank=True)
    username = models.CharField(max_length=100, default="", blank=True)
    named_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="sighting_once", fields=["wa_id", "bsuid"]),
            models.CheckConstraint(name="sighting_of_somebody", condition=~Q(wa_id="", bsuid="")),
        ]
        # Whoever has this id, or shares a parent id; by number the unique rule's own index serves.
        indexes = [
            models.Index(name="sighting_by_bsuid", fields=["bsuid"]),
            models.Index(name="sighting_by_parent", fields=["parent_bsuid"], condition=~Q(parent_bsuid="")),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class IdChange(models.Model):
    """A person's number or id that Meta says has changed. Kept also when nobody here is meant: they may write later."""

    ids = ArrayField(models.CharField(max_length=140))  # the four below, as far as told
    old_wa_id = models.CharField(max_length=40, default="", blank=True)
    old_bsuid = models.CharField(max_length=140, default="", blank=True)
    new_wa_id = models.CharField(max_length=40, default="", blank=True)
    new_bsuid = models.CharField(max_length=140, default="", blank=True)
    changed_at = models.DateTimeField()
    # Of the line that tells it in the thread; empty where a field of the account told it.
    wamid = models.CharField(max_length=200, default="", blank=True)
    phone_number_id = models.CharField(max_length=40, default="", blank=True)
    text = models.TextField(default="", blank=True)
    content = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="id_change_once", fields=["wamid", "old_wa_id", "old_bsuid", "new_wa_id", "new_bsuid"]
            )
        ]
        indexes = [GinIndex(name="id_change_by_ids", fields=["ids"])]  # whoever had or has one of these

    def __str__(self) -> str:
        return str(self.pk)


class Alteration(models.Model):
    """A later word about one message: an edit, a withdrawal or a reaction. The message may come after it."""

    class Kind(models.TextChoices):
        EDIT = "EDIT"
        REVOKE = "REVOKE"
        REACTION = "REACTION"

    wamid = models.CharField(max_length=220, unique=True)
    target_wamid = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    by_contact = models.BooleanField()  # else by the municipality, from the Business app on a phone
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+", null=True)
    shape = models.CharField(max_length=40, default="", blank=True)  # of an edit: the kind of the message it makes
    text = models.TextField(default="", blank=True)  # of an edit: the new text; of a reaction: the emoji, or none
    content = models.JSONField(default=dict)
    stamped_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="alteration_kind_known", condition=Q(kind__in=["EDIT", "REVOKE", "REACTION"]))
        ]
        # What is to be said of a message that comes, or is shown.
        indexes = [models.Index(name="alteration_by_target", fields=["target_wamid"])]

    def __str__(self) -> str:
        return self.kind


class LooseStatus(models.Model):
    """A status of a message that is not here (yet): sent by another program, such as the Business app on a phone."""

    wamid = models.CharField(max_length=200)
    status = models.CharField(max_length=20)
    participant = models.CharField(max_length=40, default="", blank=True)
    stamped_at = models.DateTimeField()
    failed_code = models.IntegerField(null=True)
    failed_reason = models.CharField(max_length=300, default="", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="loose_status_once", fields=["wamid", "status", "participant"])]

    def __str__(self) -> str:
        return self.status


class WindowOpening(models.Model):
    """A contact's last reaction on a number: it opens the service window, and makes no thread."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    phone_number_id = models.CharField(max_length=40)
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="window_opening_once", fields=["contact", "phone_number_id"])]

    def __str__(self) -> str:
        return str(self.pk)
