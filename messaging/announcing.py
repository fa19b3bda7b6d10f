"""Tells open pages that threads changed: after the commit, by Redis, ids only.

Nothing depends on it. A page that hears nothing, because Redis is away or the process was killed, sees the change when
it asks again (web/live.py).
"""

import asyncio
import json
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import structlog
from django.db import connection, transaction
from redis.exceptions import RedisError

from messaging.broker import client

CHANNEL = "live"
MOST_THREADS = 200  # more than this in one announcement are told as "all"
SILENT_SECONDS = 5.0  # how long nothing is tried after Redis did not answer: nobody waits for it twice
GATHER_SECONDS = 0.1  # of a sender: one announcement a schema in this time, however many messages left

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Announcement:
    """Threads of one schema that changed; none named: any of them.

    presence: nothing changed but who looks at them (messaging/presence.py).
    """

    schema_name: str
    threads: frozenset[str]
    presence: bool = False

    def encode(self) -> str:
        """Return it as it goes over the channel."""
        said = {"schema": self.schema_name, "threads": sorted(self.threads), "presence": self.presence}
        return json.dumps(said)

    @classmethod
    def decode(cls, data: bytes | str) -> "Announcement | None":
        """Return what came over the channel, or None when it is nothing of ours."""
        try:
            read = json.loads(data)
            return cls(
                schema_name=str(read["schema"]),
                threads=frozenset(map(str, read["threads"])),
                presence=read.get("presence") is True,
            )
        except (ValueError, KeyError, TypeError):
            return None

    def about(self, *, thread_id: str | None) -> bool:
        """Return whether it is about a thread; about the inbox (None) it always is."""
        return thread_id is None or not self.threads or thread_id in self.threads


def announce(*, threads: Collection[UUID]) -> None:
    """Tell, once the running transaction is committed, that threads of this schema changed."""
    if threads:
        schema_name: str = connection.schema_name  # type: ignore[attr-defined]
        transaction.on_commit(partial(_publish, _announcement(schema_name, set(map(str, threads)))), robust=True)


@dataclass(slots=True)
class Announcer:
    """Gathers what a sender has to tell, so that a fast lane costs Redis little."""

    _waiting: dict[str, set[str]] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None

    def tell_all(self, *, schema_name: str) -> None:
        """Have it told soon that something changed that every page of a schema shows."""
        self._put(schema_name, {""})

    def tell(self, *, schema_name: str, threads: Collection[str]) -> None:
        """Have it told soon that threads changed."""
        self._put(schema_name, threads)

    def _put(self, schema_name: str, threads: Collection[str]) -> None:
        self._waiting.setdefault(schema_name, set()).update(threads)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._publish_soon())

    async def _publish_soon(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        waiting, self._waiting = self._waiting, {}
        for schema_name, threads in waiting.items():
            await asyncio.to_thread(_publish, _announcement(schema_name, threads))
        if self._waiting:  # came meanwhile
            self._task = asyncio.create_task(self._publish_soon())


def _announcement(schema_name: str, threads: set[str]) -> Announcement:
    named = frozenset(threads) if "" not in threads and len(threads) <= MOST_THREADS else frozenset[str]()
    return Announcement(schema_name=schema_name, threads=named)


def announce_all(*, schema_name: str) -> None:
    """Tell, once the running transaction is committed, that something changed that every page of a schema shows."""
    transaction.on_commit(partial(_publish, _announcement(schema_name, {""})), robust=True)


def announce_presence(*, thread_id: UUID) -> None:
    """Tell now that somebody came to a thread, left it or began to type: no transaction knows of it."""
    schema_name: str = connection.schema_name  # type: ignore[attr-defined]
    _publish(Announcement(schema_name=schema_name, threads=frozenset({str(thread_id)}), presence=True))


_silent_until = 0.0


def _publish(announcement: Announcement) -> None:
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        client().publish(CHANNEL, announcement.encode())
    except (RedisError, OSError) as error:
        _silent_until = time.monotonic() + SILENT_SECONDS
        log.warning("announcement_lost", error=type(error).__name__)
