"""Meta's analytics of a business, from what the sandbox sent: messages, conversations, pricing, templates.

Without COST: Meta does not give it to accounts on a partner's line of credit. Only numbers and templates that are there
now are counted.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.books import Send
from sandbox.control import sandbox_of
from sandbox.graph_errors import GraphError
from sandbox.pricing import AMSTERDAM, PMP_SINCE
from sandbox.templates import business_in_path
from sandbox.world import Business, World

NAMES = ("analytics", "conversation_analytics", "pricing_analytics")
CALL = re.compile(r"\.([a-z_]+)\(([^()]*)\)")
LOOK_BACK_SECONDS = 365 * 86400.0
TEMPLATE_LOOK_BACK_SECONDS = 90 * 86400.0
GRANULARITIES = {
    "analytics": ("HALF_HOUR", "DAY", "MONTH"),
    "conversation_analytics": ("HALF_HOUR", "DAILY", "MONTHLY"),
    "pricing_analytics": ("HALF_HOUR", "DAILY", "MONTHLY"),
}
COUNTRIES = {"31": "NL", "32": "BE", "49": "DE", "33": "FR", "44": "GB", "48": "PL", "90": "TR", "380": "UA"}
CONVERSATION = timedelta(hours=24).total_seconds()
# What a dimension is called in an answer.
PRICING_DIMENSIONS = {
    "COUNTRY": "country", "PHONE": "phone_number", "PRICING_CATEGORY": "pricing_category",
    "PRICING_TYPE": "pricing_type", "TIER": "tier",
}  # fmt: skip
CONVERSATION_DIMENSIONS = {
    "COUNTRY": "country", "PHONE": "phone_number", "CONVERSATION_CATEGORY": "conversation_category",
    "CONVERSATION_TYPE": "conversation_type", "CONVERSATION_DIRECTION": "conversation_direction",
}  # fmt: skip


def routes() -> list[Route]:
    """List the doors; the others are fields of the business."""
    return [Route("/{version}/{waba_id}/template_analytics", _template_analytics, methods=["GET"])]


def is_analytics(*, field: str) -> bool:
    """Tell whether the field asks for analytics, as `analytics.start(1).end(2).granularity(DAY)`."""
    return field.partition(".")[0] in NAMES and "." in field


def analytics_of(*, world: World, business: Business, expression: str) -> dict[str, Any]:
    """Answer one field of analytics. Raises GraphError 100: something is missing, unknown or too long ago."""
    name = expression.partition(".")[0]
    given = {key: value.replace('"', "").replace("'", "").strip("[]") for key, value in CALL.findall(expression)}
    start, end = _range(given=given, now=world.clock.now(), most=LOOK_BACK_SECONDS)
    granularity = given.get("granularity")
    if granularity not in GRANULARITIES[name]:
        raise GraphError(code=100, details=f"granularity is one of {', '.join(GRANULARITIES[name])}")
    numbers = {each for each in given.get("phone_numbers", "").split(",") if each}
    sends = [
        send
        for send in world.books.sends
        if send.outcome == "ACCEPTED"
        and send.number_id in business.numbers
        and (not numbers or business.numbers[send.number_id].digits in numbers)
    ]
    if name == "analytics":
        points = _message_points(sends=sends, start=start, end=end, granularity=granularity)
        used = sorted({business.numbers[send.number_id].digits for send in sends})
        countries = sorted({_country(send=send) for send in sends})
        shown = {"phone_numbers": used, "country_codes": countries, "granularity": granularity, "data_points": points}
        return {name: shown}
    known = PRICING_DIMENSIONS if name == "pricing_analytics" else CONVERSATION_DIMENSIONS
    dimensions = [each for each in given.get("dimensions", "").split(",") if each]
    if set(dimensions) - known.keys():
        raise GraphError(code=100, details=f"dimensions are of {', '.join(known)}")
    rows = _volumes(sends=sends) if name == "pricing_analytics" else _conversations(sends=sends)
    counted: Counter[tuple[Any, ...]] = Counter()
    for moment, send in rows:
        if start <= moment < end:
            values = _dimensions(send=send, digits=business.numbers[send.number_id].digits)
            counted[*_bucket(moment=moment, granularity=granularity), *(values[each] for each in dimensions)] += 1
    measure = "volume" if name == "pricing_analytics" else "conversation"
    points = [
        {"start": key[0], "end": key[1], **dict(zip((known[d] for d in dimensions), key[2:], strict=True)), measure: n}
        for key, n in sorted(counted.items(), key=str)
    ]
    return {name: {"data": [{"data_points": points}]}}


def _range(*, given: dict[str, str], now: float, most: float) -> tuple[float, float]:
    start, end = given.get("start", ""), given.get("end", "")
    if not start.isdigit() or not end.isdigit() or int(start) >= int(end):
        raise GraphError(code=100, details="start and end are seconds since 1970, start before end")
    if int(start) < now - most:
        raise GraphError(code=100, details=f"start is at most {int(most // 86400)} days ago")
    return float(start), float(end)


def _bucket(*, moment: float, granularity: str) -> tuple[int, int]:
    """Tell the half hour, day or month in which a moment lies; days and months are the account's, in Amsterdam."""
    if granularity == "HALF_HOUR":
        start = int(moment // 1800 * 1800)
        return start, start + 1800
    local = datetime.fromtimestamp(moment, tz=UTC).astimezone(AMSTERDAM)
    begun = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if granularity.startswith("DA"):
        return int(begun.timestamp()), int((begun + timedelta(days=1)).timestamp())
    begun = begun.replace(day=1)
    return int(begun.timestamp()), int((begun + timedelta(days=32)).replace(day=1).timestamp())


def _message_points(*, sends: list[Send], start: float, end: float, granularity: str) -> list[dict[str, Any]]:
    sent: Counter[tuple[int, int]] = Counter()
    delivered: Counter[tuple[int, int]] = Counter()
    for send in sends:
        if not send.failed and start <= send.at < end:
            sent[_bucket(moment=send.at, granularity=granularity)] += 1
        if send.delivered_at and start <= send.delivered_at < end:
            delivered[_bucket(moment=send.delivered_at, granularity=granularity)] += 1
    return [
        {"start": key[0], "end": key[1], "sent": sent[key], "delivered": delivered[key]}
        for key in sorted(sent.keys() | delivered.keys())
    ]


def _volumes(*, sends: Iterable[Send]) -> Iterator[tuple[float, Send]]:
    """List delivered messages that carry a price, each with its moment."""
    return ((send.delivered_at, send) for send in sends if send.delivered_at and send.pricing)


def _conversations(*, sends: Iterable[Send]) -> Iterator[tuple[float, Send]]:
    """List conversations by their opening message: of 24 hours and one category before PMP, each message since."""
    ends: dict[tuple[str, int, str], float] = defaultdict(float)
    for moment, send in sorted(_volumes(sends=sends), key=lambda each: each[0]):
        key = (send.number_id, send.citizen_key, (send.pricing or {})["category"])
        if moment < PMP_SINCE and moment < ends[key]:
            continue
        ends[key] = moment + CONVERSATION
        yield moment, send


def _dimensions(*, send: Send, digits: str) -> dict[str, str]:
    pricing = send.pricing or {}
    kind = {"regular": "REGULAR", "free_entry_point": "FREE_ENTRY_POINT"}.get(pricing["type"], "FREE_TIER")
    return {
        "COUNTRY": _country(send=send),
        "PHONE": digits,
        "PRICING_CATEGORY": pricing["category"].upper(),
        "PRICING_TYPE": pricing["type"].upper(),
        "TIER": "0:MAX",
        "CONVERSATION_CATEGORY": pricing["category"].upper(),
        "CONVERSATION_TYPE": kind,
        "CONVERSATION_DIRECTION": "BUSINESS_INITIATED" if send.template else "USER_INITIATED",
    }


def _country(*, send: Send) -> str:
    if not send.to.isdigit():
        return send.to[:2]
    return next((COUNTRIES[send.to[:size]] for size in (3, 2) if send.to[:size] in COUNTRIES), "UNKNOWN")


async def _template_analytics(request: Request) -> Response:
    """Count what was sent of templates, by day, once `is_enabled_for_insights` was set."""
    world, query = sandbox_of(request=request).world, request.query_params
    business = business_in_path(world=world, request=request)
    if not business.settings.get("is_enabled_for_insights"):
        raise GraphError(code=100, details="Template analytics is not enabled for this account.")
    start, end = _range(given=dict(query), now=world.clock.now(), most=TEMPLATE_LOOK_BACK_SECONDS)
    if query.get("granularity") != "DAILY":
        raise GraphError(code=100, details="granularity is DAILY")
    ids = [each for each in re.split(r"[\[\],\"' ]+", query.get("template_ids", "")) if each]
    known = {(each.name, each.language): each.id for each in business.templates.values() if each.id in ids}
    if not ids or len(known) < len(set(ids)):
        raise GraphError(code=100, details="template_ids are ids of this account's templates")
    counts: dict[tuple[str, int, int], Counter[str]] = defaultdict(Counter)
    for send in world.books.sends:
        template_id = known.get((send.template or "", send.language or ""))
        if template_id is None or send.outcome != "ACCEPTED" or send.number_id not in business.numbers:
            continue
        for measure, moment in (("sent", send.at), ("delivered", send.delivered_at), ("read", send.read_at)):
            if moment and start <= moment < end and not (measure == "sent" and send.failed):
                counts[template_id, *_bucket(moment=moment, granularity="DAILY")][measure] += 1
    points = [
        {"template_id": key[0], "start": key[1], "end": key[2], **{m: n[m] for m in ("sent", "delivered", "read")}}
        for key, n in sorted(counts.items())
    ]
    data = [{"granularity": "DAILY", "product_type": "CLOUD_API", "data_points": points}]
    return JSONResponse({"data": data})
