"""Entries of the BSP's employees into municipalities: their rows. What is done with them: accounts/breakglass.py."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q

SHORTEST_MINUTES, LONGEST_MINUTES = 15, 240
ROLES = ("ADMIN", "AGENT")  # settings, or citizens' threads; of which accounts/permissions.py lets an entry have a part


class BreakGlass(models.Model):
    """One entry of an employee of the BSP into a municipality's workspace: asked for, and what became of it.

        REQUESTED -> APPROVED -> OPEN -> ENDED
            | \\          \\
            |  \\----------\\---> WITHDRAWN
            \\---> REFUSED

    APPROVED at once where the municipality does not want to be asked first. What is over by its time opens nothing,
    written down or not: REQUESTED and APPROVED after `lapses_at`, OPEN after `ends_at`. All of it is real time, as
    sessions are. Who is inside is a user of the municipality's schema that names this row's id.
    """

    class State(models.TextChoices):
        """What was done last; whether its time is over says `is_over`."""

        REQUESTED = "REQUESTED"
        APPROVED = "APPROVED"
        REFUSED = "REFUSED"
        WITHDRAWN = "WITHDRAWN"
        LAPSED = "LAPSED"
        OPEN = "OPEN"
        ENDED = "ENDED"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    municipality = models.ForeignKey("tenants.Municipality", on_delete=models.PROTECT, related_name="break_glass")
    employee_id = models.UUIDField()  # a user of `public`
    employee_name = models.CharField(max_length=200)  # as it was then
    roles = models.JSONField()
    reason = models.CharField(max_length=500)  # the employee's words; the page asks to name no citizen
    minutes = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State.choices)
    requested_at = models.DateTimeField()
    lapses_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, default="", blank=True)  # a name; empty: nobody was asked
    opened_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    user_id = models.UUIDField(null=True)  # who is inside, in the municipality's schema
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, default="", blank=True)
    handover_digest = models.BinaryField(max_length=32, null=True, unique=True)  # SHA-256 of a token that opens once
    handover_until = models.DateTimeField(null=True)
    # When the municipality's people were mailed that it waits for them, and that it is open; and who does so now.
    asked_mailed_at = models.DateTimeField(null=True)
    opened_mailed_at = models.DateTimeField(null=True)
    mail_claimed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="break_glass_minutes", condition=Q(minutes__gte=SHORTEST_MINUTES, minutes__lte=LONGEST_MINUTES)
            ),
            # A reason that says something.
            models.CheckConstraint(name="break_glass_reason", condition=Q(reason__regex=r"\S.{8,}\S")),
            models.CheckConstraint(
                name="break_glass_roles_known", condition=Q(roles__contained_by=list(ROLES)) & ~Q(roles=[])
            ),
            # Every state is one of these; nobody is inside who never went in, nor for longer than may be asked for.
            models.CheckConstraint(
                name="break_glass_opened_whole",
                condition=Q(
                    state__in=["OPEN", "ENDED"], opened_at__isnull=False, ends_at__isnull=False, user_id__isnull=False
                )
                | Q(
                    state__in=["REQUESTED", "APPROVED", "REFUSED", "WITHDRAWN", "LAPSED"],
                    opened_at=None,
                    ends_at=None,
                    user_id=None,
                ),
            ),
            models.CheckConstraint(
                name="break_glass_ends_in_time",
                condition=Q(ends_at=None)
                | Q(ends_at__gt=F("opened_at"), ends_at__lte=F("opened_at") + timedelta(minutes=LONGEST_MINUTES)),
            ),
            models.CheckConstraint(
                name="break_glass_ended_told",
                condition=Q(state="ENDED", ended_at__isnull=False) & ~Q(ended_by="")
                | ~Q(state="ENDED") & Q(ended_at=None, ended_by=""),
            ),
            models.CheckConstraint(
                name="break_glass_handover_whole",
                condition=Q(handover_digest=None, handover_until=None)
                | Q(handover_digest__isnull=False, handover_until__isnull=False),
            ),
            # One at a time of one employee, so that each has its own reason and end.
            models.UniqueConstraint(
                name="break_glass_once",
                fields=["municipality", "employee_id"],
                condition=Q(state__in=["REQUESTED", "APPROVED", "OPEN"]),
            ),
        ]
        # Every page of a workspace asks what is open or waits; one lists them all, the latest first.
        indexes = [models.Index(name="break_glass_by_moment", fields=["municipality", "-requested_at"])]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"

    def is_over(self, *, at: datetime) -> bool:
        """Return whether it opens nothing any more; at: real time."""
        if self.state in (self.State.REQUESTED, self.State.APPROVED):
            return self.lapses_at <= at
        return self.state != self.State.OPEN or self.ends_at is None or self.ends_at <= at
