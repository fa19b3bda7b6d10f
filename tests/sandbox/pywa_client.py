"""pywa, a client of Meta's API that others wrote, unmodified: its HTTP session leads to the sandbox instead of Meta.

What it is given is public: a session of its HTTP library whose transport sends every address of Meta's to the sandbox.
Webhooks go in where a web framework would hand them to it: the raw body and the signature.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from pywa.types.base_update import BaseUpdate
from pywa_async import WhatsApp, handlers
from sandbox_doors import NUMBER, TOKEN, WABA, Platform

Reader = Callable[[], Awaitable[list[Any]]]
META = ("graph.facebook.com", "api.facebook.com")


class ToSandbox(httpx.AsyncBaseTransport):
    """Sends what is meant for Meta to the sandbox, over HTTP; nothing else gets out."""

    def __init__(self, *, url: str) -> None:
        self._origin = httpx.URL(url)
        self._wire = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        here = (request.url.host, request.url.port) == (self._origin.host, self._origin.port)
        assert here or request.url.host in META, request.url.host
        if not here:
            request.url = request.url.copy_with(scheme="http", host=self._origin.host, port=self._origin.port)
            request.headers["Host"] = f"{self._origin.host}:{self._origin.port}"
        return await self._wire.handle_async_request(request)

    async def aclose(self) -> None:
        await self._wire.aclose()


def make_client(*, url: str, **more: Any) -> WhatsApp:
    """Make pywa for the number of the tests, as its documentation says."""
    return WhatsApp(
        **{
            "phone_id": NUMBER,
            "token": TOKEN,
            "waba_id": WABA,
            "app_id": "sandbox-app",
            "app_secret": "sandbox-secret",
            "verify_token": "sandbox-verify",
            "filter_updates": False,
            "session": httpx.AsyncClient(transport=ToSandbox(url=url)),
            **more,
        }
    )


def listen(*, client: WhatsApp) -> list[BaseUpdate]:
    """Give pywa a handler for every update that it knows; return the list that they fill."""
    read: list[BaseUpdate] = []

    async def note(_: WhatsApp, update: BaseUpdate) -> None:
        read.append(update)

    named = [each for name, each in vars(handlers).items() if name.endswith("Handler") and inspect.isclass(each)]
    bases = (handlers.Handler, handlers.RawUpdateHandler)
    known = [each for each in named if issubclass(each, handlers.Handler) and each not in bases]
    client.add_handlers(*(each(note) for each in known))
    return read


def reader(*, client: WhatsApp, platform: Platform) -> Reader:
    """Make what hands pywa every POST that came, as a web server would; None stands for one that it made nothing of."""
    made = listen(client=client)

    async def read() -> list[Any]:
        posts, platform.posts = platform.posts, []
        found: list[BaseUpdate | None] = []
        for post in posts:
            assert await client.webhook_update_validator(post.raw, post.signature) is None
            assert await client.webhook_update_handler(post.raw) == ("ok", 200)
            found.append(made.pop() if made else None)
            assert made == []
        return found

    return read
