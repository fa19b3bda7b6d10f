"""The OpenAPI 3.1 documents, made from the views and shapes, with what all addresses have in common added once."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings

from api.doors import Door
from api.fields import VALUE_NAME
from api.problems import CONTENT_TYPE, DETAILS, TITLES
from api.version import BASE_PATH, VERSION

Document = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
VERSION_HEADER = {"API-Version": {"$ref": "#/components/headers/ApiVersion"}}
LIMIT_HEADERS = {
    "RateLimit": {"$ref": "#/components/headers/RateLimit"},
    "RateLimit-Policy": {"$ref": "#/components/headers/RateLimitPolicy"},
}
HEADERS = {
    "ApiVersion": {"description": "The full version of the API.", "required": True, "schema": {"type": "string"}},
    "RateLimit": {
        "description": 'How many requests are left (r) for how many seconds (t): `"key";r=99;t=30, "host";r=199;t=30`.',
        "schema": {"type": "string"},
    },
    "RateLimitPolicy": {
        "description": 'How many requests (q) in how many seconds (w) are allowed: `"key";q=100;w=60`.',
        "schema": {"type": "string"},
    },
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
}
PROBLEM = {
    "type": "object",
    "description": "An error (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "title": {"type": "string"},
        "detail": {"type": "string", "description": "For people."},
        "code": {"type": "string", "description": "For machines: stable."},
        "errors": {
            "type": "array",
            "description": "With 400: everything that is wrong.",
            "items": {"$ref": "#/components/schemas/InvalidPart"},
        },
        "closedAt": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "With window_closed: since when; null when the citizen never wrote.",
        },
        "templates": {
            "type": "array",
            "description": "With window_closed: templates that may be sent instead.",
            "items": {"type": "string"},
        },
    },
    "required": ["type", "status", "title", "detail", "code"],
}
INVALID_PART = {
    "type": "object",
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer to the part; '' is the whole."},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
    "required": ["pointer", "code", "detail"],
}
# What a caller writes: unknown members are refused, and these rules hold between members.
STRICT: dict[str, dict[str, Any]] = {
    "NewMessage": {
        "oneOf": [{"required": ["threadId"]}, {"required": ["recipient"]}],
        "anyOf": [{"required": ["text"]}, {"required": ["content"]}, {"required": ["template"]}],
        "not": {"required": ["text", "content"]},
        "dependentRequired": {"phoneNumberId": ["recipient"], "replyToMessageId": ["threadId"]},
        "dependentSchemas": {"replyToMessageId": {"anyOf": [{"required": ["text"]}, {"required": ["content"]}]}},
    },
    "Person": {"oneOf": [{"required": ["phoneNumber"]}, {"required": ["bsuid"]}]},
    "TemplateChoice": {
        "not": {
            "anyOf": [
                {"required": ["headerValues", "headerMedium"]},
                {"required": ["headerValues", "headerLocation"]},
                {"required": ["headerMedium", "headerLocation"]},
            ]
        }
    },
    "TemplateButton": {"oneOf": [{"required": ["value"]}, {"required": ["flow"]}]},
    "HeaderPlace": {},
    "FlowData": {},
    "OptIn": {},
    **{
        name: {"oneOf": [{"required": ["link"]}, {"required": ["mediumId"]}]}
        for name in ("Image", "Video", "Document", "Audio", "Sticker")
    },
    **{name: {} for name in ("Cards", "CardPhone", "ContactCard")},
    **{name: {} for name in ("ReplyButton", "Choices", "ListRow", "ListSection", "AskLocation", "AskContact", "Emoji")},
    "Place": {"dependentRequired": {"address": ["name"]}},
    "HeaderMedium": {"if": {"required": ["filename"]}, "then": {"properties": {"kind": {"const": "document"}}}},
    **{name: {"not": {"required": ["headerText", "headerMedium"]}} for name in ("Buttons", "PageButton")},
    "Content": {"type": "object"},
    "NewChoice": {},
    "NewConsent": {},
}


def document(*, door: Door, server: str) -> Document:
    """Return a door's document; server: scheme and host at which it is served."""
    made = _generated(door)
    return {**made, "servers": [{"url": f"{server}{BASE_PATH}"}], "info": {**made["info"], "contact": _contact()}}


