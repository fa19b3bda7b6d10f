"""Who writes, and what agent and citizen see together."""

import uuid
from datetime import datetime

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q
from django.db.models.functions import Reverse, Upper

from messaging.window import window_end


class Contact(models.Model):
    """A person who writes (inwoner): known by a `wa_id`, by a business-scoped user id (`bsuid`), or by both.

    When Meta links two, the younger is merged into the older and its row keeps pointing there, because metered facts
    name contacts by these ids.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    wa_id = models.CharField(max_length=40, unique=True, null=True)
    bsuid = models.CharField(max_length=140, unique=True, null=True)
    profile_name = models.CharField(max_length=300, default="", blank=True)
    username = models.CharField(max_length=100, default="", blank=True)
    parent_bsuid = models.CharField(max_length=140, default="", blank=True)  # the same person over linked portfolios
    created_at = models.DateTimeField()
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="merged")

    class Meta:
        constraints = [
            # A merged contact's ids have moved to the one that it was merged into.
            models.CheckConstraint(
                name="contact_has_an_id",
                condition=Q(merged_into__isnull=False, wa_id=None, bsuid=None)
                | Q(merged_into=None) & (Q(wa_id__isnull=False) | Q(bsuid__isnull=False)),
            ),
        ]
        # A search finds people by the words of their name, and by the last digits of their number; by its first ones
        # the index of `wa_id` itself does.
        indexes = [
            GinIndex(SearchVector("profile_name", "username", config="public.names_plain"), name="contact_by_name"),
            models.Index(Reverse("wa_id"), name="contact_by_last_digits"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Thread(models.Model):
    """What agent and citizen see (gesprek): one contact on one number, opened and closed.

    OPEN -> CLOSED; a new message opens a new thread.

    An open one may sleep until `snoozed_until`: it stands in no list but that of the sleeping, until then or until the
    contact writes.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", "Open"
        CLOSED = "CLOSED", "Gesloten"

    class CloseReason(models.TextChoices):
        ANSWERED = "ANSWERED", "Beantwoord"
        HANDED_OVER = "HANDED_OVER", "Overgedragen"
        NO_REPLY = "NO_REPLY", "Geen reactie meer"
        NOT_FOR_US = "NOT_FOR_US", "Niet voor de gemeente"
        SPAM = "SPAM", "Ongewenst"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="threads")
    phone_number_id = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    last_inbound_at = models.DateTimeField(null=True)  # Meta's stamp of the contact's last message on this number
    last_message_at = models.DateTimeField()
    read_until = models.DateTimeField(null=True)  # Meta's stamp of the last message that was marked as read
    waiting_since = models.DateTimeField(null=True)  # the first message of the contact that nobody answered yet
    answered_on_phone_at = models.DateTimeField(null=True)  # the last message that left from the Business app
    team_id = models.UUIDField(null=True)  # the team that it was handed to (accounts/teams.py); null: no team's
    imported = models.BooleanField(default=False)  # holds what was said before the number came here; closed
    assignee_id = models.UUIDField(null=True)  # the user who answers it; null: nobody yet
    snoozed_until = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=20, choices=CloseReason.choices, default="", blank=True)
    case_number = models.CharField(max_length=60, default="", blank=True)  # zaaknummer, of its own system

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="thread_open_once", fields=["contact", "phone_number_id"], condition=Q(state="OPEN")
            ),
            models.UniqueConstraint(
                name="thread_imported_once", fields=["contact", "phone_number_id"], condition=Q(imported=True)
            ),
            models.CheckConstraint(name="thread_imported_is_closed", condition=Q(imported=False) | Q(state="CLOSED")),
            models.CheckConstraint(name="thread_snoozed_is_open", condition=Q(snoozed_until=None) | Q(state="OPEN")),
            models.CheckConstraint(
                name="thread_close_reason_known",
                condition=Q(close_reason="")
                | Q(state="CLOSED", close_reason__in=["ANSWERED", "HANDED_OVER", "NO_REPLY", "NOT_FOR_US", "SPAM"]),
            ),
            models.CheckConstraint(
                name="thread_closed_has_moment",
                condition=Q(state="OPEN", closed_at=None) | Q(state="CLOSED", closed_at__isnull=False),
            ),
        ]
        # The inbox lists open threads by last message, one's own too; those that wait by how long, closed ones by when.
        indexes = [
            models.Index(name="thread_open_by_last", fields=["-last_message_at"], condition=Q(state="OPEN")),
            models.Index(name="thread_waiting", fields=["waiting_since"], condition=Q(state="OPEN")),
            models.Index(
                name="thread_of_assignee",
                fields=["assignee_id", "-last_message_at"],
                condition=Q(state="OPEN", assignee_id__isnull=False),
            ),
            models.Index(name="thread_closed", fields=["-closed_at"], condition=Q(state="CLOSED")),
            # A search finds a thread by its case; most have none.
            models.Index(Upper("case_number"), name="thread_by_case", condition=~Q(case_number="")),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def window_ends_at(self) -> datetime | None:
        """Return when the service window closes or closed, or None when the contact never wrote."""
        return window_end(last_inbound_at=self.last_inbound_at)
