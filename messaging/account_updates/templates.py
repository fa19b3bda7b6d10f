"""What Meta says of a template: so far its review."""

from messaging.account_updates.update import Update
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


def template(update: Update) -> bool:
    """Take over the review of a template; return whether it is understood."""
    status = STATUS_OF_EVENT.get(update.word("event"))
    if status is not None and update.field == "message_template_status_update":
        Template.objects.filter(
            waba_id=update.account_id or "",
            name=update.word("message_template_name"),
            language=update.word("message_template_language"),
        ).update(status=status, meta_id=str(update.value.get("message_template_id") or ""))
    return True
