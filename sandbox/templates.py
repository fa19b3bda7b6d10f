"""Meta's template doors: list, create with review, delete. Review takes `template_review_seconds` of sandbox time."""

import base64
import re
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.control import read_object, sandbox_of
from sandbox.envelope import Update
from sandbox.graph_errors import GraphError, missing_object
from sandbox.media import token_of
from sandbox.sending import business_for
from sandbox.template_sends import variables_of
from sandbox.world import Business, Template, World

if TYPE_CHECKING:
    from sandbox.app import Sandbox

NAME = re.compile(r"^[a-z0-9_]{1,512}$")
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
LENGTHS = {"HEADER": 60, "BODY": 1024, "FOOTER": 60}
MOST_BUTTONS = 10
BUTTON_LENGTH = 25
# Review rejects what asks for a national identity number.
SENSITIVE = re.compile(r"\bbsn\b|burgerservicenummer", re.IGNORECASE)
PAGE = 25


def routes() -> list[Route]:
    """List the doors."""
    path = "/{version}/{waba_id}/message_templates"
    return [
        Route(path, _list, methods=["GET"]),
        Route(path, _create, methods=["POST"]),
        Route(path, _delete, methods=["DELETE"]),
    ]


def business_in_path(*, world: World, request: Request) -> Business:
    """Find the business in the path if this token may act for it. Raises GraphError 190 or 100."""
    holder = business_for(world=world, token=token_of(request=request))
    business = world.businesses.get(request.path_params["waba_id"])
    if business is None or (holder is not None and holder is not business):
        raise missing_object(object_id=request.path_params["waba_id"])
    return business


def describe_template(*, template: Template) -> dict[str, Any]:
    """Show the template as Meta lists it."""
    return {
        "name": template.name,
        "parameter_format": template.parameter_format,
        "components": template.components,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "id": template.id,
        "quality_score": {"score": "UNKNOWN"},
        "rejected_reason": template.rejected_reason,
    }


async def _list(request: Request) -> Response:
    world, query = sandbox_of(request=request).world, request.query_params
    business = business_in_path(world=world, request=request)
    found = [
        template
        for template in business.templates.values()
        if query.get("name", template.name) in template.name
        and query.get("status", template.status) == template.status
        and query.get("category", template.category) == template.category
        and query.get("language", template.language) == template.language
    ]
    asked = query.get("limit", str(PAGE))
    if not asked.isdigit():
        raise GraphError(code=100, details="limit is a number")
    limit = max(1, min(int(asked), 1000))
    start = _read_cursor(query["after"]) if "after" in query else 0
    page = found[start : start + limit]
    fields = set(query["fields"].split(",")) | {"id"} if "fields" in query else None
    data = [
        {key: value for key, value in describe_template(template=each).items() if fields is None or key in fields}
        for each in page
    ]
    paging: dict[str, Any] = {"cursors": {"before": _cursor(start), "after": _cursor(start + len(page))}}
    if start + limit < len(found):
        following = request.url.include_query_params(after=_cursor(start + limit)).remove_query_params("access_token")
        paging["next"] = str(following)
    return JSONResponse({"data": data, "paging": paging} if page else {"data": []})


async def _create(request: Request) -> Response:
    sandbox = sandbox_of(request=request)
    business = business_in_path(world=sandbox.world, request=request)
    raw = await read_object(request=request)
    template = _read(world=sandbox.world, raw=raw)
    if (template.name, template.language) in business.templates:
        raise GraphError(code=100, details="There is already content in this language.", subcode=2388024)
    business.templates[template.name, template.language] = template
    answer = {"id": template.id, "status": template.status, "category": template.category}
    moment = sandbox.world.clock.now() + sandbox.world.switches.template_review_seconds
    sandbox.statuses.at_sandbox_time(
        moment=moment, action=lambda: _review(sandbox=sandbox, business=business, template=template)
    )
    return JSONResponse(answer)