@cache
def _generated(door: Door) -> Document:
    options = {
        "TITLE": door.title,
        "DESCRIPTION": door.description,
        "VERSION": VERSION,
        "OAS_VERSION": "3.1.1",
        "LICENSE": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        "POSTPROCESSING_HOOKS": [],
        "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    }
    with patched_settings(options):
        generator = SchemaGenerator(patterns=[path("", include(list(door.patterns)))])  # type: ignore[no-untyped-call]
        made: Document = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    made["info"]["version"] = VERSION
    made["tags"] = [{"name": name} for name in sorted({tag for _, _, one in _operations(made) for tag in one["tags"]})]
    components = made["components"]
    _without(made, "x-spec-enum-id")
    components["schemas"].update({"Problem": PROBLEM, "InvalidPart": INVALID_PART})
    components["headers"] = HEADERS
    for name, rules in STRICT.items():
        if name in components["schemas"]:
            closed = {} if "discriminator" in components["schemas"][name] else {"additionalProperties": False}
            components["schemas"][name].update({**closed, **rules})
    if "TemplateChoice" in components["schemas"]:
        names = {"pattern": f"^{VALUE_NAME.pattern}$"}
        for member in ("values", "headerValues"):
            components["schemas"]["TemplateChoice"]["properties"][member]["propertyNames"] = names
    for address, method, operation in _operations(made):
        _complete(address, method, operation)
    answered = {status for _, _, operation in _operations(made) for status in operation["responses"]}
    components["responses"] = {
        f"Problem{status}": _problem_response(status) for status in sorted(TITLES) if str(status) in answered
    }
    return made


def _without(part: Any, name: str) -> None:
    """Take a member away, at any depth."""
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _without(inner, name)
    if isinstance(part, dict):
        part.pop(name, None)


def _operations(made: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for address, methods in made["paths"].items():
        for method in METHODS:
            if method in methods:
                yield address, method, methods[method]


def _complete(address: str, method: str, operation: dict[str, Any]) -> None:
    """Add to an operation what all have: the version header, and the problems that it may answer."""
    for response in operation["responses"].values():
        response["description"] = response["description"] or "As asked."
        response["headers"] = {**response.get("headers", {}), **VERSION_HEADER, **LIMIT_HEADERS}
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    statuses = {401, 403, 406, 429, 500, 503}
    if operation.get("parameters") or method != "get":
        statuses.add(400)
    if "{" in address or operation["operationId"] == "sendMessage":
        statuses.add(404)
    if method == "post":
        statuses |= {413, 415}
    if operation["operationId"] in {"sendMessage", "recordConsent", "getMediumContent", "uploadMedium"}:
        statuses.add(409)
    for status in sorted(statuses):
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/Problem{status}"}


def _problem_response(status: int) -> dict[str, Any]:
    return {
        "description": DETAILS.get(status, TITLES[status]),
        "headers": {**VERSION_HEADER, **_headers_of(status)},
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _headers_of(status: int) -> dict[str, Any]:
    """Return the further headers of a problem; who was not known yet is told no limit."""
    limit = {} if status == 401 else LIMIT_HEADERS
    return {**limit, "Retry-After": {"$ref": "#/components/headers/RetryAfter"}} if status == 429 else dict(limit)


def _contact() -> dict[str, str]:
    return {
        "name": settings.SELLER["NAME"],
        "email": settings.SELLER["EMAIL"] or f"api@{settings.BASE_DOMAIN}",
        "url": f"https://{settings.CONSOLE_HOST}/",
    }
