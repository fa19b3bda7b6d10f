"""Takes in what is said of a template: by aspect, the latest word counts, in whatever order and however often it comes.

An aspect is status, category, coming category, quality or components. Each has two stamps: of the last webhook that
changed it (Meta's moment) and of our own last look. Webhooks are compared with webhooks by Meta's moment, and where
that is the same by a fixed order of what they say: so any order of them ends the same. A look of ours counts for all
that we were told before it began; what was told meanwhile stands, and another look is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db.models import Max

from messaging.models import Template, TemplateVersion
from messaging.templates import alerting, components, holding

Source = TemplateVersion.Source
Status = Template.Status

# How far Meta's clock and ours may differ: its stamps are whole seconds, both follow NTP.
CLOCKS_DIFFER = timedelta(seconds=5)
# Of two words of the same second the one further along stands, and what cannot be sent before what can.
LIFE = (
    *(Status.UNKNOWN, Status.DRAFT, Status.PENDING, Status.APPROVED, Status.IN_APPEAL, Status.LIMIT_EXCEEDED),
    *(Status.REJECTED, Status.FLAGGED, Status.PAUSED, Status.LOCKED, Status.ARCHIVED, Status.DISABLED),
    *(Status.PENDING_DELETION, Status.DELETED),
)
QUALITIES = ("UNKNOWN", "GREEN", "YELLOW", "RED")
VERSIONED = ("status", "category", "components")


@dataclass(frozen=True, slots=True)
class StatusWord:
    """A status, Meta's own word where we do not know it, and why it is so."""

    status: Status
    meta_status: str = ""
    reason: str = ""
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Components:
    """Components as Meta has them whole; parameter_format: NAMED, POSITIONAL, or None when Meta did not say."""

    components: Any
    parameter_format: str | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """What one source says of a template at one moment; None where it says nothing.

    coming: the category that Meta gave notice of, and when; ("", None): it is no longer coming.
    texts: Meta's webhook about changed components.
    """

    at: datetime
    source: Source
    meta_id: str = ""
    status: StatusWord | None = None
    category: str | None = None
    coming: tuple[str, datetime | None] | None = None
    quality: str | None = None
    components: Components | None = None
    texts: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """Which aspects changed, and whether only another look can tell how it really is."""

    changed: tuple[str, ...]
    doubtful: bool


def take(*, template: Template, word: Word, known: Mapping[str, Any] | None = None) -> Taken:
    """Apply a word to a template that is locked by this transaction; write it, a version, and the alerts.

    known: of a look or an act of ours, the template's stamps before it began. Safe to repeat.
    """
    doubtful = False
    changed: list[str] = []
    stamped = False
    for aspect, new in _aspects(template, word):
        old = _value(template, aspect)
        if word.source == Source.WEBHOOK:
            wins, unsure = _told_wins(template, aspect, word.at, new, old)
        else:
            wins, unsure = _look_wins(template, aspect, known, new, old)
        doubtful = doubtful or unsure
        if not wins:
            continue
        stamped = _stamp(template, aspect, word) or stamped
        if new != old:
            _put(template, aspect, new, whole=word.components is not None)
            changed.append(aspect)
    if word.meta_id and template.meta_id != word.meta_id and (stamped or not template.meta_id):
        template.meta_id, stamped = word.meta_id[:40], True
    if word.source == Source.LOOK and template.doubted_at is not None and word.components is not None:
        template.doubted_at, stamped = None, True
    if changed or stamped:
        template.save()
    if changed:
        record_version(template=template, at=word.at, source=word.source, changed=changed)
        alerting.bring_up_to_date(template=template, at=word.at)
        holding.fail_queued(template=template)
    return Taken(changed=tuple(changed), doubtful=doubtful)


def record_version(*, template: Template, at: datetime, source: Source, changed: list[str]) -> TemplateVersion | None:
    """Append how the template is now, when components, category or status changed; return the row, or None."""
    kept = [aspect for aspect in changed if aspect in VERSIONED]
    if not kept:
        return None
    last = template.versions.aggregate(last=Max("number"))["last"] or 0
    return TemplateVersion.objects.create(
        template=template,
        number=last + 1,
        at=at,
        source=source,
        changed=kept,
        status=template.status,
        meta_status=template.meta_status,
        reason=template.reason,
        category=template.category,
        components=template.components,
        parameter_format=template.parameter_format,
    )


def put_components(*, template: Template, found: Any, parameter_format: str) -> None:
    """Set components, and what is read of them; the caller saves."""
    shape = components.read(components=found, parameter_format=parameter_format)
    template.components, template.parameter_format = found, parameter_format
    template.body, template.problem = shape.body, shape.problem
    template.parameters = [dict(parameter) for parameter in shape.parameters]


