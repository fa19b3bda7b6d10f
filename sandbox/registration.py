"""How a number comes to the Cloud API: added, its ownership proven by a code, registered with a PIN, deregistered.

Only so many registrations and deregistrations in 72 hours of the sandbox's clock. The code that Meta sends by SMS or
voice is shown by `GET /_sandbox/numbers/{id}`. How often a number is registered, and a wrong PIN taken, are switches.
"""

import random
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.account_events import tell
from sandbox.control import read_object, sandbox_of
from sandbox.graph_calls import number_in_path, read_parameters, required
from sandbox.graph_errors import GraphError
from sandbox.inbound import UnfitMessage
from sandbox.sending import SENDING
from sandbox.templates import business_in_path
from sandbox.world import DEFAULT_THROUGHPUT, Number, World

PIN = re.compile(r"^\d{6}$")
REGISTRATIONS_SECONDS = 72 * 3600.0
REGIONS = ("AE", "AU", "BR", "CA", "CH", "DE", "GB", "ID", "IN", "JP", "KR", "SG", "ZA")
SETTABLE = ("status", "quality_rating", "name_status", "code_verification_status")


def routes() -> list[Route]:
    """List the doors."""
    path = "/{version}/{phone_number_id}"
    return [
        Route("/{version}/{waba_id}/phone_numbers", _add, methods=["POST"]),
        Route(f"{path}/request_code", _request_code, methods=["POST"]),
        Route(f"{path}/verify_code", _verify_code, methods=["POST"]),
        Route(f"{path}/register", _register, methods=["POST"]),
        Route(f"{path}/deregister", _deregister, methods=["POST"]),
        Route("/_sandbox/numbers/{phone_number_id}", _show, methods=["GET"]),
        Route("/_sandbox/numbers/{phone_number_id}", _set, methods=["POST"]),
    ]


def check_region(*, region: Any) -> None:
    """Raise GraphError when messages cannot be kept in this region."""
    if region not in REGIONS:
        raise GraphError(code=100, details=f"data_localization_region is one of {', '.join(REGIONS)}")


async def change_pin(*, request: Request, number: Number, pin: str) -> None:
    """Give the number another PIN, and tell the platform. Raises GraphError 100: not six digits."""
    if not PIN.match(pin):
        raise GraphError(code=100, details="pin is six digits")
    number.pin = pin
    value = {"display_phone_number": number.digits, "event": "PIN_CHANGED", "requester": "100000000000001"}
    tell(sandbox=sandbox_of(request=request), business=number.business, field="security", value=value)


async def _add(request: Request) -> Response:
    """Add a number to the business; it is of no use before it is verified and registered."""
    world = sandbox_of(request=request).world
    business = business_in_path(world=world, request=request)
    given = await read_parameters(request=request)
    code = required(given=given, name="country_code" if "country_code" in given else "cc")
    digits = required(given=given, name="phone_number")
    name = required(given=given, name="verified_name")
    if not (code + digits).isdigit() or not 7 <= len(code + digits) <= 15:
        raise GraphError(code=100, details="country_code and phone_number are digits, 15 at most in all")
    if any(each.digits == code + digits for each in world.numbers.values()):
        raise GraphError(code=100, details="This phone number is already in use.")
    number = world.register_number(
        business=business,
        number_id=world.ids.next_number(),
        display_phone_number=f"+{code} {digits}",
        throughput=DEFAULT_THROUGHPUT,
    )
    number.verified_name, number.name_status = name, "PENDING_REVIEW"
    number.status, number.code_verification_status = "PENDING", "NOT_VERIFIED"
    return JSONResponse({"id": number.id})


async def _request_code(request: Request) -> Response:
    number = number_in_path(request=request)
    given = await read_parameters(request=request)
    if required(given=given, name="code_method") not in ("SMS", "VOICE"):
        raise GraphError(code=100, details="code_method is SMS or VOICE")
    required(given=given, name="language")
    if number.code_verification_status == "VERIFIED":
        raise GraphError(code=100, details="The number is verified already.")
    drawn = random.Random(f"{sandbox_of(request=request).world.ids.next_number()}:{number.id}")
    number.verification_code = f"{drawn.randrange(10**6):06d}"
    return JSONResponse({"success": True})


