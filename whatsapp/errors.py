"""Meta's error codes, classified once: what a code means for the message, and for whom it holds.

THROTTLED: too fast; the same message goes again after a pause of the whole scope, and that costs no retry.
RETRYABLE: surely not accepted, and may pass by itself: try again a bounded number of times, with back-off.
PERMANENT: this message will never go as it is; the rest goes on.
STOP: nothing of this scope will go until a person has acted: pause it and alarm.
UNCERTAIN: it may have been sent; never repeated by a timer.
Source: Meta, "Error codes" (15 May 2026); where Meta leaves open what to do, a comment gives our reason.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

# Stands for a code that is missing or is no number; 0 is a code of Meta's own (authentication).
NO_CODE = -1
# Characters of a title that we keep: it is meant for logs.
TITLE_CHARACTERS = 120

_LONG_NUMBER = re.compile(r"\+?\d[\d\s().-]{3,}\d")
_OWN_CODES_FROM = 100_000  # Meta's WhatsApp codes; below lie the Graph API's general ones, and HTTP's statuses
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS_FROM = 500


class ErrorKind(StrEnum):
    """What an error asks of the sender."""

    THROTTLED = "THROTTLED"
    RETRYABLE = "RETRYABLE"
    PERMANENT = "PERMANENT"
    STOP = "STOP"
    UNCERTAIN = "UNCERTAIN"


class ErrorScope(StrEnum):
    """For whom an error holds, from narrow to wide."""

    MESSAGE = "MESSAGE"
    PAIR = "PAIR"
    # What the number starts itself; replies within the service window may go on.
    BUSINESS_INITIATED = "BUSINESS_INITIATED"
    NUMBER = "NUMBER"
    WABA = "WABA"
    APP = "APP"


class Classification(NamedTuple):
    """What a code means, and for whom."""

    kind: ErrorKind
    scope: ErrorScope


def _each(kind: ErrorKind, scope: ErrorScope, *codes: int) -> dict[int, Classification]:
    return dict.fromkeys(codes, Classification(kind, scope))


CLASSIFICATIONS: dict[int, Classification] = {
    # Token refused, expired or revoked; permission taken away. Each customer has its own token, so its WABA stops.
    **_each(ErrorKind.STOP, ErrorScope.WABA, 0, 3, 10, 190, *range(200, 300)),
    # Blocked for policy; account locked; no payment method or credit line.
    **_each(ErrorKind.STOP, ErrorScope.WABA, 368, 131031, 131042, 131044),
    # No access to this number; display name not approved; certificate or registration missing.
    **_each(ErrorKind.STOP, ErrorScope.NUMBER, 131005, 131037, 131045, 133010),
    # Held for quality (spam rate limit) or after misclassified templates: going on makes it worse, waiting alone does
    # not show why. Only what the number starts itself is held.
    **_each(ErrorKind.STOP, ErrorScope.BUSINESS_INITIATED, 131048, 131064),
    # Rates, each for its own scope.
    **_each(ErrorKind.THROTTLED, ErrorScope.APP, 4),
    **_each(ErrorKind.THROTTLED, ErrorScope.WABA, 80007),
    **_each(ErrorKind.THROTTLED, ErrorScope.NUMBER, 130429),
    **_each(ErrorKind.THROTTLED, ErrorScope.PAIR, 131056),
    # The number is being upgraded (about a minute): waiting is all it asks, so it costs no retry.
    **_each(ErrorKind.THROTTLED, ErrorScope.NUMBER, 131057),
    # Unknown, or a service of Meta's down. Registration "wait about five minutes" and a throttled Flow pass too.
    **_each(ErrorKind.RETRYABLE, ErrorScope.MESSAGE, 1, 2, 131016, 132069, 133004, 133015),
    # "Something went wrong": seen after messages that did arrive, and there is no idempotency key.
    **_each(ErrorKind.UNCERTAIN, ErrorScope.MESSAGE, 131000),
    # Ours to mend: an object or parameter that is wrong or missing.
    **_each(ErrorKind.PERMANENT, ErrorScope.MESSAGE, 33, 100, 131008, 131009, 132018, 135000),
    # About this contact: own number, not reachable, not on a test number's list, outside the service window, held back
    # for the health of the ecosystem, opted out, in an experiment, country not allowed, needs a phone number,
    # identity changed. A country that is not allowed concerns that contact's country alone.
    **_each(ErrorKind.PERMANENT, ErrorScope.MESSAGE, 131021, 131026, 131030, 131047, 131049, 131050),
    **_each(ErrorKind.PERMANENT, ErrorScope.MESSAGE, 130472, 130497, 131062, 137000),
    # About the content: kind not supported, medium not fetched or not of its type, marketing on the wrong door.
    **_each(ErrorKind.PERMANENT, ErrorScope.MESSAGE, 131051, 131052, 131053, 131063),
    # About the template or Flow: the template stops, not the number.
    **_each(ErrorKind.PERMANENT, ErrorScope.MESSAGE, 132000, 132001, 132005, 132007, 132008, 132012),
    **_each(ErrorKind.PERMANENT, ErrorScope.MESSAGE, 132015, 132016, 132068),
    # Registration: a wrong PIN tried again by a machine locks the number, so a person acts.
    **_each(ErrorKind.PERMANENT, ErrorScope.MESSAGE, 133000, 133005, 133006, 133008, 133009, 133016),
    **_each(ErrorKind.PERMANENT, ErrorScope.MESSAGE, 134100, 134101, 134102, 134103),
}


@dataclass(frozen=True, slots=True)
class MetaError:
    """An error as Meta answered it. All but `details` may be logged.

    details: Meta's own words, for the screen of who may see the message only: they can hold a phone number. Left out
    of the representation, so that no log or report takes it along.
    """

    code: int
    subcode: int | None
    kind: ErrorKind
    scope: ErrorScope
    title: str
    fbtrace_id: str | None
    details: str | None = field(default=None, repr=False)


def classify(code: int, *, status: int | None = None, transient: bool = False) -> ErrorKind:
    """Return what an error code asks of the sender.

    status: the HTTP status, where there was one; transient: Meta's own flag. Both speak only for codes that are not in
    the table; without them an unknown code is PERMANENT. In a `failed` status the outcome is known, also for 131000.
    """
    return classification(code, status=status, transient=transient).kind


def classification(code: int, *, status: int | None = None, transient: bool = False) -> Classification:
    """Return what an error code asks of the sender, and for whom it holds; parameters as `classify`."""
    known = CLASSIFICATIONS.get(code)
    if known is not None:
        return known
    if status == _TOO_MANY_REQUESTS:
        return Classification(ErrorKind.THROTTLED, ErrorScope.NUMBER)
    if transient or (status is not None and status >= _SERVER_ERRORS_FROM):
        return Classification(ErrorKind.RETRYABLE, ErrorScope.MESSAGE)
    return Classification(ErrorKind.PERMANENT, ErrorScope.MESSAGE)


def parse_error(*, status: int, body: bytes) -> MetaError | None:
    """Return the error in an answer of Meta's, or None when the body does not have Meta's shape.

    None matters: an error page of a proxy in between is no word of Meta's about the message.
    """
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return None
    code = as_code(error.get("code"))
    if code == NO_CODE or not _is_metas(error, code):
        return None
    subcode = as_code(error.get("error_subcode"))
    kind, scope = classification(code, status=status, transient=error.get("is_transient") is True)
    return MetaError(
        code=code,
        subcode=None if subcode == NO_CODE else subcode,
        kind=kind,
        scope=scope,
        title=loggable_title(error.get("error_user_title") or error.get("type")),
        fbtrace_id=_text(error.get("fbtrace_id")),
        details=details_of(error) or _text(error.get("error_user_msg")) or _text(error.get("message")),
    )


def as_code(value: object) -> int:
    """Return an error code as a number, also when Meta writes it as text; NO_CODE when it is neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        return int(value)
    return NO_CODE


def loggable_title(value: object) -> str:
    """Return a title short enough for a log, with anything that could be a phone number taken out."""
    return _LONG_NUMBER.sub("…", value)[:TITLE_CHARACTERS] if isinstance(value, str) else ""


def details_of(error: dict[str, Any]) -> str | None:
    """Return the details of an error, which Meta writes as an object or, at times, as bare text."""
    data = error.get("error_data")
    return _text(data.get("details")) if isinstance(data, dict) else _text(data)


def _is_metas(error: dict[str, Any], code: int) -> bool:
    """Tell Meta's error from a proxy's that looks alike ({"error": {"code": 502, …}})."""
    if isinstance(error.get("fbtrace_id"), str) or isinstance(error.get("type"), str):
        return True
    return code >= _OWN_CODES_FROM


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
