"""A municipal admin's drafts: written, changed and thrown away here, before anybody at Meta sees them.

A draft may break rules while it is written; what is wrong with it is listed beside it (checking.py, judging.py), and
it is not handed in so. Only what no row can hold is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.record import Actor, record
from messaging.models import Template, TemplateVersion
from messaging.templates import checking
from messaging.templates.components import NAMED, kind_of, variables
from messaging.templates.sending import declared_purposes
from messaging.templates.taking import put_components, record_version
from whatsapp import limits
from whatsapp.payloads.parts import objects, text

LANGUAGES = ("nl", "en")
QUICK_REPLIES = 3
# A text is kept that is too long for Meta, so that it can be shortened; not one without end.
MOST_CHARACTERS = 4096


class CannotSave(Exception):
    """The draft was not saved; `code`: name_invalid, name_taken, language_unknown, purpose_undeclared, text_endless,
    not_changeable.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wording:
    """What somebody writes of a template. examples: by the name of a variable."""

    name: str
    language: str
    purpose: str
    body: str
    header: str = ""
    footer: str = ""
    replies: tuple[str, ...] = ()
    link_label: str = ""
    link: str = ""
    examples: Mapping[str, str] | None = None

    def variables(self) -> list[str]:
        """Return the variables of header and body, each once, in order."""
        return list(dict.fromkeys([*variables(self.header), *variables(self.body)]))

    def components(self) -> list[dict[str, Any]]:
        """Return it as Meta writes it, without the parts that are empty."""
        found: list[dict[str, Any]] = []
        if self.header:
            found.append({"type": "HEADER", "format": "TEXT", "text": self.header} | self._example("header"))
        found.append({"type": "BODY", "text": self.body} | self._example("body"))
        if self.footer:
            found.append({"type": "FOOTER", "text": self.footer})
        buttons: list[dict[str, Any]] = [{"type": "QUICK_REPLY", "text": label} for label in self.replies if label]
        if self.link or self.link_label:
            buttons.append({"type": "URL", "text": self.link_label, "url": self.link})
        return [*found, {"type": "BUTTONS", "buttons": buttons}] if buttons else found

    def problems(self) -> tuple[checking.Problem, ...]:
        """Return which of Meta's rules it breaks."""
        return checking.check(
            name=self.name,
            language=self.language,
            category="UTILITY",
            parameter_format=NAMED,
            components=self.components(),
        )

    def shown(self, written: str) -> str:
        """Return a text as a citizen may read it: with the examples in the place of the variables."""
        for name in variables(written):
            example = (self.examples or {}).get(name)
            written = written.replace("{{" + name + "}}", example or "{{" + name + "}}")
        return written

    def _example(self, part: str) -> dict[str, Any]:
        given = self.examples or {}
        names = variables(self.header if part == "header" else self.body)
        rows = [{"param_name": name, "example": given[name]} for name in names if given.get(name)]
        return {"example": {f"{part}_text_named_params": rows}} if rows else {}


def wording_of(*, template: Template) -> Wording:
    """Return a template as it is written here; parts that are not written here are left out."""
    by_kind = {kind_of(each): each for each in reversed(objects(template.components))}
    buttons = objects(by_kind.get("BUTTONS", {}).get("buttons"))
    link = next((each for each in buttons if each.get("type") == "URL"), {})
    examples = {}
    for part in ("HEADER", "BODY"):
        example = by_kind.get(part, {}).get("example")
        rows = objects(example.get(f"{part.lower()}_text_named_params")) if isinstance(example, Mapping) else []
        examples.update({str(row.get("param_name")): text(row.get("example")) or "" for row in rows})
    return Wording(
        name=template.name,
        language=template.language,
        purpose=template.purpose,
        body=text(by_kind.get("BODY", {}).get("text")) or "",
        header=text(by_kind.get("HEADER", {}).get("text")) or "",
        footer=text(by_kind.get("FOOTER", {}).get("text")) or "",
        replies=tuple(text(each.get("text")) or "" for each in buttons if each.get("type") == "QUICK_REPLY"),
        link_label=text(link.get("text")) or "",
        link=text(link.get("url")) or "",
        examples=examples,
    )


def may_be_written(*, template: Template) -> bool:
    """Return whether a template can be changed here: a draft, of the parts that are written here and no others."""
    return template.status == Template.Status.DRAFT and is_written_here(template=template)


def is_written_here(*, template: Template) -> bool:
    """Return whether a template has the parts that are written here, and no others."""
    if template.parameter_format != NAMED or template.problem:
        return False
    return bool(wording_of(template=template).components() == template.components)


@transaction.atomic
def create(*, waba_id: str, wording: Wording, actor: Actor, at: datetime) -> Template:
    """Save a new draft.  Raises CannotSave."""
    _check(wording)
    template = Template(waba_id=waba_id, name=wording.name, language=wording.language, category="UTILITY")
    _put(template, wording)
    try:
        with transaction.atomic():
            template.save(force_insert=True)
    except IntegrityError as error:  # the name is there in this language
        raise CannotSave("name_taken") from error
    _noted(template, ["status", "category", "components"], "template.draft", actor, at)
    return template


@transaction.atomic
def change(*, template_id: UUID, wording: Wording, actor: Actor, at: datetime) -> Template:
    """Save a draft's new words.  Safe to repeat.  Raises CannotSave, Template.DoesNotExist."""
    _check(wording)
    template = Template.objects.select_for_update(no_key=True).get(id=template_id)
    if not may_be_written(template=template):
        raise CannotSave("not_changeable")
    before = (template.name, template.language, template.purpose, template.components)
    template.name, template.language = wording.name, wording.language
    _put(template, wording)
    if before == (template.name, template.language, template.purpose, template.components):
        return template
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        raise CannotSave("name_taken") from error
    _noted(template, ["components"], "template.change_draft", actor, at)
    return template


def _check(wording: Wording) -> None:
    if not checking.NAME.fullmatch(wording.name) or len(wording.name) > limits.TEMPLATE_NAME_CHARACTERS:
        raise CannotSave("name_invalid")
    if wording.language not in LANGUAGES:
        raise CannotSave("language_unknown")
    if wording.purpose not in declared_purposes():
        raise CannotSave("purpose_undeclared")
    check_texts(wording)


def check_texts(wording: Wording) -> None:
    """Refuse texts without end.  Raises CannotSave."""
    texts: Sequence[str] = (
        *(wording.body, wording.header, wording.footer, wording.link, wording.link_label),
        *wording.replies,
        *(wording.examples or {}).values(),
    )
    if any(len(each) > MOST_CHARACTERS or "\x00" in each for each in texts):
        raise CannotSave("text_endless")


def _put(template: Template, wording: Wording) -> None:
    found = wording.components()
    template.purpose = wording.purpose
    template.listed_components = found
    put_components(template=template, found=found, parameter_format=NAMED)


def _noted(template: Template, changed: list[str], action: str, actor: Actor, at: datetime) -> None:
    record_version(template=template, at=at, source=TemplateVersion.Source.OURS, changed=changed)
    details = {"name": template.name, "language": template.language, "purpose": template.purpose}
    record(action=action, actor=actor, at=at, subject=f"template {template.id}", details=details)
