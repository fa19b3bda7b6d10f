"""Wakes workers for municipalities that have new events: after the commit, many at once, never in anyone's way.

A wake-up that is lost (Redis away, process killed) costs time, not events: the sweep finds the rows.
"""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial

import structlog
from celery import current_app
from django.db import connection, transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from messaging.broker import client

MARK_SECONDS = 10  # how long a wake-up that was lost after it was marked keeps others from being queued
# What is woken: the tasks that work on one municipality's rows (messaging/tasks.py).
DRAIN, FETCH = "messaging.tasks.drain_inbox", "messaging.tasks.fetch_media"
_MARKS = {DRAIN: "inbox-wake", FETCH: "media-wake"}
GATHER_SECONDS = 0.02  # one wake-up a municipality in this time, however many events came
# Nobody waits for a tick: statuses alone wake a worker only after so long, and many are applied with one turn, which
# costs the same for one as for many.
STATUSES_SECONDS = 0.5
# Sending a task costs more than storing an event. When a storm comes in for all municipalities at once, waking rests
# nine times as long as it worked: at most a tenth of the process, and each municipality still about once a second.
REST = 9

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Waker:
    """Gathers schema names and sends one task for each, from a thread, because Celery's client blocks."""

    _waiting: set[str] = field(default_factory=set)
    _later: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
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
        for timer in self._later.values():
            timer.cancel()
        await asyncio.to_thread(_send, self._waiting | self._later.keys())

    def wake(self, schema_name: str) -> None:
        """Have a worker drain this municipality's inbox soon."""
        if (timer := self._later.pop(schema_name, None)) is not None:
            timer.cancel()
        self._waiting.add(schema_name)
        self._filled.set()

    def wake_later(self, schema_name: str) -> None:
        """Have a worker drain this municipality's inbox in a while: nothing but statuses came in."""
        if schema_name not in self._later:
            self._later[schema_name] = asyncio.get_running_loop().call_later(STATUSES_SECONDS, self.wake, schema_name)

    async def _send_forever(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            names, self._waiting = self._waiting, set()
            worked = await asyncio.to_thread(_send, names)
            await asyncio.sleep(max(GATHER_SECONDS, REST * worked))


def send_wakes(*, schema_names: Collection[str], task: str = DRAIN) -> int:
    """Queue one wake-up for each municipality that has none queued; return how many were queued.

    However many events come, a municipality has one place in the queue: it cannot fill it and make others wait.
    Raises RedisError, OperationalError: the broker is away.
    """
    names = list(schema_names)
    with client().pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.set(_mark(name, task), b"", nx=True, ex=MARK_SECONDS)
        unmarked = [name for name, fresh in zip(names, pipeline.execute(), strict=True) if fresh]
    for place, name in enumerate(unmarked):
        try:
            current_app.send_task(task, kwargs={"schema_name": name}, ignore_result=True)
        except Exception:
            # So that the next one tries again at once.
            client().delete(*(_mark(each, task) for each in unmarked[place:]))
            raise
    return len(unmarked)


def wake_after_commit(*, task: str) -> None:
    """Wake a worker for this schema once the running transaction is committed."""
    schema_name: str = connection.schema_name  # type: ignore[attr-defined]
    transaction.on_commit(partial(_send, {schema_name}, task), robust=True)


def woken(*, schema_name: str, task: str = DRAIN) -> None:
    """Note that a wake-up has left the queue: what is stored from now on queues another."""
    try:
        client().delete(_mark(schema_name, task))
    except RedisError as error:
        log.warning("wake_mark_not_removed", error=type(error).__name__)  # it ends by itself


def _mark(schema_name: str, task: str) -> str:
    return f"{_MARKS[task]}:{schema_name}"


def _send(schema_names: set[str], task: str = DRAIN) -> float:
    """Wake them; return the seconds of processor time that it took."""
    begun = time.thread_time()
    try:
        if schema_names:
            send_wakes(schema_names=schema_names, task=task)
    except (RedisError, OperationalError, OSError) as error:
        log.warning("wake_up_lost", municipalities=len(schema_names), error=type(error).__name__)
    return time.thread_time() - begun
