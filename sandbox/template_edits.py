"""What becomes of a template after its approval: edits, pauses, other categories, quality, archiving.

Meta's doors (edit, unpause, archive), and the control door that plays Meta's own decisions: paused for 3 hours, then
for 6, then disabled; another category after a day's notice or at once; another quality. Time is the sandbox's clock.
"""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.account_events import business_named, tell
from sandbox.account_fields import shown_template
from sandbox.control import read_object, sandbox_of
from sandbox.graph_calls import read_parameters
from sandbox.graph_errors import GraphError, missing_object
from sandbox.inbound import UnfitMessage
from sandbox.media import token_of
from sandbox.sending import business_for
from sandbox.template_checks import CATEGORIES, read_template
from sandbox.templates import (
    business_in_path,
    business_of,
    describe_template,
    find_template,
    review_later,
    tell_status,
)
from sandbox.world import Business, Template

if TYPE_CHECKING:
    from sandbox.app import Sandbox

EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
DAY = 86400.0
MOST_EDITS, EDITS_SECONDS = 10, 30 * DAY
PAUSES = (("FIRST_PAUSE", 3 * 3600.0), ("SECOND_PAUSE", 6 * 3600.0))
PACING_SECONDS = 300.0  # how long a pause for pacing lasts at least
NOTICE_SECONDS = DAY
QUALITIES = ("GREEN", "YELLOW", "RED", "UNKNOWN")
PLAIN_STATUSES = ("APPROVED", "REJECTED", "PENDING", "FLAGGED", "IN_APPEAL", "LIMIT_EXCEEDED", "LOCKED", "ARCHIVED")


def routes() -> list[Route]:
    """List the doors."""
    archiving = "/{waba_id}/message_templates"
    return [
        Route("/{version}/{template_id}/unpause", _unpause, methods=["POST"]),
        # Meta has these two on another host, without a version.
        Route(f"{archiving}/archive", _archive, methods=["POST"]),
        Route(f"{archiving}/unarchive", _unarchive, methods=["POST"]),
        Route("/_sandbox/templates", _decide, methods=["POST"]),
    ]


def edit_template(*, sandbox: "Sandbox", template: Template, given: dict[str, Any]) -> dict[str, Any]:
    """Change category, components or time to live of a template, which is reviewed again. Raises GraphError 100."""
    now, business = sandbox.world.clock.now(), business_of(world=sandbox.world, template=template)
    if template.status not in EDITABLE:
        raise GraphError(code=100, details=f"A template that is {template.status} cannot be edited.")
    if template.status == "APPROVED":
        if given.get("category", template.category) != template.category:
            raise GraphError(code=100, details="The category of an approved template cannot be edited.")
        template.edited_at = [each for each in template.edited_at if each > now - EDITS_SECONDS]
        if len(template.edited_at) >= MOST_EDITS or any(each > now - DAY for each in template.edited_at):
            raise GraphError(code=100, details="An approved template is edited once a day, ten times in 30 days.")
        template.edited_at.append(now)
    raw = {
        "name": template.name,
        "language": template.language,
        "category": given.get("category", template.category),
        "components": given.get("components", template.components),
        "parameter_format": given.get("parameter_format", template.parameter_format),
        "message_send_ttl_seconds": given.get("message_send_ttl_seconds", template.ttl_seconds),
    }
    edited = read_template(world=sandbox.world, raw={key: value for key, value in raw.items() if value is not None})
    template.category, template.components = edited.category, edited.components
    template.parameter_format, template.ttl_seconds = edited.parameter_format, edited.ttl_seconds
    template.status = "PENDING"
    review_later(sandbox=sandbox, business=business, template=template, edited=True)
    return {"success": True, "id": template.id, "name": template.name, "category": template.category}


async def _unpause(request: Request) -> Response:
    """End a pause for pacing; one for quality ends by itself."""
    sandbox, template_id = sandbox_of(request=request), request.path_params["template_id"]
    holder = business_for(world=sandbox.world, token=token_of(request=request))
    template = find_template(world=sandbox.world, template_id=template_id, holder=holder)
    if template is None:
        raise missing_object(object_id=template_id)
    if template.status != "PAUSED" or template.paused_as != "RATE_LIMITING_PAUSE":
        return JSONResponse({"success": False, "reason": "The template is not paused for pacing."})
    if sandbox.world.clock.now() < template.paused_at + PACING_SECONDS:
        return JSONResponse({"success": False, "reason": "Wait five minutes after the pause."})
    _resume(sandbox=sandbox, template=template)
    return JSONResponse({"success": True})


async def _archive(request: Request) -> Response:
    return await _move(
        request=request, origin=("APPROVED", "PAUSED", "REJECTED"), to="ARCHIVED", key="archived_templates"
    )


async def _unarchive(request: Request) -> Response:
    return await _move(request=request, origin=("ARCHIVED",), to="APPROVED", key="unarchived_templates")


