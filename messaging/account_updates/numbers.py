"""What Meta says of one number: quality, limit, throughput, name, username, PIN, and alerts.

A handler returns whether the update was about a number of ours and of a form that it knows.
Source: Meta, webhook references of these fields, read 2026-11-22 (domain notes of the project).
"""

from typing import Any

from messaging.account_updates.update import Update
from tenants import health

# Of these events Meta's words say what the quality became; the numbers themselves are only told when asked for.
QUALITY_OF_EVENT = {"FLAGGED": "RED", "UNFLAGGED": "UNKNOWN"}
_TIERS = {250: "TIER_250", 1000: "TIER_1K", 2000: "TIER_2K", 10_000: "TIER_10K", 100_000: "TIER_100K"}
_UNLIMITED = -1


def quality(update: Update) -> bool:
    """Take over a change of quality, limit or throughput."""
    number, event = update.number(), update.word("event")
    if number is None:
        return False
    limit = limit_of(update.value.get("max_daily_conversations_per_business") or update.value.get("current_limit"))
    if limit:
        health.tell(number=number, aspect="limit", values={"messaging_limit": limit}, at=update.at)
    if event in QUALITY_OF_EVENT:
        health.tell(number=number, aspect="quality", values={"quality": QUALITY_OF_EVENT[event]}, at=update.at)
    elif event == "THROUGHPUT_UPGRADE":
        health.tell(number=number, aspect="throughput", values={"throughput": health.HIGH_THROUGHPUT}, at=update.at)
    elif event not in {"ONBOARDING", "UPGRADE", "DOWNGRADE"}:
        return False
    return True


def name(update: Update) -> bool:
    """Take over the decision about a display name; an approved one is the number's name from then on."""
    number, decision = update.number(), update.word("decision")
    if number is None or not decision:
        return False
    requested = update.word("requested_verified_name")
    values = {
        "name_decision": decision,
        "requested_name": requested,
        "name_rejection": update.word("rejection_reason") if decision == "REJECTED" else "",
    }
    health.tell(number=number, aspect="name decision", values=values, at=update.at)
    if decision == "APPROVED" and requested:
        health.tell(number=number, aspect="name", values={"verified_name": requested}, at=update.at)
    return True


def username(update: Update) -> bool:
    """Take over what became of the number's username."""
    number, status = update.number(), update.word("status")
    if number is None or not status:
        return False
    values = {"username": update.word("username"), "username_status": status.upper()}
    return health.tell(number=number, aspect="username", values=values, at=update.at) or True


def security(update: Update) -> bool:
    """Take over what happened to the number's PIN: who asks for another one may be about to take the number."""
    number, event = update.number(), update.word("event")
    if number is None or event not in {"PIN_CHANGED", *health.PIN_OPEN}:
        return False
    health.tell(number=number, aspect="pin", values={"pin_event": event}, at=update.at)
    return True


def capability(update: Update) -> bool:
    """Take over what the portfolio may do; it holds for each of its numbers."""
    value = update.value
    limit = limit_of(value.get("max_daily_conversations_per_business", value.get("max_daily_conversation_per_phone")))
    most = value.get("max_phone_numbers_per_business", value.get("max_phone_numbers_per_waba"))
    is_count = isinstance(most, int) and not isinstance(most, bool) and 0 <= most < 2**31
    for number in update.numbers():
        if limit:
            health.tell(number=number, aspect="limit", values={"messaging_limit": limit}, at=update.at)
        if is_count:
            health.tell(number=number, aspect="most numbers", values={"most_numbers": most}, at=update.at)
    return bool(limit) or is_count


def alert(update: Update) -> bool:
    """Take over an alert, of one number or of all that the account has."""
    kind = update.part("alert_info").get("alert_type")
    if not isinstance(kind, str) or not kind:
        return False
    one = update.number() if update.word("entity_type") == "PHONE_NUMBER" else None
    for number in [one] if one else update.numbers():
        health.tell(number=number, aspect="alert", values={"alert": kind}, at=update.at)
    return True


def limit_of(value: Any) -> str:
    """Return a messaging limit as Meta's word for it, whether it came as a word or as a number; nothing if neither."""
    if isinstance(value, str) and value.startswith("TIER_"):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return ""
    if value == _UNLIMITED:
        return "TIER_UNLIMITED"
    return _TIERS.get(value, f"TIER_{value}") if value >= 0 else ""
