"""Gives a template its purpose: one that the municipality declared, by a person, on record."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.record import Actor, record
from messaging.models import Template
from messaging.templates.sending import declared_purposes


class PurposeNotDeclared(Exception):
    """The municipality has not declared this purpose, so nothing may be sent for it."""


@transaction.atomic
def assign_purpose(*, template_id: UUID, purpose: str, actor: Actor, at: datetime) -> Template:
    """Let a template belong to a declared purpose from now on.  Safe to repeat.

    Raises PurposeNotDeclared, Template.DoesNotExist: nothing was changed.
    """
    if purpose not in declared_purposes():
        raise PurposeNotDeclared
    template = Template.objects.select_for_update(no_key=True).get(id=template_id)
    before, template.purpose = template.purpose, purpose
    if before != purpose:
        template.save(update_fields=["purpose"])
        details = {"from": before, "to": purpose}
        record(action="template.assign_purpose", actor=actor, at=at, subject=f"template {template_id}", details=details)
    return template
