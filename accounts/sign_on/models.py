"""How a municipality's people sign in with its own provider, and which of the provider's groups have which role."""

from django.db import models
from django.db.models import Q

from accounts.roles import MunicipalRole

ISSUER_CHARACTERS = 200  # as long as allauth's column for a provider, where an identity names its issuer


class SignOn(models.Model):
    """The settings of one municipality: one row at most, made when an admin first saves them.

    The local admin is kept for the day that the provider fails: a trigger of the database refuses that this user is
    blocked, or is no admin any more, while the provider is on (migration 0006_sign_on).
    """

    class SecondStep(models.TextChoices):
        """Who asks for the second step of somebody who comes from the provider."""

        HERE = "HERE"  # this platform, as of everybody
        CLAIMED = "CLAIMED"  # the provider, when its token says so (amr, acr); else this platform
        PROVIDER = "PROVIDER"  # the provider, always: its own rules demand it

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    is_on = models.BooleanField(default=False)
    issuer = models.CharField(max_length=ISSUER_CHARACTERS)  # exactly as the provider's document says it
    client_id = models.CharField(max_length=200)
    client_secret = models.TextField()  # encrypted (tenants/encryption.py)
    groups_claim = models.CharField(max_length=200)  # of the token, such as "groups" or "roles"
    second_step = models.CharField(max_length=8, choices=SecondStep, default=SecondStep.HERE)
    strong_acr = models.CharField(max_length=200, blank=True, default="")  # an acr that stands for a second step
    passwords_open = models.BooleanField(default=True)  # also to who is not the local admin
    local_admin = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="sign_on_one_row", condition=Q(id=1)),
            models.CheckConstraint(
                name="sign_on_second_step_known", condition=Q(second_step__in=["HERE", "CLAIMED", "PROVIDER"])
            ),
            models.CheckConstraint(
                name="sign_on_complete",
                condition=~Q(issuer="") & ~Q(client_id="") & ~Q(client_secret="") & ~Q(groups_claim=""),
            ),
        ]

    def __str__(self) -> str:
        return self.issuer


class GroupRole(models.Model):
    """One of the provider's groups, by what the token calls it, and a role that its members have."""

    group = models.CharField(max_length=200)
    role = models.CharField(max_length=20, choices=MunicipalRole)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="group_role_once", fields=["group", "role"]),
            models.CheckConstraint(name="group_role_named", condition=~Q(group="")),
            models.CheckConstraint(name="group_role_known", condition=Q(role__in=list(MunicipalRole.values))),
        ]

    def __str__(self) -> str:
        return f"{self.group}: {self.role}"
