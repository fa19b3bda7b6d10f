"""Meta's account doors: what an id is (number, business, media), its numbers, its subscription, and the tokens."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.control import read_object, sandbox_of
from sandbox.graph_errors import GraphError, missing_object
from sandbox.media import describe_media, find_media, token_of
from sandbox.sending import business_for
from sandbox.templates import business_in_path
from sandbox.world import Business, Number

NUMBER_FIELDS = ("verified_name", "code_verification_status", "display_phone_number", "quality_rating", "id")
BUSINESS_FIELDS = ("id", "name", "currency", "timezone_id")


def routes() -> list[Route]:
    """List the doors; the one for any id comes last."""
    return [
        Route("/{version}/oauth/access_token", _access_token, methods=["GET", "POST"]),
        Route("/{version}/debug_token", _debug_token, methods=["GET"]),
        Route("/{version}/{waba_id}/phone_numbers", _phone_numbers, methods=["GET"]),
        Route("/{version}/{waba_id}/subscribed_apps", _subscribed_apps, methods=["GET"]),
        Route("/{version}/{waba_id}/subscribed_apps", _subscribe, methods=["POST"]),
        Route("/{version}/{waba_id}/subscribed_apps", _unsubscribe, methods=["DELETE"]),
        Route("/{version}/{object_id}", _object, methods=["GET"]),
        Route("/{version}/{object_id}", _delete_object, methods=["DELETE"]),
    ]


async def _object(request: Request) -> Response:
    world, object_id = sandbox_of(request=request).world, request.path_params["object_id"]
    holder = business_for(world=world, token=token_of(request=request))
    number, business = world.numbers.get(object_id), world.businesses.get(object_id)
    fields = request.query_params.get("fields", "").replace(" ", "")
    wanted = [field for field in fields.split(",") if field]
    if number is not None and holder in (None, number.business):
        return JSONResponse(_chosen(shown=_shown_number(number=number), wanted=wanted, usual=NUMBER_FIELDS))
    if business is not None and holder in (None, business):
        return JSONResponse(_chosen(shown=_shown_business(business=business), wanted=wanted, usual=BUSINESS_FIELDS))
    file = find_media(world=world, request=request, media_id=object_id)
    if file is None:
        raise missing_object(object_id=object_id)
    return JSONResponse(describe_media(world=world, file=file))


async def _delete_object(request: Request) -> Response:
    world, object_id = sandbox_of(request=request).world, request.path_params["object_id"]
    if find_media(world=world, request=request, media_id=object_id) is None:
        raise missing_object(object_id=object_id)
    del world.media[object_id]
    return JSONResponse({"success": True})


async def _phone_numbers(request: Request) -> Response:
    business = business_in_path(world=sandbox_of(request=request).world, request=request)
    shown = [
        _chosen(shown=_shown_number(number=number), wanted=[], usual=NUMBER_FIELDS)
        for number in business.numbers.values()
    ]
    return JSONResponse({"data": shown})


async def _subscribed_apps(request: Request) -> Response:
    world = sandbox_of(request=request).world
    business = business_in_path(world=world, request=request)
    app: dict[str, Any] = {"whatsapp_business_api_data": {"id": world.config.app_id, "name": "sandbox"}}
    if business.webhook_url is not None:
        app["override_callback_uri"] = business.webhook_url
    return JSONResponse({"data": [app] if business.subscribed else []})


async def _subscribe(request: Request) -> Response:
    business = business_in_path(world=sandbox_of(request=request).world, request=request)
    override = (await read_object(request=request)).get("override_callback_uri")
    if override is not None and len(str(override)) > 200:
        raise GraphError(code=100, details="override_callback_uri is at most 200 characters")
    business.subscribed, business.webhook_url = True, override
    return JSONResponse({"success": True})


async def _unsubscribe(request: Request) -> Response:
    business = business_in_path(world=sandbox_of(request=request).world, request=request)
    business.subscribed = False
    return JSONResponse({"success": True})


async def _access_token(request: Request) -> Response:
    """Exchange a code for the business token; in the sandbox a code is `code-` and the WABA id."""
    world, query = sandbox_of(request=request).world, request.query_params
    if query.get("client_id") != world.config.app_id or query.get("client_secret") != world.config.app_secret:
        raise GraphError(code=1, details="Error validating client secret.")
    business = world.businesses.get(query.get("code", "").removeprefix("code-"))
    if business is None:
        raise GraphError(code=100, details="This authorization code has expired or is not valid.", subcode=36007)
    return JSONResponse({"access_token": business.access_token, "token_type": "bearer"})


async def _debug_token(request: Request) -> Response:
    world = sandbox_of(request=request).world
    business_for(world=world, token=token_of(request=request))
    asked = request.query_params.get("input_token", "")
    business = world.tokens.get(asked)
    valid = business is not None or asked == world.config.system_token
    data: dict[str, Any] = {"app_id": world.config.app_id, "type": "SYSTEM_USER", "is_valid": valid}
    if business is not None:
        scopes = ("whatsapp_business_management", "whatsapp_business_messaging")
        data["scopes"] = list(scopes)
        data["granular_scopes"] = [{"scope": scope, "target_ids": [business.waba_id]} for scope in scopes]
    return JSONResponse({"data": data})


def _chosen(*, shown: dict[str, Any], wanted: list[str], usual: tuple[str, ...]) -> dict[str, Any]:
    unknown = [field for field in wanted if field not in shown]
    if unknown:
        raise GraphError(code=100, details=f"Tried accessing nonexisting field ({unknown[0]})")
    return {field: shown[field] for field in dict.fromkeys([*(wanted or usual), "id"])}


def _shown_number(*, number: Number) -> dict[str, Any]:
    return {
        "id": number.id,
        "display_phone_number": number.display_phone_number,
        "verified_name": number.verified_name,
        "quality_rating": number.quality_rating,
        "status": number.status,
        "code_verification_status": "VERIFIED",
        "name_status": "APPROVED",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "HIGH" if number.throughput > 80 else "STANDARD"},
        "whatsapp_business_manager_messaging_limit": "TIER_2K",
        "webhook_configuration": {},
    }


def _shown_business(*, business: Business) -> dict[str, Any]:
    return {
        "id": business.waba_id,
        "name": business.name,
        "currency": "EUR",
        "timezone_id": "Europe/Amsterdam",
        "status": "ACTIVE",
        "country": "NL",
        "business_verification_status": "verified",
    }
