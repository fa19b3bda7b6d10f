"""`POST /{version}/{phone_number_id}/messages`: decide what becomes of a send, note it in the books, plan its statuses.

The order of questions is Meta's as far as it shows: token, number, shape, recipient, template, rate, window. Nothing
here knows HTTP; `app` carries the answer, and plays the faults that concern the connection.
"""

import time
from typing import Any

from sandbox.books import Send
from sandbox.checks import check_envelope, check_message
from sandbox.graph_errors import GraphError, missing_object
from sandbox.inbound import BSUID
from sandbox.limits import MESSAGING_LIMITS, limit_allows, pair_allows
from sandbox.pricing import price, window_is_open
from sandbox.statuses import TTL_SECONDS, Statuses
from sandbox.template_sends import approved_template
from sandbox.world import Business, Citizen, MediaFile, Number, World

DUTCH_COUNTRY_CODE = "31"
# How long Meta tries to deliver a template that says nothing about it.
DEFAULT_TTL_SECONDS = {"AUTHENTICATION": 600.0}
# What stops a number that is not CONNECTED from sending.
REFUSALS = {"BANNED": 131031, "RESTRICTED": 131031, "RATE_LIMITED": 131048}
SENDING = ("CONNECTED", "FLAGGED")
MEDIA_KINDS = ("image", "video", "audio", "document", "sticker")


def number_for(*, world: World, token: str | None, number_id: str) -> Number:
    """Find the number that this token may act for. Raises GraphError 190 or 100."""
    business = business_for(world=world, token=token)
    number = world.numbers.get(number_id)
    if number is None or (business is not None and number.business is not business):
        raise missing_object(object_id=number_id)
    return number


def business_for(*, world: World, token: str | None) -> Business | None:
    """Tell whose token this is; None for the system token, which may act for all. Raises GraphError 190."""
    if not token:
        raise GraphError(code=190, details="An access token is required to request this resource.")
    business = world.tokens.get(token)
    if business is None and token != world.config.system_token:
        raise GraphError(code=190, details="Error validating access token: session has expired or is invalid.")
    return business


def mark_read(*, world: World, payload: dict[str, Any]) -> dict[str, Any]:
    """Mark a citizen's message as read (and show that an answer is typed, if asked)."""
    wamid = payload.get("message_id")
    if not isinstance(wamid, str):
        raise GraphError(code=131008, details="The parameter message_id is required.")
    if payload.get("status") != "read":
        raise GraphError(code=131009, details="Parameter status is not valid.")
    if wamid not in world.books.inbound:
        raise GraphError(code=131009, details="Parameter message_id is not valid.")
    world.books.marked_read += 1
    world.books.inbound[wamid].note_read(typing="typing_indicator" in payload)
    return {"success": True}


