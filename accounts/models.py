"""Who signs in: users with their roles, how they are invited, what signing in asks of them, and the keys of systems.

The same tables stand in `public` and in each schema; a session or key of one is nothing in another.
"""

import uuid
from datetime import datetime
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.roles import ROLES
from accounts.scopes import SCOPES
from accounts.team_models import Membership, Team, TeamRule
from audit.record import Actor

__all__ = ["ApiKey", "Membership", "RoleGrant", "SignedIn", "Team", "TeamRule", "User", "UserManager"]


class UserManager(BaseUserManager["User"]):
    """Makes users; without a password they cannot sign in until they are invited."""

    def create_user(self, *, email: str, name: str, at: datetime | None = None, password: str | None = None) -> "User":
        """Make one user in the schema that the connection is in."""
        user = self.model(email=email.strip().lower(), name=name, made_at=at)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """Someone who signs in. Ids are UUIDs, so that an id of one schema never means somebody of another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)  # lower case, as typed by nobody twice
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    # Of an employee of the BSP who is here for a while (accounts/breakglass.py): which entry, a row of `public`.
    break_glass_id = models.UUIDField(unique=True, null=True, editable=False)
    made_at = models.DateTimeField(null=True)  # None: before it was kept
    language = models.CharField(max_length=2, blank=True, default="", db_default="")  # accounts/languages.py

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [
            models.CheckConstraint(name="user_email_lower_case", condition=Q(email=Lower("email"))),
            models.CheckConstraint(name="user_language_known", condition=Q(language__in=["", "nl", "en"])),
        ]

    def __str__(self) -> str:
        return self.name

    def actor(self) -> Actor:
        """Return who this user is, as the trail keeps it."""
        return Actor(
            schema=connection.schema_name,  # type: ignore[attr-defined]
            id=str(self.id),
            name=self.name,
            break_glass=str(self.break_glass_id or ""),
        )


class RoleGrant(models.Model):
    """One role of one user."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_grants")
    role = models.CharField(max_length=20, choices=ROLES)
    granted_at = models.DateTimeField(null=True)  # None: before it was kept

    class Meta:
        constraints = [
            models.UniqueConstraint(name="role_grant_once", fields=["user", "role"]),
            models.CheckConstraint(name="role_grant_known", condition=Q(role__in=[role for role, _ in ROLES])),
        ]

    def __str__(self) -> str:
        return self.role


class SignedIn(models.Model):
    """Where a user is signed in: what is told of one of their sessions. It goes with the session."""

    LONGEST_USER_AGENT = 200

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="signed_in")
    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="signed_in")
    begun_at = models.DateTimeField()  # of real time, as sessions are
    ip = models.GenericIPAddressField()
    user_agent = models.CharField(max_length=LONGEST_USER_AGENT)

    def __str__(self) -> str:
        return f"{self.ip} {self.begun_at:%Y-%m-%d %H:%M}"


class ApiKey(models.Model):
    """A key with which a system calls (API-sleutel); the secret is shown once and not kept.

        ACTIVE -> EXPIRED (expires_at has passed)
           \\----> REVOKED (revoked_at is set), for good

    prefix: the part of the secret by which its row is found; it opens nothing. previous_*: the secret from before it
    was rotated, which opens the same until `previous_until`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)  # of the system that holds it, as the municipality knows it
    scopes = models.JSONField()
    prefix = models.CharField(max_length=12, unique=True)
    secret_hash = models.BinaryField(max_length=32)  # SHA-256: the secret is 256 random bits, so no salt or stretching
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)  # to the minute
    allowed_ranges = models.JSONField(default=list, db_default=[])  # CIDR, such as 192.0.2.0/24; none: from anywhere
    previous_prefix = models.CharField(max_length=12, unique=True, null=True)
    previous_hash = models.BinaryField(max_length=32, null=True)
    previous_until = models.DateTimeField(null=True)
    previous_used_at = models.DateTimeField(null=True)  # to the minute: whether a system still has the old secret

    shows_previous = False  # of one that was just found: by the secret from before

    class Meta:
        db_table = "api_apikey"  # where it was made; ADR 12
        constraints = [
            models.CheckConstraint(
                name="api_key_previous_whole",
                condition=Q(previous_prefix=None, previous_hash=None, previous_until=None, previous_used_at=None)
                | Q(previous_prefix__isnull=False, previous_hash__isnull=False, previous_until__isnull=False),
            ),
            # Two keys of one name could not be told apart in the trail.
            models.UniqueConstraint(name="api_key_name_once", fields=["name"], condition=Q(revoked_at=None)),
            models.CheckConstraint(name="api_key_scopes_known", condition=Q(scopes__contained_by=sorted(SCOPES))),
            models.CheckConstraint(name="api_key_has_a_scope", condition=~Q(scopes=[])),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    def actor(self) -> Actor:
        """Return who acts with this key, as the trail keeps it."""
        return Actor(schema=connection.schema_name, id=str(self.id), name=f"API: {self.name}")  # type: ignore[attr-defined]


class SignInRules(models.Model):
    """What signing in asks of everyone in this schema, as its admins chose: one row, or none while all is as usual.

    Who must have a second step whatever is chosen here, accounts/second_step.py says.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    second_step_for_all = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(name="sign_in_rules_once", condition=Q(id=1))]

    def __str__(self) -> str:
        return "second step for all" if self.second_step_for_all else "as usual"


