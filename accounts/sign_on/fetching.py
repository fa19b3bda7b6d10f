"""Asking a provider over HTTP, at an address that an admin typed: bounded in time and size, and never to inside.

Outside development only https to public addresses: every address that a name stands for is looked at when the
connection is made, so that a name that changes in between gains nothing. A redirect is not followed: where it leads
nobody has checked. Nothing of what came is in the exception.
"""

import asyncio
import base64
import ipaddress
import json
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings

from accounts.sign_on.trouble import ProviderTrouble

SECONDS = 8  # for all of one call
MOST_BYTES = 512 * 1024
_HTTP_OK, _REDIRECTS = 200, range(300, 400)
# Global by their number, but they stand for another address, which may be inside.
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"))


def get_json(*, url: str) -> dict[str, Any]:
    """Return the object at an address.  Raises ProviderTrouble."""
    return _ask("GET", url)


def post_form(*, url: str, form: Mapping[str, str], basic: tuple[str, str] | None) -> dict[str, Any]:
    """Return the object that a form is answered with; basic: name and secret of a header.  Raises ProviderTrouble."""
    if basic is None:
        return _ask("POST", url, data=dict(form))
    # Each is encoded as in a form first: RFC 6749, section 2.3.1.
    name, secret = map(quote_plus, basic)
    credentials = base64.b64encode(f"{name}:{secret}".encode()).decode()
    return _ask("POST", url, data=dict(form), headers={"Authorization": f"Basic {credentials}"})


def check_address(*, url: str) -> None:
    """Accept an address that may be asked, as far as it can be told without asking.  Raises ProviderTrouble."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ProviderTrouble("NO_ADDRESS") from None
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or parts.fragment:
        raise ProviderTrouble("NO_ADDRESS")
    if settings.DEVELOPMENT:
        return
    if parts.scheme != "https":
        raise ProviderTrouble("NOT_HTTPS")
    try:
        if not _is_public(host):
            raise ProviderTrouble("INSIDE")
    except ValueError:
        return  # a name: looked at when it is connected to


def _ask(method: str, url: str, **more: Any) -> dict[str, Any]:
    check_address(url=url)
    try:
        content = asyncio.run(_fetch(method, url, **more))
    except TimeoutError:
        raise ProviderTrouble("TOO_SLOW") from None
    except _Inside:
        raise ProviderTrouble("INSIDE") from None
    except aiohttp.ClientSSLError:
        raise ProviderTrouble("BAD_CERTIFICATE") from None
    except (aiohttp.ClientError, OSError, ValueError):
        raise ProviderTrouble("UNREACHABLE") from None
    try:
        found = json.loads(content)
    except ValueError:
        raise ProviderTrouble("NOT_JSON") from None
    if not isinstance(found, dict):
        raise ProviderTrouble("NOT_JSON")
    return found


async def _fetch(method: str, url: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> bytes:
    said = {"Accept": "application/json", **(headers or {})}
    connector = aiohttp.TCPConnector(resolver=_Resolver(), force_close=True)
    limit = aiohttp.ClientTimeout(total=SECONDS)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=limit, trust_env=False) as session,
        session.request(method, url, allow_redirects=False, headers=said, **more) as answer,
    ):
        if answer.status in _REDIRECTS:
            raise ProviderTrouble("REDIRECTS")
        if answer.status != _HTTP_OK:
            raise ProviderTrouble("REFUSED" if method == "POST" else "NOT_THERE")
        content = bytearray()
        async for piece in answer.content.iter_chunked(16 * 1024):
            content += piece
            if len(content) > MOST_BYTES:
                raise ProviderTrouble("TOO_LARGE")
        return bytes(content)


class _Inside(Exception):
    """A name stands for an address inside."""


class _Resolver(AbstractResolver):
    """Looks a name up, and gives none of its addresses when one of them is inside."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name.  Raises _Inside."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        addresses = [(each[4][0], each[0]) for each in found]
        if not settings.DEVELOPMENT and not all(_is_public(str(address)) for address, _family in addresses):
            raise _Inside
        return [
            ResolveResult(
                hostname=host, host=str(address), port=port, family=each, proto=0, flags=socket.AI_NUMERICHOST
            )
            for address, each in addresses
        ]

    async def close(self) -> None:
        """Keep nothing open."""


def _is_public(address: str) -> bool:
    """Return whether an IP address is one of the internet.  Raises ValueError: it is a name."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return found.ipv4_mapped.is_global
        if any(found in network for network in _TRANSLATED):
            return False
    return found.is_global and not found.is_multicast
