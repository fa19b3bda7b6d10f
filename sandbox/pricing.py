"""The `pricing` block of a status: what Meta says a message counts as, by the date on the sandbox's clock.

CBP before 1 July 2025; PMP since; from 1 October 2026 service messages and utility templates inside the window count
too, but for the first service messages of a number and month (`free_service_messages`, not verified at Meta).
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world import WINDOW_SECONDS, Citizen, Number

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
# Meta's dates hold in the time zone of the WABA; the sandbox's businesses are Dutch.
PMP_SINCE = datetime(2025, 7, 1, tzinfo=AMSTERDAM).timestamp()
SERVICE_CHARGED_SINCE = datetime(2026, 10, 1, tzinfo=AMSTERDAM).timestamp()
SERVICE_FREE_SINCE = datetime(2024, 11, 1, tzinfo=AMSTERDAM).timestamp()
ENTRY_POINT_SECONDS = 72 * 3600.0
ENTRY_POINT_ANSWER_SECONDS = 24 * 3600.0


@lru_cache(maxsize=256)
def block(*, model: str, kind: str, category: str) -> dict[str, Any]:
    """Make the block; the same block is one object, because the books keep it for every message."""
    return {"billable": kind == "regular", "pricing_model": model, "type": kind, "category": category}


def window_is_open(*, citizen: Citizen, number: Number, now: float) -> bool:
    """Tell whether the citizen wrote to this number in the last 24 hours."""
    wrote_at = citizen.wrote_at.get(number.id)
    return wrote_at is not None and now < wrote_at + WINDOW_SECONDS


def price(
    *, number: Number, citizen: Citizen, template_category: str | None, now: float, free_service_messages: int
) -> dict[str, Any]:
    """Decide the block of a message accepted now, counting it when it uses up a free one."""
    model = "PMP" if now >= PMP_SINCE else "CBP"
    if _in_entry_point(number=number, citizen=citizen, now=now):
        return block(model=model, kind="free_entry_point", category="referral_conversion")
    if template_category is None:
        return block(model=model, kind=_service_kind(number, now, free_service_messages), category="service")
    category = template_category.lower()
    kind = "regular"
    if category == "utility" and PMP_SINCE <= now < SERVICE_CHARGED_SINCE:
        kind = "free_customer_service" if window_is_open(citizen=citizen, number=number, now=now) else "regular"
    return block(model=model, kind=kind, category=category)


def _service_kind(number: Number, now: float, free_service_messages: int) -> str:
    if now < SERVICE_CHARGED_SINCE:
        return "free_customer_service" if now >= SERVICE_FREE_SINCE else "regular"
    if free_service_messages < 0:
        return "free_customer_service"
    month = datetime.fromtimestamp(now, tz=UTC).astimezone(AMSTERDAM).strftime("%Y-%m")
    used = number.free_service_used.get(month, 0)
    if used >= free_service_messages:
        return "regular"
    number.free_service_used[month] = used + 1
    return "free_customer_service"


def _in_entry_point(*, number: Number, citizen: Citizen, now: float) -> bool:
    until = citizen.entry_point_until.get(number.id)
    if until is not None and now < until:
        return True
    entered_at = citizen.entered_at.pop(number.id, None)
    if entered_at is None or now >= entered_at + ENTRY_POINT_ANSWER_SECONDS:
        return False
    citizen.entry_point_until[number.id] = now + ENTRY_POINT_SECONDS
    return True
