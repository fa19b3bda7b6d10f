"""Meta's account doors: what an id is (number, business, template, media …), its numbers, and its subscription.

One address serves all ids, so reading, changing and deleting an id are told apart here and done where they belong.
"""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.analytics import analytics_of, is_analytics
from sandbox.control import sandbox_of
from sandbox.graph_calls import read_parameters
from sandbox.graph_errors import GraphError, missing_object
from sandbox.media import describe_media, find_media, token_of
from sandbox.registration import change_pin
from sandbox.sending import business_for
from sandbox.signup import find_allocation, revoke_allocation
from sandbox.template_edits import edit_template
from sandbox.templates import business_in_path, describe_template, find_template
from sandbox.world import Business, Number, World

NUMBER_FIELDS = ("verified_name", "code_verification_status", "display_phone_number", "quality_rating", "id")
BUSINESS_FIELDS = ("id", "name", "currency", "timezone_id")
# Fields that exist, and that an object may be without: Graph leaves them out, and refuses only what does not exist.
EMPTY_NUMBER_FIELDS = {
    "conversational_automation", "quality_score", "new_name_status", "search_visibility", "certificate",
    "eligibility_for_api_business_global_search", "health_status", "new_certificate", "last_onboarded_time",
    "messaging_limit_tier",
}  # fmt: skip
EMPTY_BUSINESS_FIELDS = {
    "message_template_namespace", "marketing_messages_lite_api_status", "marketing_messages_onboarding_status",
    "on_behalf_of_business_info", "health_status", "primary_funding_id", "is_enabled_for_insights",
    "disable_marketing_messages_on_cloud_api", "account_review_status", "ownership_type",
}  # fmt: skip
MOST_URL = 200
BETWEEN_FIELDS = re.compile(r",(?![^()]*\))")


def routes() -> list[Route]:
    """List the doors; the one for any id comes last."""
    return [
        Route("/{version}/{waba_id}/phone_numbers", _phone_numbers, methods=["GET"]),
        Route("/{version}/{waba_id}/subscribed_apps", _subscribed_apps, methods=["GET"]),
        Route("/{version}/{waba_id}/subscribed_apps", _subscribe, methods=["POST"]),
        Route("/{version}/{waba_id}/subscribed_apps", _unsubscribe, methods=["DELETE"]),
        Route("/{version}/{object_id}", _object, methods=["GET"]),
        Route("/{version}/{object_id}", _change_object, methods=["POST"]),
        Route("/{version}/{object_id}/", _change_object, methods=["POST"]),
        Route("/{version}/{object_id}", _delete_object, methods=["DELETE"]),
    ]


async def _object(request: Request) -> Response:
    world, object_id = sandbox_of(request=request).world, request.path_params["object_id"]
    holder = business_for(world=world, token=token_of(request=request))
    number, business = world.numbers.get(object_id), world.businesses.get(object_id)
    template = find_template(world=world, template_id=object_id, holder=holder)
    wanted = _fields(request=request)
    if number is not None and holder in (None, number.business):
        shown = _shown_number(number=number)
        return JSONResponse(_chosen(shown=shown, wanted=wanted, usual=NUMBER_FIELDS, empty=EMPTY_NUMBER_FIELDS))
    if business is not None and holder in (None, business):
        return JSONResponse(_read_business(world=world, business=business, wanted=wanted))
    if template is not None:
        return JSONResponse(describe_template(template=template, fields=wanted))
    allocated = find_allocation(world=world, request=request, object_id=object_id)
    if allocated is not None:
        return JSONResponse({"receiving_credential": {"id": allocated.credit}, "id": object_id})
    file = find_media(world=world, request=request, media_id=object_id)
    if file is None:
        raise missing_object(object_id=object_id)
    return JSONResponse(describe_media(world=world, file=file))


async def _change_object(request: Request) -> Response:
    """Change a number (PIN, its own URL, name), a business (settings), or a template."""
    sandbox, object_id = sandbox_of(request=request), request.path_params["object_id"]
    holder = business_for(world=sandbox.world, token=token_of(request=request))
    given = await read_parameters(request=request)
    number, business = sandbox.world.numbers.get(object_id), sandbox.world.businesses.get(object_id)
    template = find_template(world=sandbox.world, template_id=object_id, holder=holder)
    if number is not None and holder in (None, number.business):
        await _change_number(request=request, number=number, given=given)
        return JSONResponse({"success": True})
    if business is not None and holder in (None, business):
        given.pop("access_token", None)
        if "is_enabled_for_insights" in given:
            given["is_enabled_for_insights"] = str(given["is_enabled_for_insights"]).lower() == "true"
        business.settings |= given
        return JSONResponse({"id": business.waba_id})
    if template is not None:
        return JSONResponse(edit_template(sandbox=sandbox, template=template, given=given))
    raise missing_object(object_id=object_id)


async def _change_number(*, request: Request, number: Number, given: dict[str, Any]) -> None:
    override = given.get("webhook_configuration")
    if "pin" in given:
        await change_pin(request=request, number=number, pin=str(given["pin"]))
    elif isinstance(override, dict):
        url = override.get("override_callback_uri")
        await _check_override(request=request, url=url, token=override.get("verify_token"))
        number.webhook_url = str(url) if url else None
    elif given.get("new_display_name"):
        number.new_name = str(given["new_display_name"])
    else:
        raise GraphError(code=100, details="pin, webhook_configuration or new_display_name is required.")


