"""What Meta says of an account: bans, restrictions, violations, reviews, and whether it is still connected to us.

An account can have several numbers: each is told. Source: Meta, account_update webhook reference (2026-04-20).
"""

from datetime import UTC, datetime
from typing import Any

from messaging.account_updates.update import Update
from tenants import health

CONNECTION_EVENTS = health.GONE | {"PARTNER_ADDED", "PARTNER_APP_INSTALLED", "ACCOUNT_RECONNECTED"}
# Known, and nothing here changes by them: they stay in the inbox.
KEPT_EVENTS = frozenset(
    {
        "AD_ACCOUNT_LINKED",
        "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
        "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
        "MM_LITE_TERMS_SIGNED",
        "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
        "VOLUME_BASED_PRICING_TIER_UPDATE",
    }
)


def account(update: Update) -> bool:
    """Take over one event of `account_update`; return whether it is known."""
    event = update.word("event")
    if event in CONNECTION_EVENTS:
        return _tell(update, "connection", {"connection": event})
    if event == "DISABLED_UPDATE":
        return _tell(update, "ban", {"account_state": str(update.part("ban_info").get("waba_ban_state") or "")})
    if event == "ACCOUNT_RESTRICTION":
        return _tell(update, "restriction", {"restrictions": _restrictions(update.value.get("restriction_info"))})
    if event == "ACCOUNT_VIOLATION":
        kind = update.part("violation_info").get("violation_type")
        return _tell(update, "violation", {"violation": kind if isinstance(kind, str) and kind else "UNKNOWN"})
    return event in KEPT_EVENTS


def review(update: Update) -> bool:
    """Take over the decision about the account."""
    decision = update.word("decision")
    return bool(decision) and _tell(update, "review", {"account_review": decision})


def _tell(update: Update, aspect: str, values: dict[str, Any]) -> bool:
    for number in update.numbers():
        health.tell(number=number, aspect=aspect, values=values, at=update.at)
    return True


def _restrictions(value: Any) -> list[dict[str, str | None]]:
    given = value if isinstance(value, list) else [value]
    return [
        {"type": each["restriction_type"][:100], "until": _until(each.get("expiration"))}
        for each in given
        if isinstance(each, dict) and isinstance(each.get("restriction_type"), str)
    ]


def _until(value: Any) -> str | None:
    """Return when a restriction ends, which comes as seconds since 1970 or as text; None: not said."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, tz=UTC).isoformat()
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).isoformat() if moment else None
