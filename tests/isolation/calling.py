"""The web process's doors in this process, and requests to them as the server makes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application

from config.doors import Doors

SECONDS = 10


@dataclass
class Heard:
    """What was answered so far."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def said(self) -> str:
        """Return all of it as text."""
        return f"{self.headers}\n{self.body.decode('utf-8', 'replace')}"

    async def until(self, word: bytes) -> None:
        """Wait until a word was in the body."""
        async with asyncio.timeout(SECONDS):
            while word not in self.body:
                self.came.clear()
                await self.came.wait()


@asynccontextmanager
async def open_doors(*, database_url: str) -> AsyncIterator[Doors]:
    """Serve as the web process does, with Django behind it."""
    doors = Doors(django=get_asgi_application(), database_url=database_url, broker_url=settings.CELERY_BROKER_URL)
    doors.start()
    try:
        yield doors
    finally:
        await doors.stop()


@asynccontextmanager
async def calling(
    doors: Doors, method: str, path: str, *, host: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> AsyncIterator[Heard]:
    """Make one request; the block's end hangs up."""
    heard, gone = Heard(), asyncio.Event()
    address, _, query = path.partition("?")
    sent = {"host": host, "content-length": str(len(body)), **(headers or {})}
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": address,
        "raw_path": address.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
    }
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await gone.wait()
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            heard.status = message["status"]
            heard.headers = {name.decode().lower(): value.decode() for name, value in message.get("headers", ())}
        else:
            heard.body += message.get("body", b"")
        heard.came.set()

    task = asyncio.create_task(doors(scope, receive, send))
    try:
        yield heard
    finally:
        gone.set()
        async with asyncio.timeout(SECONDS):
            await task


async def call(doors: Doors, method: str, path: str, **options: Any) -> Heard:
    """Make one request that ends by itself, and return the whole answer."""
    async with asyncio.timeout(SECONDS), calling(doors, method, path, **options) as heard:
        while not heard.status:
            heard.came.clear()
            await heard.came.wait()
    return heard
