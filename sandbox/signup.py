"""Embedded Signup and what follows it on Meta's side: the code, tokens, the app's own webhook, and credit sharing.

`POST /_sandbox/signups` plays a customer who finishes the flow. The code lives 30 seconds of real time and works once.
A business that came this way has no subscription, no registered number and no credit until the platform sees to them.
"""

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.account_events import tell
from sandbox.control import read_object, sandbox_of
from sandbox.graph_calls import read_parameters, required
from sandbox.graph_errors import GraphError, missing_object
from sandbox.inbound import UnfitMessage
from sandbox.media import token_of
from sandbox.sending import business_for
from sandbox.world import Business, World

SCOPES = ("whatsapp_business_management", "whatsapp_business_messaging")


def routes() -> list[Route]:
    """List the doors."""
    return [
        Route("/{version}/oauth/access_token", _access_token, methods=["GET", "POST"]),
        Route("/{version}/debug_token", _debug_token, methods=["GET"]),
        Route("/{version}/{app_id}/subscriptions", _set_app_callback, methods=["POST"]),
        Route("/{version}/{credit_id}/whatsapp_credit_sharing_and_attach", _share_and_attach, methods=["POST"]),
        Route("/{version}/{credit_id}/whatsapp_credit_sharing", _share, methods=["POST"]),
        Route("/{version}/{credit_id}/whatsapp_credit_attach", _attach, methods=["POST"]),
        Route("/_sandbox/signups", _sign_up, methods=["POST"]),
        Route("/_sandbox/signups/code", _new_code, methods=["POST"]),
    ]


def find_allocation(*, world: World, request: Request, object_id: str) -> Business | None:
    """Find the business whose credit this allocation is; the system token alone may see it."""
    if business_for(world=world, token=token_of(request=request)) is not None:
        return None
    return world.allocations.get(object_id)


def revoke_allocation(*, world: World, allocation_id: str) -> None:
    """Take the credit back, from every account of the portfolio."""
    portfolio = world.allocations.pop(allocation_id).portfolio_id
    for business in world.businesses.values():
        if business.portfolio_id == portfolio:
            business.credit = None


async def _access_token(request: Request) -> Response:
    """Exchange a code for the business token, or the app's secret for the app's token."""
    world, given = sandbox_of(request=request).world, await read_parameters(request=request)
    config = world.config
    if given.get("client_id") != config.app_id or given.get("client_secret") != config.app_secret:
        raise GraphError(code=1, details="Error validating client secret.")
    if given.get("grant_type") == "client_credentials":
        return JSONResponse({"access_token": _app_token(world=world), "token_type": "bearer"})
    business, until = world.signup_codes.pop(str(given.get("code")), (None, 0.0))
    if business is None or time.monotonic() > until:
        raise GraphError(code=100, details="This authorization code has expired or was used.", subcode=36007)
    return JSONResponse({"access_token": business.access_token, "token_type": "bearer"})


async def _debug_token(request: Request) -> Response:
    world = sandbox_of(request=request).world
    if token_of(request=request) != _app_token(world=world):
        business_for(world=world, token=token_of(request=request))
    asked = request.query_params.get("input_token", "")
    business = world.tokens.get(asked)
    valid = business is not None or asked == world.config.system_token
    data: dict[str, Any] = {"app_id": world.config.app_id, "type": "SYSTEM_USER", "is_valid": valid}
    if business is not None:
        data["scopes"] = list(SCOPES)
        data["granular_scopes"] = [{"scope": scope, "target_ids": [business.waba_id]} for scope in SCOPES]
    return JSONResponse({"data": data})


async def _set_app_callback(request: Request) -> Response:
    """Change where the app's webhooks go, after Meta's verification of the URL."""
    sandbox, given = sandbox_of(request=request), await read_parameters(request=request)
    world = sandbox.world
    if request.path_params["app_id"] != world.config.app_id:
        raise missing_object(object_id=request.path_params["app_id"])
    if given.get("access_token", token_of(request=request)) != _app_token(world=world):
        raise GraphError(code=190, details="The app's own access token is required.")
    url = required(given=given, name="callback_url")
    await sandbox.courier.verify(url=url, verify_token=required(given=given, name="verify_token"))
    world.config.webhook_url = url
    return JSONResponse({"success": True})


async def _share_and_attach(request: Request) -> Response:
    world, given = _credit_line(request=request), await read_parameters(request=request)
    business = _business_of(world=world, given=given)
    return JSONResponse(
        {"allocation_config_id": _allocate(world=world, business=business), "waba_id": business.waba_id}
    )


async def _share(request: Request) -> Response:
    """First of two steps: share the line with the customer's portfolio."""
    world, given = _credit_line(request=request), await read_parameters(request=request)
    portfolio = required(given=given, name="receiving_business_id")
    found = [each for each in world.businesses.values() if each.portfolio_id == portfolio]
    if not found:
        raise missing_object(object_id=portfolio)
    allocation_id = world.ids.next_number()
    world.allocations[allocation_id] = found[0]
    return JSONResponse({"allocation_config_id": allocation_id})


