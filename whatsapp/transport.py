"""One exchange over HTTP with Meta, and nothing about what it says: time-outs always, bounded, never repeated.

Tells apart what failed before anything was written from what failed after. aiohttp itself repeats a request whose
connection was lost only for idempotent methods (`IDEMPOTENT_METHODS`, POST is none of them), and redirects, which would
write a request a second time, are not followed.
"""

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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
_TLS_ERRORS = (aiohttp.ClientConnectorSSLError, aiohttp.ClientConnectorCertificateError)


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
    access_token: str,
    within: aiohttp.ClientTimeout,
    most_bytes: int = ANSWER_BYTES,
    **request: Any,
) -> Answer:
    """Make one request and return its answer, whatever its status.

    request: `data`, `headers` or `params` as aiohttp takes them.
    Raises MetaUnreachable: no full answer; its may_have_happened is False when nothing was written.
    """
    async with _answered(session, method, url, access_token, within, request) as response:
        return Answer(response.status, await _read(response, most_bytes))


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
    async with _answered(session, "GET", url, access_token, within, {}) as response:
        if response.status != _HTTP_OK:
            return Answer(response.status, await _read(response, ANSWER_BYTES))
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
        return Answer(response.status, b"")


@asynccontextmanager
async def _answered(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    access_token: str,
    within: aiohttp.ClientTimeout,
    request: dict[str, Any],
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Make one request; whatever goes wrong with it, or while its answer is read, raises MetaUnreachable."""
    if not _TOKEN.fullmatch(access_token):
        raise MetaUnreachable(Reason.INVALID_REQUEST, may_have_happened=False)
    headers = {
        "Authorization": f"Bearer {access_token}",
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        **request.pop("headers", {}),
    }
    try:
        async with session.request(
            method, url, headers=headers, timeout=within, allow_redirects=False, **request
        ) as response:
            yield response
    except _TLS_ERRORS:
        raise MetaUnreachable(Reason.TLS_FAILED, may_have_happened=False) from None
    except aiohttp.ClientConnectorDNSError:
        raise MetaUnreachable(Reason.NAME_NOT_RESOLVED, may_have_happened=False) from None
    except (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError):
        raise MetaUnreachable(Reason.CONNECTION_FAILED, may_have_happened=False) from None
    except aiohttp.ConnectionTimeoutError:
        raise MetaUnreachable(Reason.CONNECT_TIMEOUT, may_have_happened=False) from None
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
        raise MetaUnreachable(Reason.INVALID_REQUEST, may_have_happened=False) from None
    except TimeoutError:
        raise MetaUnreachable(Reason.READ_TIMEOUT, may_have_happened=True) from None
    except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError):
        raise MetaUnreachable(Reason.UNREADABLE_ANSWER, may_have_happened=True) from None
    except (aiohttp.ClientError, OSError):
        raise MetaUnreachable(Reason.DISCONNECTED, may_have_happened=True) from None


async def _read(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > most_bytes:
            response.close()
            raise MetaUnreachable(Reason.ANSWER_TOO_LARGE, may_have_happened=True)
        chunks.append(chunk)
    return b"".join(chunks)