def _aspects(template: Template, word: Word) -> list[tuple[str, Any]]:
    """Return what a word says, as values that can be compared."""
    said: list[tuple[str, Any]] = []
    if word.status is not None:
        said.append(("status", _status_said(template, word.status, word.source)))
    if word.category:
        said.append(("category", word.category[:40]))
    if word.coming is not None:
        said.append(("coming", (word.coming[0][:40], word.coming[1])))
    if word.quality:
        said.append(("quality", word.quality[:20]))
    if word.components is not None:
        found = [] if word.components.components is None else word.components.components
        told = word.components.parameter_format
        said.append(("components", (found, components.format_of(told=told, components=found))))
    elif word.texts is not None:
        known = template.listed_components
        found = components.with_texts(known if isinstance(known, list) else [], word.texts)
        said.append(("components", (found, template.parameter_format)))
    return said


def _status_said(template: Template, said: StatusWord, source: Source) -> tuple[Status, str, str, str]:
    reason, explanation = said.reason[:100], said.explanation[:2000]
    # A listing does not repeat why a template was paused: what a webhook said of the same status stays.
    if source != Source.WEBHOOK and said.status == template.status and reason in {"", template.reason}:
        reason, explanation = template.reason, template.explanation
    return said.status, said.meta_status[:100], reason, explanation


def _value(template: Template, aspect: str) -> Any:
    match aspect:
        case "status":
            return (Status(template.status), template.meta_status, template.reason, template.explanation)
        case "category":
            return template.category
        case "coming":
            return (template.coming_category, template.coming_category_at)
        case "quality":
            return template.quality
        case _:
            return (template.components, template.parameter_format)


def _put(template: Template, aspect: str, new: Any, *, whole: bool) -> None:
    match aspect:
        case "status":
            template.status, template.meta_status, template.reason, template.explanation = new
        case "category":
            template.category = new
        case "coming":
            template.coming_category, template.coming_category_at = new
        case "quality":
            template.quality = new
        case _:
            found, parameter_format = new
            unread = template.problem == Template.Problem.NOT_LISTED and not whole
            put_components(template=template, found=found, parameter_format=parameter_format)
            if whole:
                template.listed_components = found
            if unread:
                template.problem = Template.Problem.NOT_LISTED  # texts alone do not say what else it has


def _told_wins(template: Template, aspect: str, at: datetime, new: Any, old: Any) -> tuple[bool, bool]:
    """Return whether a webhook's word counts, and whether that is unsure."""
    told, read = _stamps(template, aspect)
    if told is not None and at < told:
        return False, False
    if told is not None and at == told:
        if read is not None and read >= told:
            return False, new != old
        return _order(aspect, new) > _order(aspect, old), new != old
    if read is None or at >= read:
        return True, False
    near = at >= read - CLOCKS_DIFFER
    return near, near and new != old


def _look_wins(
    template: Template, aspect: str, known: Mapping[str, Any] | None, new: Any, old: Any
) -> tuple[bool, bool]:
    """Return whether what we read or did ourselves counts: unless we were told otherwise since it began."""
    told = (template.stamps.get(aspect) or [None, None])[0]
    before = ((known or {}).get(aspect) or [None, None])[0]
    return (True, False) if known is None or told == before else (False, new != old)


def _order(aspect: str, value: Any) -> Any:
    """Return what decides between two words of the same second."""
    match aspect:
        case "status":
            return (LIFE.index(value[0]), *value[1:])
        case "category":
            return (value == "MARKETING", value)  # the stricter
        case "coming":
            return (value[0] == "", value[0], value[1].isoformat() if value[1] else "")
        case "quality":
            return (QUALITIES.index(value) if value in QUALITIES else -1, value)
        case _:
            return orjson.dumps(value[0], option=orjson.OPT_SORT_KEYS)


def _stamps(template: Template, aspect: str) -> tuple[datetime | None, datetime | None]:
    told, read = template.stamps.get(aspect) or (None, None)
    return (
        datetime.fromisoformat(told) if told else None,
        datetime.fromisoformat(read) if read else None,
    )


def _stamp(template: Template, aspect: str, word: Word) -> bool:
    """Note when the aspect was told or read; return whether that is news."""
    told, read = template.stamps.get(aspect) or (None, None)
    now = [word.at.isoformat(), read] if word.source == Source.WEBHOOK else [told, word.at.isoformat()]
    if [told, read] == now:
        return False
    template.stamps = {**template.stamps, aspect: now}
    return True
