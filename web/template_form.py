"""The fields of a template's page: its variables in header and body, and what its buttons need."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.models import Template
from messaging.templates.components import VARIABLE, kind_of
from messaging.templates.filling import Filling, fill, needs
from whatsapp import limits
from whatsapp.payloads.parts import objects

_BUTTON_HINTS: dict[str, Promise] = {
    "URL": _("The end of the address that the button opens"),
    "COPY_CODE": _("The code that the button copies"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form. name: in the form; label: of the template itself."""

    name: str
    label: str
    hint: str | Promise
    example: str
    value: str
    most: int


class TemplateForm:
    """What somebody fills into a template."""

    def __init__(self, *, template: Template, given: Mapping[str, Any]) -> None:
        """Read the fields of a template as they were given."""
        self._template = template
        self._needs = needs(template=template)
        self.fields = [self._field(field, given) for field in self._wanted()]

    @property
    def is_fillable(self) -> bool:
        """Whether fields can fill it in: a picture, file or place in the header cannot be given here."""
        return self._needs["header"] in {None, "TEXT"}

    def is_complete(self) -> bool:
        """Return whether nothing is empty."""
        return all(field.value for field in self.fields)

    def filling(self) -> Filling:
        """Return what is filled in."""
        by_part: dict[str, dict[str, str]] = {"value": {}, "header": {}, "button": {}}
        for field in self.fields:
            part, _dash, name = field.name.partition("-")
            by_part[part][name] = field.value
        buttons = {int(place): value for place, value in by_part["button"].items()}
        return Filling(body=by_part["value"], header=by_part["header"] or None, buttons=buttons)

    def text(self) -> str:
        """Return what the citizen will read.  Raises TemplateUnusable, LimitExceeded, InvalidContent."""
        message = fill(template=self._template, filling=self.filling())
        message.as_meta()
        return message.text

    def _wanted(self) -> list[Field]:
        header = next((each for each in objects(self._template.components) if kind_of(each) == "HEADER"), {})
        names = VARIABLE.findall(str(header.get("text") or "")) if self._needs["header"] == "TEXT" else []
        longest = limits.TEMPLATE_HEADER_CHARACTERS
        wanted = [Field(f"header-{name}", name, _("In the header"), "", "", longest) for name in names]
        for each in self._template.parameters:
            longest = limits.TEMPLATE_BODY_CHARACTERS
            wanted.append(Field(f"value-{each['name']}", each["name"], "", each["example"], "", longest))
        rows = [each for each in objects(self._template.components) if kind_of(each) == "BUTTONS"]
        buttons = objects(rows[0].get("buttons")) if rows else []
        for place, kind in self._needs["buttons"].items():
            label = str(buttons[place].get("text") or place + 1)
            most = limits.TEMPLATE_COUPON_CHARACTERS if kind == "COPY_CODE" else limits.LINK_CHARACTERS
            wanted.append(Field(f"button-{place}", label, _BUTTON_HINTS[kind], "", "", most))
        return wanted

    def _field(self, field: Field, given: Mapping[str, Any]) -> Field:
        value = str(given.get(field.name, "")).strip()
        return Field(field.name, field.label, field.hint, field.example, value, field.most)
