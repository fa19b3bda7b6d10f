"""The BSP's judgement of a draft, between the municipality's words and Meta's review (tenants/policy.py flags them).

A draft in which nothing is flagged passes by itself. One that is flagged waits until somebody of the BSP releases or
refuses it, with a reason either way; that holds for these words and no others.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import QuerySet

from audit.record import Actor, record
from messaging.core.models import DraftReview
from messaging.models import Template, TemplateEdit
from tenants import policy
from tenants.clock import AMSTERDAM
from tenants.models import Municipality

State = DraftReview.State
# What a component says to nobody: how it is built.
NOT_WORDS = frozenset({"type", "format", "sub_type", "otp_type", "flow_id", "flow_action", "header_handle"})
REASON_CHARACTERS = 1000
DECIDED_SHOWN = 25


class ReasonMissing(Exception):
    """Who decides says why: the municipality reads it."""


class ReasonTooLong(Exception):
    """A reason has at most REASON_CHARACTERS."""


class AlreadyDecided(Exception):
    """Somebody else decided meanwhile; `review` is as it is now."""

    def __init__(self, review: DraftReview) -> None:
        super().__init__(f"decided already: {review.state}")
        self.review = review


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a draft stands with the policy. review: None while nobody was asked; findings empty: nothing to ask."""

    findings: tuple[policy.Finding, ...]
    review: DraftReview | None

    @property
    def problem(self) -> str:
        """The code of why it may not be handed in, or nothing."""
        if not self.findings or (self.review is not None and self.review.state == State.RELEASED):
            return ""
        if self.review is None:
            return "policy_flagged"
        return "policy_refused" if self.review.state == State.REFUSED else "policy_waiting"


def judgement(*, template: Template, at: datetime) -> Judgement:
    """Return how a draft stands, by one query where something is flagged."""
    findings = policy.check(texts=texts_of(name=template.name, components=template.components), on=_day(at))
    if not findings:
        return Judgement(findings=(), review=None)
    asked = DraftReview.objects.filter(template_id=template.id, wording_hash=_hash(template, findings))
    return Judgement(findings=findings, review=asked.first())


def flagged_by_filling(*, template: Template, filled: str, at: datetime) -> tuple[policy.Finding, ...]:
    """Return what is flagged in a message that is not in its template: words that somebody filled in.

    Those of the template itself were judged when it was handed in. Looked at is the whole message, so that no phrase
    hides by beginning in the template and ending in what is filled in.
    """
    found = policy.check(texts=[filled], on=_day(at))
    if not found:
        return ()
    own = policy.check(texts=texts_of(name=template.name, components=template.components), on=_day(at))
    return tuple(each for each in found if each not in own)


def texts_of(*, name: str, components: Any) -> list[str]:
    """Return all that a template says: its name, texts, labels, addresses and examples."""
    return [name, *_strings(components)]


@transaction.atomic
def ask(*, template_id: UUID, municipality: Municipality, actor: Actor, at: datetime) -> Judgement:
    """Put a flagged draft before the BSP, or new words of what Meta has; nothing when nothing is flagged.

    Safe to repeat. Runs in the tenant's schema.  Raises Template.DoesNotExist: nothing of it waits for Meta.
    """
    template = Template.objects.select_for_update(no_key=True).get(id=template_id)
    edit = TemplateEdit.objects.filter(template=template).first()
    if edit is not None:
        template.components = edit.components  # not saved: as it would be
    elif template.status != Template.Status.DRAFT:
        raise Template.DoesNotExist
    found = judgement(template=template, at=at)
    if not found.findings or found.review is not None:
        return found
    review = DraftReview.objects.create(
        municipality_id=municipality.id,
        template_id=template.id,
        wording_hash=_hash(template, found.findings),
        name=template.name,
        language=template.language,
        purpose=template.purpose,
        components=template.components,
        findings=[[each.prohibition, each.words] for each in found.findings],
        policy_date=policy.version(on=_day(at)),
        asked_at=at,
        asked_by=actor.name[:200],
    )
    record(action="template.ask_review", actor=actor, at=at, subject=f"template {template.id}")
    return Judgement(findings=found.findings, review=review)


@transaction.atomic
def decide(*, review_id: UUID, release: bool, reason: str, actor: Actor, at: datetime) -> DraftReview:
    """Release or refuse a draft, once.

    Runs in `public`.  Raises ReasonMissing, ReasonTooLong, AlreadyDecided, DraftReview.DoesNotExist.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonMissing
    if len(reason) > REASON_CHARACTERS:
        raise ReasonTooLong
    review = DraftReview.objects.select_for_update().get(id=review_id)
    if review.state != State.WAITING:
        raise AlreadyDecided(review)
    review.state = State.RELEASED if release else State.REFUSED
    review.reason, review.decided_at, review.decided_by = reason, at, actor.name[:200]
    review.save(update_fields=["state", "reason", "decided_at", "decided_by"])
    details = {"state": review.state.value, "municipality": str(review.municipality_id)}
    record(action="template.decide_review", actor=actor, at=at, subject=f"draft review {review.id}", details=details)
    return review


def waiting() -> QuerySet[DraftReview]:
    """Return the drafts that wait for the BSP, longest first."""
    return DraftReview.objects.filter(state=State.WAITING).order_by("asked_at", "id")


def decided() -> QuerySet[DraftReview]:
    """Return the latest decisions."""
    return DraftReview.objects.exclude(state=State.WAITING).order_by("-decided_at", "id")[:DECIDED_SHOWN]


def _strings(value: Any, key: str = "") -> Iterator[str]:
    match value:
        case str():
            if key not in NOT_WORDS:
                yield value
        case dict():
            for name, each in value.items():
                yield from _strings(each, str(name))
        case list():
            for each in value:
                yield from _strings(each, key)


def _hash(template: Template, findings: tuple[policy.Finding, ...]) -> str:
    """Return what names these words and these findings; a phrase that is added later asks anew."""
    said = [template.name, template.components, [[each.prohibition, each.words] for each in findings]]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _day(at: datetime) -> date:
    return at.astimezone(AMSTERDAM).date()
