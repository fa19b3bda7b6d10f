"""The steps at Meta as rows: claimed under a lease so that two clicks do not call twice, and settled with what came.

A step whose process was killed is RUNNING until its lease is over; then it is claimed and run again, and looks first at
what Meta has. Leases run on real time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from audit.record import Actor, record
from tenants.models import ConnectionStep, Onboarding
from tenants.stages import Stage

LEASE = timedelta(seconds=120)  # longer than all calls of a step together may take
State = ConnectionStep.State

# Every step in its order: in which stage it is taken, and what is done before it.
STAGE_OF: dict[str, Stage] = {
    "SIGNUP": Stage.APPROVED,
    "TENANT": Stage.APPROVED,
    "SUBSCRIBE": Stage.CONNECTED,
    "CREDIT": Stage.CONNECTED,
    "GOVERNMENT_FORM": Stage.CONNECTED,
    "GOVERNMENT_APPROVAL": Stage.GOVERNMENT_APPROVAL_PENDING,
    "REQUEST_CODE": Stage.GOVERNMENT_APPROVAL_PENDING,
    "VERIFY_CODE": Stage.GOVERNMENT_APPROVAL_PENDING,
    "STORAGE": Stage.GOVERNMENT_APPROVAL_PENDING,
    "REGISTER": Stage.GOVERNMENT_APPROVAL_PENDING,
    "PROFILE": Stage.REGISTERED,
    "READ_BACK": Stage.REGISTERED,
    "INSTALLED": Stage.REGISTERED,
}
AFTER: dict[str, tuple[str, ...]] = {
    "TENANT": ("SIGNUP",),
    "CREDIT": ("SUBSCRIBE",),
    "VERIFY_CODE": ("REQUEST_CODE",),
    "REGISTER": ("GOVERNMENT_APPROVAL", "STORAGE"),
}
# These are asked only of a number that is not verified yet.
ONLY_WHEN_UNVERIFIED = frozenset({"REQUEST_CODE", "VERIFY_CODE"})


class StepRefused(Exception):
    """A step that cannot be taken now. code: not_now, first, busy, kept."""

    def __init__(self, code: str, *, step: str = "") -> None:
        super().__init__(f"{code} {step}")
        self.code, self.step = code, step


class StepFailed(Exception):
    """What a step found stands in its way. code: ours; evidence: what Meta said."""

    def __init__(self, code: str, **evidence: Any) -> None:
        super().__init__(code)
        self.code, self.evidence = code, evidence


@dataclass(frozen=True, slots=True)
class Claim:
    """A step that is ours to take."""

    onboarding: Onboarding
    step: str
    id: UUID
    actor: Actor
    at: datetime


@transaction.atomic
def claim_step(*, onboarding_id: UUID, step: str, actor: Actor, at: datetime) -> Claim:
    """Take a step, so that nobody else does meanwhile.  Raises StepRefused."""
    onboarding = Onboarding.objects.select_related("municipality").get(id=onboarding_id)
    # A tenant that was made while the process died is found again from the stage that it moved to.
    allowed = {STAGE_OF[step]} | ({Stage.CONNECTED} if step == "TENANT" else set())
    if onboarding.stage not in allowed:
        raise StepRefused("not_now", step=step)
    done = set(onboarding.steps.filter(state=State.DONE).values_list("step", flat=True))
    for before in AFTER.get(step, ()):
        if before not in done:
            raise StepRefused("first", step=before)
    ConnectionStep.objects.bulk_create([ConnectionStep(onboarding=onboarding, step=step)], ignore_conflicts=True)
    claim, now = uuid4(), timezone.now()
    free = ~Q(state=State.RUNNING) | Q(leased_until__lt=now)
    taken = onboarding.steps.filter(free, step=step).update(
        state=State.RUNNING, claim=claim, leased_until=now + LEASE, attempts=F("attempts") + 1, by_name=actor.name[:200]
    )
    if not taken:
        raise StepRefused("busy", step=step)
    return Claim(onboarding=onboarding, step=step, id=claim, actor=actor, at=at)


@transaction.atomic
def settle_step(*, claim: Claim, state: str, outcome: str, evidence: Mapping[str, Any]) -> bool:
    """Write down what came of a step; return False when the lease was lost, and another's outcome counts.

    evidence: what Meta answered, without tokens, PINs and codes.
    """
    settled = ConnectionStep.objects.filter(onboarding=claim.onboarding, step=claim.step, claim=claim.id).update(
        state=state, claim=None, leased_until=None, outcome=outcome[:60], evidence=dict(evidence), changed_at=claim.at
    )
    if settled:
        subject, ended = f"onboarding {claim.onboarding.cbs_code}", "OK" if state == State.DONE else "FAILED"
        details = {"step": claim.step, "outcome": outcome[:60]}
        record(
            action="onboarding.step", actor=claim.actor, at=claim.at, subject=subject, outcome=ended, details=details
        )
    return bool(settled)
