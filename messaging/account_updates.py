"""Account-level updates: what Meta says about templates, numbers and accounts.

Understood so far: the review of a template. All others are kept in the inbox as they came.
"""

from typing import Any

from messaging.models import Template

STATUS_OF_EVENT = {
    "APPROVED": Template.Status.APPROVED,
    "REJECTED": Template.Status.REJECTED,
    "PENDING": Template.Status.PENDING,
    "IN_APPEAL": Template.Status.PENDING,
    "PAUSED": Template.Status.PAUSED,
    "REINSTATED": Template.Status.APPROVED,
    "DISABLED": Template.Status.DISABLED,
}


def apply(*, field: str, value: dict[str, Any], waba_id: str | None) -> None:
    """Apply one account field's value; an unknown field or event changes nothing."""
    if field != "message_template_status_update":
        return
    status = STATUS_OF_EVENT.get(str(value.get("event")))
    if status is not None:
        Template.objects.filter(
            waba_id=waba_id or "",
            name=str(value.get("message_template_name")),
            language=str(value.get("message_template_language")),
        ).update(status=status, meta_id=str(value.get("message_template_id") or ""))