async def _verify_code(request: Request) -> Response:
    number = number_in_path(request=request)
    code = required(given=await read_parameters(request=request), name="code")
    if number.verification_code is None or code.replace("-", "") != number.verification_code:
        raise GraphError(code=100, details="The code is not the one that was sent.")
    number.code_verification_status, number.verification_code = "VERIFIED", None
    return JSONResponse({"success": True})


async def _register(request: Request) -> Response:
    world, number = sandbox_of(request=request).world, number_in_path(request=request)
    given = await read_parameters(request=request)
    pin = required(given=given, name="pin")
    if given.get("messaging_product") != "whatsapp":
        raise GraphError(code=100, details="The parameter messaging_product is required.")
    if not PIN.match(pin):
        raise GraphError(code=100, details="pin is six digits")
    region = given.get("data_localization_region")
    if region is not None:
        check_region(region=region)
    if number.code_verification_status != "VERIFIED":
        raise GraphError(code=133006, details="The number is to be verified before it is registered.")
    _count(world=world, number=number)
    _check_pin(world=world, number=number, pin=pin)
    number.pin, number.wrong_pins, number.status = pin, 0, "CONNECTED"
    if number.new_name is not None:
        number.verified_name, number.new_name = number.new_name, None
    if region is not None:
        storage = {"status": "IN_COUNTRY_STORAGE_ENABLED", "data_localization_region": region}
        number.settings["storage_configuration"] = storage
    return JSONResponse({"success": True})


async def _deregister(request: Request) -> Response:
    number = number_in_path(request=request)
    if number.status not in SENDING:
        raise GraphError(code=133010, details="The number is not registered.")
    _count(world=sandbox_of(request=request).world, number=number)
    number.status = "DISCONNECTED"
    return JSONResponse({"success": True})


def _count(*, world: World, number: Number) -> None:
    """Count a registration or deregistration. Raises GraphError 133016: too many in 72 hours."""
    now = world.clock.now()
    number.registered_at = [each for each in number.registered_at if each > now - REGISTRATIONS_SECONDS]
    if len(number.registered_at) >= world.switches.most_registrations:
        raise GraphError(code=133016, details="Too many registrations and deregistrations in 72 hours.")
    number.registered_at.append(now)


def _check_pin(*, world: World, number: Number, pin: str) -> None:
    if number.pin is None or number.pin == pin:
        return
    if number.wrong_pins >= world.switches.most_wrong_pins:
        raise GraphError(code=133008, details="Too many wrong PINs.")
    number.wrong_pins += 1
    raise GraphError(code=133005, details="The PIN is not the number's.")


async def _show(request: Request) -> Response:
    """Show what only the owner of the number would see."""
    return JSONResponse(_shown(number=_number_on_control_door(request=request)))


async def _set(request: Request) -> Response:
    """Put the number into a state: any of `SETTABLE`, its PIN, and whether it lives in the Business app too."""
    number, raw = _number_on_control_door(request=request), await read_object(request=request)
    unknown = raw.keys() - {*SETTABLE, "pin", "in_business_app"}
    if unknown or not all(isinstance(value, bool if key == "in_business_app" else str) for key, value in raw.items()):
        raise UnfitMessage(f"a number has {', '.join(SETTABLE)} and pin, all text, and in_business_app: true or false")
    for key, value in raw.items():
        setattr(number, key, value)
    return JSONResponse(_shown(number=number))


def _number_on_control_door(*, request: Request) -> Number:
    number = sandbox_of(request=request).world.numbers.get(request.path_params["phone_number_id"])
    if number is None:
        raise UnfitMessage("there is no such number")
    return number


def _shown(*, number: Number) -> dict[str, Any]:
    told = (*SETTABLE, "pin", "in_business_app", "verification_code", "display_phone_number")
    shown = {key: getattr(number, key) for key in told}
    return {"id": number.id, "waba_id": number.business.waba_id, **shown}
