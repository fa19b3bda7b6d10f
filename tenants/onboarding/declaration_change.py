"""Changes of a declaration: their rows. What is done with them: tenants/onboarding/redeclaring.py."""

import uuid

from django.db import models
from django.db.models import Q


class DeclarationChange(models.Model):
    """Other purposes than a municipality declared, as its admin asks for them. What was declared holds until then.

    WAITING -> APPROVED    by the BSP's compliance: from then on the new purposes are the declared ones
            -> REJECTED    by the same, with the reason; what was declared stays
            -> WITHDRAWN   by the municipality itself

    One waits at a time. What is decided is never changed or deleted: a trigger refuses it.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", "Wacht op goedkeuring"
        APPROVED = "APPROVED", "Goedgekeurd"
        REJECTED = "REJECTED", "Afgewezen"
        WITHDRAWN = "WITHDRAWN", "Teruggenomen"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    municipality = models.ForeignKey(
        "tenants.Municipality", on_delete=models.PROTECT, related_name="declaration_changes"
    )
    before = models.JSONField()  # the purposes that were declared when it was asked, in order
    purposes = models.JSONField()  # {purpose: what for exactly}: all that is to be declared from then on
    terms_version = models.CharField(max_length=20)  # of tenants/declaration.py: what was accepted anew
    signatory_name = models.CharField(max_length=200)
    signatory_function = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField()
    asked_by_schema = models.CharField(max_length=63)
    asked_by_id = models.CharField(max_length=40)
    asked_by_name = models.CharField(max_length=200)
    decided_at = models.DateTimeField(null=True)
    decided_by_name = models.CharField(max_length=200, default="", blank=True)
    reason = models.CharField(max_length=1000, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="declaration_change_waits_once", fields=["municipality"], condition=Q(state="WAITING")
            ),
            models.CheckConstraint(
                name="declaration_change_state_known",
                condition=Q(state__in=["WAITING", "APPROVED", "REJECTED", "WITHDRAWN"]),
            ),
            models.CheckConstraint(
                name="declaration_change_decided_by_somebody",
                condition=Q(state="WAITING", decided_at=None, decided_by_name="", reason="")
                | (~Q(state="WAITING") & Q(decided_at__isnull=False) & ~Q(decided_by_name="")),
            ),
            models.CheckConstraint(
                name="declaration_change_rejected_says_why", condition=~Q(state="REJECTED") | ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"

    @property
    def added(self) -> list[str]:
        """Return the purposes that were not declared before."""
        return sorted(set(self.purposes) - set(self.before))

    @property
    def withdrawn(self) -> list[str]:
        """Return the purposes that are declared no longer."""
        return sorted(set(self.before) - set(self.purposes))