def accept_message(
    *,
    world: World,
    statuses: Statuses,
    number: Number,
    payload: dict[str, Any],
    failure: int | None = None,
    lite: bool = False,
) -> dict[str, Any]:
    """Accept the message, or raise GraphError; either way it is in the books.

    lite: it came by the door for marketing messages, which takes marketing templates alone and has a price of its own.

    failure: the code with which it fails later, by a status (asked for by a fault).
    """
    books, now = world.books, world.clock.now()
    kind = payload.get("type") or "text"
    send = Send(
        seq=len(books.sends) + 1,
        at=now,
        number_id=number.id,
        to=str(payload.get("to") or payload.get("recipient") or ""),
        type=str(kind),
        opaque=payload.get("biz_opaque_callback_data"),
        body=payload if world.switches.keep_bodies else None,
    )
    books.sends.append(send)
    try:
        citizen, late_failure = _judge(world=world, number=number, payload=payload, send=send, now=now, lite=lite)
    except GraphError as error:
        send.code = error.code
        raise
    wamid = world.ids.next_wamid(digits=citizen.digits, outgoing=True)
    send.outcome, send.wamid, send.citizen_key = "ACCEPTED", wamid, citizen.key
    books.by_wamid[wamid] = send
    failure = failure or late_failure
    if failure is None and statuses.may_arrive(citizen=citizen):
        send.pricing = price(
            number=number,
            citizen=citizen,
            template_category=send.category,
            now=now,
            free_service_messages=world.switches.free_service_messages,
        )
    statuses.plan(
        send=send, number=number, citizen=citizen, failure=failure, ttl_seconds=_ttl(number=number, send=send)
    )
    given = payload.get("to") or payload.get("recipient")
    contact = {"input": given, "wa_id": citizen.phone} if payload.get("to") else {"input": given, "user_id": given}
    message: dict[str, Any] = {"id": wamid}
    if send.template is not None:
        message["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}


def note_refusal(*, world: World, number: Number, payload: dict[str, Any], code: int) -> None:
    """Note in the books that a fault refused a send before it was looked at."""
    send = Send(
        seq=len(world.books.sends) + 1,
        at=world.clock.now(),
        number_id=number.id,
        to=str(payload.get("to") or payload.get("recipient") or ""),
        type=str(payload.get("type") or "text"),
        opaque=payload.get("biz_opaque_callback_data"),
        code=code,
    )
    world.books.sends.append(send)


def _judge(
    *, world: World, number: Number, payload: dict[str, Any], send: Send, now: float, lite: bool
) -> tuple[Citizen, int | None]:
    check_envelope(payload=payload)
    _check_number(number=number)
    citizen = _recipient(world=world, number=number, payload=payload)
    send.to = citizen.phone if payload.get("to") and citizen.phone else str(payload.get("recipient"))
    if lite and send.type != "template":
        raise GraphError(code=131009, details="Only templates are sent this way.")
    if send.type == "template":
        _check_template(number=number, payload=payload, send=send, lite=lite)
        for medium in _header_media(payload["template"].get("components") or []):
            _check_media_id(world=world, number=number, body=medium, now=now)
    else:
        check_message(payload=payload, kind=send.type)
        for medium in _media(kind=send.type, body=payload[send.type]):
            _check_media_id(world=world, number=number, body=medium, now=now)
        if send.type == "reaction":
            _check_target(world=world, wamid=payload["reaction"]["message_id"])
    _check_rates(world=world, number=number, citizen=citizen)
    if window_is_open(citizen=citizen, number=number, now=now):
        return citizen, None
    if send.type == "template":
        _check_messaging_limit(world=world, number=number, citizen=citizen, now=now)
        return citizen, None
    if world.switches.outside_window == "sync":
        raise GraphError(
            code=131047, details="More than 24 hours have passed since the recipient last replied to the sender."
        )
    return citizen, 131047


def _check_number(*, number: Number) -> None:
    """Raise GraphError when the number's state, or that of its account, does not let it send."""
    if number.status not in SENDING:
        raise GraphError(code=REFUSALS.get(number.status, 133010), details=f"The number is {number.status}.")
    if number.business.credit is None:
        raise GraphError(code=131042, details="No line of credit is attached to this account.")


def _check_template(*, number: Number, payload: dict[str, Any], send: Send, lite: bool) -> None:
    """Note the template in the books, or raise GraphError when it may not be sent like this."""
    template = approved_template(business=number.business, payload=payload)
    send.template, send.language, send.category = template.name, template.language, template.category
    if template.category == "AUTHENTICATION" and not payload.get("to"):
        raise GraphError(code=131062, details="Authentication templates need a phone number.")
    if lite:
        if template.category != "MARKETING":
            raise GraphError(code=134101, details="Only marketing templates are sent this way.")
        send.category = "MARKETING_LITE"
    elif template.category == "MARKETING" and number.business.settings.get("disable_marketing_messages_on_cloud_api"):
        raise GraphError(code=131063, details="Marketing is disabled on the Cloud API for this account.")


def _recipient(*, world: World, number: Number, payload: dict[str, Any]) -> Citizen:
    to, bsuid = payload.get("to"), payload.get("recipient")
    if not to and not bsuid:
        raise GraphError(code=131008, details="The parameter to or recipient is required.")
    if payload.get("recipient_type", "individual") != "individual":
        raise GraphError(code=131009, details="Parameter recipient_type is not valid.")
    if not to:
        if not isinstance(bsuid, str) or not BSUID.match(bsuid):
            raise GraphError(code=131009, details="Parameter recipient is not valid.")
        return world.citizen(business=number.business, phone=None, bsuid=bsuid)
    digits = "".join(filter(str.isdigit, str(to)))
    if world.switches.prepend_country_code and not str(to).startswith("+"):
        # Without plus, Meta takes the number for a national one of the business's country.
        digits = DUTCH_COUNTRY_CODE + digits
    if not 7 <= len(digits) <= 15:
        raise GraphError(code=131009, details="Parameter to is not valid.")
    if digits == number.digits:
        raise GraphError(code=131021, details="Recipient cannot be the sender.")
    return number.business.by_phone.get(digits) or world.citizen(business=number.business, phone=digits, bsuid=None)


def _media(*, kind: str, body: Any) -> list[dict[str, Any]]:
    """List the media that a message names: itself, or its header."""
    if kind in MEDIA_KINDS:
        return [body]
    header = body.get("header") if kind == "interactive" else None
    return [header[header["type"]]] if header is not None and header["type"] in MEDIA_KINDS else []


def _header_media(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """List the media in a template's header."""
    given = [each for component in components for each in component.get("parameters") or []]
    return [each[each["type"]] for each in given if isinstance(each, dict) and each.get("type") in MEDIA_KINDS]


def _check_media_id(*, world: World, number: Number, body: dict[str, Any], now: float) -> None:
    media_id = body.get("id")
    if media_id is None:
        return
    file: MediaFile | None = world.media.get(str(media_id))
    if file is None or file.number is not number or file.expires_at <= now:
        raise GraphError(code=131009, details="Parameter id is not valid: no such media of this number.")


def _check_target(*, world: World, wamid: str) -> None:
    if wamid not in world.books.inbound and wamid not in world.books.by_wamid:
        raise GraphError(code=131009, details="Parameter reaction.message_id is not valid.")


def _check_rates(*, world: World, number: Number, citizen: Citizen) -> None:
    switches, real_now = world.switches, time.monotonic()
    if switches.throughput_limit and not number.bucket.take(now=real_now):
        raise GraphError(code=130429, details="Cloud API message throughput has been reached.")
    if switches.pair_limit and not pair_allows(debts=citizen.pair_debt, number_id=number.id, now=real_now):
        raise GraphError(code=131056, details="Too many messages from this number to the same recipient.")


def _ttl(*, number: Number, send: Send) -> float:
    """Tell how many seconds Meta tries to deliver the message."""
    if send.template is None:
        return TTL_SECONDS
    template = number.business.templates[send.template, send.language or ""]
    seconds = template.ttl_seconds or DEFAULT_TTL_SECONDS.get(template.category, TTL_SECONDS)
    return seconds if seconds > 0 else TTL_SECONDS


def _check_messaging_limit(*, world: World, number: Number, citizen: Citizen, now: float) -> None:
    business = number.business
    limit = MESSAGING_LIMITS[business.messaging_limit]
    if limit is None:
        return
    reached = world.reached.setdefault(business.portfolio_id, {})
    if not limit_allows(reached=reached, citizen_key=citizen.key, limit=limit, now=now):
        code = world.switches.messaging_limit_code
        raise GraphError(code=code, details="The messaging limit of the business portfolio has been reached.")
