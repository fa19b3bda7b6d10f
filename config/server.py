"""The ASGI entry of the web process: Meta's door as plain ASGI beside Django, which serves everything else."""

import os
import time
from collections.abc import MutableMapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

# Under ASGI each request may run in a thread of its own: connections come from a pool instead of staying with threads.
settings.DATABASES["default"]["CONN_MAX_AGE"] = 0
settings.DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 0, "max_size": 8, "timeout": 10}
django_application = get_asgi_application()

import psycopg

from api.health import PATH as READY_PATH
from api.health import ReadyDoor
from api.whatsapp_webhook import PATH, Receive, Scope, Send, WhatsAppWebhook
from config import celery  # noqa: F401 - tasks find their broker through it
from messaging.figures import INTAKE_POSTS, INTAKE_SECONDS
from messaging.intake import EventWriter
from messaging.waking import Waker
from tenants.routing import QUERY, RoutingMap
from tenants.routing import Row as RouteRow
from web import assets
from web.live import PATH as LIVE_PATH
from web.live import LiveDoor


async def _read_routes() -> list[RouteRow]:
    """Read the routing map on a connection of its own: the intake's role may not read, and this is rare."""
    async with await psycopg.AsyncConnection.connect(
        settings.DATABASE_URL, connect_timeout=5, options="-c search_path="
    ) as connection:
        rows: list[Any] = await (await connection.execute(QUERY)).fetchall()
        return rows


_writer = EventWriter(conninfo=settings.DATABASE_URL, connections=settings.INTAKE_CONNECTIONS)
_waker = Waker()
_webhook = WhatsAppWebhook(
    writer=_writer,
    routes=RoutingMap(read=_read_routes),
    waker=_waker,
    app_secret=settings.META_APP_SECRET,
    verify_token=settings.META_VERIFY_TOKEN,
)
_live_door = LiveDoor(application=django_application, redis_url=settings.CELERY_BROKER_URL)  # type: ignore[arg-type]


_ready_door = ReadyDoor(database_url=settings.DATABASE_URL, broker_url=settings.CELERY_BROKER_URL)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one connection."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "http" and scope["path"] == PATH:
        await _receive_webhook(scope, receive, send)
    elif scope["type"] == "http" and scope["path"] == "/healthz":
        await _healthy(send)
    elif scope["type"] == "http" and scope["path"] == READY_PATH:
        await _ready_door(scope, receive, send)
    elif scope["type"] == "http" and scope["path"].startswith(settings.STATIC_URL):
        await assets.serve(scope, receive, send)
    elif scope["type"] == "http" and scope["path"].startswith(LIVE_PATH):
        await _live_door(scope, receive, send)
    else:
        await django_application(dict(scope), receive, send)  # type: ignore[arg-type]


async def _receive_webhook(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve Meta's door, and count POSTs by their answer and how long they took."""
    begun = time.perf_counter()

    async def counted(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start" and scope["method"] == "POST":
            INTAKE_POSTS.labels(message["status"]).inc()
            INTAKE_SECONDS.observe(time.perf_counter() - begun)
        await send(message)

    await _webhook(scope, receive, counted)


async def _live(receive: Receive, send: Send) -> None:
    """Start and stop what the process keeps open."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _writer.start()
            _waker.start()
            _live_door.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await _writer.stop()
            await _waker.stop()
            await _live_door.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _healthy(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"ok"})
