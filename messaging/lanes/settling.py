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

MOST_A_FLUSH, WORTH_A_FLUSH = 200, 50
# What leaves together is answered at about the same time: so it shares a commit. What waits is still a call in flight.
GATHER_SECONDS = 0.01
BUSY_SECONDS = 0.02  # until a message is looked at again on which somebody else works
LONGEST_WAIT_SECONDS = 2.0

Stored = TypeVar("Stored")
_Waiting = tuple[Settlement, "asyncio.Future[None] | None"]

log = structlog.get_logger(__name__)


class NotStorable(Exception):
    """What came of a call cannot be written as it is."""


@dataclass(slots=True)
class Settler:
    """Writes what came of the calls of one lane, one statement at a time.

    written, lost: told when what was noted is written, and when it cannot be.
    """

    store: LaneStore
    lease: Lease
    written: Callable[[], None]
    lost: Callable[[], None]
    noted: int = 0  # outcomes that nobody waits for, and that are not written yet
    _waiting: list[_Waiting] = field(default_factory=list)
    _flushing: asyncio.Task[None] | None = None

    async def settle(self, settlement: Settlement) -> None:
        """Return when it is committed.  Raises NotStorable."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._add(settlement, done)
        await done

    def note(self, settlement: Settlement) -> None:
        """Have it written; nobody waits for it, which spares the lane a turn for each message."""
        self.noted += 1
        self._add(settlement, None)

    async def finish(self) -> None:
        """Return when all that was noted is written, or lost."""
        if self._flushing is not None:
            await self._flushing

    def _add(self, settlement: Settlement, done: "asyncio.Future[None] | None") -> None:
        self._waiting.append((settlement, done))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        while self._waiting:
            if len(self._waiting) < WORTH_A_FLUSH:
                await asyncio.sleep(GATHER_SECONDS)
            taken, self._waiting = self._waiting[:MOST_A_FLUSH], self._waiting[MOST_A_FLUSH:]
            busy: set[object] = set()
            try:
                busy, unstorable = await self._write(taken)
            except Exception as error:
                # Whatever it is: nobody waits for ever for what will not be written.
                log.error("settling_broke", exc_info=error)
                unstorable = {settlement.message_id: type(error).__name__ for settlement, _ in taken}
            left = [each for each in taken if each[0].message_id in busy]
            for settlement, done in taken:
                if settlement.message_id not in busy:
                    self._answer(done, unstorable.get(settlement.message_id))
            self.written()
            if left:
                self._waiting = left + self._waiting
                if len(left) == len(taken):
                    await asyncio.sleep(BUSY_SECONDS)

    def _answer(self, done: "asyncio.Future[None] | None", error: str | None) -> None:
        """Tell who waits, if anybody does, that an outcome is written, or why it cannot be."""
        if done is None:
            self.noted -= 1
            if error is not None:
                self.lost()
        elif done.done():
            return
        elif error is None:
            done.set_result(None)
        else:
            done.set_exception(NotStorable(error))

    async def _write(self, taken: Sequence[_Waiting]) -> tuple[set[object], dict[object, str]]:
        """Write all at once, or one by one when one of them cannot be.

        Returns which are to be tried again, and by which error each that cannot be written is refused.
        """
        try:
            return await self._store([settlement for settlement, _ in taken]), {}
        except DatabaseError:
            busy: set[object] = set()
            unstorable: dict[object, str] = {}
            for settlement, _ in taken:
                try:
                    busy |= await self._store([settlement])
                except DatabaseError as error:
                    log.error("outcome_not_storable", message_id=str(settlement.message_id), error=type(error).__name__)
                    unstorable[settlement.message_id] = type(error).__name__
            return busy, unstorable

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
