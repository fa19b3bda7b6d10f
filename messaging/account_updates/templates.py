"""What Meta says of a template: its review, pauses, quality, components and category."""

from messaging.account_updates.update import Update
from messaging.templates import updates


def template(update: Update) -> bool:
    """Take over what is said of a template; return whether it is understood."""
    return updates.apply(field=update.field, value=update.value, waba_id=update.account_id, at_entry=update.at)
