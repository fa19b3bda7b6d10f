"""The application: filled in by two sides at once, kept version by version, and what is still missing in it.

Nobody overwrites another unseen: who saves a part says which version they saw, and a version is written once
(constraint). Nothing is changed once the municipality has declared; it is taken back first.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from psycopg.errors import UniqueViolation

from audit.record import Actor, record
from tenants.clock import AMSTERDAM
from tenants.declaration import Purpose, Terms, terms_of
from tenants.editions import current_register
from tenants.models import ApplicationVersion, Onboarding, SignedCopy
from tenants.onboarding.fields import FIELDS, YES, read_part
from tenants.onboarding.models import Deed, Part
from tenants.stages import Stage


class NotInRegister(Exception):
    """No municipality of the register has this code."""


class OnboardingExists(Exception):
    """The municipality has an onboarding already; id says which."""

    def __init__(self, onboarding: Onboarding) -> None:
        super().__init__(f"{onboarding.cbs_code} has an onboarding")
        self.onboarding = onboarding


class Closed(Exception):
    """The application cannot be changed in the stage in which it is."""


class ChangedMeanwhile(Exception):
    """Somebody else saved the part after it was read; found is what they saved."""

    def __init__(self, found: ApplicationVersion) -> None:
        super().__init__(f"{found.part} has version {found.version}")
        self.found = found


class Mistakes(Exception):
    """Answers that cannot be; nothing was saved. codes: by field."""

    def __init__(self, codes: Mapping[str, str]) -> None:
        super().__init__(", ".join(sorted(codes)))
        self.codes = codes


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that stands in the way. code: what; part and field: where it is filled in."""

    code: str
    part: Part | None = None
    field: str = ""


@dataclass(frozen=True, slots=True)
class Application:
    """What an onboarding's application holds now."""

    onboarding: Onboarding
    latest: Mapping[Part, ApplicationVersion] = field(default_factory=dict)

    def values(self, part: Part) -> dict[str, str]:
        """Return the answers of a part, by field."""
        found = self.latest.get(part)
        return dict(found.values) if found else {}

    def version(self, part: Part) -> int:
        """Return the part's version; 0: nobody saved it yet."""
        found = self.latest.get(part)
        return found.version if found else 0

    def purposes(self) -> list[Purpose]:
        """Return the purposes that are declared."""
        values = self.values(Part.PURPOSES)
        return [purpose for purpose in Purpose if values.get(f"use_{purpose}") == YES]

    def sha256(self) -> bytes:
        """Return a digest of all that is filled in: what was signed is what has the same one."""
        said = [self.onboarding.cbs_code, {str(part): self.values(part) for part in Part}]
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).digest()

    def missing(self, *, part: Part, terms: Terms) -> list[Missing]:
        """Return what is not filled in, or no longer right, in a part."""
        values = self.values(part)
        read = read_part(part=part, given=values)
        found = [Missing("mistake", part, name) for name in read.mistakes]
        found += [
            Missing("empty", part, each.name) for each in FIELDS[part] if each.is_wanted and not values.get(each.name)
        ]
        if part is Part.PURPOSES:
            found += self._missing_purposes(values, terms)
        return found

    def _missing_purposes(self, values: Mapping[str, str], terms: Terms) -> list[Missing]:
        declared = self.purposes()
        if not declared:
            return [Missing("no_purpose", Part.PURPOSES)]
        undescribed = [each for each in declared if not values.get(f"describe_{each}")]
        gone = [each for each in declared if each not in terms.purposes]
        return [Missing("empty", Part.PURPOSES, f"describe_{each}") for each in undescribed] + [
            Missing("purpose_gone", Part.PURPOSES, f"use_{each}") for each in gone
        ]