async def _attach(request: Request) -> Response:
    """Second of two steps: attach the line that was shared, with the customer's token."""
    world = sandbox_of(request=request).world
    holder, given = business_for(world=world, token=token_of(request=request)), await read_parameters(request=request)
    business = _business_of(world=world, given=given)
    if holder is not None and holder is not business:
        raise missing_object(object_id=business.waba_id)
    shared = [key for key, each in world.allocations.items() if each.portfolio_id == business.portfolio_id]
    if not shared or request.path_params["credit_id"] != world.config.credit_id:
        raise missing_object(object_id=request.path_params["credit_id"])
    _put_credit(world=world, business=business, allocation_id=shared[-1])
    return JSONResponse({"success": True, "waba_id": business.waba_id})


def _credit_line(*, request: Request) -> World:
    """Check that the path names the line of credit and that the system token asks."""
    world = sandbox_of(request=request).world
    holder = business_for(world=world, token=token_of(request=request))
    if holder is not None or request.path_params["credit_id"] != world.config.credit_id:
        raise missing_object(object_id=request.path_params["credit_id"])
    return world


def _business_of(*, world: World, given: dict[str, Any]) -> Business:
    waba_id, currency = required(given=given, name="waba_id"), required(given=given, name="waba_currency")
    business = world.businesses.get(waba_id)
    if business is None:
        raise missing_object(object_id=waba_id)
    if len(currency) != 3:
        raise GraphError(code=100, details="waba_currency is a currency's code, as EUR")
    if business.credit is not None:
        raise GraphError(code=100, details="A line of credit is attached already, and cannot be changed.")
    business.settings["currency"] = currency
    return business


def _allocate(*, world: World, business: Business) -> str:
    allocation_id = world.ids.next_number()
    world.allocations[allocation_id] = business
    _put_credit(world=world, business=business, allocation_id=allocation_id)
    return allocation_id


def _put_credit(*, world: World, business: Business, allocation_id: str) -> None:
    if "credit" not in world.switches.forgets:
        business.credit = f"1{allocation_id}"


async def _sign_up(request: Request) -> Response:
    """Play a customer who finishes Embedded Signup; the answer is what their browser and Meta then say.

    {"waba_id", "name", "phone_number_id"?, "display_phone_number"?, "portfolio_id"?, "in_business_app"?}; without a
    number the flow ends as Meta's does then. A number of the Business app is registered by the flow itself.
    """
    sandbox, raw = sandbox_of(request=request), await read_object(request=request)
    world = sandbox.world
    if not isinstance(raw.get("waba_id"), str) or raw["waba_id"] in world.businesses:
        raise UnfitMessage("a signup needs a waba_id that is not there yet")
    token = f"business-token-{world.ids.next_trace()}"
    business = world.register(waba_id=raw["waba_id"], name=str(raw.get("name", raw["waba_id"])), access_token=token)
    business.subscribed, business.credit = False, None
    business.portfolio_id = str(raw.get("portfolio_id") or business.portfolio_id)
    data = {"waba_id": business.waba_id, "business_id": business.portfolio_id}
    if raw.get("phone_number_id"):
        number = world.register_number(
            business=business,
            number_id=str(raw["phone_number_id"]),
            display_phone_number=str(raw.get("display_phone_number", "+31 53 0000000")),
        )
        number.in_business_app = bool(raw.get("in_business_app"))
        number.status = "CONNECTED" if number.in_business_app else "PENDING"
        data["phone_number_id"] = number.id
    info = {"waba_id": business.waba_id, "owner_business_id": business.portfolio_id}
    for event in ("PARTNER_ADDED", "PARTNER_APP_INSTALLED"):
        value = {"event": event, "waba_info": {**info, "partner_app_id": world.config.app_id}}
        tell(sandbox=sandbox, business=business, field="account_update", value=value)
    event = "FINISH" if "phone_number_id" in data else "FINISH_ONLY_WABA"
    if raw.get("in_business_app"):
        event = "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING"
    message = {"type": "WA_EMBEDDED_SIGNUP", "event": event, "version": 3, "data": data}
    return JSONResponse({"code": _code(world=world, business=business), "message": message})


async def _new_code(request: Request) -> Response:
    """Make another code for a business: {"waba_id"}."""
    world, raw = sandbox_of(request=request).world, await read_object(request=request)
    business = world.businesses.get(str(raw.get("waba_id")))
    if business is None:
        raise UnfitMessage("there is no such business")
    return JSONResponse({"code": _code(world=world, business=business)})


def _code(*, world: World, business: Business) -> str:
    code = f"AQ{world.ids.next_trace()}"
    world.signup_codes[code] = (business, time.monotonic() + world.switches.signup_code_seconds)
    return code


def _app_token(*, world: World) -> str:
    return f"{world.config.app_id}|{world.config.app_secret}"