class Invitation(models.Model):
    """The way in for somebody who has no password: a link by mail that works once, until a moment.

        open --accept--> accepted_at      (name and password chosen)
          |------revoke--> revoked_at
          '------time----> expires_at     (sent again, it has a new link and a new end)

    The link's token is made when the mail is sent, and only its digest is kept: who reads this table, or a copy of it,
    gets in nowhere. Moments are of real time, as those of sessions are.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    invited_by_name = models.CharField(max_length=200)
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    token_digest = models.BinaryField(max_length=32, null=True)  # None: the mail with the link has not been made yet
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="invitation_open_once", fields=["user"], condition=Q(accepted_at=None, revoked_at=None)
            ),
            models.UniqueConstraint(name="invitation_token_once", fields=["token_digest"]),
            models.CheckConstraint(name="invitation_ends_one_way", condition=Q(accepted_at=None) | Q(revoked_at=None)),
            models.CheckConstraint(name="invitation_has_an_end", condition=Q(expires_at__gt=models.F("invited_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} until {self.expires_at:%Y-%m-%d %H:%M}"


class Mail(models.Model):
    """A mail to somebody with an account that is sent by a worker after the commit (accounts/posting.py).

        QUEUED --> SENDING --> SENT
          ^           |------> FAILED    (given up after some attempts: somebody has it sent again)
          '-----------'  not taken, tried again later; also when the lease of who sent it ended

    The address is the user's, and what it says is made when it is sent: no link lies here.
    """

    class What(models.TextChoices):
        """What it is about."""

        INVITATION = "INVITATION"
        SECOND_STEP_RESET = "SECOND_STEP_RESET"
        DECLARATION_DECIDED = "DECLARATION_DECIDED"  # to each admin (accounts/declaration_mail.py)
        SUSPENSION = "SUSPENSION"  # to each admin; resumed or ended as well (accounts/suspension_mail.py)

    class State(models.TextChoices):
        """Where it is."""

        QUEUED = "QUEUED"
        SENDING = "SENDING"
        SENT = "SENT"
        FAILED = "FAILED"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mails")
    what = models.CharField(max_length=20, choices=What)
    language = models.CharField(max_length=2)  # of who it goes to, else of who had it sent
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()  # while SENDING: when its lease ends
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="mail_what_known",
                condition=Q(what__in=["INVITATION", "SECOND_STEP_RESET", "DECLARATION_DECIDED", "SUSPENSION"]),
            ),
            models.CheckConstraint(
                name="mail_state_known", condition=Q(state__in=["QUEUED", "SENDING", "SENT", "FAILED"])
            ),
            models.CheckConstraint(
                name="mail_sent_when",
                condition=Q(state="SENT", sent_at__isnull=False) | (~Q(state="SENT") & Q(sent_at=None)),
            ),
        ]
        # The sweep asks for what is due (accounts/posting.py).
        indexes = [models.Index(name="mail_due", fields=["due_at"], condition=Q(state__in=["QUEUED", "SENDING"]))]

    def __str__(self) -> str:
        return f"{self.what} {self.state}"


# Django finds models here; these have a room of their own.
from accounts.sign_on.models import GroupRole, SignOn  # noqa: E402, F401
