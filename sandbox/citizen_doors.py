"""The control door for what citizens do: write, behave, turn out to be one person, and which statuses come."""

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.control import read_moment, read_object, sandbox_of
from sandbox.envelope import Update, copy_of
from sandbox.inbound import UnfitMessage, find_citizen, write_message
from sandbox.statuses import BEHAVIOURS
from sandbox.world import Citizen, Number, World

if TYPE_CHECKING:
    from sandbox.app import Sandbox

ACKNOWLEDGED_WITHIN_SECONDS = 30.0
STATUSES = ("sent", "delivered", "read", "failed", "played", "deleted", "warning")


def routes() -> list[Route]:
    """List the doors."""
    return [
        Route("/_sandbox/citizens", _describe_citizen, methods=["POST"]),
        Route("/_sandbox/citizens/link", _link, methods=["POST"]),
        Route("/_sandbox/inbound", _inbound, methods=["POST"]),
        Route("/_sandbox/statuses", _statuses, methods=["POST"]),
    ]


def number_of(*, world: World, raw: dict[str, Any]) -> Number:
    """Find the number that `phone_number_id` names. Raises UnfitMessage: there is none."""
    number = world.numbers.get(str(raw.get("phone_number_id")))
    if number is None:
        raise UnfitMessage(f"there is no number {raw.get('phone_number_id')!r}")
    return number


async def _describe_citizen(request: Request) -> Response:
    """Say how a citizen behaves: {"phone_number_id", "citizen": {…}, "behaviour"}."""
    world, raw = sandbox_of(request=request).world, await read_object(request=request)
    if raw.get("behaviour") not in BEHAVIOURS:
        raise UnfitMessage(f"a citizen's behaviour is one of {', '.join(BEHAVIOURS)}")
    citizen = find_citizen(world=world, number=number_of(world=world, raw=raw), raw=raw.get("citizen") or {})
    off = raw.get("off_seconds", 0)
    if not isinstance(off, int | float) or off < 0:
        raise UnfitMessage("off_seconds is a number")
    citizen.behaviour, citizen.off_seconds = raw["behaviour"], float(off)
    return JSONResponse(_shown_citizen(citizen=citizen))


async def _link(request: Request) -> Response:
    """Make two identities one person: {"phone_number_id", "phone", "bsuid"}."""
    world, raw = sandbox_of(request=request).world, await read_object(request=request)
    number = number_of(world=world, raw=raw)
    if not raw.get("phone") or not raw.get("bsuid"):
        raise UnfitMessage("a link needs phone and bsuid")
    citizen = world.citizen(
        business=number.business, phone=str(raw["phone"]).lstrip("+"), bsuid=raw["bsuid"], links=True
    )
    return JSONResponse(_shown_citizen(citizen=citizen))


def _shown_citizen(*, citizen: Citizen) -> dict[str, Any]:
    return {
        "citizen": citizen.key,
        "phone": citizen.phone,
        "bsuid": citizen.bsuid,
        "username": citizen.username,
        "behaviour": citizen.behaviour,
    }


async def _inbound(request: Request) -> Response:
    """Let citizens write; with `wait`, answer once every message was acknowledged with 200."""
    sandbox, raw = sandbox_of(request=request), await read_object(request=request)
    described = _objects(raw=raw, key="updates")
    for each in described:
        if isinstance(each.get("stamped_at"), str):
            each["stamped_at"] = read_moment(text=each["stamped_at"])
    written = [write_message(world=sandbox.world, raw=each) for each in described]
    updates = [each.update for each in written if each.update.number and each.update.number.business.subscribed]
    return await _deliver(
        sandbox=sandbox, updates=updates, raw=raw, answer={"wamids": [each.wamid for each in written]}
    )


async def _statuses(request: Request) -> Response:
    """Send chosen statuses: {"statuses": [{"wamid", "status", "stamped_at"?, "pricing"?, "errors"?}], …}."""
    sandbox, raw = sandbox_of(request=request), await read_object(request=request)
    updates = [_chosen_status(sandbox=sandbox, raw=each) for each in _objects(raw=raw, key="statuses")]
    kept = [update for update in updates if update is not None]
    return await _deliver(sandbox=sandbox, updates=kept, raw=raw, answer={"updates": len(kept)})


def _chosen_status(*, sandbox: "Sandbox", raw: dict[str, Any]) -> Update | None:
    world = sandbox.world
    send = world.books.by_wamid.get(str(raw.get("wamid")))
    if send is None:
        raise UnfitMessage("statuses are of messages that the sandbox accepted")
    if raw.get("status") not in STATUSES:
        raise UnfitMessage(f"a status is one of {', '.join(STATUSES)}")
    return sandbox.statuses.update_for(
        send=send,
        number=world.numbers[send.number_id],
        citizen=world.citizens[send.citizen_key],
        status=raw["status"],
        at=read_moment(text=raw["stamped_at"]) if "stamped_at" in raw else world.clock.now(),
        pricing=raw.get("pricing", send.pricing),
        error=(raw.get("errors") or [None])[0],
    )


async def _deliver(
    *, sandbox: "Sandbox", updates: list[Update], raw: dict[str, Any], answer: dict[str, Any]
) -> Response:
    """Send the updates and further deliveries of them, in one POST or as they come, and wait if asked to."""
    duplicates = raw.get("duplicates", 0)
    if not isinstance(duplicates, int) or duplicates < 0:
        raise UnfitMessage("duplicates is a number")
    seconds = raw.get("wait_seconds", ACKNOWLEDGED_WITHIN_SECONDS)
    if not isinstance(seconds, int | float) or seconds <= 0:
        raise UnfitMessage("wait_seconds is a number above zero")
    waits: list[asyncio.Future[None]] = []
    for round_ in range(1 + duplicates):
        sent = [copy_of(update) for update in updates] if round_ else updates
        if raw.get("one_post"):
            waits += [sandbox.courier.send_together(updates=sent)] if sent else []
        else:
            waits += [sandbox.courier.send_awaited(update=update) for update in sent]
    if raw.get("wait"):
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*waits)
        except TimeoutError:
            error = f"not acknowledged within {seconds:g} seconds"
            return JSONResponse({"error": error}, status_code=504)
    return JSONResponse(answer)


def _objects(*, raw: dict[str, Any], key: str) -> list[dict[str, Any]]:
    listed = raw.get(key)
    if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        raise UnfitMessage(f"{key} is a list of at least one object")
    return listed
