"""Letting somebody in whom the provider vouches for: by issuer and subject, each time with the roles of their groups.

An address of mail finds nobody: whoever can choose theirs at the provider would become somebody else here.
"""

from datetime import datetime

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, connection, transaction

from accounts import signed_in
from accounts.addresses import trust_given
from accounts.models import RoleGrant, User
from accounts.sign_on.claims import Person
from accounts.sign_on.gate import is_local_admin
from accounts.sign_on.models import GroupRole
from accounts.sign_on.trouble import NotAdmitted
from audit.models import Entry
from audit.record import Actor, record

ACTION = "sign_in.provider"


def admit(*, person: Person, issuer: str, at: datetime) -> SocialAccount:
    """Return the identity of somebody who may come in, whose user has exactly the roles that their groups stand for.

    The first time a user is made. Audited, also that somebody was refused.
    Raises NotAdmitted: NO_ROLE (roles and sessions that there were have ended), BLOCKED, or ADDRESS_TAKEN.
    """
    roles = set(GroupRole.objects.filter(group__in=person.groups).values_list("role", flat=True))
    with transaction.atomic():
        identity = _find(issuer, person) or (_make(person, issuer, at) if roles else None)
        refusal = _refusal(identity, roles)
        if identity is not None:
            _give(identity.user, roles if refusal is None else set(), person, at, blocked=refusal == "BLOCKED")
        actor = identity.user.actor() if identity else _stranger(person)
        details = {"issuer": issuer} if refusal is None else {"issuer": issuer, "reason": refusal}
        outcome = Entry.Outcome.OK if refusal is None else Entry.Outcome.DENIED
        record(action=ACTION, actor=actor, at=at, subject=f"user {actor.id}", outcome=outcome, details=details)
    if identity is None or refusal is not None:
        raise NotAdmitted(refusal or "ADDRESS_TAKEN")
    return identity


def link(*, user: User, person: Person, issuer: str, at: datetime) -> None:
    """Have somebody who is signed in come by the provider from now on. Safe to repeat; audited.

    Raises NotAdmitted: LOCAL_ADMIN, or OTHERS: the identity is another user's.
    """
    if is_local_admin(user=user):
        raise NotAdmitted("LOCAL_ADMIN")
    with transaction.atomic():
        identity, made = SocialAccount.objects.get_or_create(
            provider=issuer, uid=person.subject, defaults={"user": user}
        )
        if identity.user_id != user.id:
            raise NotAdmitted("OTHERS")
        if made:
            record(
                action="sign_on.link", actor=user.actor(), at=at, subject=f"user {user.id}", details={"issuer": issuer}
            )


def refuse(*, code: str, issuer: str, at: datetime) -> None:
    """Have the trail know that somebody came with what the provider should not have given."""
    actor = Actor(schema=connection.schema_name, id="unknown", name="")  # type: ignore[attr-defined]
    details = {"issuer": issuer, "reason": code}
    record(action=ACTION, actor=actor, at=at, subject="user unknown", outcome=Entry.Outcome.DENIED, details=details)


def _find(issuer: str, person: Person) -> SocialAccount | None:
    found = SocialAccount.objects.select_for_update(of=("self",)).select_related("user")
    identity: SocialAccount | None = found.filter(provider=issuer, uid=person.subject).first()
    return identity


def _make(person: Person, issuer: str, at: datetime) -> SocialAccount | None:
    """Make a user and their identity; None: somebody else here has their address."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(email=person.email, name=person.name, at=at)
            identity = SocialAccount.objects.create(user=user, provider=issuer, uid=person.subject)
    except IntegrityError:
        return _find(issuer, person)  # made meanwhile; or None: somebody has the address
    trust_given(user=user)
    details = {"created": True, "issuer": issuer}
    record(action="user.make", actor=user.actor(), at=at, subject=f"user {user.id}", details=details)
    return identity


def _refusal(identity: SocialAccount | None, roles: set[str]) -> str | None:
    if identity is not None and not identity.user.is_active:
        return "BLOCKED"
    if not roles:
        return "NO_ROLE"
    return None if identity is not None else "ADDRESS_TAKEN"


def _give(user: User, roles: set[str], person: Person, at: datetime, *, blocked: bool) -> None:
    """Give somebody exactly these roles and the provider's name; who has none left is signed out everywhere."""
    if blocked:
        return
    had = set(user.role_grants.values_list("role", flat=True))
    if had != roles:
        user.role_grants.exclude(role__in=roles).delete()
        grants = (RoleGrant(user=user, role=role, granted_at=at) for role in roles)
        RoleGrant.objects.bulk_create(grants, ignore_conflicts=True)
        details = {"roles": sorted(roles), "before": sorted(had), "by": "provider"}
        record(action="user.roles", actor=user.actor(), at=at, subject=f"user {user.id}", details=details)
    if user.name != person.name:
        user.name = person.name
        user.save(update_fields=["name"])
    if not roles:
        signed_in.end_all(user=user)


def _stranger(person: Person) -> Actor:
    return Actor(schema=connection.schema_name, id="unknown", name=person.name)  # type: ignore[attr-defined]