@transaction.atomic
def begin(*, cbs_code: str, actor: Actor, at: datetime) -> Onboarding:
    """Begin the onboarding of a municipality of the register.

    Raises NotInRegister; OnboardingExists: each has one, whatever became of it.
    """
    register = current_register()
    registered = register.entries.get(cbs_code)
    if registered is None:
        raise NotInRegister(cbs_code)
    wanted = Onboarding(
        cbs_code=cbs_code,
        name=registered.name,
        register_version=register.version,
        stage=Stage.APPLIED,
        stage_since=at,
        created_at=at,
    )
    Onboarding.objects.bulk_create([wanted], ignore_conflicts=True)
    found = Onboarding.objects.get(cbs_code=cbs_code)
    if found.id != wanted.id:
        raise OnboardingExists(found)
    found.moves.create(from_stage="", to_stage=Stage.APPLIED, **Deed.of(actor=actor, at=at))
    record(action="onboarding.begin", actor=actor, at=at, subject=f"onboarding {cbs_code}")
    return found


def load(*, onboarding_id: UUID) -> Application:
    """Return an application as it is now.  Raises Onboarding.DoesNotExist."""
    onboarding = Onboarding.objects.select_related("municipality").get(id=onboarding_id)
    rows = ApplicationVersion.objects.filter(onboarding=onboarding).order_by("part", "-version").distinct("part")
    return Application(onboarding=onboarding, latest={Part(row.part): row for row in rows})


@transaction.atomic
def save(
    *, onboarding_id: UUID, part: Part, seen: int, given: Mapping[str, str], actor: Actor, at: datetime
) -> ApplicationVersion:
    """Keep a part as somebody filled it in.

    seen: the version that they had before them. What is the same as that is not written again.
    Raises Mistakes; Closed; ChangedMeanwhile; Onboarding.DoesNotExist. After each nothing was saved.
    """
    read = read_part(part=part, given=given)
    if read.mistakes:
        raise Mistakes(read.mistakes)
    # Shared: other parts are saved at the same time, and no move of the stage gets between.
    rows = Onboarding.objects.raw("SELECT * FROM public.tenants_onboarding WHERE id = %s FOR SHARE", [onboarding_id])
    found = next(iter(rows), None)
    if found is None:
        raise Onboarding.DoesNotExist
    if found.stage != Stage.APPLIED:
        raise Closed(found.stage)
    latest = ApplicationVersion.objects.filter(onboarding=found, part=part).order_by("-version").first()
    before = latest.values if latest else {}
    # A question that is newer than what was saved counts as unanswered there: it is no change, nor to be signed anew.
    changed = sorted(name for name, value in read.values.items() if before.get(name, "") != value)
    if latest is not None and not changed:
        return latest
    if (latest.version if latest else 0) != seen:
        raise _changed(found, part)
    row = ApplicationVersion(
        onboarding=found, part=part, version=seen + 1, values=read.values, **Deed.of(actor=actor, at=at)
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise _changed(found, part) from None
    details = {"part": str(part), "version": row.version, "fields": changed}
    record(action="onboarding.fill_in", actor=actor, at=at, subject=f"onboarding {found.cbs_code}", details=details)
    return row


def _changed(onboarding: Onboarding, part: Part) -> ChangedMeanwhile:
    return ChangedMeanwhile(ApplicationVersion.objects.filter(onboarding=onboarding, part=part).latest("version"))


def missing_to_declare(*, application: Application, at: datetime) -> list[Missing]:
    """Return all that stands between an application and its declaration."""
    today: date = at.astimezone(AMSTERDAM).date()
    terms = terms_of(day=today)
    found = [each for part in Part for each in application.missing(part=part, terms=terms)]
    signed = application.values(Part.SIGNING).get("signed_date", "")
    if signed and signed > today.isoformat():
        found.append(Missing("signed_in_future", Part.SIGNING, "signed_date"))
    copy = SignedCopy.objects.filter(onboarding=application.onboarding).defer("content_encrypted").order_by("id").last()
    if copy is None:
        found.append(Missing("no_signed_copy"))
    elif bytes(copy.application_sha256) != application.sha256():
        found.append(Missing("signed_copy_outdated"))
    return found
