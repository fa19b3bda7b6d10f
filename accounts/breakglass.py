"""Break-glass: how an employee of the BSP comes to be in a municipality's workspace, and who says so.

Asked for at the console with a reason, for a set time; approved by the municipality first, if it chose so; opened by a
handover that works once (accounts/entering.py); ended by its time or by either side. Each step is one transaction and
stands in both trails. All moments of an entry are real time (`now`), as those of sessions are; the trails have the
domain's (`at`).
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import Q
from django_tenants.utils import get_public_schema_name, schema_context

from accounts.models import SignedIn, User
from accounts.permissions import Permission, permissions_of
from audit.record import Actor, record
from tenants.break_glass import LONGEST_MINUTES, ROLES, SHORTEST_MINUTES
from tenants.models import BreakGlass, Municipality

State = BreakGlass.State
ANSWER_WITHIN = timedelta(hours=24)  # of the municipality, when it is asked first
OPEN_WITHIN = timedelta(hours=8)  # of the employee, once it may be opened
LONGEST_REASON = 500
SHORTEST_REASON = 10
MOST_LISTED = 200
BY_TIME = "time"  # who ended what nobody ended; no name is only this
LIVE = (State.REQUESTED, State.APPROVED, State.OPEN)


class InvalidRequest(Exception):
    """A request that says too little, or asks for too much; `code` says what of it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AlreadyAsked(Exception):
    """The employee has an entry into this municipality that is not over."""


class TooLate(Exception):
    """The entry is no longer, or not yet, in a state in which this can be done."""


