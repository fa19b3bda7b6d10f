"""Teams of a municipality, and whether its agents see only the threads of their own (accounts/teams.py)."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


class Team(models.Model):
    """Some of a municipality's people, to whom threads are handed. Those of `public` stay empty."""

    LONGEST_NAME = 60

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=LONGEST_NAME)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), name="team_name_once"),
            models.CheckConstraint(name="team_has_a_name", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One user in one team."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint(name="membership_once", fields=["user", "team"])]

    def __str__(self) -> str:
        return f"{self.user_id} {self.team_id}"


class TeamRule(models.Model):
    """The municipality's choice: one row, or none while nothing was chosen and everybody sees all."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    only_own = models.BooleanField(default=False)  # agents see the threads of their teams, and those of none

    class Meta:
        constraints = [models.CheckConstraint(name="team_rule_is_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return "only own" if self.only_own else "all"
