"""Which version of a template is the current one: what a message that is queued now uses."""

from collections.abc import Collection
from uuid import UUID

from messaging.models import TemplateVersion


def current(*, template_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the id of each template's current version."""
    if not template_ids:
        return {}
    last = TemplateVersion.objects.filter(template_id__in=template_ids).order_by("template_id", "-number")
    return dict(last.distinct("template_id").values_list("template_id", "id"))