async def _move(*, request: Request, origin: tuple[str, ...], to: str, key: str) -> Response:
    sandbox = sandbox_of(request=request)
    business = business_in_path(world=sandbox.world, request=request)
    ids = (await read_parameters(request=request)).get("hsm_ids")
    known = {each.id: each for each in business.templates.values()}
    done, failed = [], {}
    for template_id in ids if isinstance(ids, list) else str(ids or "").split(","):
        template = known.get(str(template_id))
        if template is None or template.status not in origin:
            failed[str(template_id)] = "No such template, or not in a state for it."
            continue
        template.status = to
        event = "ARCHIVED" if to == "ARCHIVED" else "UNARCHIVED"
        tell_status(sandbox=sandbox, business=business, template=template, event=event)
        done.append(template.id)
    return JSONResponse({key: done, "failed_templates": failed})


async def _decide(request: Request) -> Response:
    """Play a decision of Meta's: {"waba_id", "name", "language"?, "action", …}.

    action: pause (of quality), pace (a pause for pacing), disable, resume, status ("to"), recategorise ("to",
    "notice_seconds"?), quality ("to").
    """
    sandbox, raw = sandbox_of(request=request), await read_object(request=request)
    business = business_named(world=sandbox.world, raw=raw)
    template = business.templates.get((str(raw.get("name")), str(raw.get("language", "nl"))))
    if template is None:
        raise UnfitMessage("there is no such template")
    action, to = raw.get("action"), raw.get("to")
    if action == "pause":
        _pause(sandbox=sandbox, business=business, template=template)
    elif action == "pace":
        _stop(sandbox=sandbox, template=template, title="RATE_LIMITING_PAUSE", description="Paused for pacing.")
    elif action == "disable":
        _disable(sandbox=sandbox, business=business, template=template)
    elif action == "resume":
        _resume(sandbox=sandbox, template=template)
    elif action == "status" and to in PLAIN_STATUSES:
        template.status = to
        tell_status(sandbox=sandbox, business=business, template=template, event=to)
    elif action == "recategorise" and to in CATEGORIES:
        _recategorise(sandbox=sandbox, business=business, template=template, to=to, notice=raw.get("notice_seconds"))
    elif action == "quality" and to in QUALITIES:
        value = {
            "previous_quality_score": template.quality,
            "new_quality_score": to,
            **shown_template(template=template),
        }
        template.quality, template.quality_at = to, sandbox.world.clock.now()
        tell(sandbox=sandbox, business=business, field="message_template_quality_update", value=value)
    else:
        raise UnfitMessage("an action is pause, pace, disable, resume, or status, recategorise or quality with `to`")
    return JSONResponse(describe_template(template=template))


def _pause(*, sandbox: "Sandbox", business: Business, template: Template) -> None:
    """Pause for low quality: 3 hours, the next time 6, the third time for good."""
    if template.pauses >= len(PAUSES):
        _disable(sandbox=sandbox, business=business, template=template)
        return
    title, seconds = PAUSES[template.pauses]
    template.pauses += 1
    hours = int(seconds // 3600)
    _stop(sandbox=sandbox, template=template, title=title, description=f"Paused for {hours} hours for low quality.")
    paused_at = template.paused_at

    def over() -> None:
        if template.status == "PAUSED" and template.paused_at == paused_at:
            _resume(sandbox=sandbox, template=template)

    sandbox.statuses.at_sandbox_time(moment=paused_at + seconds, action=over)


def _stop(*, sandbox: "Sandbox", template: Template, title: str, description: str) -> None:
    template.status, template.paused_as, template.paused_at = "PAUSED", title, sandbox.world.clock.now()
    business = business_of(world=sandbox.world, template=template)
    other = {"title": title, "description": description}
    tell_status(sandbox=sandbox, business=business, template=template, event="PAUSED", more={"other_info": other})


def _resume(*, sandbox: "Sandbox", template: Template) -> None:
    template.status, template.paused_as = "APPROVED", None
    business = business_of(world=sandbox.world, template=template)
    other = {"title": "UNPAUSE", "description": "The template can be sent again."}
    event = sandbox.world.switches.unpaused_event
    tell_status(sandbox=sandbox, business=business, template=template, event=event, more={"other_info": other})


def _disable(*, sandbox: "Sandbox", business: Business, template: Template) -> None:
    template.status, template.paused_as = "DISABLED", "DISABLED"
    more = {
        "disable_info": {"disable_date": int(sandbox.world.clock.now())},
        "other_info": {"title": "DISABLED", "description": "Disabled for low quality."},
    }
    tell_status(sandbox=sandbox, business=business, template=template, event="DISABLED", more=more)


def _recategorise(*, sandbox: "Sandbox", business: Business, template: Template, to: str, notice: Any) -> None:
    """Give the template another category, a day after telling so; with a notice of 0 seconds at once."""
    seconds = NOTICE_SECONDS if notice is None else float(notice)
    shown, due = shown_template(template=template), sandbox.world.clock.now() + seconds
    if seconds > 0:
        template.correct_category = to
        value = {
            **shown,
            "new_category": template.category,
            "correct_category": to,
            "category_update_timestamp": int(due),
        }
        tell(sandbox=sandbox, business=business, field="template_category_update", value=value)

    def done() -> None:
        if business.templates.get((template.name, template.language)) is not template or template.category == to:
            return
        template.previous_category, template.category, template.correct_category = template.category, to, None
        changed = {**shown, "previous_category": template.previous_category, "new_category": to}
        tell(sandbox=sandbox, business=business, field="template_category_update", value=changed)

    sandbox.statuses.at_sandbox_time(moment=due, action=done)
