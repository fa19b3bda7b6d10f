"""New words for a template that Meta has: kept beside it until Meta is asked, under the same checks as a new draft.

What Meta has goes on as it is until then: an edit is a row of its own. Handed in, Meta reviews the template anew, and
nothing is sent of it before that is over. Source: Meta, "Template management" (read 2026-11-22): edited is what is
APPROVED, REJECTED or PAUSED; of what is approved, once in 24 hours and ten times in 30 days; its parts as a whole.
"""

import asyncio
import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.record import Actor, record
from messaging.models import Template, TemplateEdit, TemplateVersion
from messaging.templates import drafting, judging, submitting
from messaging.templates.checking import Problem
from messaging.templates.components import NAMED
from messaging.templates.drafting import CannotSave, Wording
from messaging.templates.taking import Components, Source, StatusWord, Word, put_components, take
from tenants.models import Number
from whatsapp.client import CloudAPI
from whatsapp.outcomes import MetaRefused, MetaUnreachable
from whatsapp.transport import open_session

EDITABLE = frozenset({Template.Status.APPROVED, Template.Status.REJECTED, Template.Status.PAUSED})
ONCE_IN = timedelta(hours=24)
MOST_EDITS, MOST_EDITS_IN = 10, timedelta(days=30)


class NoEdit(Exception):
    """There are no new words of this template, or it is not in a state in which Meta takes any."""


@dataclass(frozen=True, slots=True)
class EditView:
    """New words that wait. template: as it would be; problems: why they may not be handed in now."""

    template: Template
    edit: TemplateEdit
    problems: tuple[Problem, ...]
    judgement: judging.Judgement


def may_be_edited(*, template: Template) -> bool:
    """Return whether new words for it can be written here: Meta takes an edit, and it has no parts of another kind."""
    if template.status not in EDITABLE or not template.meta_id:
        return False
    return drafting.is_written_here(template=template)


def edited(*, template: Template) -> Template:
    """Return a template as it would be with its new words; as it is where there are none. Not to be saved."""
    edit = TemplateEdit.objects.filter(template=template).first()
    return template if edit is None else _with(template, edit)


def view(*, template: Template, at: datetime) -> EditView | None:
    """Return the new words of a template with what stands against them, or None."""
    edit = TemplateEdit.objects.filter(template=template).first()
    if edit is None:
        return None
    would_be = _with(template, edit)
    return EditView(would_be, edit, _problems(would_be, at), judging.judgement(template=would_be, at=at))


@transaction.atomic
def save(*, template_id: UUID, wording: Wording, actor: Actor, at: datetime) -> Template:
    """Keep new words for a template that Meta has; its name, language and purpose stay. Safe to repeat.

    Raises CannotSave, Template.DoesNotExist.
    """
    template = Template.objects.select_for_update(no_key=True).get(id=template_id)
    if not may_be_edited(template=template):
        raise CannotSave("not_changeable")
    drafting.check_texts(wording)
    found = wording.components()
    TemplateEdit.objects.update_or_create(
        template=template, defaults={"components": found, "saved_at": at, "saved_by": actor.name[:200]}
    )
    record(action="template.edit", actor=actor, at=at, subject=f"template {template.id}")
    return template


@transaction.atomic
def drop(*, template_id: UUID, actor: Actor, at: datetime) -> bool:
    """Throw new words away; return whether there were any."""
    dropped, _ = TemplateEdit.objects.filter(template_id=template_id).delete()
    if dropped:
        record(action="template.drop_edit", actor=actor, at=at, subject=f"template {template_id}")
    return bool(dropped)


def submit(*, template_id: UUID, number: Number, actor: Actor, at: datetime) -> submitting.Handed:
    """Hand new words in for Meta's review, after a look at what Meta has, and put it on record.

    What Meta has already, from a call whose answer never came, is not handed in again.
    Raises LookFailed, SyncUnderWay, NoEdit, Template.DoesNotExist: nothing was handed in.
    """
    would_be, edit = _waiting(template_id, number)
    problems = _problems(would_be, at)
    if problems:
        return submitting.Handed(template=would_be, problems=problems)
    token = submitting.looked(number, at)
    template = Template.objects.get(id=template_id)
    if template.components == edit.components:
        TemplateEdit.objects.filter(id=edit.id).delete()
        return submitting.Handed(template=template)
    would_be, edit = _waiting(template_id, number)
    handed = _hand_in(would_be, edit, token, at)
    outcome = handed.refused or handed.template.status
    details = {"outcome": outcome, "edit": True}
    record(action="template.submit", actor=actor, at=at, subject=f"template {template_id}", details=details)
    return handed


def _waiting(template_id: UUID, number: Number) -> tuple[Template, TemplateEdit]:
    template = Template.objects.get(id=template_id, waba_id=number.waba_id)
    edit = TemplateEdit.objects.filter(template=template).first()
    if edit is None or not may_be_edited(template=template):
        raise NoEdit
    return _with(template, edit), edit


def _with(template: Template, edit: TemplateEdit) -> Template:
    would_be = copy.copy(template)
    put_components(template=would_be, found=edit.components, parameter_format=NAMED)
    return would_be


def _problems(would_be: Template, at: datetime) -> tuple[Problem, ...]:
    found = submitting.problems_of(template=would_be, at=at)
    if would_be.status != Template.Status.APPROVED:
        return found
    edits = TemplateVersion.objects.filter(
        template_id=would_be.id, source=Source.OURS, changed__contains="components", at__gt=at - MOST_EDITS_IN
    ).exclude(status=Template.Status.DRAFT)
    if edits.filter(at__gt=at - ONCE_IN).exists():
        return (*found, Problem("edited_today", "edit"))
    return (*found, Problem("edited_often", "edit")) if edits.count() >= MOST_EDITS else found


def _hand_in(would_be: Template, edit: TemplateEdit, token: str, at: datetime) -> submitting.Handed:
    known = would_be.stamps
    try:
        asyncio.run(_edit(would_be, token))
    except MetaRefused as refusal:
        return submitting.Handed(template=would_be, refused=f"meta_{refusal.error.code}")
    except MetaUnreachable as silence:
        # It may be there all the same: the next look says so, and the words stay until then.
        return submitting.Handed(template=would_be, refused=str(silence.reason).lower())
    with transaction.atomic():
        row = Template.objects.select_for_update(no_key=True).get(id=would_be.id)
        word = Word(
            at=at,
            source=Source.OURS,
            status=StatusWord(Template.Status.PENDING),
            components=Components(edit.components, NAMED),
        )
        take(template=row, word=word, known=known)
        TemplateEdit.objects.filter(id=edit.id, saved_at=edit.saved_at).delete()
    return submitting.Handed(template=row)


async def _edit(would_be: Template, token: str) -> None:
    async with open_session(connections=1) as session:
        api = CloudAPI(session=session, base_url=settings.META_GRAPH_URL, version=settings.META_GRAPH_VERSION)
        await api.edit_template(template_id=would_be.meta_id, access_token=token, components=would_be.components)
