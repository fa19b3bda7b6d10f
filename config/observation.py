"""Logs as events with keys, and Sentry without personal data.

Both remove what a citizen or a secret could be: no bodies, no phone numbers, no local variables. The scrubber
works on shapes (a phone number, a wamid, a bearer token), so that it also holds for what nobody thought of; Meta's
numeric ids have the shape of phone numbers and go too: name a municipality by its schema, a message by our id.
"""

import logging
import logging.config
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import sentry_sdk
import structlog
from sentry_sdk.types import Event, Hint

from config import VERSION

REMOVED = "[removed]"
# What may stand between the digits of a phone number, in any spelling that people use.
_BETWEEN = "[ \\t\u00a0\u2009\u202f().\u2010-\u2015/-]{0,3}"
_SECRETS = re.compile(
    r"wamid\.[A-Za-z0-9+/=_-]+"  # a wamid holds the citizen's number
    rf"|(?:\+{_BETWEEN}\d(?:{_BETWEEN}\d){{6,}}|(?<!\d)\d(?:{_BETWEEN}\d){{8,}})(?!\d)"  # a phone number
    r"|(?i:bearer)\s+\S+"
    r"|(?<![A-Za-z0-9])EAA[\w-]+"  # Meta's tokens begin so
    r"|(?i:access_token|verify_token|appsecret_proof|password|client_secret)[\"']?\s*[=:]\s*[\"']?[^\s\"'&,}]+"
    r"|(?:postgres(?:ql)?|rediss?)://\S+"
    r"|(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://[^\s/@]+@\S+"  # any address that carries who signs in there
    r"|(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+"  # an e-mail address
    r"|(?<![A-Za-z0-9])[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{8,}"  # a business-scoped user id
)
# PostgreSQL repeats the row that it refused: its keys are phone numbers, its text is a citizen's.
_REFUSED_ROW = re.compile(r"(?<=DETAIL: ).*?(?=\n\n(?:The above exception was|During handling of)|\Z)", re.DOTALL)
_KEPT = re.compile(
    r"(?<!\w)(?:"
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # a UUID
    r"|(?:19|20)\d\d-[01]\d-[0-3]\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?"  # ISO 8601
    r"|(?=\d*[a-f])(?:(?!\w*\d{9})[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})"  # ids of traces, digests
    r")(?!\w)"
)
_LONGEST_COUNT = 10**9  # a whole number from here on may be a phone number


def scrub_text(text: str) -> str:
    """Return the text with persons, secrets and addresses of services removed; UUIDs, digests and dates stay."""
    text = _REFUSED_ROW.sub(REMOVED, text)
    kept: list[str] = []
    position = 0
    for match in _KEPT.finditer(text):
        kept += (_SECRETS.sub(REMOVED, text[position : match.start()]), match.group())
        position = match.end()
    return "".join(kept) + _SECRETS.sub(REMOVED, text[position:])


def scrub(value: Any) -> Any:
    """Return the value with every text in it scrubbed, at any depth; of other objects, how they are written."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < _LONGEST_COUNT else REMOVED
    if isinstance(value, dict):
        return {scrub(key): scrub(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(item) for item in value]
    return scrub_text(value if isinstance(value, str) else str(value))


def scrub_event(event: Event, hint: Hint) -> Event:
    """Return Sentry's event without request, user, local variables and breadcrumbs' data, and with texts scrubbed."""
    for part in ("request", "user", "breadcrumbs", "extra", "server_name", "modules"):
        event.pop(part, None)  # type: ignore[misc]
    for raised in (event.get("exception") or {}).get("values") or []:
        raised["value"] = REMOVED  # what an error says may be a citizen's words; its kind and place are ours
    if (hint.get("exc_info") or event.get("exception")) and "logentry" in event:
        # Libraries write what an error says into their sentence about it: only the sentence's pattern is kept.
        pattern = str(event["logentry"].get("message") or "")
        event["logentry"] = {"message": _without_errors(pattern, hint.get("exc_info"))}
    scrubbed: Event = scrub(event)
    return scrubbed


def describe_exception(exc_info: structlog.typing.ExcInfo) -> str:
    """Return an error's kind and place, and those of what led to it; never its text, which may hold anybody's words."""
    lines: list[str] = []
    for error in _chain(exc_info[1]):
        code = getattr(error, "sqlstate", None)
        lines.append(f"{type(error).__module__}.{type(error).__qualname__}" + (f" (SQLSTATE {code})" if code else ""))
        frames = traceback.extract_tb(error.__traceback__)
        lines.extend(f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    return "\n".join(lines)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Return an error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _without_errors(text: str, exc_info: Any) -> str:
    """Return a sentence about an error without what the error itself says."""
    raised = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    for error in _chain(raised if isinstance(raised, BaseException) else None):
        for said in (repr(error), str(error)):
            if said.strip():
                text = text.replace(said, REMOVED)
    return text


def _drop_error_text(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if event.get("exc_info") and isinstance(event.get("event"), str):
        event["event"] = _without_errors(event["event"], event["exc_info"])
    return event


def _scrub_log(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    # structlog's own keys begin with an underscore, and are gone before the line is written.
    return {key: value if key.startswith("_") else scrub(value) for key, value in event.items()}


def configure(config: dict[str, Any]) -> None:
    """Set up logs and Sentry, as settings.LOGGING says: {"level", "sentry_dsn"}."""
    configure_logging(level=config["level"])
    log_last_words()
    configure_sentry(dsn=config["sentry_dsn"])


def configure_logging(*, level: str) -> None:
    """Send every log line, ours and the libraries', to standard error as one JSON object."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _drop_error_text,
        structlog.processors.ExceptionRenderer(describe_exception),
        _scrub_log,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.JSONRenderer(),
                    ],
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                # The server brings a handler of its own, which would write an error's text as it is.
                "uvicorn": {"handlers": [], "propagate": True},
                # It tells of every task it takes and ends: rows are the queue, and metrics count them.
                "celery": {"level": level if level == "DEBUG" else "WARNING"},
                # An access line holds addresses of citizens' threads and of callers: the proxy counts requests.
                "uvicorn.access": {"level": "WARNING"},
                "aiohttp.access": {"level": "WARNING"},
                "django.request": {"level": "ERROR"},
            },
        }
    )


def log_last_words() -> None:
    """Have what ends a process or a thread logged as every other error is: Python itself would print its text."""
    logging.captureWarnings(True)

    def ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            structlog.get_logger(__name__).critical("process_ended", exc_info=(kind, error, trace))

    def thread_ended(ending: threading.ExceptHookArgs) -> None:
        if ending.exc_value is not None and not issubclass(ending.exc_type, SystemExit):
            structlog.get_logger(__name__).error("thread_ended", exc_info=ending.exc_value)

    def not_raised(unraised: "sys.UnraisableHookArgs") -> None:
        if unraised.exc_value is not None:
            structlog.get_logger(__name__).error("error_not_raised", exc_info=unraised.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = ended, thread_ended, not_raised


def configure_sentry(*, dsn: str | None) -> None:
    """Report errors to Sentry when there is a DSN, never with personal data."""
    if dsn is None:
        return
    sentry_sdk.init(
        dsn=dsn,
        release=VERSION,  # else Sentry asks git, which a container does not have
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=scrub_event,
        traces_sample_rate=0.0,
    )
