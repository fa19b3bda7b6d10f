"""What the web process serves: Meta's door and a few more as plain ASGI, and Django for everything else.

Which address goes to which door is in the two tables of Doors and nowhere else, so that whoever checks all addresses
finds them there.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import psycopg
from django.conf import settings

from api.health import PATH as READY_PATH
from api.health import ReadyDoor
from api.whatsapp_webhook import PATH as WEBHOOK_PATH
from api.whatsapp_webhook import Receive, Scope, Send, WhatsAppWebhook
from config.bodies import bounded
from messaging.figures import INTAKE_POSTS, INTAKE_SECONDS
from messaging.intake import EventWriter
from messaging.waking import Waker
from tenants.routing import QUERY, RoutingMap
from tenants.routing import Row as RouteRow
from web import assets
from web.live import PATH as LIVE_PATH
from web.live import LiveDoor

Door = Callable[[Scope, Receive, Send], Awaitable[None]]
HEALTH_PATH = "/healthz"


class Doors:
    """The doors of one process, started and stopped with it.

    exact: the door of one path. below: the door of all paths with a prefix. All others are Django's.
    """

    exact: Mapping[str, Door]
    below: Mapping[str, Door]

    def __init__(self, *, django: Any, database_url: str, broker_url: str) -> None:
        """Name Django's application, the database that the intake writes to, and Redis."""
        self._django = django
        self._database_url = database_url
        self._writer = EventWriter(conninfo=database_url, connections=settings.INTAKE_CONNECTIONS)
        self._waker = Waker()
        self._webhook = WhatsAppWebhook(
            writer=self._writer,
            routes=RoutingMap(read=self._read_routes),
            waker=self._waker,
            app_secret=settings.META_APP_SECRET,
            verify_token=settings.META_VERIFY_TOKEN,
        )
        self._live_door = LiveDoor(application=django, redis_url=broker_url)
        self.exact = {
            WEBHOOK_PATH: self._receive_webhook,
            HEALTH_PATH: _healthy,
            READY_PATH: ReadyDoor(database_url=database_url, broker_url=broker_url),
        }
        self.below = {settings.STATIC_URL: assets.serve, LIVE_PATH: self._live_door}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        door = self._door_of(scope["path"]) if scope["type"] == "http" else None
        if door is None and scope["type"] == "http":
            await bounded(self._django, scope=dict(scope), receive=receive, send=send)
        elif door is None:
            await self._django(dict(scope), receive, send)
        else:
            await door(scope, receive, send)

    def start(self) -> None:
        """Start what the process keeps open."""
        self._writer.start()
        self._waker.start()
        self._live_door.start()

    async def stop(self) -> None:
        """Stop what the process keeps open."""
        await self._writer.stop()
        await self._waker.stop()
        await self._live_door.stop()

    def _door_of(self, path: str) -> Door | None:
        """Return the door of a path, or None: it is Django's."""
        if path in self.exact:
            return self.exact[path]
        return next((door for prefix, door in self.below.items() if path.startswith(prefix)), None)

    async def _read_routes(self) -> list[RouteRow]:
        """Read the routing map on a connection of its own: the intake's role may not read, and this is rare."""
        async with await psycopg.AsyncConnection.connect(
            self._database_url, connect_timeout=5, options="-c search_path="
        ) as connection:
            rows: list[Any] = await (await connection.execute(QUERY)).fetchall()
            return rows

    async def _receive_webhook(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve Meta's door, and count POSTs by their answer and how long they took."""
        begun = time.perf_counter()

        async def counted(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and scope["method"] == "POST":
                INTAKE_POSTS.labels(message["status"]).inc()
                INTAKE_SECONDS.observe(time.perf_counter() - begun)
            await send(message)

        await self._webhook(scope, receive, counted)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start and stop with the server."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def _healthy(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"ok"})
