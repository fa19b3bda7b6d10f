"""Meta's doors for what a number shows and does: profile, settings, username, commerce, commands, blocked citizens."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.account_events import tell
from sandbox.control import sandbox_of
from sandbox.graph_calls import number_in_path, read_parameters, required
from sandbox.graph_errors import GraphError
from sandbox.registration import check_region
from sandbox.sending import SENDING
from sandbox.world import Number

PROFILE_LENGTHS = {"about": 139, "address": 256, "description": 512, "email": 128, "vertical": 64}
MOST_WEBSITES = 2
PICTURES, MOST_PICTURE_BYTES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"), 5 * 1024 * 1024
USERNAME = re.compile(r"^[a-z0-9._]{3,35}$")
USERNAME_UNFIT, USERNAME_TAKEN = 147001, 147002  # 147001 to 147005 are of usernames; which is which is not verified
SETTINGS = ("calling", "storage_configuration", "user_identity_change", "payload_encryption")
STORAGE = ("IN_COUNTRY_STORAGE_ENABLED", "IN_COUNTRY_STORAGE_DISABLED", "NO_STORAGE_ENABLED", "NO_STORAGE_DISABLED")


def routes() -> list[Route]:
    """List the doors."""
    path = "/{version}/{phone_number_id}"
    return [
        Route("/_profile/{phone_number_id}", _show_picture, methods=["GET"]),
        Route(f"{path}/whatsapp_business_profile", _show_profile, methods=["GET"]),
        Route(f"{path}/whatsapp_business_profile", _change_profile, methods=["POST"]),
        Route(f"{path}/settings", _show_settings, methods=["GET"]),
        Route(f"{path}/settings", _change_settings, methods=["POST"]),
        Route(f"{path}/username", _show_username, methods=["GET"]),
        Route(f"{path}/username", _take_username, methods=["POST"]),
        Route(f"{path}/username", _give_up_username, methods=["DELETE"]),
        Route(f"{path}/username_suggestions", _suggest_usernames, methods=["GET"]),
        Route(f"{path}/whatsapp_commerce_settings", _show_commerce, methods=["GET"]),
        Route(f"{path}/whatsapp_commerce_settings", _change_commerce, methods=["POST"]),
        Route(f"{path}/conversational_automation", _change_automation, methods=["POST"]),
        Route(f"{path}/whatsapp_business_encryption", _change_key, methods=["POST"]),
        Route(f"{path}/block_users", _show_blocked, methods=["GET"]),
        Route(f"{path}/block_users", _block, methods=["POST", "DELETE"]),
    ]


async def _show_profile(request: Request) -> Response:
    number = number_in_path(request=request)
    shown = {"messaging_product": "whatsapp", "vertical": "UNDEFINED", **number.profile}
    return JSONResponse({"data": [_wanted(shown=shown, request=request)]})


async def _change_profile(request: Request) -> Response:
    world, number = sandbox_of(request=request).world, number_in_path(request=request)
    given = await read_parameters(request=request)
    if given.pop("messaging_product", None) != "whatsapp":
        raise GraphError(code=100, details="The parameter messaging_product is required.")
    unknown = given.keys() - {*PROFILE_LENGTHS, "websites", "profile_picture_handle", "access_token"}
    if unknown:
        raise GraphError(code=100, details=f"A profile has no {sorted(unknown)[0]}.")
    for name, most in PROFILE_LENGTHS.items():
        if name in given and (not isinstance(given[name], str) or len(given[name]) > most):
            raise GraphError(code=100, details=f"{name} is a text of at most {most} characters")
    websites = given.get("websites") or []
    if len(websites) > MOST_WEBSITES or any(len(str(each)) > 256 for each in websites):
        raise GraphError(code=100, details=f"websites are at most {MOST_WEBSITES} of 256 characters")
    handle = given.pop("profile_picture_handle", None)
    if handle:
        found = next((each for each in world.uploads.values() if each.handle == handle), None)
        if found is None:
            raise GraphError(code=100, details="profile_picture_handle is of no upload.")
        if not found.content.startswith(PICTURES) or len(found.content) > MOST_PICTURE_BYTES:
            raise GraphError(code=100, details="A profile's picture is a JPEG or PNG of at most 5 MB.")
        number.picture = found.content
        given["profile_picture_url"] = f"{world.public_url}/_profile/{number.id}"
    number.profile |= given
    return JSONResponse({"success": True})


async def _show_picture(request: Request) -> Response:
    """Give the picture, to everybody, as Meta's host of pictures does."""
    number = sandbox_of(request=request).world.numbers.get(request.path_params["phone_number_id"])
    if number is None or not number.picture:
        return Response(status_code=404)
    return Response(number.picture, media_type="image/jpeg" if number.picture[:1] == b"\xff" else "image/png")


async def _show_settings(request: Request) -> Response:
    number = number_in_path(request=request)
    identity = {"enable_identity_key_check": False}
    storage = {"status": "IN_COUNTRY_STORAGE_DISABLED"}
    shown = {"storage_configuration": storage, "user_identity_change": identity, **number.settings}
    return JSONResponse(_wanted(shown=shown, request=request))