async def _delete_object(request: Request) -> Response:
    world, object_id = sandbox_of(request=request).world, request.path_params["object_id"]
    if find_allocation(world=world, request=request, object_id=object_id) is not None:
        revoke_allocation(world=world, allocation_id=object_id)
    elif find_media(world=world, request=request, media_id=object_id) is not None:
        del world.media[object_id]
    else:
        raise missing_object(object_id=object_id)
    return JSONResponse({"success": True})


async def _phone_numbers(request: Request) -> Response:
    business = business_in_path(world=sandbox_of(request=request).world, request=request)
    wanted = _fields(request=request)
    shown = [
        _chosen(shown=_shown_number(number=number), wanted=wanted, usual=NUMBER_FIELDS, empty=EMPTY_NUMBER_FIELDS)
        for number in business.numbers.values()
    ]
    return JSONResponse({"data": shown})


async def _subscribed_apps(request: Request) -> Response:
    world = sandbox_of(request=request).world
    return JSONResponse(_subscription(world=world, business=business_in_path(world=world, request=request)))


async def _subscribe(request: Request) -> Response:
    business = business_in_path(world=sandbox_of(request=request).world, request=request)
    given = await read_parameters(request=request)
    override = given.get("override_callback_uri")
    await _check_override(request=request, url=override, token=given.get("verify_token"))
    if "subscription" not in sandbox_of(request=request).world.switches.forgets:
        business.subscribed, business.webhook_url = True, override
    return JSONResponse({"success": True})


async def _unsubscribe(request: Request) -> Response:
    business = business_in_path(world=sandbox_of(request=request).world, request=request)
    business.subscribed = False
    return JSONResponse({"success": True})


async def _check_override(*, request: Request, url: Any, token: Any) -> None:
    """Verify a URL that messages are to go to, as Meta does. Raises GraphError."""
    if not url:
        return
    if len(str(url)) > MOST_URL:
        raise GraphError(code=100, details=f"override_callback_uri is at most {MOST_URL} characters")
    await sandbox_of(request=request).courier.verify(url=str(url), verify_token=str(token or ""))


def _subscription(*, world: World, business: Business) -> dict[str, Any]:
    link = f"https://www.facebook.com/games/?app_id={world.config.app_id}"
    app: dict[str, Any] = {"whatsapp_business_api_data": {"id": world.config.app_id, "name": "sandbox", "link": link}}
    if business.webhook_url is not None:
        app["override_callback_uri"] = business.webhook_url
    return {"data": [app] if business.subscribed else []}


def _fields(*, request: Request) -> list[str]:
    """Read `fields`: names between commas, those inside parentheses apart."""
    text = request.query_params.get("fields", "").replace(" ", "")
    return [field for field in BETWEEN_FIELDS.split(text) if field]


def _chosen(
    *, shown: dict[str, Any], wanted: list[str], usual: tuple[str, ...], empty: set[str] | frozenset[str] = frozenset()
) -> dict[str, Any]:
    unknown = [field for field in wanted if field not in shown and field not in empty]
    if unknown:
        raise GraphError(code=100, details=f"Tried accessing nonexisting field ({unknown[0]})")
    return {field: shown[field] for field in dict.fromkeys([*(wanted or usual), "id"]) if field in shown}


def _read_business(*, world: World, business: Business, wanted: list[str]) -> dict[str, Any]:
    counted = [field for field in wanted if is_analytics(field=field)]
    plain = [field for field in wanted if field not in counted]
    shown = _shown_business(world=world, business=business)
    answer: dict[str, Any] = {}
    for field in counted:
        answer |= analytics_of(world=world, business=business, expression=field)
    if counted and not plain:
        return answer | {"id": business.waba_id}
    return answer | _chosen(shown=shown, wanted=plain, usual=BUSINESS_FIELDS, empty=EMPTY_BUSINESS_FIELDS)


def _shown_number(*, number: Number) -> dict[str, Any]:
    override = {"phone_number": number.webhook_url, "whatsapp_business_account": number.business.webhook_url}
    return {
        "id": number.id,
        "display_phone_number": number.display_phone_number,
        "verified_name": number.verified_name,
        "quality_rating": number.quality_rating,
        "status": number.status,
        "code_verification_status": number.code_verification_status,
        "name_status": number.name_status,
        "platform_type": "CLOUD_API",
        "account_mode": "LIVE",
        "throughput": {"level": "HIGH" if number.throughput > 80 else "STANDARD"},
        "whatsapp_business_manager_messaging_limit": number.business.messaging_limit,
        "webhook_configuration": {key: value for key, value in override.items() if value},
        "is_official_business_account": False,
        "is_on_biz_app": number.in_business_app,
        "is_pin_enabled": number.pin is not None,
        "is_preverified_number": False,
        "country_dial_code": "31",
        "country_code": "NL",
        **({"new_name_status": "PENDING_REVIEW"} if number.new_name else {}),
    }


def _shown_business(*, world: World, business: Business) -> dict[str, Any]:
    return {
        "id": business.waba_id,
        "name": business.name,
        "currency": "EUR",
        "timezone_id": "Europe/Amsterdam",
        "status": "ACTIVE",
        "country": "NL",
        "business_verification_status": "verified",
        "owner_business_info": {"id": business.portfolio_id, "name": business.name},
        "subscribed_apps": _subscription(world=world, business=business),
        **business.settings,
        **({"primary_funding_id": business.credit} if business.credit else {}),
    }
