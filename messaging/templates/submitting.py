"""Our drafts, handed in for Meta's review: checked first, MARKETING never, each by itself."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.record import Actor, record
from messaging.models import UNASSIGNED, Template, TemplateSync
from messaging.templates import checking, judging, sending, syncing
from messaging.templates.checking import Problem
from messaging.templates.taking import Source, Word, take
from messaging.templates.updates import status_word
from tenants.models import Number
from whatsapp.client import CloudAPI
from whatsapp.outcomes import CreatedTemplate, MetaRefused, MetaUnreachable
from whatsapp.transport import open_session


class LookFailed(Exception):
    """What Meta has could not be read, so nothing was handed in: it might be there already. `failure` is a code."""

    def __init__(self, failure: str) -> None:
        super().__init__(f"Meta's templates could not be read: {failure}")
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Handed:
    """A draft after it was to be handed in. problems: why it was not; refused: Meta's code, where Meta refused it."""

    template: Template
    problems: tuple[Problem, ...] = ()
    refused: str = ""


def problems_of(*, template: Template, at: datetime) -> tuple[Problem, ...]:
    """Return why a draft may not be handed in: Meta's rules, declaration, policy. Runs in the tenant's schema."""
    found = checking.check(
        name=template.name,
        language=template.language,
        category=template.category,
        parameter_format=template.parameter_format,
        components=template.components,
    )
    if template.purpose == UNASSIGNED:
        found = (*found, Problem("purpose_missing", "purpose"))
    elif template.purpose not in sending.declared_purposes():
        found = (*found, Problem("purpose_undeclared", "purpose"))
    judged = judging.judgement(template=template, at=at)
    return (*found, Problem(judged.problem, "policy")) if judged.problem else found


def submit_drafts(*, number: Number, at: datetime) -> list[Handed]:
    """Take over what Meta has, then hand in the drafts of the number's account; return what became of each draft.

    Runs inside the tenant's schema; safe to repeat: what Meta has already is found, not made again.
    Raises LookFailed, SyncUnderWay: nothing was handed in. One draft that Meta refuses stops no other.
    """
    token = looked(number, at)
    drafts = Template.objects.filter(waba_id=number.waba_id, status=Template.Status.DRAFT)
    return [_hand_in(template, token, at) for template in drafts.order_by("name", "language")]


def submit(*, template_id: UUID, number: Number, actor: Actor, at: datetime) -> Handed:
    """Do the same with one draft, for a person, and put it on record.

    Raises LookFailed, SyncUnderWay, Template.DoesNotExist: nothing was handed in, or it is no draft (any more).
    """
    drafts = Template.objects.filter(waba_id=number.waba_id, status=Template.Status.DRAFT)
    problems = problems_of(template=drafts.get(id=template_id), at=at)
    if problems:
        return Handed(template=drafts.get(id=template_id), problems=problems)
    token = looked(number, at)
    handed = _hand_in(drafts.get(id=template_id), token, at)
    outcome = handed.refused or ",".join(each.code for each in handed.problems) or handed.template.status
    details = {"outcome": outcome}
    record(action="template.submit", actor=actor, at=at, subject=f"template {template_id}", details=details)
    return handed


def looked(number: Number, at: datetime) -> str:
    """Take over what Meta has of the account; return the token.  Raises LookFailed, SyncUnderWay."""
    look = syncing.sync(number=number, at=at)
    token = number.access_token()
    if look.outcome == TemplateSync.Outcome.FAILED or token is None:
        raise LookFailed(look.failure or "token_missing")
    return token


def _hand_in(template: Template, token: str, at: datetime) -> Handed:
    problems = problems_of(template=template, at=at)
    if problems:
        return Handed(template=template, problems=problems)
    known = template.stamps
    try:
        made = asyncio.run(_create(template, token))
    except MetaRefused as refusal:
        return Handed(template=template, refused=f"meta_{refusal.error.code}")
    except MetaUnreachable as silence:
        # It may be there all the same: the next look says so.
        return Handed(template=template, refused=str(silence.reason).lower())
    with transaction.atomic():
        row = Template.objects.select_for_update(no_key=True).get(id=template.id)
        word = Word(
            at=at,
            source=Source.OURS,
            meta_id=made.template_id,
            status=status_word(event=made.status.upper()),
            category=(made.category or "").upper() or None,
        )
        take(template=row, word=word, known=known)
    return Handed(template=row)


async def _create(template: Template, token: str) -> CreatedTemplate:
    async with open_session(connections=1) as session:
        api = CloudAPI(session=session, base_url=settings.META_GRAPH_URL, version=settings.META_GRAPH_VERSION)
        return await api.create_template(
            waba_id=template.waba_id,
            access_token=token,
            name=template.name,
            language=template.language,
            category=template.category,
            components=template.components,
            parameter_format=template.parameter_format,
        )
