"""Errors as RFC 9457 problems: one shape for every answer from 400 on, whoever gives it.

`code` is stable and for machines, `detail` is for people. A problem never repeats what a caller sent: it may be a
citizen's words or a phone number.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

CONTENT_TYPE = "application/problem+json"
TITLES = {
    400: "Invalid request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    413: "Request too large",
    415: "Unsupported media type",
    429: "Too many requests",
    500: "Server error",
    503: "Temporarily unavailable",
}
CODES = {
    400: "invalid_request",
    401: "not_authenticated",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "server_error",
    503: "unavailable",
}
DETAILS = {
    401: "Send a key of this host in the header: Authorization: Bearer wak_…",
    403: "The key lacks the scope that this address needs.",
    404: "There is nothing at this address, or not for this key.",
    405: "The header Allow names the methods of this address.",
    406: "This API answers with application/json.",
    415: "Send the body as application/json.",
    429: "Wait for as many seconds as Retry-After says.",
    500: "Something went wrong here. It was reported; try again later.",
    503: "Try again in a moment.",
}


class Problem(exceptions.APIException):
    """A refusal with a stable code, and what the caller needs to go on from there."""

    def __init__(
        self, *, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.code = code
        self.text = detail
        self.headers = dict(headers or {})
        self.members = members


def problem(*, status: int, code: str | None = None, detail: str | None = None, **members: Any) -> dict[str, Any]:
    """Return the body of a problem; members: further ones, in camelCase."""
    return {
        "type": "about:blank",
        "status": status,
        "title": TITLES.get(status, "Error"),
        "detail": detail or DETAILS.get(status, TITLES.get(status, "Error")),
        "code": code or CODES.get(status, "error"),
        **members,
    }


def http_problem(*, status: int) -> HttpResponse:
    """Return a problem for an answer that no view gave: an unknown address or host, an unforeseen error."""
    return HttpResponse(json.dumps(problem(status=status)), status=status, content_type=CONTENT_TYPE)


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return an error of a view as a problem, or None for what nobody foresaw: that is logged and answered 500."""
    if isinstance(error, Problem):
        body = problem(status=error.status_code, code=error.code, detail=error.text, **error.members)
        return _response(body, error.headers)
    if isinstance(error, exceptions.ValidationError):
        errors = list(_flat(error.get_full_details(), pointer=""))
        detail = "One thing is wrong." if len(errors) == 1 else f"{len(errors)} things are wrong."
        return _response(problem(status=400, detail=detail, errors=errors), {})
    if isinstance(error, exceptions.ParseError):
        return _response(problem(status=400, code="malformed_json", detail="The body is not valid JSON."), {})
    if isinstance(error, exceptions.APIException):
        headers = {"WWW-Authenticate": "Bearer"} if error.status_code == status.HTTP_401_UNAUTHORIZED else {}
        return _response(problem(status=error.status_code), headers)
    return None


def _response(body: dict[str, Any], headers: Mapping[str, str]) -> Response:
    return Response(body, status=body["status"], headers=dict(headers), content_type=CONTENT_TYPE)


def _flat(details: Any, *, pointer: str) -> Any:
    """Yield every error with a JSON pointer to what it is about; '' is the whole body."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {"pointer": pointer, "code": details["code"], "detail": str(details["message"])}
    elif isinstance(details, dict):
        for key, item in details.items():
            inner = pointer if key == "non_field_errors" else f"{pointer}/{_escaped(str(key))}"
            yield from _flat(item, pointer=inner)
    else:
        for index, item in enumerate(details):
            # A list of messages is about the field itself; one of dicts is about the elements of a list.
            is_message = isinstance(item, dict) and set(item) == {"message", "code"}
            yield from _flat(item, pointer=pointer if is_message else f"{pointer}/{index}")


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
