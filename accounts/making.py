"""Making users by an operator's hand: with a password and exactly the roles that were named."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import transaction
from django_tenants.utils import get_public_schema_name, schema_context

from accounts.invitations import withdraw
from accounts.models import RoleGrant, User
from accounts.people import keeping_an_admin
from accounts.roles import check_roles
from audit.record import Actor, record
from tenants.models import Municipality


class UnknownSchema(Exception):
    """No municipality has the schema."""


@dataclass(frozen=True, slots=True)
class Made:
    """A user, their roles, and whether this call made them."""

    user: User
    roles: frozenset[str]
    created: bool


def make_user(
    *, schema_name: str, email: str, name: str, roles: Collection[str], password: str, actor: Actor, at: datetime
) -> Made:
    """Make a user, or give the one with this address the password and exactly the roles. Safe to repeat; audited.

    Raises UnknownSchema, UnknownRole, LastAdmin: nothing was changed then.
    """
    if schema_name != get_public_schema_name() and not Municipality.objects.filter(schema_name=schema_name).exists():
        raise UnknownSchema(f"no municipality has the schema {schema_name}")
    with schema_context(schema_name), transaction.atomic(), keeping_an_admin():
        check_roles(roles=roles)
        user = User.objects.select_for_update().filter(email=email.strip().lower()).first()
        created = user is None
        if user is None:
            user = User.objects.create_user(email=email, name=name, password=password, at=at)
        else:
            user.name = name
            user.is_active = True
            user.set_password(password)
            user.save()
            withdraw(user_id=user.id)
        user.role_grants.exclude(role__in=roles).delete()
        grants = (RoleGrant(user=user, role=role, granted_at=at) for role in roles)
        RoleGrant.objects.bulk_create(grants, ignore_conflicts=True)
        details = {"roles": sorted(roles), "created": created}
        record(action="user.make", actor=actor, at=at, subject=f"user {user.id}", details=details)
    return Made(user=user, roles=frozenset(roles), created=created)


def set_up_app(*, schema_name: str, user: User, secret: str | None = None) -> str:
    """Give somebody an app with codes whose telephone is a program, of demos and tests; return its secret.

    An app that they had stops working. Safe to repeat.
    """
    secret = secret or str(generate_totp_secret())
    with schema_context(schema_name), transaction.atomic():
        Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).delete()
        TOTP.activate(user, secret)
    return secret
