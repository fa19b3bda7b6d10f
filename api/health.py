"""`/readyz`: whether this process can do its work now: database, broker, migrations. Plain ASGI, on any host.

Answers 200, or 503 with the part that fails; never why in detail, because that may name hosts and users.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import psycopg
import structlog
from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from redis.asyncio import Redis
from redis.exceptions import RedisError

PATH = "/readyz"
SECONDS = 2.0
APPLIED = "SELECT app, name FROM public.django_migrations"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class ReadyDoor:
    """The ASGI application of /readyz."""

    database_url: str
    broker_url: str
    _wanted: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        parts = await self.parts()
        ready = all(parts.values())
        body = orjson.dumps({"ready": ready, **{name: "ok" if good else "failed" for name, good in parts.items()}})
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200 if ready else 503, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def parts(self) -> dict[str, bool]:
        """Return what is well and what is not."""
        (database, migrations), broker = await asyncio.gather(self._database(), self._broker())
        parts = {"database": database, "broker": broker, "migrations": migrations}
        if not all(parts.values()):
            log.warning("not_ready", failed=[name for name, good in parts.items() if not good])
        return parts

    async def _database(self) -> tuple[bool, bool]:
        """Return whether the database answers, and whether it has every migration that this code knows."""
        if not self._wanted:
            self._wanted = await asyncio.to_thread(_known_migrations)
        try:
            async with (
                asyncio.timeout(SECONDS),
                await psycopg.AsyncConnection.connect(
                    self.database_url, connect_timeout=int(SECONDS), options="-c search_path="
                ) as connection,
            ):
                rows = await (await connection.execute(APPLIED)).fetchall()
        except psycopg.errors.UndefinedTable:
            return True, False
        except (psycopg.Error, OSError):  # TimeoutError is an OSError
            return False, False
        return True, self._wanted <= {(row[0], row[1]) for row in rows}

    async def _broker(self) -> bool:
        try:
            async with (
                asyncio.timeout(SECONDS),
                Redis.from_url(self.broker_url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as redis,
            ):
                return bool(await redis.ping())
        except (RedisError, OSError):
            return False


def _known_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations of the schema `public` that are on disk, without those that another one replaced."""
    shared = {config.label for config in apps.get_app_configs() if _is_shared(config.name)}
    loader = MigrationLoader(connection=None, ignore_no_migrations=True)
    found = loader.disk_migrations or {}
    replaced = {old for migration in found.values() for old in migration.replaces}
    return frozenset(key for key in found if key[0] in shared and key not in replaced)


def _is_shared(name: str) -> bool:
    return any(app == name or app.startswith(f"{name}.apps.") for app in settings.SHARED_APPS)
