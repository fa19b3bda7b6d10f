"""Users and their roles.

The same tables stand in `public` and in each schema; a session of one is nothing in another.
"""

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.roles import ROLES
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

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [models.CheckConstraint(name="user_email_lower_case", condition=Q(email=Lower("email")))]

    def __str__(self) -> str:
        return self.name

    def actor(self) -> Actor:
        """Return who this user is, as the trail keeps it."""
        return Actor(schema=connection.schema_name, id=str(self.id), name=self.name)  # type: ignore[attr-defined]


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
