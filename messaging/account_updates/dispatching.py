"""Field → handler, and what became of each update, counted by field."""

from collections.abc import Callable
from datetime import UTC, datetime

from messaging.account_updates import accounts, numbers, templates
from messaging.account_updates.update import Update
from messaging.figures import ACCOUNT_UPDATES
from messaging.models import InboxEvent
from tenants.models import Municipality

HANDLERS: dict[str, Callable[[Update], bool]] = {
    "account_alerts": numbers.alert,
    "account_review_update": accounts.review,
    "account_update": accounts.account,
    "business_capability_update": numbers.capability,
    "business_username_update": numbers.username,
    "message_template_components_update": templates.template,
    "message_template_quality_update": templates.template,
    "message_template_status_update": templates.template,
    "phone_number_name_update": numbers.name,
    "phone_number_quality_update": numbers.quality,
    "security": numbers.security,
    "template_category_update": templates.template,
}
# Fields that tell of citizens; they are applied beside messages (messaging/incoming.py), whom they may concern.
CITIZEN_FIELDS = frozenset(
    {
        "calls",
        "history",
        "messaging_handovers",
        "smb_message_echoes",
        "standby",
        "user_id_update",
        "user_preferences",
    }
)
# Known, and nothing here changes by them: they stay in the inbox.
KEPT_FIELDS = frozenset(
    {
        "automatic_events",
        "flows",
        "group_lifecycle_update",
        "group_participants_update",
        "group_settings_update",
        "group_status_update",
        "partner_solutions",
        "payment_configuration_update",
        "smb_app_state_sync",  # the address book of a phone names people who never wrote: none of it is taken over
        "tracking_events",
    }
)


def read(*, municipality: Municipality, event: InboxEvent) -> Update:
    """Return a stored event of kind ACCOUNT as an update."""
    value, account_id = event.payload["element"], event.payload.get("entry_id")
    info = value.get("waba_info")
    if str(value.get("event")).startswith("PARTNER_") and isinstance(info, dict):
        account_id = info.get("waba_id")  # these come under the partner's own portfolio
    return Update(
        municipality=municipality,
        field=event.field,
        value=value,
        account_id=str(account_id) if account_id else None,
        at=_moment(event.payload.get("entry_time")) or event.received_at,
    )


def apply(*, update: Update) -> None:
    """Apply an update that is not about citizens; one that is not understood changes nothing, and is counted."""
    handler = HANDLERS.get(update.field)
    if handler is not None:
        outcome = "applied" if handler(update) else "not_understood"
    else:
        outcome = "kept" if update.field in KEPT_FIELDS else "not_understood"
    count(field=update.field, outcome=outcome)


def count(*, field: str, outcome: str) -> None:
    """Count an update by its field, which is named only when it is one of Meta's: a label is no place for content."""
    known = field in HANDLERS or field in KEPT_FIELDS or field in CITIZEN_FIELDS
    ACCOUNT_UPDATES.labels(field if known else "other", outcome).inc()


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return datetime.fromtimestamp(int(value), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
