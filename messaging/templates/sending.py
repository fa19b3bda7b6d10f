"""May this template be sent, and if not, why: asked before a message is queued, and when a template changed."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from messaging.models import UNASSIGNED, Template, TemplateSync
from tenants.models import DeclaredPurpose

# After this long without a look that succeeded, what we know of an account's templates is no reason to send them.
# A look is taken every day; a month of failures has been on the admin's page all the while.
STALE_AFTER = timedelta(days=35)
MARKETING = "MARKETING"  # and what begins so: Meta has MARKETING_LITE too

# Of each status that has its own words; all others are "not approved".
REFUSED_STATUS = {
    Template.Status.REJECTED: "template_rejected",
    Template.Status.PAUSED: "template_paused",
    Template.Status.DISABLED: "template_disabled",
    Template.Status.ARCHIVED: "template_archived",
    Template.Status.PENDING_DELETION: "template_deleted",
    Template.Status.DELETED: "template_deleted",
}


def hold(*, template_id: UUID) -> Template:
    """Return a template that stays as it is until the transaction ends: what changes it waits, others may send it too.

    Before any contact or thread is locked, as who applies webhooks does.  Raises Template.DoesNotExist.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM messaging_template WHERE id = %s FOR SHARE", [template_id])
    return Template.objects.get(id=template_id)


def refusal(*, template: Template, at: datetime) -> str | None:
    """Return the code of why a template cannot be sent now, or None when it can. Runs in the tenant's schema.

    template_not_approved, template_rejected, template_paused, template_disabled, template_archived, template_deleted,
    template_marketing, template_unreadable, template_stale, template_purpose_missing, template_purpose_undeclared.
    """
    return refusals(templates=[template], at=at)[template.id]


def refusals(*, templates: Iterable[Template], at: datetime) -> dict[UUID, str | None]:
    """Return the same of many, by their ids, by two queries."""
    declared = frozenset(declared_purposes())
    looks = TemplateSync.objects.filter(synced_at__lt=at - STALE_AFTER)
    stale = frozenset(looks.values_list("waba_id", flat=True))
    return {template.id: _refusal(template, declared, stale) for template in templates}


def _refusal(template: Template, declared: frozenset[str], stale: frozenset[str]) -> str | None:
    found = refusal_of_state(template=template)
    if found is not None:
        return found
    if template.purpose == UNASSIGNED:
        return "template_purpose_missing"
    if template.purpose not in declared:
        return "template_purpose_undeclared"
    return "template_stale" if template.waba_id in stale else None


def refusal_of_state(*, template: Template) -> str | None:
    """Return why a template cannot be sent as Meta has it, whatever its purpose, or None."""
    if template.status != Template.Status.APPROVED:
        return REFUSED_STATUS.get(Template.Status(template.status), "template_not_approved")
    if template.category.startswith(MARKETING):
        return "template_marketing"
    if not template.category or template.problem == Template.Problem.NOT_LISTED or template.doubted_at is not None:
        return "template_stale"
    return "template_unreadable" if template.problem else None


def sendable(*, waba_id: str) -> QuerySet[Template]:
    """Return the templates of an account that can be sent, by name: what an agent may choose from."""
    found = Template.objects.filter(waba_id=waba_id, status=Template.Status.APPROVED, problem="", doubted_at=None)
    found = found.exclude(category="").exclude(category__startswith=MARKETING)
    return found.filter(purpose__in=_declared().values("purpose")).order_by("name", "language")


def declared_purposes() -> list[str]:
    """Return what the municipality of the schema that the connection is in has declared."""
    return list(_declared().order_by("purpose").values_list("purpose", flat=True))


def _declared() -> QuerySet[DeclaredPurpose]:
    schema_name: str = connection.schema_name  # type: ignore[attr-defined]
    return DeclaredPurpose.objects.filter(municipality__schema_name=schema_name)
