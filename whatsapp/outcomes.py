"""What can come of a call: the four outcomes of a send, what other calls return, and the two errors they raise.

The difference between "surely not accepted" and "nobody knows" is drawn here and nowhere else: there is no idempotency
key, so a send that may have been accepted is never repeated by a machine.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from whatsapp.errors import ErrorKind, MetaError, parse_error
from whatsapp.payloads.parts import objects, text

_OK = range(200, 300)
_SERVER_ERRORS = range(500, 600)


class Reason(StrEnum):
    """Why there is no answer of Meta's; stable, for rows, logs and counters."""

    # Before anything was written.
    CONNECTION_FAILED = "CONNECTION_FAILED"
    NAME_NOT_RESOLVED = "NAME_NOT_RESOLVED"
    CONNECT_TIMEOUT = "CONNECT_TIMEOUT"
    TLS_FAILED = "TLS_FAILED"
    # The request itself cannot be made of what was given; repeating it does not help.
    INVALID_REQUEST = "INVALID_REQUEST"
    UNTRUSTED_URL = "UNTRUSTED_URL"
    # After it may have been written.
    READ_TIMEOUT = "READ_TIMEOUT"
    DISCONNECTED = "DISCONNECTED"
    SERVER_ERROR = "SERVER_ERROR"
    UNREADABLE_ANSWER = "UNREADABLE_ANSWER"
    ANSWER_TOO_LARGE = "ANSWER_TOO_LARGE"
    TOO_SLOW = "TOO_SLOW"
    # A status that is no success, without Meta's error.
    NOT_FOUND = "NOT_FOUND"
    UNEXPECTED_STATUS = "UNEXPECTED_STATUS"
    # Meta itself says that something went wrong (131000).
    META_UNSURE = "META_UNSURE"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Meta took the message. Whom it took it for, and whether it holds a template back, its webhooks tell as well."""

    wamid: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Meta answered that it did not take the message; error.kind says what may be done."""

    error: MetaError


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The request may have been read and no answer says what came of it. error: where Meta named one (131000)."""

    reason: Reason
    error: MetaError | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing was written: the message may go again, unless the reason is INVALID_REQUEST."""

    reason: Reason


Outcome = Accepted | Refused | Uncertain | NotSent


class MetaRefused(Exception):
    """Meta answered a call with an error. Its text holds codes only."""

    def __init__(self, error: MetaError) -> None:
        super().__init__(f"Meta refused: code {error.code}, {error.kind}, trace {error.fbtrace_id}")
        self.error = error


class MetaUnreachable(Exception):
    """A call got no answer of Meta's. may_have_happened: the request may have been read, so look before repeating."""

    def __init__(self, reason: Reason, *, may_have_happened: bool) -> None:
        super().__init__(f"no answer of Meta's: {reason}")
        self.reason = reason
        self.may_have_happened = may_have_happened


@dataclass(frozen=True, slots=True)
class NumberRecord:
    """A number as Meta knows it: what a token check returns."""

    phone_number_id: str
    display_phone_number: str | None
    verified_name: str | None
    quality_rating: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class TemplatePage:
    """A page of templates as Meta wrote them, whatever they are. after: where the next one begins; None: the last."""

    items: tuple[Any, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class CreatedTemplate:
    """What Meta made of a new template; its category may differ from the one asked for."""

    template_id: str
    status: str
    category: str | None


@dataclass(frozen=True, slots=True)
class MediaRecord:
    """Where a medium can be fetched in the next five minutes. sha256: hex."""

    media_id: str
    url: str
    mime_type: str | None
    sha256: str | None
    size_bytes: int | None


def outcome_of_send(*, status: int, body: bytes) -> Outcome:
    """Return what an answer to a send means; Uncertain unless it clearly is Meta's yes or Meta's no."""
    if status in _OK and (accepted := _accepted(body)) is not None:
        return accepted
    error = parse_error(status=status, body=body)
    if error is None:
        return Uncertain(reason_of_status(status))
    if error.kind is ErrorKind.UNCERTAIN:
        return Uncertain(Reason.META_UNSURE, error)
    return Refused(error)


def reason_of_status(status: int) -> Reason:
    """Return why an answer that has neither what was asked nor Meta's error is none."""
    if status in _OK:
        return Reason.UNREADABLE_ANSWER
    if status in _SERVER_ERRORS:
        return Reason.SERVER_ERROR
    return Reason.NOT_FOUND if status == 404 else Reason.UNEXPECTED_STATUS


def answer_of_call(*, status: int, body: bytes) -> dict[str, Any]:
    """Return the object that a call other than a send was answered with.  Raises MetaRefused, MetaUnreachable."""
    error = parse_error(status=status, body=body)
    if error is not None:
        raise MetaRefused(error)
    answer = _object(body) if status in _OK else None
    if answer is None:
        raise MetaUnreachable(reason_of_status(status), may_have_happened=True)
    return answer


def _accepted(body: bytes) -> Accepted | None:
    answer = _object(body) or {}
    message = next(iter(objects(answer.get("messages"))), {})
    wamid = text(message.get("id"))
    return None if wamid is None else Accepted(wamid)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None
