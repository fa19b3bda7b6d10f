"""What admins do with those who are there: roles, leaving and coming back, and a second step that was lost.

Each act is one transaction, audited. The last admin who can sign in cannot be lost: who would take it away waits for
whoever does the same at this moment, and is refused then.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django_tenants.utils import get_public_schema_name
from psycopg.errors import CheckViolation

from accounts import breakglass, invitations, posting, signed_in
from accounts.models import Mail, RoleGrant, User
from accounts.permissions import ROLES_WITH, Permission
from accounts.roles import BspRole, MunicipalRole, check_roles
from audit.record import Actor, record


class LastAdmin(Exception):
    """Nobody who can manage people would be left; nothing was changed."""


class Oneself(Exception):
    """Nobody does this to themselves; nothing was changed."""


@contextmanager
def keeping_an_admin() -> Iterator[None]:
    """Hold whoever else takes admins away until this transaction ends.  Raises LastAdmin: the block left none.

    Where there is none that can sign in yet, none is lost.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('accounts.admins'), hashtext(current_schema()))")
    had_one = _has_admin()
    try:
        yield
    except IntegrityError as error:
        if not isinstance(error.__cause__, CheckViolation):
            raise
        raise LastAdmin from error  # the database keeps the local admin while single sign-on is on
    if had_one and not _has_admin():
        raise LastAdmin


@transaction.atomic
def change_roles(*, user_id: UUID, roles: Collection[str], actor: Actor, at: datetime) -> bool:
    """Give somebody exactly these roles; return whether that changed anything.

    Raises User.DoesNotExist, UnknownRole, LastAdmin: nothing was changed.
    """
    check_roles(roles=roles)
    with keeping_an_admin():
        user = User.objects.select_for_update().get(id=user_id)
        before = set(user.role_grants.values_list("role", flat=True))
        if before == set(roles):
            return False
        user.role_grants.exclude(role__in=roles).delete()
        RoleGrant.objects.bulk_create(
            RoleGrant(user=user, role=role, granted_at=at) for role in sorted(set(roles) - before)
        )
    if not ROLES_WITH[Permission.ENTER_MUNICIPALITIES] & set(roles):
        _end_entries(user_id=user.id, actor=actor, at=at)
    details = {"before": sorted(before), "after": sorted(roles)}
    record(action="user.roles", actor=actor, at=at, subject=f"user {user.id}", details=details)
    return True


@transaction.atomic
def deactivate(*, user_id: UUID, actor: Actor, at: datetime) -> None:
    """Let somebody in no longer: their sessions end at once, and what they had in hand goes back. Safe to repeat.

    Of the BSP's staff their entries into municipalities end too, for good.

    What higher rooms must do then stands in settings.LEAVING_STEPS, as functions that take `user_id`, `actor` and `at`.
    Raises User.DoesNotExist, Oneself, LastAdmin: nothing was changed.
    """
    with keeping_an_admin():
        user = _another(user_id, actor)
        if not user.is_active:
            return
        user.is_active = False
        user.save()
    ended = signed_in.end_all(user=user)
    was_invited = invitations.withdraw(user_id=user.id)
    _end_entries(user_id=user.id, actor=actor, at=at)
    for path in settings.LEAVING_STEPS if not _is_bsp() else ():  # the BSP's staff has nothing in hand
        import_string(path)(user_id=user.id, actor=actor, at=at)
    details = {"sessions": ended, "was_invited": was_invited}
    record(action="user.deactivate", actor=actor, at=at, subject=f"user {user.id}", details=details)


@transaction.atomic
def reactivate(*, user_id: UUID, actor: Actor, at: datetime) -> None:
    """Let somebody in again, as before. Safe to repeat.  Raises User.DoesNotExist."""
    user = User.objects.select_for_update().get(id=user_id)
    if user.is_active:
        return
    user.is_active = True
    user.save()
    record(action="user.reactivate", actor=actor, at=at, subject=f"user {user.id}")


@transaction.atomic
def reset_second_step(*, user_id: UUID, actor: Actor, language: str, at: datetime) -> None:
    """Take away somebody's second step, who lost it; their sessions end, and they are mailed. Safe to repeat.

    Raises User.DoesNotExist, Oneself: one's own is changed with what one has.
    """
    user = _another(user_id, actor)
    removed, _each = Authenticator.objects.filter(user_id=user.id).delete()
    if not removed:
        return
    ended = signed_in.end_all(user=user)
    posting.post(user=user, what=Mail.What.SECOND_STEP_RESET, language=language)
    details = {"sessions": ended}
    record(action="second_step.reset", actor=actor, at=at, subject=f"user {user.id}", details=details)


def _another(user_id: UUID, actor: Actor) -> User:
    user = User.objects.select_for_update().get(id=user_id)
    if str(user.id) == actor.id:
        raise Oneself
    return user


def _end_entries(*, user_id: UUID, actor: Actor, at: datetime) -> None:
    """End the entries into municipalities of one of the BSP's people, in the transaction that takes them away."""
    if _is_bsp():
        breakglass.end_all_of(employee_id=user_id, by=actor, at=at, now=timezone.now())


def _is_bsp() -> bool:
    return bool(connection.schema_name == get_public_schema_name())  # type: ignore[attr-defined]


def _has_admin() -> bool:
    role = BspRole.BSP_OPERATOR if _is_bsp() else MunicipalRole.ADMIN
    found = User.objects.filter(is_active=True, role_grants__role=role)
    return found.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).exists()
