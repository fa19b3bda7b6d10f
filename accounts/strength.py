"""Who must have a second step, and whether a session has given it: the one rule that every page stands behind.

Everyone of the BSP's staff and every admin of a municipality must; the others when their municipality chose so. There
is no time of grace: until it is there, such a session opens the pages that set it up, and nothing else. What counts is
what the *session* gave: one that began with a password alone, before there was a second step or before it became
required, opens nothing either until it gives one.

web/access.py asks for every page. Whoever signs somebody in by another door that vouches for a second step (single
sign-on, a handover) says so with `vouch`.
"""

from enum import StrEnum

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from django.db import connection
from django.db.models import Exists
from django.http import HttpRequest
from django_tenants.utils import get_public_schema_name

from accounts.models import RoleGrant, SignInRules, User
from accounts.roles import MunicipalRole

# With which a second step can be given; recovery codes are no step of their own, they stand in for one of these.
STEPS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
GIVEN = "mfa"  # allauth's word, in a session's record of how somebody signed in
VOUCHED = "vouched"


class Owed(StrEnum):
    """What a session owes before it opens anything."""

    NOTHING = "NOTHING"
    SET_UP = "SET_UP"  # there is no second step yet
    PROOF = "PROOF"  # there is one, and this session has not given it


def is_required(*, user: User) -> bool:
    """Return whether a user of the schema that the connection is in must have a second step, by at most one query."""
    if connection.schema_name == get_public_schema_name():  # type: ignore[attr-defined]
        return True
    for_all = Exists(SignInRules.objects.filter(second_step_for_all=True))
    is_admin = Exists(RoleGrant.objects.filter(user_id=user.pk, role=MunicipalRole.ADMIN))
    return User.objects.filter(for_all | is_admin, pk=user.pk).exists()


def has_one(*, user: User) -> bool:
    """Return whether somebody has set up a second step."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=STEPS).exists())


def owed(*, request: HttpRequest, user: User) -> Owed:
    """Return what the session of a request owes."""
    given = {record.get("type") for record in get_authentication_records(request, user) if record["method"] == GIVEN}
    if VOUCHED in given or not is_required(user=user):
        return Owed.NOTHING
    if not has_one(user=user):
        return Owed.SET_UP
    return Owed.NOTHING if given else Owed.PROOF


def gave(*, request: HttpRequest, user: User, how: str) -> None:
    """Note that this session gave a second step, of a type in STEPS, because it has just set it up."""
    record_authentication(request, user, method=GIVEN, type=how)


def vouch(*, request: HttpRequest, user: User) -> None:
    """Note that who signed this session in has seen to a second step itself; call it after signing in."""
    record_authentication(request, user, method=GIVEN, type=VOUCHED)


def choose_for_all(*, required: bool) -> bool:
    """Have a second step required of everyone in this schema, or of its admins alone; return whether that is new.

    Within a transaction.
    """
    rules, _ = SignInRules.objects.select_for_update().get_or_create(id=1)
    changed = rules.second_step_for_all is not required
    rules.second_step_for_all = required
    rules.save()
    return changed


def is_for_all() -> bool:
    """Return whether everyone in this schema needs a second step by choice."""
    return SignInRules.objects.filter(second_step_for_all=True).exists()
