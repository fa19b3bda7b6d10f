"""Inviting people. Who is invited is a user without a password, with an open invitation; accepting it gives them one.

The mail with the link is sent after the commit (accounts/posting.py), and the link's token is made then: only its
digest is kept. There is no other way to a first password but an operator's `create_user`.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from psycopg.errors import UniqueViolation

from accounts import addresses, posting
from accounts.models import Invitation, Mail, RoleGrant, User
from accounts.roles import check_roles
from audit.record import Actor, record

VALID = timedelta(days=7)
OPEN = Q(accepted_at=None, revoked_at=None)


class AlreadyThere(Exception):
    """A user of this schema has the address."""


class NotInvited(Exception):
    """There is no invitation that can still be accepted, revoked or sent again."""


@transaction.atomic
def invite(*, email: str, name: str, roles: Collection[str], actor: Actor, language: str, at: datetime) -> Invitation:
    """Make a user without a password and have them invited by mail. Audited.

    language: of the mail.
    Raises AlreadyThere, UnknownRole: nothing was changed.
    """
    check_roles(roles=roles)
    try:
        with transaction.atomic():
            user = User.objects.create_user(email=email, name=name, at=at)
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise AlreadyThere(email) from None
    RoleGrant.objects.bulk_create(RoleGrant(user=user, role=role, granted_at=at) for role in roles)
    invitation = _open(user=user, actor=actor, language=language)
    details = {"roles": sorted(roles)}
    record(action="invitation.make", actor=actor, at=at, subject=f"user {user.id}", details=details)
    return invitation


@transaction.atomic
def invite_again(*, user_id: UUID, actor: Actor, language: str, at: datetime) -> Invitation:
    """Have somebody who has no password yet invited once more: with a new link, until a new end. Audited.

    The link from before stops working at once.  Raises NotInvited: they have a password, or may not come in.
    """
    user = User.objects.select_for_update().filter(id=user_id).first()
    if user is None or user.has_usable_password() or not user.is_active:
        raise NotInvited
    user.invitations.filter(OPEN).update(revoked_at=timezone.now())
    invitation = _open(user=user, actor=actor, language=language)
    record(action="invitation.repeat", actor=actor, at=at, subject=f"user {user.id}")
    return invitation


@transaction.atomic
def revoke(*, user_id: UUID, actor: Actor, at: datetime) -> None:
    """Have somebody's invitation count no longer. Audited.  Raises NotInvited: there is none."""
    if not User.objects.select_for_update().filter(id=user_id).exists() or not withdraw(user_id=user_id):
        raise NotInvited
    record(action="invitation.revoke", actor=actor, at=at, subject=f"user {user_id}")


def withdraw(*, user_id: UUID) -> bool:
    """Close somebody's open invitation within another act; return whether there was one."""
    return Invitation.objects.filter(OPEN, user_id=user_id).update(revoked_at=timezone.now()) > 0


def make_token(*, invitation: Invitation) -> str:
    """Return a new token for an open invitation, and keep its digest; one from before works no longer."""
    token = secrets.token_urlsafe(32)
    Invitation.objects.filter(OPEN, id=invitation.id).update(token_digest=digest(token))
    return token


def find(*, token_digest: bytes) -> Invitation | None:
    """Return the invitation that a link is for, while it can be accepted."""
    return _acceptable().filter(token_digest=token_digest).select_related("user").first()


@transaction.atomic
def accept(*, token_digest: bytes, name: str, password: str, at: datetime) -> User:
    """Give who has the link their name and password; the link works no longer. Audited.

    The password has been checked against the rules.  Raises NotInvited: the link cannot be used, or not any more.
    """
    invitation = _acceptable().filter(token_digest=token_digest).select_for_update().first()
    if invitation is None:
        raise NotInvited
    user = User.objects.select_for_update().get(id=invitation.user_id)
    user.name = name
    user.set_password(password)
    user.save()
    invitation.accepted_at = timezone.now()
    invitation.save()
    addresses.trust_given(user=user)
    record(action="invitation.accept", actor=user.actor(), at=at, subject=f"user {user.id}")
    return user


def digest(token: str) -> bytes:
    """Return how a token is kept; without salt, because it is 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def _acceptable() -> QuerySet[Invitation]:
    return Invitation.objects.filter(OPEN, expires_at__gt=timezone.now(), user__is_active=True)


def _open(*, user: User, actor: Actor, language: str) -> Invitation:
    now = timezone.now()
    invitation = Invitation.objects.create(
        user=user, invited_by_name=actor.name, invited_at=now, expires_at=now + VALID
    )
    posting.post(user=user, what=Mail.What.INVITATION, language=language)
    return invitation
