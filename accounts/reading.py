"""Who there is: the users of a schema with their roles, when they signed in last, and how they are protected."""

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django_tenants.utils import get_public_schema_name

from accounts import strength
from accounts.models import Invitation, Mail, RoleGrant, User
from accounts.roles import MunicipalRole
from accounts.sign_on import gate

# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
REVIEW = (
    "id",
    "name",
    "email",
    "state",
    "roles",
    "roles_since",
    "made_at",
    "last_sign_in_at",
    "second_step_required",
    "second_steps",
    "second_step_since",
    "invitation",
    "single_sign_on",
)


@dataclass(frozen=True, slots=True)
class UserView:
    """One user. state: ACTIVE, INVITED (no password yet) or BLOCKED."""

    user: User
    grants: tuple[RoleGrant, ...]
    steps: tuple[Authenticator, ...]
    needs_step: bool
    invitation: Invitation | None  # the last one
    mail: Mail | None  # the last one that invited
    is_connected: bool  # comes in by the municipality's provider, with or without a password here

    @property
    def roles(self) -> tuple[str, ...]:
        """The codes of their roles."""
        return tuple(grant.role for grant in self.grants)

    @property
    def state(self) -> str:
        """Whether they can sign in."""
        if not self.user.is_active:
            return "BLOCKED"
        return "ACTIVE" if self.user.has_usable_password() or self.is_connected else "INVITED"

    @property
    def can_sign_in(self) -> bool:
        """Whether they can sign in now."""
        return self.state == "ACTIVE"

    @property
    def invitation_state(self) -> str:
        """How it is with their invitation: NONE, ACCEPTED, REVOKED, EXPIRED, UNSENT, WAITING or SENT."""
        if self.invitation is None:
            return "NONE"
        if self.invitation.accepted_at:
            return "ACCEPTED"
        if self.invitation.revoked_at:
            return "REVOKED"
        if self.invitation.expires_at <= timezone.now():
            return "EXPIRED"
        sending = self.mail.state if self.mail else Mail.State.QUEUED
        return {Mail.State.FAILED: "UNSENT", Mail.State.SENT: "SENT"}.get(Mail.State(sending), "WAITING")

    @property
    def step_types(self) -> tuple[str, ...]:
        """Of which kinds their second step is."""
        return tuple(sorted({step.type for step in self.steps}))


def users() -> list[UserView]:
    """Return the users of the schema that the connection is in, by name; not who is inside by break-glass.

    Eight queries, however many there are.
    """
    return _views(User.objects.filter(break_glass_id=None).order_by("name", "email"))


def user(*, user_id: UUID) -> UserView:
    """Return one user.  Raises User.DoesNotExist."""
    found = _views(User.objects.filter(id=user_id, break_glass_id=None))
    if not found:
        raise User.DoesNotExist
    return found[0]


def review() -> Iterator[str]:
    """Return the lines of an access review as CSV: who may come in, as what, since when, and how they are protected."""
    yield _line(REVIEW)
    for view in users():
        yield _line(_reviewed(view))


def _views(found: QuerySet[User]) -> list[UserView]:
    is_bsp = connection.schema_name == get_public_schema_name()  # type: ignore[attr-defined]
    for_all = is_bsp or strength.is_for_all()
    people = found.prefetch_related("role_grants", "invitations", "mails", "authenticator_set")
    sign_on = gate.running()
    issuer = "" if sign_on is None else sign_on.issuer
    connected = set(SocialAccount.objects.filter(provider=issuer).values_list("user_id", flat=True))
    return [_view(each, for_all=for_all, is_connected=each.id in connected) for each in people]


def _view(user: User, *, for_all: bool, is_connected: bool) -> UserView:
    grants = tuple(sorted(user.role_grants.all(), key=lambda grant: grant.role))
    steps = [each for each in user.authenticator_set.all() if each.type in strength.STEPS]  # type: ignore[attr-defined]
    mails = [each for each in user.mails.all() if each.what == Mail.What.INVITATION]
    return UserView(
        user=user,
        grants=grants,
        steps=tuple(sorted(steps, key=lambda each: each.created_at)),
        needs_step=for_all or any(grant.role == MunicipalRole.ADMIN for grant in grants),
        invitation=max(user.invitations.all(), key=lambda each: each.invited_at, default=None),
        mail=max(mails, key=lambda each: each.queued_at, default=None),
        is_connected=is_connected,
    )


def _reviewed(view: UserView) -> list[str]:
    since = [f"{grant.role} {_moment(grant.granted_at)}".strip() for grant in view.grants]
    return [
        str(view.user.id),
        view.user.name,
        view.user.email,
        view.state,
        " ".join(view.roles),
        "; ".join(since),
        _moment(view.user.made_at),
        _moment(view.user.last_login),
        "yes" if view.needs_step else "no",
        " ".join(view.step_types),
        _moment(view.steps[0].created_at if view.steps else None),
        view.invitation_state,
        "yes" if view.is_connected else "no",
    ]


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else ""


def _line(values: object) -> str:
    written = StringIO()
    guarded = [f"'{value}" if str(value).startswith(_FORMULA) else value for value in values]  # type: ignore[attr-defined]
    csv.writer(written).writerow(guarded)
    return written.getvalue()


def addresses_with(*, roles: Collection[str]) -> list[str]:
    """Return the e-mail addresses of who has any of some roles in the schema that the connection is in."""
    found = User.objects.filter(is_active=True, role_grants__role__in=roles).distinct()
    return list(found.order_by("email").values_list("email", flat=True))
