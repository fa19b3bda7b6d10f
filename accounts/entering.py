"""Going in: the handover from the console's host to a municipality's, and who is inside then.

The console gives the browser a token, which is posted to the municipality's host: it stands in no address, works once
and for a minute, and is kept as a digest. It opens a session of a user made for this entry, who can do what both the
roles of the entry and accounts/permissions.py let an entry do. Each request looks again whether the entry is open.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.db import connection, transaction
from django.utils import timezone
from django_tenants.utils import get_public_schema_name

from accounts import strength
from accounts.breakglass import State, TooLate, may_enter, record_both
from accounts.models import RoleGrant, User
from audit.record import record
from tenants.models import BreakGlass, Municipality

HANDOVER_FOR = timedelta(seconds=60)
BACKEND = "accounts.entering.InsideBackend"


class NoSecondStep(Exception):
    """The employee has no second step on the console."""


class WrongToken(Exception):
    """The token opens nothing here: it was used, is too old, or was never one."""


def hand_over(*, entry_id: UUID, employee: User, at: datetime, now: datetime) -> tuple[BreakGlass, str]:
    """Return a token with which the employee's browser goes in within a minute; an earlier one is void.

    Runs in `public`.  Raises BreakGlass.DoesNotExist: it is not this employee's. TooLate: it may not be opened (any
    more). NoSecondStep: the account has none.
    """
    if not strength.has_one(user=employee):
        raise NoSecondStep
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        rows = BreakGlass.objects.select_for_update(of=("self",)).select_related("municipality")
        entry = rows.get(id=entry_id, employee_id=employee.pk)
        if entry.state not in (State.APPROVED, State.OPEN) or entry.is_over(at=now) or not may_enter(entry=entry):
            raise TooLate
        entry.handover_digest, entry.handover_until = _digest(token), now + HANDOVER_FOR
        entry.save()
        details = {"break_glass": str(entry.id), "municipality": entry.municipality.schema_name}
        subject = f"break-glass {entry.id}"
        record(action="break_glass.hand_over", actor=employee.actor(), at=at, subject=subject, details=details)
    return entry, token


def admit(*, token: str, municipality: Municipality, at: datetime, now: datetime) -> tuple[BreakGlass, User]:
    """Return who comes in with a token; the first time opens the entry. Runs in the municipality's schema.

    The caller begins the session in the same transaction, so that nobody is inside who cannot be seen and ended.
    Raises WrongToken: nothing was changed.
    """
    with transaction.atomic():
        rows = BreakGlass.objects.select_for_update(of=("self",)).select_related("municipality")
        entry = rows.filter(handover_digest=_digest(token), municipality=municipality).first()
        if entry is None or entry.handover_until is None or entry.handover_until <= now:
            raise WrongToken
        if entry.state not in (State.APPROVED, State.OPEN) or entry.is_over(at=now) or not may_enter(entry=entry):
            raise WrongToken
        entry.handover_digest = entry.handover_until = None
        if entry.state == State.APPROVED:
            user = _make_user(entry)
            entry.state, entry.user_id = State.OPEN, user.pk
            entry.opened_at, entry.ends_at = now, now + timedelta(minutes=entry.minutes)
            action = "break_glass.open"
        else:
            user = User.objects.get(break_glass_id=entry.id)
            action = "break_glass.return"
        entry.save()
        details = {"roles": entry.roles, "minutes": entry.minutes, "reason": entry.reason}
        record_both(entry=entry, action=action, actor=user.actor(), at=at, details=details)
    return entry, user


class InsideBackend(BaseBackend):
    """Who is inside by break-glass, for as long as the entry is open; signs nobody in."""

    def get_user(self, user_id: UUID) -> User | None:
        """Return the user of a session, or None once the entry is over or its employee may no longer enter."""
        user = User.objects.filter(pk=user_id, is_active=True).first()
        return user if user is not None and is_inside(user=user, now=timezone.now()) else None


def is_inside(*, user: User, now: datetime) -> bool:
    """Return whether a user of a municipality's schema is inside it by an entry that is open."""
    if user.break_glass_id is None or connection.schema_name == get_public_schema_name():  # type: ignore[attr-defined]
        return False
    entry = BreakGlass.objects.filter(
        id=user.break_glass_id,
        user_id=user.pk,
        state=State.OPEN,
        municipality__schema_name=connection.schema_name,  # type: ignore[attr-defined]
    ).first()
    return entry is not None and not entry.is_over(at=now) and may_enter(entry=entry)


def find_entry(*, entry_id: UUID | None) -> BreakGlass | None:
    """Return the entry that a user names, or None: it is somebody of the municipality."""
    return None if entry_id is None else BreakGlass.objects.filter(id=entry_id).first()


def _make_user(entry: BreakGlass) -> User:
    """Make the user of an entry: without a password, at an address that no mail can reach."""
    user = User(email=f"{entry.id}@break-glass.invalid", name=f"{entry.employee_name} (BSP)"[:200])
    user.break_glass_id = entry.id
    user.set_unusable_password()
    user.save(force_insert=True)
    RoleGrant.objects.bulk_create(RoleGrant(user=user, role=role) for role in entry.roles)
    return user


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