async def _delete(request: Request) -> Response:
    world, query = sandbox_of(request=request).world, request.query_params
    business = business_in_path(world=world, request=request)
    if "name" not in query:
        raise GraphError(code=100, details="The parameter name is required.")
    gone = [
        key
        for key, template in business.templates.items()
        if template.name == query["name"] and query.get("hsm_id", template.id) == template.id
    ]
    if not gone:
        raise GraphError(code=100, details="Message template was not found.", subcode=2593002)
    for key in gone:
        if business.templates[key].status == "DISABLED":
            raise GraphError(code=100, details="A disabled template cannot be deleted.")
        del business.templates[key]
    return JSONResponse({"success": True})


def _read(*, world: World, raw: dict[str, Any]) -> Template:
    name, language, category = raw.get("name"), raw.get("language"), raw.get("category")
    components = raw.get("components")
    if not isinstance(name, str) or not NAME.match(name):
        raise GraphError(code=100, details="name: lower-case letters, digits and underscores, at most 512")
    if not isinstance(language, str) or category not in CATEGORIES or not isinstance(components, list):
        raise GraphError(code=100, details="language, category and components are required")
    parameter_format = raw.get("parameter_format", "POSITIONAL")
    for component in components:
        _check_component(component=component, named=parameter_format == "NAMED")
    if not any(str(component.get("type")).upper() == "BODY" for component in components):
        raise GraphError(code=100, details="a template needs a BODY")
    return Template(
        id=world.ids.next_number(),
        name=name,
        language=language,
        category=_judged_category(world=world, category=category, components=components),
        status="PENDING",
        components=components,
        parameter_format=parameter_format,
    )


def _judged_category(*, world: World, category: str, components: list[dict[str, Any]]) -> str:
    words = " ".join(str(component.get("text", "")) for component in components).lower()
    if category == "UTILITY" and any(word in words for word in world.switches.marketing_words):
        return "MARKETING"
    return category


def _check_component(*, component: Any, named: bool) -> None:
    if not isinstance(component, dict):
        raise GraphError(code=100, details="a component is an object")
    kind, text = str(component.get("type", "")).upper(), str(component.get("text", ""))
    if kind == "BUTTONS":
        buttons = component.get("buttons") or []
        if len(buttons) > MOST_BUTTONS or any(len(str(each.get("text", ""))) > BUTTON_LENGTH for each in buttons):
            raise GraphError(code=100, details="at most 10 buttons of 25 characters")
        return
    if kind not in LENGTHS:
        raise GraphError(code=100, details=f"there is no component {kind}")
    if len(text) > LENGTHS[kind]:
        raise GraphError(code=100, details=f"{kind} is at most {LENGTHS[kind]} characters")
    variables = variables_of(text=text)
    if not variables:
        return
    stripped = text.strip()
    if kind == "BODY" and (stripped.startswith("{{") or stripped.endswith("}}")):
        raise GraphError(code=100, details="a variable cannot begin or end the text", subcode=2388299)
    if not named and variables != [str(position + 1) for position in range(len(variables))]:
        raise GraphError(code=100, details="variables are numbered 1, 2, 3 in order", subcode=2388023)
    example = component.get("example") or {}
    wanted = f"{kind.lower()}_text" + ("_named_params" if named else "")
    if not example.get(wanted):
        raise GraphError(code=100, details=f"an example is needed for each variable ({wanted})", subcode=2388043)


def _review(*, sandbox: "Sandbox", business: Business, template: Template) -> None:
    """Approve the template, or reject it, and tell the platform."""
    if business.templates.get((template.name, template.language)) is not template:
        return
    words = " ".join(str(component.get("text", "")) for component in template.components)
    rejected = SENSITIVE.search(words) is not None
    template.status = "REJECTED" if rejected else "APPROVED"
    template.rejected_reason = "TAG_CONTENT_MISMATCH" if rejected else "NONE"
    if not business.subscribed:
        return
    sandbox.courier.send(
        update=Update(
            waba_id=business.waba_id,
            number=None,
            # Account fields always go to the app's own callback, never to an override.
            url=sandbox.world.config.webhook_url,
            kind="value",
            field="message_template_status_update",
            element={
                "event": template.status,
                "message_template_id": int(template.id),
                "message_template_name": template.name,
                "message_template_language": template.language,
                "message_template_category": template.category,
                "reason": template.rejected_reason,
            },
        )
    )


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def _read_cursor(text: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as error:
        raise GraphError(code=100, details="Invalid cursors values.") from error
