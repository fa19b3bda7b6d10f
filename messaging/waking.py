"""Wakes workers for municipalities that have new events: after the commit, many at once, never in anyone's way.

A wake-up that is lost (Redis away, process killed) costs time, not events: the sweep finds the rows.
"""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass, field

import structlog
from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from messaging.broker import client

MARK_SECONDS = 10  # how long a wake-up that was lost after it was marked keeps others from being queued
GATHER_SECONDS = 0.02  # one wake-up a municipality in this time, however many events came
# Sending a task costs more than storing an event. When a storm comes in for all municipalities at once, waking rests
# nine times as long as it worked: at most a tenth of the process, and each municipality still about once a second.
REST = 9

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Waker:
    """Gathers schema names and sends one task for each, from a thread, because Celery's client blocks."""

    _waiting: set[str] = field(default_factory=set)
    _filled: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start sending."""
        self._task = asyncio.create_task(self._send_forever())

    async def stop(self) -> None:
        """Send what is gathered, and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(_send, self._waiting)

    def wake(self, schema_name: str) -> None:
        """Have a worker drain this municipality's inbox soon."""
        self._waiting.add(schema_name)
        self._filled.set()

    async def _send_forever(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            names, self._waiting = self._waiting, set()
            worked = await asyncio.to_thread(_send, names)
            await asyncio.sleep(max(GATHER_SECONDS, REST * worked))


def send_wakes(*, schema_names: Collection[str]) -> int:
    """Queue one wake-up for each municipality that has none queued; return how many were queued.

    However many events come, a municipality has one place in the queue: it cannot fill it and make others wait.
    Raises RedisError, OperationalError: the broker is away.
    """
    names = list(schema_names)
    with client().pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.set(_mark(name), b"", nx=True, ex=MARK_SECONDS)
        unmarked = [name for name, fresh in zip(names, pipeline.execute(), strict=True) if fresh]
    for place, name in enumerate(unmarked):
        try:
            current_app.send_task("messaging.tasks.drain_inbox", kwargs={"schema_name": name}, ignore_result=True)
        except Exception:
            client().delete(*map(_mark, unmarked[place:]))  # so that the next one tries again at once
            raise
    return len(unmarked)


def woken(*, schema_name: str) -> None:
    """Note that a wake-up has left the queue: what is stored from now on queues another."""
    try:
        client().delete(_mark(schema_name))
    except RedisError as error:
        log.warning("wake_mark_not_removed", error=type(error).__name__)  # it ends by itself


def _mark(schema_name: str) -> str:
    return f"inbox-wake:{schema_name}"


def _send(schema_names: set[str]) -> float:
    """Wake them; return the seconds of processor time that it took."""
    begun = time.thread_time()
    try:
        if schema_names:
            send_wakes(schema_names=schema_names)
    except (RedisError, OperationalError, OSError) as error:
        log.warning("wake_up_lost", municipalities=len(schema_names), error=type(error).__name__)
    return time.thread_time() - begun
