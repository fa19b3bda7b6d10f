"""Errors in the shape that the Graph API answers with, and in the shape that a status or message carries."""

from dataclasses import dataclass
from typing import Any

# Titles as the platform may log them; Meta says to build on code and details alone.
TITLES = {
    0: "AuthException",
    1: "API Unknown",
    2: "API Service",
    3: "API Method",
    4: "API Too Many Calls",
    10: "Permission Denied",
    33: "Parameter value is not valid",
    100: "Invalid parameter",
    190: "Access token has expired",
    368: "Temporarily blocked for policies violations",
    80007: "Rate limit issues",
    130429: "Rate limit hit",
    130472: "User's number is part of an experiment",
    130497: "Business account is restricted from messaging users in this country",
    131000: "Something went wrong",
    131005: "Access denied",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131016: "Service unavailable",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable",
    131030: "Recipient phone number not in allowed list",
    131031: "Account has been locked",
    131037: "Display name approval needed",
    131042: "Business eligibility payment issue",
    131045: "Incorrect certificate",
    131047: "Re-engagement message",
    131048: "Spam rate limit hit",
    131049: "Meta chose not to deliver",
    131050: "User has stopped marketing messages",
    131051: "Unsupported message type",
    131052: "Media download error",
    131053: "Media upload error",
    131056: "Pair rate limit hit",
    131057: "Account in maintenance mode",
    131062: "Business-scoped user id not allowed for this message",
    131063: "Marketing messages disabled on the Cloud API",
    134101: "Only marketing templates are supported",
    132000: "Template param count mismatch",
    132001: "Template does not exist",
    132005: "Template hydrated text too long",
    132007: "Template format character policy violated",
    132012: "Template parameter format mismatch",
    132015: "Template is paused",
    132016: "Template is disabled",
    133000: "Incomplete deregistration",
    133004: "Server temporarily unavailable",
    133005: "Two step verification PIN mismatch",
    133006: "Phone number re-verification needed",
    133008: "Too many two step verification PIN guesses",
    133009: "Two step verification PIN guessed too fast",
    133015: "Please wait a few minutes before attempting to register this phone number",
    133016: "Account register deregister rate limit exceeded",
    135000: "Generic user error",
    147001: "Username not valid",
    147002: "Username not available",
    2200: "Callback verification failed",
    133010: "Phone number not registered",
}

# The status of most codes is not verified (`http_status` switch); these two are stated.
HTTP_STATUS = {0: 401, 190: 401, 3: 403, 10: 403, 131000: 500, 131016: 503, 1: 500, 2: 503, 133004: 503}


@dataclass(slots=True)
class GraphError(Exception):
    """Meta refuses a call: its code, and details in words (never a citizen's)."""

    code: int
    details: str
    subcode: int | None = None

    def __str__(self) -> str:
        return f"(#{self.code}) {self.details}"


def answer_body(*, error: GraphError, trace_id: str, data_as_string: bool) -> dict[str, Any]:
    """Shape the error as the answer of a call."""
    title = TITLES.get(error.code, "Error")
    body: dict[str, Any] = {
        "message": f"(#{error.code}) {title}",
        "type": "GraphMethodException" if error.subcode == 33 else "OAuthException",
        "code": error.code,
        "fbtrace_id": trace_id,
    }
    if error.subcode is not None:
        body["error_subcode"] = error.subcode
    details: Any = {"messaging_product": "whatsapp", "details": error.details}
    body["error_data"] = error.details if data_as_string else details
    return {"error": body}


def status_error(*, code: int, details: str) -> dict[str, Any]:
    """Shape an error as an element of `errors[]` in a webhook."""
    title = TITLES.get(code, "Error")
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    }


def http_status(*, code: int, overrides: dict[str, int]) -> int:
    """Tell the HTTP status of an error code; 400 unless stated or overridden."""
    return overrides.get(str(code)) or HTTP_STATUS.get(code, 400)


def missing_object(*, object_id: str) -> GraphError:
    """Make the answer to an id that does not exist, or that this token may not see."""
    details = (
        f"Object with ID '{object_id}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation"
    )
    return GraphError(code=100, details=details, subcode=33)