async def _change_settings(request: Request) -> Response:
    """Change settings; where messages are kept only while the number is not registered."""
    number = number_in_path(request=request)
    given = {key: value for key, value in (await read_parameters(request=request)).items() if key != "access_token"}
    unknown = given.keys() - set(SETTINGS)
    if unknown or not given or not all(isinstance(value, dict) for value in given.values()):
        raise GraphError(code=100, details=f"settings are objects of {', '.join(SETTINGS)}")
    storage = given.get("storage_configuration")
    if storage is not None:
        if number.status in SENDING:
            raise GraphError(code=100, details="Deregister the number before changing where messages are kept.")
        if storage.get("status") not in STORAGE:
            raise GraphError(code=100, details=f"status is one of {', '.join(STORAGE)}")
        if storage["status"] == "IN_COUNTRY_STORAGE_ENABLED":
            check_region(region=storage.get("data_localization_region"))
    if storage is not None and "storage" in sandbox_of(request=request).world.switches.forgets:
        given.pop("storage_configuration")
    number.settings |= given
    return JSONResponse({"success": True})


async def _show_username(request: Request) -> Response:
    number = number_in_path(request=request)
    if number.username is None:
        return JSONResponse({})
    return JSONResponse({"username": number.username, "status": "approved"})


async def _take_username(request: Request) -> Response:
    sandbox, number = sandbox_of(request=request), number_in_path(request=request)
    username = required(given=await read_parameters(request=request), name="username")
    if not USERNAME.match(username):
        raise GraphError(code=USERNAME_UNFIT, details="A username is 3 to 35 of a to z, 0 to 9, dot and underscore.")
    if any(each is not number and each.username == username for each in sandbox.world.numbers.values()):
        raise GraphError(code=USERNAME_TAKEN, details="The username is not available.")
    number.username = username
    value = {"display_phone_number": number.digits, "username": username, "status": "approved"}
    tell(sandbox=sandbox, business=number.business, field="business_username_update", value=value)
    return JSONResponse({"status": "approved"})


async def _give_up_username(request: Request) -> Response:
    sandbox, number = sandbox_of(request=request), number_in_path(request=request)
    if number.username is None:
        raise GraphError(code=USERNAME_UNFIT, details="The number has no username.")
    value = {"display_phone_number": number.digits, "username": number.username, "status": "deleted"}
    number.username = None
    tell(sandbox=sandbox, business=number.business, field="business_username_update", value=value)
    return JSONResponse({"success": True})


async def _suggest_usernames(request: Request) -> Response:
    number = number_in_path(request=request)
    base = re.sub(r"[^a-z0-9]+", ".", number.verified_name.lower()).strip(".") or "gemeente"
    return JSONResponse({"data": [{"username_suggestions": [base, f"gemeente.{base}"]}]})


async def _show_commerce(request: Request) -> Response:
    number = number_in_path(request=request)
    return JSONResponse({"data": [{"is_cart_enabled": True, "is_catalog_visible": False, **_commerce(number)}]})


async def _change_commerce(request: Request) -> Response:
    number, given = number_in_path(request=request), await read_parameters(request=request)
    for name in ("is_cart_enabled", "is_catalog_visible"):
        if name in given:
            number.settings.setdefault("_commerce", {})[name] = str(given[name]).lower() == "true"
    return JSONResponse({"success": True})


def _commerce(number: Number) -> dict[str, Any]:
    return {**number.settings.get("_commerce", {}), "id": f"6{number.id}"}


async def _change_automation(request: Request) -> Response:
    number, given = number_in_path(request=request), await read_parameters(request=request)
    number.settings["_automation"] = {key: given[key] for key in ("prompts", "commands") if key in given}
    return JSONResponse({"success": True})


async def _change_key(request: Request) -> Response:
    number, given = number_in_path(request=request), await read_parameters(request=request)
    number.settings["_public_key"] = required(given=given, name="business_public_key")
    return JSONResponse({"success": True})


async def _show_blocked(request: Request) -> Response:
    number = number_in_path(request=request)
    data = [{"messaging_product": "whatsapp", "input": each, **_blocked(each)} for each in sorted(number.blocked)]
    return JSONResponse({"data": data, "paging": {"cursors": {"before": "", "after": ""}}})


async def _block(request: Request) -> Response:
    """Block citizens who wrote in the last 24 hours, or unblock them; one who cannot be is told apart."""
    world, number = sandbox_of(request=request).world, number_in_path(request=request)
    given = await read_parameters(request=request)
    asked = [each.get("user") or each.get("user_id") for each in given.get("block_users") or []]
    done, failed = [], []
    for each in map(str, asked):
        digits = "".join(filter(str.isdigit, each))
        citizen = number.business.by_bsuid.get(each) or number.business.by_phone.get(digits)
        if citizen is None:
            failed.append({"input": each, "errors": [{"message": "Failed to block", "code": 139101}]})
        elif request.method == "POST":
            number.blocked.add(citizen.bsuid or digits)
            done.append({"input": each, **_blocked(citizen.bsuid or digits)})
        else:
            number.blocked.discard(citizen.bsuid or digits)
            done.append({"input": each, **_blocked(citizen.bsuid or digits)})
    key = "added_users" if request.method == "POST" else "removed_users"
    world.books.other_calls += 1
    answer: dict[str, Any] = {"messaging_product": "whatsapp", "block_users": {key: done, "failed_users": failed}}
    return JSONResponse(answer)


def _blocked(identity: str) -> dict[str, str]:
    return {"wa_id": identity} if identity.isdigit() else {"user_id": identity}


def _wanted(*, shown: dict[str, Any], request: Request) -> dict[str, Any]:
    fields = [each for each in request.query_params.get("fields", "").split(",") if each]
    return {key: value for key, value in shown.items() if not fields or key in fields or key == "messaging_product"}
