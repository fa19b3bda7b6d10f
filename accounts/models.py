"""Who signs in: users with their roles, and the keys of systems.

The same tables stand in `public` and in each schema; a session or key of one is nothing in another.
"""

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.roles import ROLES
from accounts.scopes import SCOPES
from audit.record import Actor


class UserManager(BaseUserManager["User"]):
    """Makes users; without a password they cannot sign in until they are invited."""

    def create_user(self, *, email: str, name: str, password: str | None = None) -> "User":
        """Make one user in the schema that the connection is in."""
        user = self.model(email=email.strip().lower(), name=name)
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

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [models.CheckConstraint(name="user_email_lower_case", condition=Q(email=Lower("email")))]

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
