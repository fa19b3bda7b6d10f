"""One part of an application as a form: its questions with words, answers, and what is wrong with them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import get_language

from tenants.declaration import Prohibition, Purpose
from tenants.onboarding.application import Application
from tenants.onboarding.fields import FIELDS, YES, Field
from tenants.onboarding.models import ApplicationVersion, Part
from web import words
from web.onboarding_words import ACCEPTED, DESCRIBE, NUMBER_NOW, TABLES, said


@dataclass(frozen=True, slots=True)
class Question:
    """One question as the page asks it. theirs: what somebody else saved meanwhile, where that differs."""

    field: Field
    label: str
    hint: str
    value: str
    mistake: str
    theirs: str | None

    @property
    def is_ticked(self) -> bool:
        """Return whether a box is ticked."""
        return self.value == YES


@dataclass(frozen=True, slots=True)
class PartForm:
    """A part of an application, ready to be shown."""

    part: Part
    seen: int
    questions: list[Question]
    changed_by: ApplicationVersion | None = None
    choices: list[tuple[str, str]] = field(default_factory=list)


def show_part(
    *,
    application: Application,
    part: Part,
    given: Mapping[str, str] | None = None,
    codes: Mapping[str, str] | None = None,
    theirs: ApplicationVersion | None = None,
    seen: int | None = None,
) -> PartForm:
    """Return a part's form: as it is kept, or as somebody just gave it with what stands against it."""
    values = application.values(part) if given is None else given
    asked = questions(fields=FIELDS[part], values=values, codes=codes, theirs=theirs.values if theirs else None)
    version = theirs.version if theirs is not None else application.version(part)
    choices = [(code, word.in_language(get_language())) for code, word in NUMBER_NOW.items()]
    return PartForm(
        part=part,
        seen=seen if seen is not None and theirs is None else version,
        questions=asked,
        changed_by=theirs,
        choices=choices,
    )


def questions(
    *,
    fields: Iterable[Field],
    values: Mapping[str, str],
    codes: Mapping[str, str] | None = None,
    theirs: Mapping[str, str] | None = None,
) -> list[Question]:
    """Return some questions with what was answered, and what stands against each answer."""
    found = []
    for each in fields:
        value, code = values.get(each.name, ""), (codes or {}).get(each.name)
        other = theirs.get(each.name, "") if theirs is not None else None
        found.append(
            Question(
                field=each,
                label=_label(each.name),
                hint=said(table="hint", code=each.name, language=get_language()) if each.name in TABLES["hint"] else "",
                value=value,
                mistake=said(table="mistake", code=code, language=get_language()) if code else "",
                theirs=other if other != value else None,
            )
        )
    return found


def label_of(name: str) -> str:
    """Return how a question is called."""
    return _label(name)


def _label(name: str) -> str:
    kind, _dash, code = name.partition("_")
    if kind == "use" and code in Purpose.values:
        return str(words.PURPOSES[code])
    if kind == "describe" and code in Purpose.values:
        return f"{words.PURPOSES[code]}: {DESCRIBE.in_language(get_language())}"
    if kind == "accept" and code in Prohibition.values:
        return (
            f"{said(table='prohibition', code=code, language=get_language())}. {ACCEPTED.in_language(get_language())}"
        )
    return said(table="label", code=name, language=get_language())
