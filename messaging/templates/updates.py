"""What Meta's webhooks say of templates: each field's value, turned into a word that `taking` weighs.

A template that we do not know is taken in, without a purpose, so that nothing told of it is lost; its text is read by
the next sync. Source: Meta, webhook reference of the four fields (read 2026-11-22).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from django.db import transaction

from messaging.models import UNASSIGNED, Template
from messaging.templates import requesting
from messaging.templates.taking import Source, StatusWord, Word, take
from whatsapp.payloads import MalformedPayload
from whatsapp.payloads.parts import text

Status = Template.Status

# Events whose name is not the status that follows from them.
STATUS_OF_EVENT = {
    "REINSTATED": Status.APPROVED,
    "UNARCHIVED": Status.APPROVED,
    "UNPAUSED": Status.APPROVED,
}
NAME_CHARACTERS, LANGUAGE_CHARACTERS = 512, 10

log = structlog.get_logger(__name__)


@transaction.atomic
def apply(*, field: str, value: dict[str, Any], waba_id: str | None, at_entry: datetime) -> bool:
    """Apply one value of a field about templates; return whether it is understood. Safe to repeat.

    A status that we do not know is kept as it came; a field that is none of these changes nothing.
    at_entry: Meta's moment of the entry; an older one never overwrites what a newer one said.
    Raises MalformedPayload: it does not say which template it is about.
    """
    read = FIELDS.get(field)
    if read is None:
        return False
    template = _find(value=value, waba_id=waba_id)
    meta_id = _id(value.get("message_template_id"))
    word = read(value, at_entry, meta_id)
    taken = take(template=template, word=word)
    if taken.doubtful or template.problem == Template.Problem.NOT_LISTED or field == COMPONENTS_FIELD:
        requesting.request(waba_id=template.waba_id, at=at_entry)
    if taken.changed:
        log.info("template_told", field=field, changed=list(taken.changed), template_id=str(template.id))
    return word.status is None or word.status.status != Status.UNKNOWN


def status_word(*, event: str, reason: str = "", explanation: str = "") -> StatusWord:
    """Return what a status or event of Meta's means; one that we do not know is kept as it came."""
    status = STATUS_OF_EVENT.get(event) or (Status(event) if event in Status.values else Status.UNKNOWN)
    if status in {Status.UNKNOWN, Status.DRAFT}:
        log.warning("template_status_unknown")
        return StatusWord(Status.UNKNOWN, meta_status=event, reason=reason, explanation=explanation)
    return StatusWord(status, reason=reason, explanation=explanation)


def _status(value: dict[str, Any], at: datetime, meta_id: str) -> Word:
    event = text(value.get("event"))
    if event is None:
        raise MalformedPayload("event is missing or no text")
    other, rejection = _object(value.get("other_info")), _object(value.get("rejection_info"))
    reason = text(other.get("title")) or text(value.get("reason")) or ""
    said = [other.get("description"), rejection.get("reason"), rejection.get("recommendation")]
    return Word(
        at=at,
        source=Source.WEBHOOK,
        meta_id=meta_id,
        status=status_word(
            event=event.upper(),
            reason="" if reason == "NONE" else reason,
            explanation=" ".join(filter(None, map(text, said))),
        ),
        category=_category(value.get("message_template_category")),
    )


def _quality(value: dict[str, Any], at: datetime, meta_id: str) -> Word:
    return Word(at=at, source=Source.WEBHOOK, meta_id=meta_id, quality=text(value.get("new_quality_score")))


def _components(value: dict[str, Any], at: datetime, meta_id: str) -> Word:
    return Word(at=at, source=Source.WEBHOOK, meta_id=meta_id, texts=value)


def _categories(value: dict[str, Any], at: datetime, meta_id: str) -> Word:
    """Read a change of category that is done, or the notice of one: there `new_category` is still the current one."""
    current, correct = _category(value.get("new_category")), _category(value.get("correct_category"))
    coming: tuple[str, datetime | None] = ("", None)
    if correct is not None and correct != current:
        coming = (correct, _moment(value.get("category_update_timestamp")))
    return Word(at=at, source=Source.WEBHOOK, meta_id=meta_id, category=current, coming=coming)


COMPONENTS_FIELD = "message_template_components_update"
FIELDS: dict[str, Callable[[dict[str, Any], datetime, str], Word]] = {
    "message_template_status_update": _status,
    "message_template_quality_update": _quality,
    COMPONENTS_FIELD: _components,
    "template_category_update": _categories,
}


def _find(*, value: dict[str, Any], waba_id: str | None) -> Template:
    """Return the template that a value is about, locked; made when it is not known."""
    name, language = text(value.get("message_template_name")), text(value.get("message_template_language"))
    if not waba_id:
        raise MalformedPayload("the account is missing")
    if name is None or language is None or len(name) > NAME_CHARACTERS or len(language) > LANGUAGE_CHARACTERS:
        raise MalformedPayload("the template's name or language is missing or too long")
    Template.objects.get_or_create(
        waba_id=waba_id[:40],
        name=name,
        language=language,
        defaults={
            "category": "",
            "status": Status.UNKNOWN,
            "purpose": UNASSIGNED,
            "body": "",
            "problem": Template.Problem.NOT_LISTED,
        },
    )
    return Template.objects.select_for_update(no_key=True).get(waba_id=waba_id[:40], name=name, language=language)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _category(value: object) -> str | None:
    found = text(value)
    return found.upper() if found else None


def _id(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value) or ""


def _moment(value: object) -> datetime | None:
    """Return Meta's moment, or None where it gives none that can be read."""
    try:
        return datetime.fromtimestamp(int(str(value)), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
