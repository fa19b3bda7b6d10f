"""Meta's template doors: list, create with review, delete. Review takes `template_review_seconds` of sandbox time.

What becomes of a template later is in `template_edits`.
"""

import base64
import re
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.account_events import tell
from sandbox.account_fields import changed_components, shown_template
from sandbox.control import read_object, sandbox_of
from sandbox.graph_errors import GraphError, missing_object
from sandbox.media import token_of
from sandbox.sending import business_for
from sandbox.template_checks import read_template
from sandbox.world import Business, Template, World

if TYPE_CHECKING:
    from sandbox.app import Sandbox

# Review rejects what asks for a national identity number.
SENSITIVE = re.compile(r"\bbsn\b|burgerservicenummer", re.IGNORECASE)
PAGE = 25
REUSE_SECONDS = 30 * 86400.0  # how long the name of a deleted approved template is not free


def routes() -> list[Route]:
    """List the doors."""
    path = "/{version}/{waba_id}/message_templates"
    return [
        Route(path, _list, methods=["GET"]),
        Route(path, _create, methods=["POST"]),
        Route(path, _delete, methods=["DELETE"]),
        Route("/{version}/{waba_id}/upsert_message_templates", _upsert, methods=["POST"]),
    ]


def business_in_path(*, world: World, request: Request) -> Business:
    """Find the business in the path if this token may act for it. Raises GraphError 190 or 100."""
    holder = business_for(world=world, token=token_of(request=request))
    business = world.businesses.get(request.path_params["waba_id"])
    if business is None or (holder is not None and holder is not business):
        raise missing_object(object_id=request.path_params["waba_id"])
    return business


def find_template(*, world: World, template_id: str, holder: Business | None) -> Template | None:
    """Find the template with this id if this holder of a token may see it (None: may see all)."""
    businesses = world.businesses.values() if holder is None else (holder,)
    return next((each for b in businesses for each in b.templates.values() if each.id == template_id), None)


def business_of(*, world: World, template: Template) -> Business:
    """Find whose template this is."""
    key = (template.name, template.language)
    return next(each for each in world.businesses.values() if each.templates.get(key) is template)


def describe_template(*, template: Template, fields: list[str] | None = None) -> dict[str, Any]:
    """Show the template as Meta lists it, or the fields of it that it has."""
    shown = {
        "name": template.name,
        "parameter_format": template.parameter_format,
        "components": template.components,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "id": template.id,
        "quality_score": {"score": template.quality, "date": int(template.quality_at)},
        "rejected_reason": template.rejected_reason,
        "previous_category": template.previous_category,
        "correct_category": template.correct_category,
        "message_send_ttl_seconds": template.ttl_seconds,
    }
    wanted = {*fields, "id"} if fields else shown.keys()
    return {key: value for key, value in shown.items() if value is not None and key in wanted}


async def _list(request: Request) -> Response:
    world, query = sandbox_of(request=request).world, request.query_params
    business = business_in_path(world=world, request=request)
    found = [each for each in business.templates.values() if _fits(template=each, query=query)]
    asked = query.get("limit", str(PAGE))
    if not asked.isdigit():
        raise GraphError(code=100, details="limit is a number")
    limit = max(1, min(int(asked), 1000))
    start = _read_cursor(query["after"]) if "after" in query else 0
    page = found[start : start + limit]
    fields = query["fields"].split(",") if "fields" in query else None
    answer: dict[str, Any] = {"data": [describe_template(template=each, fields=fields) for each in page]}
    if page:
        answer["paging"] = {"cursors": {"before": _cursor(start), "after": _cursor(start + len(page))}}
    if start + limit < len(found):
        following = request.url.include_query_params(after=_cursor(start + limit)).remove_query_params("access_token")
        answer["paging"]["next"] = str(following)
    if "summary" in query:
        answer["summary"] = {
            "total_count": len(found),
            "message_template_count": len(business.templates),
            "message_template_limit": world.switches.most_templates,
            "are_translations_complete": True,
        }
    return JSONResponse(answer)


def _fits(*, template: Template, query: Any) -> bool:
    """Tell whether a template meets the filters; each may list several values, and a name is met by a part of it."""
    own = {
        "status": template.status,
        "category": template.category,
        "language": template.language,
        "quality_score": template.quality,
    }
    if any(query[name] and own[name] not in query[name].split(",") for name in own if name in query):
        return False
    text = " ".join(str(component.get("text", "")) for component in template.components)
    return (
        query.get("name", "") in template.name
        and query.get("content", "") in text
        and query.get("name_or_content", "") in f"{template.name} {text}"
    )


