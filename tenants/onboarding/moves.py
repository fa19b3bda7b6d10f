"""Moving an onboarding from stage to stage: what each move wants, by whom, and the row that tells of it.

A move is a conditional update: of two at once one wins, and the other is told. What it wants is looked at after that
update, in the same transaction, so that nothing it rests on changes underneath.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django_tenants.utils import schema_context

from audit.record import Actor, record
from tenants.clock import AMSTERDAM
from tenants.models import ApplicationLink, ApplicationVersion, ConnectionStep, Municipality, Onboarding, StageMove
from tenants.onboarding.application import Missing, load, missing_to_declare
from tenants.onboarding.models import Deed
from tenants.stages import MOVES, Stage

# What must be done at Meta before a stage (tenants/onboarding/connecting.py has the steps).
STEPS_BEFORE: dict[Stage, tuple[str, ...]] = {
    Stage.CONNECTED: ("SIGNUP",),
    Stage.GOVERNMENT_APPROVAL_PENDING: ("SUBSCRIBE", "CREDIT", "GOVERNMENT_FORM"),
    Stage.REGISTERED: ("GOVERNMENT_APPROVAL", "STORAGE", "REGISTER"),
    Stage.LIVE: ("PROFILE", "READ_BACK", "INSTALLED"),
}
WITH_REASON = frozenset({Stage.REJECTED, Stage.SUSPENDED, Stage.OFFBOARDED})
REASON_LETTERS = 1000


class MoveRefused(Exception):
    """A move that cannot be made. code: why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NoSuchMove(MoveRefused):
    """There is no way from the stage that it is in to the one that was asked for."""

    def __init__(self, *, from_stage: str, to_stage: str) -> None:
        super().__init__("no_such_move")
        self.from_stage, self.to_stage = from_stage, to_stage


class NotReady(MoveRefused):
    """Something is missing; missing lists all of it."""

    def __init__(self, missing: list[Missing]) -> None:
        super().__init__("not_ready")
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Wish:
    """A move as somebody wants it."""

    onboarding: Onboarding
    to: Stage
    actor: Actor
    at: datetime


@transaction.atomic
def move(
    *,
    onboarding_id: UUID,
    seen: str,
    to: Stage,
    actor: Actor,
    at: datetime,
    reason: str = "",
    data_until: date | None = None,
    municipality: Municipality | None = None,
) -> Onboarding:
    """Move an onboarding to another stage, and with it the municipality's.

    seen: the stage in which whoever asks saw it. municipality: the tenant that was made, with the move to CONNECTED.
    data_until: with the move to OFFBOARDED, the last day on which the municipality can come to its data.
    Raises NoSuchMove; NotReady; MoveRefused: moved_meanwhile, four_eyes, no_reason, reason_too_long, no_data_until.
    """
    if seen not in Stage.values or to not in MOVES[Stage(seen)]:
        raise NoSuchMove(from_stage=seen, to_stage=to)
    reason = reason.replace("\0", "").strip()
    if to in WITH_REASON and not reason:
        raise MoveRefused("no_reason")
    if len(reason) > REASON_LETTERS:
        raise MoveRefused("reason_too_long")
    kept = _data_until(data_until, to=to, at=at)
    moved = {"stage": to, "stage_since": at} | ({"municipality": municipality} if municipality is not None else {})
    if to is Stage.CONNECTED and municipality is None:
        raise NotReady([Missing("no_tenant")])
    if not Onboarding.objects.filter(id=onboarding_id, stage=seen).update(**moved):
        raise MoveRefused("moved_meanwhile")
    onboarding = Onboarding.objects.select_related("municipality").get(id=onboarding_id)
    missing = _missing(Wish(onboarding=onboarding, to=to, actor=actor, at=at), came_from=Stage(seen))
    if missing:
        raise NotReady(missing)
    if to in (Stage.APPROVED, Stage.REJECTED) and actor.id in who_filled_in(onboarding=onboarding):
        raise MoveRefused("four_eyes")
    if onboarding.municipality_id is not None:
        Municipality.objects.filter(id=onboarding.municipality_id).update(stage=to)
    said = {"from_stage": seen, "to_stage": to, "reason": reason, "data_until_date": kept}
    _write_down(StageMove(onboarding=onboarding, **said, **Deed.of(actor=actor, at=at)), actor=actor)
    return onboarding


