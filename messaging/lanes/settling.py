"""What came of calls, written in groups: an outcome waits a moment for others, and a flush takes all that came.

An outcome is known only here until it is written, so a database that is away, and a message on which somebody else
works, are waited for; and what cannot be written as it is stays SENDING, for the next lease to make UNCERTAIN.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from psycopg import Error as DatabaseError
from psycopg import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from messaging.lanes.store import LaneStore, Lease, Settlement

MOST_A_FLUSH = 200
# What leaves together is answered at about the same time: so it shares a commit. What waits is still a call in flight.
GATHER_SECONDS = 0.01
BUSY_SECONDS = 0.02  # until a message is looked at again on which somebody else works
LONGEST_WAIT_SECONDS = 2.0

Stored = TypeVar("Stored")
_Waiting = tuple[Settlement, "asyncio.Future[None]"]

log = structlog.get_logger(__name__)


class NotStorable(Exception):
    """What came of a call cannot be written as it is."""


@dataclass(slots=True)
class Settler:
    """Writes what came of the calls of one lane, one statement at a time."""

    store: LaneStore
    lease: Lease
    _waiting: list[_Waiting] = field(default_factory=list)
    _flushing: asyncio.Task[None] | None = None

    async def settle(self, settlement: Settlement) -> None:
        """Return when it is committed.  Raises NotStorable."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((settlement, done))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER_SECONDS)
            taken, self._waiting = self._waiting[:MOST_A_FLUSH], self._waiting[MOST_A_FLUSH:]
            try:
                busy = await self._write(taken)
            except Exception as error:
                # Whatever it is: nobody waits for ever for what will not be written.
                log.error("settling_broke", exc_info=error)
                _answer(taken, NotStorable(type(error).__name__))
                continue
            _answer([each for each in taken if each[0].message_id not in busy], None)
            left = [each for each in taken if each[0].message_id in busy]
            if left:
                self._waiting = left + self._waiting
                if len(left) == len(taken):
                    await asyncio.sleep(BUSY_SECONDS)

    async def _write(self, taken: Sequence[_Waiting]) -> set[object]:
        """Write all at once, or one by one when one of them cannot be; return which are to be tried again."""
        try:
            return await self._store([settlement for settlement, _ in taken])
        except DatabaseError:
            busy: set[object] = set()
            for each in taken:
                try:
                    busy |= await self._store([each[0]])
                except DatabaseError as error:
                    log.error("outcome_not_storable", message_id=str(each[0].message_id), error=type(error).__name__)
                    _answer([each], NotStorable(type(error).__name__))
            return busy

    async def _store(self, settlements: Sequence[Settlement]) -> set[object]:
        return set(await until_stored(lambda: self.store.settle(lease=self.lease, settlements=settlements)))


async def until_stored(write: Callable[[], Awaitable[Stored]]) -> Stored:
    """Write, again and again while the database is away or the schema locked.  Raises what no repeating can mend."""
    wait = 0.1
    while True:
        try:
            return await write()
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            log.warning("lane_write_failed", error=type(error).__name__)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)


def _answer(taken: Sequence[_Waiting], error: NotStorable | None) -> None:
    for _, done in taken:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