async def _create(request: Request) -> Response:
    sandbox = sandbox_of(request=request)
    business = business_in_path(world=sandbox.world, request=request)
    raw = await read_object(request=request)
    template = read_template(world=sandbox.world, raw=raw)
    if (template.name, template.language) in business.templates:
        raise GraphError(code=100, details="There is already content in this language.", subcode=2388024)
    return JSONResponse(_put(sandbox=sandbox, business=business, template=template))


async def _upsert(request: Request) -> Response:
    """Create or replace an authentication template in several languages at once."""
    sandbox = sandbox_of(request=request)
    business = business_in_path(world=sandbox.world, request=request)
    raw = await read_object(request=request)
    languages = raw.get("languages")
    if not isinstance(languages, list) or not languages or raw.get("category") != "AUTHENTICATION":
        raise GraphError(code=100, details="languages and category AUTHENTICATION are required")
    made = [read_template(world=sandbox.world, raw={**raw, "language": language}) for language in languages]
    for template in made:
        known = business.templates.get((template.name, template.language))
        template.id = known.id if known is not None else template.id
    answers = [_put(sandbox=sandbox, business=business, template=each) for each in made]
    return JSONResponse(
        {"data": [{**answer, "language": each.language} for answer, each in zip(answers, made, strict=True)]}
    )


def _put(*, sandbox: "Sandbox", business: Business, template: Template) -> dict[str, Any]:
    """Take the template in for review. Raises GraphError 100: the name is not free, or there are too many."""
    deleted_at = business.deleted_names.get(template.name)
    if deleted_at is not None and sandbox.world.clock.now() < deleted_at + REUSE_SECONDS:
        raise GraphError(code=100, details="This name was deleted less than 30 days ago.", subcode=2388023)
    if len(business.templates) >= sandbox.world.switches.most_templates:
        raise GraphError(code=100, details="The account has as many templates as it may.")
    business.templates[template.name, template.language] = template
    answer = {"id": template.id, "status": template.status, "category": template.category}
    review_later(sandbox=sandbox, business=business, template=template)
    return answer


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
        if business.templates[key].status == "APPROVED" and "hsm_id" not in query:
            business.deleted_names[key[0]] = world.clock.now()
        del business.templates[key]
    return JSONResponse({"success": True})


def review_later(*, sandbox: "Sandbox", business: Business, template: Template, edited: bool = False) -> None:
    """Have the template judged when the time for it has passed."""
    moment = sandbox.world.clock.now() + sandbox.world.switches.template_review_seconds
    sandbox.statuses.at_sandbox_time(
        moment=moment, action=lambda: _review(sandbox=sandbox, business=business, template=template, edited=edited)
    )


def tell_status(
    *, sandbox: "Sandbox", business: Business, template: Template, event: str, more: dict[str, Any] | None = None
) -> None:
    """Tell the platform what became of the template."""
    value = {
        "event": event,
        **shown_template(template=template),
        "message_template_category": template.category,
        "reason": template.rejected_reason,
        **(more or {}),
    }
    tell(sandbox=sandbox, business=business, field="message_template_status_update", value=value)


def _review(*, sandbox: "Sandbox", business: Business, template: Template, edited: bool) -> None:
    """Approve the template, or reject it, and tell the platform."""
    if business.templates.get((template.name, template.language)) is not template or template.status != "PENDING":
        return
    words = " ".join(str(component.get("text", "")) for component in template.components)
    rejected = SENSITIVE.search(words) is not None
    template.status = "REJECTED" if rejected else "APPROVED"
    template.rejected_reason = "TAG_CONTENT_MISMATCH" if rejected else "NONE"
    more: dict[str, Any] = {}
    if rejected:
        why = "The template asks for a national identity number."
        more["rejection_info"] = {"reason": why, "recommendation": "Ask for a part of it, or for something else."}
    tell_status(sandbox=sandbox, business=business, template=template, event=template.status, more=more)
    if edited and not rejected:
        value = changed_components(template=template)
        tell(sandbox=sandbox, business=business, field="message_template_components_update", value=value)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def _read_cursor(text: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as error:
        raise GraphError(code=100, details="Invalid cursors values.") from error