def missing_for(*, onboarding: Onboarding, to: Stage, at: datetime) -> list[Missing]:
    """Return what stands between an onboarding and its next stage; a page shows it before anybody tries."""
    return _missing(
        Wish(onboarding=onboarding, to=to, actor=Actor.system("nobody"), at=at), came_from=Stage(onboarding.stage)
    )


def standing_rejection(*, onboarding: Onboarding) -> StageMove | None:
    """Return the move that rejected an application; None: it never was, or it was handed in anew since."""
    rejected = onboarding.moves.filter(to_stage=Stage.REJECTED).order_by("-id").first()
    if rejected is None or onboarding.moves.filter(to_stage=Stage.DECLARED, id__gt=rejected.id).exists():
        return None
    return rejected


def last_suspension(*, municipality: Municipality) -> tuple[StageMove, StageMove | None] | None:
    """Return the move that suspended a municipality last, and the one that ended that, if any; None: it never was."""
    moves = StageMove.objects.filter(onboarding__municipality=municipality)
    suspended = moves.filter(to_stage=Stage.SUSPENDED).order_by("-id").first()
    if suspended is None:
        return None
    return suspended, moves.filter(from_stage=Stage.SUSPENDED, id__gt=suspended.id).order_by("id").first()


def last_ending(*, municipality: Municipality) -> StageMove | None:
    """Return the move that ended a municipality; None: it was not ended."""
    moves = StageMove.objects.filter(onboarding__municipality=municipality, to_stage=Stage.OFFBOARDED)
    return moves.order_by("-id").first()


def who_filled_in(*, onboarding: Onboarding) -> set[str]:
    """Return the ids of all who had a hand in the application: none of them approves it.

    Also who made a link: they could have opened it themselves.
    """
    filled = ApplicationVersion.objects.filter(onboarding=onboarding).values_list("by_id", flat=True)
    linked = ApplicationLink.objects.filter(onboarding=onboarding).values_list("made_by_id", flat=True)
    signed = onboarding.signed_copies.values_list("by_id", flat=True)
    declared = StageMove.objects.filter(onboarding=onboarding, to_stage__in=[Stage.APPLIED, Stage.DECLARED])
    return {*filled, *linked, *signed, *declared.values_list("by_id", flat=True)}


def _data_until(day: date | None, *, to: Stage, at: datetime) -> date | None:
    """Return the day that is kept with a move.  Raises MoveRefused: it is an end, and no day that is to come."""
    if to is not Stage.OFFBOARDED:
        return None
    if day is None or day <= at.astimezone(AMSTERDAM).date():
        raise MoveRefused("no_data_until")
    return day


def _write_down(made: StageMove, *, actor: Actor) -> None:
    """Keep a move, and have the trail know. What ends or begins again what a municipality sends it is told as well."""
    made.save(force_insert=True)

    def trail() -> None:
        details = {"from": str(made.from_stage), "to": str(made.to_stage), "with_reason": bool(made.reason)}
        if made.data_until_date is not None:
            details["data_until"] = made.data_until_date.isoformat()
        subject = f"onboarding {made.onboarding.cbs_code}"
        record(action="onboarding.move", actor=actor, at=made.at, subject=subject, details=details)

    trail()
    municipality, stages = made.onboarding.municipality, {made.from_stage, made.to_stage}
    if municipality is None or not stages & {Stage.SUSPENDED, Stage.OFFBOARDED}:
        return
    with schema_context(municipality.schema_name):
        trail()
        for path in settings.SUSPENSION_TOLD:
            import_string(path)()


def _missing(wish: Wish, *, came_from: Stage) -> list[Missing]:
    # What was live once was so with all that it takes: resuming asks for nothing again.
    if came_from is Stage.SUSPENDED or (wish.onboarding.by_operator and wish.to is Stage.LIVE):
        return []
    found = _steps(wish)
    check = _CHECKS.get(wish.to)
    return found + (check(wish) if check is not None else [])


def _steps(wish: Wish) -> list[Missing]:
    wanted = STEPS_BEFORE.get(wish.to, ())
    done = set(
        ConnectionStep.objects.filter(onboarding=wish.onboarding, step__in=wanted, state="DONE").values_list(
            "step", flat=True
        )
    )
    return [Missing("step", field=step) for step in wanted if step not in done]


def _complete(wish: Wish) -> list[Missing]:
    """Hold the application to what must be in it, when it is declared and when it is approved."""
    return missing_to_declare(application=load(onboarding_id=wish.onboarding.id), at=wish.at)


_CHECKS: dict[Stage, Callable[[Wish], list[Missing]]] = {Stage.DECLARED: _complete, Stage.APPROVED: _complete}
