"""Sends webhooks of fields besides `messages`, and the control doors that ask for one: account events, errors, calls.

They always go to the app's own URL, never to an override. Events about partners carry the partner's own portfolio as
the entry's id, not the customer's account.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.account_fields import typical_values
from sandbox.citizen_fields import Scene
from sandbox.control import read_object, sandbox_of
from sandbox.envelope import Update
from sandbox.graph_errors import status_error
from sandbox.inbound import UnfitMessage, find_citizen
from sandbox.statuses import contact_of
from sandbox.world import Business, Citizen, Number, Template, World, make_number

if TYPE_CHECKING:
    from sandbox.app import Sandbox

WAIT_SECONDS = 30.0
NOBODY = {"phone": "31600000000"}


def routes() -> list[Route]:
    """List the doors."""
    return [
        Route("/_sandbox/account_events", _list_events, methods=["GET"]),
        Route("/_sandbox/account_events", _send_event, methods=["POST"]),
        Route("/_sandbox/errors", _send_errors, methods=["POST"]),
        Route("/_sandbox/calls", _call, methods=["POST"]),
    ]


def tell(*, sandbox: "Sandbox", business: Business, field: str, value: dict[str, Any]) -> "asyncio.Future[None] | None":
    """Send one value of a field about the business; None when it gets no webhooks."""
    partner = field == "partner_solutions" or str(value.get("event", "")).startswith("PARTNER_")
    if not business.subscribed and not partner:
        return None
    config = sandbox.world.config
    update = Update(
        waba_id=config.portfolio_id if partner else business.waba_id,
        number=None,
        url=config.webhook_url,
        kind="value",
        field=field,
        element=value,
    )
    return sandbox.courier.send_awaited(update=update)


def business_named(*, world: World, raw: dict[str, Any]) -> Business:
    """Find the business that `waba_id` names. Raises UnfitMessage: there is none."""
    business = world.businesses.get(str(raw.get("waba_id")))
    if business is None:
        raise UnfitMessage(f"there is no business {raw.get('waba_id')!r}")
    return business


async def _list_events(request: Request) -> Response:
    """List the fields with their variants."""
    world = sandbox_of(request=request).world
    business = Business(waba_id="0", name="", access_token="")
    values = typical_values(scene=_scene(world=world, business=business, raw={}))
    return JSONResponse({field: sorted(variants) for field, variants in values.items()})


async def _send_event(request: Request) -> Response:
    """Send a field's value: {"waba_id", "field", "variant"?, "value"? (put over the typical one), "wait"?}."""
    sandbox, raw = sandbox_of(request=request), await read_object(request=request)
    business = business_named(world=sandbox.world, raw=raw)
    values = typical_values(scene=_scene(world=sandbox.world, business=business, raw=raw))
    field = raw.get("field")
    if field not in values:
        raise UnfitMessage(f"a field is one of {', '.join(values)}")
    variant = raw.get("variant", next(iter(values[field])))
    if variant not in values[field]:
        raise UnfitMessage(f"a variant of {field} is one of {', '.join(values[field])}")
    value = {**values[field][variant], **(raw.get("value") or {})}
    return await _answer(
        raw=raw, arrived=tell(sandbox=sandbox, business=business, field=field, value=value), value=value
    )


async def _send_errors(request: Request) -> Response:
    """Send errors that belong to no message: {"phone_number_id", "errors": [{"code", "details"?}], "wait"?}."""
    sandbox, raw = sandbox_of(request=request), await read_object(request=request)
    number = _number(world=sandbox.world, raw=raw)
    futures = []
    errors = [each for each in raw.get("errors", []) if isinstance(each, dict) and isinstance(each.get("code"), int)]
    if not errors:
        raise UnfitMessage("errors is a list of at least one object with a code")
    for each in errors:
        error = status_error(code=each["code"], details=str(each.get("details", "Something went wrong.")))
        futures.append(_send(sandbox=sandbox, number=number, kind="errors", element=error))
    return await _answer(raw=raw, arrived=asyncio.gather(*futures), value={"errors": errors})


async def _call(request: Request) -> Response:
    """Let a citizen call, which opens the window: {"phone_number_id", "citizen", "event"? (connect), "call_id"?}."""
    sandbox, raw = sandbox_of(request=request), await read_object(request=request)
    world, number = sandbox.world, _number(world=sandbox.world, raw=raw)
    citizen = find_citizen(world=world, number=number, raw=raw.get("citizen") or {})
    event, now = raw.get("event", "connect"), world.clock.now()
    if event not in ("connect", "terminate"):
        raise UnfitMessage("a call's event is connect or terminate")
    call = {
        "id": raw.get("call_id") or f"wacid.{world.ids.next_number()}",
        "from": citizen.phone or citizen.bsuid,
        "to": number.digits,
        "event": event,
        "timestamp": str(int(now)),
        "direction": "USER_INITIATED",
    }
    if event == "connect":
        call["session"] = {"sdp_type": "offer", "sdp": "v=0"}
        citizen.wrote_at[number.id] = max(now, citizen.wrote_at.get(number.id, now))
    else:
        call |= {"status": "COMPLETED", "start_time": str(int(now) - 60), "end_time": str(int(now)), "duration": 60}
    shown = contact_of(citizen=citizen, world=world, with_username=True)
    arrived = _send(sandbox=sandbox, number=number, kind="calls", element=call, contact=shown)
    return await _answer(raw=raw, arrived=arrived, value={"call_id": call["id"]})


def _send(
    *, sandbox: "Sandbox", number: Number, kind: str, element: dict[str, Any], contact: dict[str, Any] | None = None
) -> "asyncio.Future[None]":
    config = sandbox.world.config
    update = Update(
        waba_id=number.business.waba_id,
        number=number,
        url=number.override_url or config.webhook_url if kind == "errors" else config.webhook_url,
        kind=kind,
        field="messages" if kind == "errors" else kind,
        element=element,
        contact=contact,
    )
    return sandbox.courier.send_awaited(update=update)


async def _answer(*, raw: dict[str, Any], arrived: "asyncio.Future[Any] | None", value: dict[str, Any]) -> Response:
    if raw.get("wait") and arrived is not None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await arrived
        except TimeoutError:
            return JSONResponse({"error": f"not acknowledged within {WAIT_SECONDS:g} seconds"}, status_code=504)
    return JSONResponse(value)


def _number(*, world: World, raw: dict[str, Any]) -> Number:
    number = world.numbers.get(str(raw.get("phone_number_id")))
    if number is None:
        raise UnfitMessage(f"there is no number {raw.get('phone_number_id')!r}")
    return number


def _scene(*, world: World, business: Business, raw: dict[str, Any]) -> Scene:
    """Put together whom the values speak of: by name where the caller names it, else the business's first."""
    numbers = list(business.numbers.values())
    number = business.numbers.get(str(raw.get("phone_number_id"))) or (numbers[0] if numbers else None)
    if number is None:
        number = make_number(business=business, number_id="0", display="+31 0", throughput=1)
    wanted = raw.get("template")
    templates = [each for each in business.templates.values() if wanted in (None, each.name)]
    template = templates[0] if templates else Template("1", "sjabloon", "nl", "UTILITY", "APPROVED", [])
    described = raw.get("citizen")
    citizen = Citizen(key=0, phone=NOBODY["phone"], bsuid="NL.1")
    if described and business.numbers:
        citizen = find_citizen(world=world, number=number, raw=described)
    return Scene(
        business=business,
        number=number,
        template=template,
        citizen=citizen,
        now=int(world.clock.now()),
        partner_app=world.config.app_id,
        before_v24=world.switches.payload_version == "v23",
    )
