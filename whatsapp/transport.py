"""One exchange over HTTP with Meta, and nothing about what it says: time-outs always, bounded, never repeated.

Tells apart what failed before anything was written from what failed after. aiohttp itself repeats a request whose
connection was lost only for idempotent methods (`IDEMPOTENT_METHODS`, POST is none of them), and redirects, which would
write a request a second time, are not followed.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from whatsapp.outcomes import MetaUnreachable, Reason

# Seconds for the connection, waiting for a free one in the pool included, and for the whole exchange.
CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 30.0
# The same for a medium, which may be 100 MB; the silence that ends it; and the pace below which it is given up, after a
# while: whoever sends a byte now and then holds nobody for long.
MEDIA_SECONDS = 180.0
MEDIA_SILENT_SECONDS = 10.0
LEAST_BYTES_PER_SECOND = 50_000
PATIENT_SECONDS = 5.0
# Bytes of an answer that we read; a page of templates is the largest.
ANSWER_BYTES = 8 * 1024 * 1024
# Seconds that an unused connection is kept: less than servers keep theirs, so that a send rarely meets one just shut.
KEEP_ALIVE_SECONDS = 30.0
USER_AGENT = "whatsapp-bsp-platform"

_HTTP_OK = 200
_TOKEN = re.compile(r"[\x21-\x7e]+")
_FAILURES = (aiohttp.ClientError, OSError)  # a TimeoutError is an OSError
# What each failure means, the narrower before the wider: why, and whether anything may have been written.
_MEANINGS: tuple[tuple[tuple[type[Exception], ...], Reason, bool], ...] = (
    ((aiohttp.ClientConnectorSSLError, aiohttp.ClientConnectorCertificateError), Reason.TLS_FAILED, False),
    ((aiohttp.ClientConnectorDNSError,), Reason.NAME_NOT_RESOLVED, False),
    ((aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError), Reason.CONNECTION_FAILED, False),
    ((aiohttp.ConnectionTimeoutError,), Reason.CONNECT_TIMEOUT, False),
    ((aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError), Reason.INVALID_REQUEST, False),
    ((TimeoutError,), Reason.READ_TIMEOUT, True),
    ((aiohttp.ClientResponseError, aiohttp.ClientPayloadError), Reason.UNREADABLE_ANSWER, True),
    (_FAILURES, Reason.DISCONNECTED, True),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the whole body."""

    status: int
    body: bytes


def open_session(*, connections: int) -> aiohttp.ClientSession:
    """Return a session fit for calls to Meta: so many connections at most, and no cookies. The caller closes it."""
    connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=KEEP_ALIVE_SECONDS)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def timeout(
    *, total_seconds: float, connect_seconds: float = CONNECT_SECONDS, silent_seconds: float | None = None
) -> aiohttp.ClientTimeout:
    """Return a time-out in which connecting ends first, so that it is never taken for a lost answer.

    silent_seconds: how long nothing may come.

    Raises ValueError: not 0 < connect_seconds < total_seconds.
    """
    if not 0 < connect_seconds < total_seconds:
        raise ValueError("connect_seconds must be above 0 and below total_seconds")
    return aiohttp.ClientTimeout(
        total=total_seconds, connect=connect_seconds, sock_connect=connect_seconds, sock_read=silent_seconds
    )


async def exchange(
    *,
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    access_token: str | None,
    within: aiohttp.ClientTimeout,
    most_bytes: int = ANSWER_BYTES,
    **request: Any,
) -> Answer:
    """Make one request and return its answer, whatever its status.

    access_token: None for the one call that asks for a token. request: `data`, `headers` or `params` as aiohttp takes
    them.
    Raises MetaUnreachable: no full answer; its may_have_happened is False when nothing was written.
    """
    headers = _headers(access_token) | request.pop("headers", {})
    try:
        response = await session.request(method, url, headers=headers, timeout=within, allow_redirects=False, **request)
        async with response:
            return Answer(response.status, await _read(response, most_bytes))
    except _FAILURES as failure:
        raise _unreachable(failure) from None


async def download(
    *,
    session: aiohttp.ClientSession,
    url: str,
    access_token: str,
    within: aiohttp.ClientTimeout,
    most_bytes: int,
    write: Callable[[bytes], object],
) -> Answer:
    """Fetch an object, handing its bytes to `write` as they come; return the answer, without the body if it is a 200.

    Raises MetaUnreachable, as `exchange` does: ANSWER_TOO_LARGE as soon as that is known, TOO_SLOW when fewer bytes
    come than LEAST_BYTES_PER_SECOND. What was written until then is part of the object.
    """
    headers = _headers(access_token)
    try:
        response = await session.get(url, headers=headers, timeout=within, allow_redirects=False)
        async with response:
            if response.status != _HTTP_OK:
                return Answer(response.status, await _read(response, ANSWER_BYTES))
            await _hand_over(response, most_bytes, write)
            return Answer(response.status, b"")
    except _FAILURES as failure:
        raise _unreachable(failure) from None


def _headers(access_token: str | None) -> dict[str, str]:
    own = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    if access_token is None:
        return own
    if not _TOKEN.fullmatch(access_token):
        raise MetaUnreachable(Reason.INVALID_REQUEST, may_have_happened=False)
    return {"Authorization": f"Bearer {access_token}", **own}


async def _hand_over(response: aiohttp.ClientResponse, most_bytes: int, write: Callable[[bytes], object]) -> None:
    if (response.content_length or 0) > most_bytes:
        response.close()
        raise MetaUnreachable(Reason.ANSWER_TOO_LARGE, may_have_happened=True)
    begun, size = time.monotonic(), 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > most_bytes:
            response.close()
            raise MetaUnreachable(Reason.ANSWER_TOO_LARGE, may_have_happened=True)
        if size < LEAST_BYTES_PER_SECOND * (time.monotonic() - begun - PATIENT_SECONDS):
            response.close()
            raise MetaUnreachable(Reason.TOO_SLOW, may_have_happened=True)
        write(chunk)


def _unreachable(failure: Exception) -> MetaUnreachable:
    """Return what a failure of aiohttp's or of the network's means; the first that fits."""
    for kinds, reason, may_have_happened in _MEANINGS:
        if isinstance(failure, kinds):
            return MetaUnreachable(reason, may_have_happened=may_have_happened)
    raise AssertionError from failure


async def _read(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := await response.content.readany():
        size += len(chunk)
        if size > most_bytes:
            response.close()
            raise MetaUnreachable(Reason.ANSWER_TOO_LARGE, may_have_happened=True)
        chunks.append(chunk)
    return b"".join(chunks)