def ask(
    *,
    municipality: Municipality,
    employee: User,
    roles: Collection[str],
    reason: str,
    minutes: int,
    at: datetime,
    now: datetime,
) -> BreakGlass:
    """Ask for an entry; runs in `public`. It may be opened at once where the municipality does not approve first.

    Raises InvalidRequest, AlreadyAsked: nothing was written.
    """
    reason = " ".join(reason.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise InvalidRequest("reason")
    if not roles or not set(roles) <= set(ROLES):
        raise InvalidRequest("roles")
    if not SHORTEST_MINUTES <= minutes <= LONGEST_MINUTES:
        raise InvalidRequest("minutes")
    settle(at=at, now=now)
    with transaction.atomic():
        approves = Municipality.objects.values_list("approves_entries", flat=True).get(pk=municipality.pk)
        entry = BreakGlass(
            municipality=municipality,
            employee_id=employee.pk,
            employee_name=employee.name,
            roles=sorted(set(roles)),
            reason=reason,
            minutes=minutes,
            state=State.REQUESTED if approves else State.APPROVED,
            requested_at=now,
            lapses_at=now + (ANSWER_WITHIN if approves else OPEN_WITHIN),
        )
        try:
            with transaction.atomic():
                entry.save(force_insert=True)
        except IntegrityError as error:
            raise AlreadyAsked from error
        details = {"roles": entry.roles, "minutes": minutes, "reason": reason, "approval": bool(approves)}
        record_both(entry=entry, action="break_glass.ask", actor=employee.actor(), at=at, details=details)
    return entry


def decide(
    *, entry_id: UUID, approve: bool, user: User, municipality: Municipality, at: datetime, now: datetime
) -> None:
    """Approve or refuse a request, by somebody of the municipality, in whose schema this runs.

    Raises BreakGlass.DoesNotExist: it is none of this municipality's. TooLate: it waits for no answer.
    """
    with transaction.atomic():
        entry = _locked(entry_id, municipality=municipality)
        if entry.state != State.REQUESTED or entry.is_over(at=now):
            raise TooLate
        entry.state = State.APPROVED if approve else State.REFUSED
        entry.decided_at, entry.decided_by = now, user.name
        entry.lapses_at = now + OPEN_WITHIN if approve else entry.lapses_at
        entry.save()
        action = "break_glass.approve" if approve else "break_glass.refuse"
        record_both(entry=entry, action=action, actor=user.actor(), at=at)


def end_own(*, entry_id: UUID, employee: User, at: datetime, now: datetime) -> BreakGlass:
    """Have an employee withdraw what they asked for, or end being inside; runs in `public`.

    Raises BreakGlass.DoesNotExist: it is not this employee's. TooLate: it is over already.
    """
    with transaction.atomic():
        rows = BreakGlass.objects.select_for_update(of=("self",)).select_related("municipality")
        entry = rows.get(id=entry_id, employee_id=employee.pk)
        _end(entry, by=employee.actor(), at=at, now=now)
    return entry


def end(*, entry_id: UUID, by: User, municipality: Municipality, at: datetime, now: datetime) -> None:
    """End an entry at once, by somebody of the municipality or by who is inside; runs in its schema.

    Raises BreakGlass.DoesNotExist: it is none of this municipality's. TooLate: it is over already.
    """
    with transaction.atomic():
        _end(_locked(entry_id, municipality=municipality), by=by.actor(), at=at, now=now)


def end_all_of(*, employee_id: UUID, by: Actor, at: datetime, now: datetime) -> int:
    """End all that an employee asked for or has open; return how many. For who takes an employee's account away.

    Even without it such an entry opens nothing any more: each request looks whether its employee still may.
    """
    with transaction.atomic():
        found = BreakGlass.objects.select_for_update().filter(employee_id=employee_id, state__in=LIVE)
        ended = [entry for entry in found.select_related("municipality") if not entry.is_over(at=now)]
        for entry in ended:
            _end(entry, by=by, at=at, now=now)
    return len(ended)


def settle(*, at: datetime, now: datetime) -> int:
    """Write down of what is over that it is, and clear up behind it; return how many there were. Safe to repeat.

    Nothing depends on when it runs: what is over opens nothing.
    """
    over = Q(state__in=[State.REQUESTED, State.APPROVED], lapses_at__lte=now) | Q(state=State.OPEN, ends_at__lte=now)
    settled = 0
    for entry_id in list(BreakGlass.objects.filter(over).values_list("id", flat=True)):
        with transaction.atomic():
            rows = BreakGlass.objects.select_for_update(skip_locked=True, of=("self",)).select_related("municipality")
            entry = rows.filter(over, id=entry_id).first()
            if entry is None:
                continue
            actor = Actor.system("break-glass")
            if entry.state == State.OPEN:
                entry.state, entry.ended_at, entry.ended_by = State.ENDED, entry.ends_at, BY_TIME
                _clear(entry)
                entry.save()
                record_both(entry=entry, action="break_glass.end", actor=actor, at=at, details={"by": BY_TIME})
            else:
                entry.state = State.LAPSED
                entry.handover_digest = entry.handover_until = None
                entry.save()
                record_both(entry=entry, action="break_glass.lapse", actor=actor, at=at)
            settled += 1
    return settled


def open_or_waiting(*, municipality: Municipality, now: datetime) -> list[BreakGlass]:
    """Return who is inside this municipality's workspace now, and what waits for its answer."""
    found = BreakGlass.objects.filter(municipality=municipality, state__in=[State.OPEN, State.REQUESTED])
    return [each for each in found.order_by("requested_at") if not each.is_over(at=now) and may_enter(entry=each)]


def listed(*, municipality: Municipality) -> list[BreakGlass]:
    """Return the entries into one municipality, the latest first."""
    return list(BreakGlass.objects.filter(municipality=municipality).order_by("-requested_at")[:MOST_LISTED])


def listed_all() -> list[BreakGlass]:
    """Return the entries into all municipalities, the latest first; runs in `public`."""
    return list(BreakGlass.objects.select_related("municipality").order_by("-requested_at")[:MOST_LISTED])


def choose_approval(*, municipality: Municipality, wanted: bool, actor: Actor, at: datetime) -> None:
    """Have entries into this municipality wait for its approval from now on, or not; runs in its schema. Audited."""
    with transaction.atomic():
        Municipality.objects.filter(pk=municipality.pk).update(approves_entries=wanted)
        record(action="break_glass.choose", actor=actor, at=at, subject="break-glass", details={"approval": wanted})


def may_enter(*, entry: BreakGlass) -> bool:
    """Return whether the employee of an entry still works here, as somebody who may enter municipalities."""
    with schema_context(get_public_schema_name()):
        employee = User.objects.filter(pk=entry.employee_id).first()
        return employee is not None and Permission.ENTER_MUNICIPALITIES in permissions_of(user=employee)


def record_both(
    *, entry: BreakGlass, action: str, actor: Actor, at: datetime, details: dict[str, Any] | None = None
) -> None:
    """Have both trails know what was done about an entry: the municipality's first, then the BSP's own."""
    subject = f"break-glass {entry.id}"
    # It says itself which entry it is about, so that who is inside is not told twice in the BSP's trail.
    plain = Actor(schema=actor.schema, id=actor.id, name=actor.name)
    said = {"break_glass": str(entry.id), **(details or {})}
    with schema_context(entry.municipality.schema_name):
        record(action=action, actor=plain, at=at, subject=subject, details=said)
    with schema_context(get_public_schema_name()):
        said = {**said, "municipality": entry.municipality.schema_name}
        record(action=action, actor=plain, at=at, subject=subject, details=said)


def _locked(entry_id: UUID, *, municipality: Municipality) -> BreakGlass:
    rows = BreakGlass.objects.select_for_update(of=("self",)).select_related("municipality")
    return rows.get(id=entry_id, municipality=municipality)


def _end(entry: BreakGlass, *, by: Actor, at: datetime, now: datetime) -> None:
    if entry.state not in LIVE or entry.is_over(at=now):
        raise TooLate
    entry.handover_digest = entry.handover_until = None
    if entry.state == State.OPEN:
        entry.state, entry.ended_at, entry.ended_by = State.ENDED, now, by.name
        _clear(entry)
    else:
        entry.state = State.WITHDRAWN
    entry.save()
    action = "break_glass.end" if entry.state == State.ENDED else "break_glass.withdraw"
    record_both(entry=entry, action=action, actor=by, at=at, details={"by": by.name})


def _clear(entry: BreakGlass) -> None:
    """End the sessions of who is inside, and keep the user for the trail alone."""
    entry.handover_digest = entry.handover_until = None
    assert entry.user_id is not None
    with schema_context(entry.municipality.schema_name):
        sessions = SignedIn.objects.filter(user_id=entry.user_id).values_list("session_id", flat=True)
        Session.objects.filter(session_key__in=list(sessions)).delete()
        User.objects.filter(pk=entry.user_id).update(is_active=False)
