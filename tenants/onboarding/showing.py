"""What the pages show of onboardings: who waits for whom and how long, and all there is to know of one."""

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from tenants.editions import Register
from tenants.models import (
    ApplicationLink,
    ApplicationVersion,
    Connection,
    ConnectionStep,
    DeclarationChange,
    Onboarding,
    SignedCopy,
    StageMove,
)
from tenants.onboarding import redeclaring
from tenants.onboarding.application import Application, Missing, load, missing_to_declare
from tenants.onboarding.models import Part
from tenants.onboarding.moves import missing_for, standing_rejection
from tenants.onboarding.signing import last_copy
from tenants.onboarding.steps import ONLY_WHEN_UNVERIFIED, STAGE_OF
from tenants.register import RegisteredMunicipality
from tenants.stages import MOVES, Stage

ON_THE_ROAD = [each for each in Stage if each not in (Stage.LIVE, Stage.OFFBOARDED)]
MOST_FOUND = 30


@dataclass(frozen=True, slots=True)
class Found:
    """A municipality of the register, and its onboarding where it has one."""

    registered: RegisteredMunicipality
    onboarding: Onboarding | None


@dataclass(frozen=True, slots=True)
class PartView:
    """A part of the application: how often it was saved, by whom last, and what is missing in it."""

    part: Part
    latest: ApplicationVersion | None
    missing: list[Missing]


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """An application as a whole."""

    application: Application
    parts: list[PartView]
    missing: list[Missing]
    copy: SignedCopy | None
    copy_is_current: bool
    rejection: StageMove | None  # with its reason, until it is handed in anew


@dataclass(frozen=True, slots=True)
class StepView:
    """A step at Meta. may_run: it is its turn."""

    step: str
    row: ConnectionStep
    may_run: bool


@dataclass(frozen=True, slots=True)
class Way:
    """A stage that can come next, and what is missing for it."""

    to: Stage
    missing: list[Missing]


@dataclass(frozen=True, slots=True)
class ConsoleView:
    """One onboarding as the BSP sees it."""

    onboarding: Onboarding
    application: ApplicationView
    links: list[ApplicationLink]
    moves: list[StageMove]
    ways: list[Way] = field(default_factory=list)
    changes: list[DeclarationChange] = field(default_factory=list)  # of the declaration, the latest first


def waiting() -> list[Onboarding]:
    """Return who is on the road, longest in its stage first."""
    found = Onboarding.objects.filter(stage__in=ON_THE_ROAD).select_related("municipality")
    return list(found.order_by("stage_since", "cbs_code"))


def found_in_register(*, register: Register, words: str) -> list[Found]:
    """Return the municipalities whose name, province or code has all the words; accents and case do not matter."""
    wanted = _folded(words).split()
    found = [
        each
        for each in sorted(register.entries.values(), key=lambda entry: _folded(entry.name))
        if all(word in _folded(f"{each.name} {each.province} {each.cbs_code}") for word in wanted)
    ][:MOST_FOUND]
    known = Onboarding.objects.select_related("municipality").in_bulk(
        [each.cbs_code for each in found], field_name="cbs_code"
    )
    return [Found(registered=each, onboarding=known.get(each.cbs_code)) for each in found]


def application_view(*, onboarding: Onboarding, at: datetime) -> ApplicationView:
    """Return an application with what is missing in each part."""
    application = load(onboarding_id=onboarding.id)
    missing = missing_to_declare(application=application, at=at)
    copy = last_copy(onboarding=onboarding)
    return ApplicationView(
        application=application,
        parts=[
            PartView(
                part=part, latest=application.latest.get(part), missing=[each for each in missing if each.part is part]
            )
            for part in Part
        ],
        missing=missing,
        copy=copy,
        copy_is_current=copy is not None and bytes(copy.application_sha256) == application.sha256(),
        rejection=standing_rejection(onboarding=onboarding),
    )


def console_view(*, onboarding: Onboarding, at: datetime) -> ConsoleView:
    """Return one onboarding with its links, moves, changes of its declaration, and what can come next."""
    tenant = onboarding.municipality
    ways = [
        Way(to=to, missing=missing_for(onboarding=onboarding, to=to, at=at))
        for to in MOVES[Stage(onboarding.stage)]
        if to is not Stage.CONNECTED
    ]
    return ConsoleView(
        onboarding=onboarding,
        application=application_view(onboarding=onboarding, at=at),
        links=list(onboarding.links.order_by("-made_at")[:20]),
        moves=list(onboarding.moves.order_by("-id")[:50]),
        ways=ways,
        changes=list(redeclaring.changes(municipality=tenant)[:20]) if tenant is not None else [],
    )


def steps_of(*, onboarding: Onboarding) -> list[StepView]:
    """Return the steps at Meta in their order, those that are not asked for left out."""
    rows = {row.step: row for row in onboarding.steps.all()}
    shown = []
    for step, stage in STAGE_OF.items():
        row = rows.get(step)
        if step in ONLY_WHEN_UNVERIFIED and row is None and not _is_unverified(rows):
            continue
        shown.append(
            StepView(
                step=step,
                row=row or ConnectionStep(onboarding=onboarding, step=step),
                may_run=onboarding.stage == stage,
            )
        )
    return shown


def connection_of(*, onboarding: Onboarding) -> Connection | None:
    """Return what the onboarding has at Meta, or None."""
    return Connection.objects.filter(onboarding=onboarding).first()


def _is_unverified(rows: dict[str, ConnectionStep]) -> bool:
    for step in ("REGISTER", "SIGNUP"):
        row = rows.get(step)
        said = row.evidence.get("code_verification_status") if row is not None else None
        if said is not None:
            return bool(said != "VERIFIED")
    return False


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
