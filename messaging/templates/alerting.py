"""What a municipal admin must see about a template: raised and ended by how the template is, never by hand."""

from datetime import datetime

from messaging.models import Template, TemplateAlert
from messaging.templates.sending import MARKETING

Kind = TemplateAlert.Kind
OF_STATUS = {
    Template.Status.REJECTED: Kind.REJECTED,
    Template.Status.PAUSED: Kind.PAUSED,
    Template.Status.DISABLED: Kind.DISABLED,
    Template.Status.DELETED: Kind.DELETED,
    Template.Status.ARCHIVED: Kind.ARCHIVED,
    Template.Status.UNKNOWN: Kind.UNKNOWN_STATUS,
}


def bring_up_to_date(*, template: Template, at: datetime) -> None:
    """Raise the alerts that the template calls for and end those that it no longer does.  Safe to repeat."""
    wanted = _wanted(template)
    open_now = set(template.alerts.filter(ended_at=None).values_list("kind", flat=True))
    if open_now - wanted:
        template.alerts.filter(ended_at=None, kind__in=open_now - wanted).update(ended_at=at)
    TemplateAlert.objects.bulk_create(
        TemplateAlert(template=template, kind=kind, raised_at=at) for kind in sorted(wanted - open_now)
    )


def _wanted(template: Template) -> set[str]:
    kinds: set[str] = set()
    if template.status in OF_STATUS:
        kinds.add(OF_STATUS[Template.Status(template.status)])
    if template.status == Template.Status.DELETED:
        return kinds  # nothing else about it matters any more
    if template.category.startswith(MARKETING):
        kinds.add(Kind.MARKETING)
    if template.coming_category not in {"", template.category}:
        kinds.add(Kind.CATEGORY_COMING)
    if template.quality == "RED":
        kinds.add(Kind.LOW_QUALITY)
    if template.problem:
        kinds.add(Kind.UNREADABLE)
    return kinds
