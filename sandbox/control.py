"""The control door `/_sandbox/`: reset, clock, businesses, switches, faults, and raw webhooks (README.md)."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import aiohttp
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.books import iso
from sandbox.inbound import UnfitMessage, read_json
from sandbox.limits import MESSAGING_LIMITS
from sandbox.world import Template, World

if TYPE_CHECKING:
    from sandbox.app import Sandbox


def routes() -> list[Route]:
    """List the doors."""
    return [
        Route("/_sandbox/healthz", _healthz, methods=["GET"]),
        Route("/_sandbox/reset", _reset, methods=["POST"]),
        Route("/_sandbox/clock", _show_clock, methods=["GET"]),
        Route("/_sandbox/clock", _move_clock, methods=["POST"]),
        Route("/_sandbox/switches", _show_switches, methods=["GET"]),
        Route("/_sandbox/switches", _set_switches, methods=["POST"]),
        Route("/_sandbox/businesses", _register_business, methods=["POST"]),
        Route("/_sandbox/webhook", _webhook, methods=["POST"]),
        Route("/_sandbox/verify", _verify, methods=["POST"]),
        Route("/_sandbox/faults", _show_faults, methods=["GET"]),
        Route("/_sandbox/faults", _add_faults, methods=["POST"]),
        Route("/_sandbox/faults", _clear_faults, methods=["DELETE"]),
    ]


async def read_object(*, request: Request) -> dict[str, Any]:
    """Read the request's JSON object. Raises UnfitMessage: it is none."""
    payload = read_json(body=await request.body())
    if not isinstance(payload, dict):
        raise UnfitMessage("a JSON object is expected")
    return payload


def sandbox_of(*, request: Request) -> "Sandbox":
    """Find the sandbox that the request came to."""
    found: Sandbox = request.app.state.sandbox
    return found


def read_moment(*, text: Any) -> float:
    """Read an ISO 8601 moment with its offset. Raises UnfitMessage: it is none, or has no offset."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise UnfitMessage("a moment is written in ISO 8601") from error
    if moment.tzinfo is None:
        raise UnfitMessage("a moment needs its offset from UTC")
    return moment.timestamp()


async def _healthz(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _reset(request: Request) -> Response:
    sandbox_of(request=request).reset()
    return JSONResponse({"status": "empty"})


async def _show_clock(request: Request) -> Response:
    clock = sandbox_of(request=request).world.clock
    return JSONResponse({"now": iso(moment=clock.now()), "offset_seconds": clock.offset_seconds})


async def _move_clock(request: Request) -> Response:
    sandbox, payload = sandbox_of(request=request), await read_object(request=request)
    clock = sandbox.world.clock
    if "to" in payload:
        moment = read_moment(text=payload["to"])
    elif isinstance(payload.get("advance_seconds"), int | float):
        moment = clock.now() + payload["advance_seconds"]
    else:
        raise UnfitMessage('give {"to": moment} or {"advance_seconds": number}')
    if moment < clock.now() and not sandbox.world.untouched:
        return JSONResponse({"error": "the clock goes back only before any traffic"}, status_code=409)
    clock.move_to(moment=moment)
    sandbox.statuses.clock_moved()
    return await _show_clock(request)


async def _show_switches(request: Request) -> Response:
    return JSONResponse(sandbox_of(request=request).world.switches.as_dict())


async def _set_switches(request: Request) -> Response:
    sandbox_of(request=request).world.switches.change(values=await read_object(request=request))
    return await _show_switches(request)


async def _register_business(request: Request) -> Response:
    world, raw = sandbox_of(request=request).world, await read_object(request=request)
    missing = [key for key in ("waba_id", "access_token") if not isinstance(raw.get(key), str)]
    if missing:
        raise UnfitMessage(f"a business needs {', '.join(missing)}")
    numbers = raw.get("phone_numbers", [])
    if not all(isinstance(each, dict) and each.get("id") and each.get("display_phone_number") for each in numbers):
        raise UnfitMessage("a phone number needs id and display_phone_number")
    if not all(isinstance(each.get("throughput", 80), int) and each.get("throughput", 80) > 0 for each in numbers):
        raise UnfitMessage("throughput is a number above zero")
    limit = raw.get("messaging_limit", "TIER_UNLIMITED")
    if limit not in MESSAGING_LIMITS:
        raise UnfitMessage(f"messaging_limit is one of {', '.join(MESSAGING_LIMITS)}")
    business = world.register(
        waba_id=raw["waba_id"],
        name=str(raw.get("name", raw["waba_id"])),
        access_token=raw["access_token"],
        webhook_url=raw.get("webhook_url"),
    )
    business.messaging_limit = limit
    business.portfolio_id = str(raw.get("portfolio_id") or business.portfolio_id)
    for each in numbers:
        given = {"throughput": each["throughput"]} if "throughput" in each else {}
        world.register_number(
            business=business, number_id=str(each["id"]), display_phone_number=each["display_phone_number"], **given
        )
    for each in raw.get("templates", []):
        template = _read_template(world=world, raw=each)
        business.templates[template.name, template.language] = template
    return JSONResponse(
        {
            "waba_id": business.waba_id,
            "name": business.name,
            "phone_numbers": sorted(business.numbers),
            "templates": [{"name": name, "language": code} for name, code in sorted(business.templates)],
        }
    )


def _read_template(*, world: World, raw: dict[str, Any]) -> Template:
    if not isinstance(raw.get("name"), str):
        raise UnfitMessage("a template needs a name")
    components = raw.get("components") or [{"type": "BODY", "text": raw.get("body", "")}]
    return Template(
        id=str(raw.get("id") or world.ids.next_number()),
        name=raw["name"],
        language=raw.get("language", "nl"),
        category=raw.get("category", "UTILITY"),
        status=raw.get("status", "APPROVED"),
        components=components,
        parameter_format=raw.get("parameter_format", "POSITIONAL"),
        quality_at=world.clock.now(),
    )


async def _webhook(request: Request) -> Response:
    """Sign a body as given and deliver it once; tell the platform's answer."""
    sandbox, body = sandbox_of(request=request), await request.body()
    url = request.query_params.get("url", sandbox.world.config.webhook_url)
    try:
        status, text = await sandbox.courier.send_raw(url=url, body=body)
    except aiohttp.ClientError as error:
        return JSONResponse({"status": None, "error": type(error).__name__}, status_code=502)
    return JSONResponse({"status": status, "body": text[:1000]})


async def _verify(request: Request) -> Response:
    """Play the verification of the webhook's URL; tell whether the challenge came back."""
    sandbox, raw = sandbox_of(request=request), await read_object(request=request)
    url = raw.get("url", sandbox.world.config.webhook_url)
    token = raw.get("verify_token", sandbox.world.config.verify_token)
    status, text, challenge = await sandbox.courier.challenge(url=url, verify_token=token)
    return JSONResponse({"verified": status == 200 and text == challenge, "status": status})


async def _show_faults(request: Request) -> Response:
    return JSONResponse(sandbox_of(request=request).world.faults.as_dict())


async def _add_faults(request: Request) -> Response:
    sandbox_of(request=request).world.faults.add(payload=await read_object(request=request))
    return await _show_faults(request)


async def _clear_faults(request: Request) -> Response:
    faults = sandbox_of(request=request).world.faults
    faults.sends.clear()
    faults.calls.clear()
    faults.media.clear()
    faults.webhooks = type(faults.webhooks)()
    return await _show_faults(request)
