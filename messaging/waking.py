"""Wakes workers for municipalities that have new events: after the commit, many at once, never in anyone's way.

A wake-up that is lost (Redis away, process killed) costs time, not events: the sweep finds the rows.
"""

import asyncio
import time
from dataclasses import dataclass, field

import structlog
from kombu.exceptions import OperationalError

from messaging.tasks import drain_inbox

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


def _send(schema_names: set[str]) -> float:
    """Send one task for each; return the seconds of processor time that it took."""
    begun = time.thread_time()
    try:
        for schema_name in schema_names:
            drain_inbox.apply_async(kwargs={"schema_name": schema_name}, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("wake_up_lost", municipalities=len(schema_names), error=type(error).__name__)
    return time.thread_time() - begun
