"""The durable write behind Meta's door: webhook events of many POSTs, committed in groups.

A POST is answered 200 only after all of its events are committed. A flush starts as soon as the one before it is done,
with all that came meanwhile. One insert through the partitioned parent serves all tenants; when it fails, it is tried
again for each municipality, then for each row, so that nobody fails for another. A municipality whose partition is
locked gets a flusher of its own for a while, so that nobody waits for it either.
The connections' role may insert into the parent and nothing else.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from uuid import UUID

import psycopg
import structlog
from psycopg import errors

from messaging.figures import EVENTS_STORED
from messaging.inserting import InsertConnection, Row

LOCK_MILLISECONDS = 200
MOST_ROWS_A_FLUSH = 500
MOST_ROWS_WAITING = 20_000  # past this the door answers 503 at once, and Meta comes back
MOST_ROWS_HELD = 2_000  # the same for municipalities whose partition is locked
# Meta's POSTs may be 3 MB each: so many bytes of payload may wait as well, whatever number of rows that is.
MOST_BYTES_A_FLUSH = 8 * 1024 * 1024
MOST_BYTES_WAITING = 64 * 1024 * 1024
MOST_BYTES_HELD = 16 * 1024 * 1024
HELD_SECONDS = 5.0
STORE_SECONDS = 10.0
OPTIONS = f"-c role=whatsapp_intake -c search_path= -c lock_timeout={LOCK_MILLISECONDS}"

log = structlog.get_logger(__name__)


class NotStored(Exception):
    """Not every event is durably stored: the caller answers 503, so that Meta sends them again."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """The rows of one POST in one queue, and who waits for them."""

    rows: list[Row]
    size: int  # bytes
    done: asyncio.Future[None]


@dataclass(slots=True)
class _Queue:
    """What waits for a flush, bounded."""

    most_rows: int
    most_bytes: int
    waiting: deque[_Waiting] = field(default_factory=deque)
    rows: int = 0
    size: int = 0
    filled: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, rows: list[Row]) -> asyncio.Future[None]:
        """Add the rows of a POST.  Raises NotStored: too many wait already."""
        size = sum(len(row.payload) for row in rows)
        is_full = self.rows + len(rows) > self.most_rows or self.size + size > self.most_bytes
        if is_full and self.waiting:
            raise NotStored("too many events wait to be stored")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(_Waiting(rows, size, done))
        self.rows += len(rows)
        self.size += size
        self.filled.set()
        return done

    def take(self) -> list[_Waiting]:
        """Return the POSTs of the next flush."""
        taken: list[_Waiting] = []
        rows = size = 0
        while self.waiting:
            rows += len(self.waiting[0].rows)
            size += self.waiting[0].size
            if taken and (rows > MOST_ROWS_A_FLUSH or size > MOST_BYTES_A_FLUSH):
                break
            taken.append(self.waiting.popleft())
        self.rows -= sum(len(each.rows) for each in taken)
        self.size -= sum(each.size for each in taken)
        if not self.waiting:
            self.filled.clear()
        return taken


@dataclass(slots=True)
class EventWriter:
    """Stores events for one process; started and stopped with it."""

    conninfo: str
    connections: int
    _queue: _Queue = field(default_factory=lambda: _Queue(MOST_ROWS_WAITING, MOST_BYTES_WAITING))
    _held_queue: _Queue = field(default_factory=lambda: _Queue(MOST_ROWS_HELD, MOST_BYTES_HELD))
    _held_until: dict[UUID, float] = field(default_factory=dict)
    _flushers: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Start the flushers; each connects when it has something to store."""
        queues = [self._queue] * self.connections + [self._held_queue]
        self._flushers = [asyncio.create_task(self._flush_forever(queue)) for queue in queues]

    async def stop(self) -> None:
        """Stop the flushers; who still waits is told that nothing was stored."""
        for flusher in self._flushers:
            flusher.cancel()
        await asyncio.gather(*self._flushers, return_exceptions=True)
        for queue in (self._queue, self._held_queue):
            for waiting in queue.waiting:
                _answer(waiting, NotStored("the process stops"))

    async def store(self, rows: list[Row]) -> None:
        """Return when all rows are committed; those that were stored before count as stored.

        Raises NotStored: at least one is not, or nobody knows. Storing again is safe.
        """
        held = [row for row in rows if self._is_held(row.municipality_id)]
        free = [row for row in rows if not self._is_held(row.municipality_id)] if held else rows
        pairs = ((self._queue, free), (self._held_queue, held))
        try:
            async with asyncio.timeout(STORE_SECONDS):
                for done in [queue.put(part) for queue, part in pairs if part]:
                    await done
        except TimeoutError as error:
            raise NotStored("storing took too long") from error
        EVENTS_STORED.inc(len(rows))

    def _is_held(self, municipality_id: UUID) -> bool:
        until = self._held_until.get(municipality_id)
        if until is None:
            return False
        if until < time.monotonic():
            del self._held_until[municipality_id]
            return False
        return True

    async def _flush_forever(self, queue: _Queue) -> None:
        connection: InsertConnection | None = None
        taken: list[_Waiting] = []
        try:
            while True:
                await queue.filled.wait()
                taken = queue.take()
                if not taken:
                    continue
                try:
                    # A database that no longer answers would else be waited for as long as TCP hopes.
                    async with asyncio.timeout(STORE_SECONDS):
                        if connection is None or connection.is_gone:
                            connection = await InsertConnection.connect(conninfo=self.conninfo, options=OPTIONS)
                        await self._flush(connection, taken)
                except Exception as error:  # noqa: BLE001 - without this task nothing is stored ever again
                    log.warning("events_not_stored", posts=len(taken), error=type(error).__name__)
                    for waiting in taken:
                        _answer(waiting, NotStored("the database is away"))
                    if connection is not None:
                        connection.close()
                    connection = None
                    await asyncio.sleep(0.1)  # the next attempt to connect, not one for each POST
        finally:
            for waiting in taken:
                _answer(waiting, NotStored("the process stops"))
            if connection is not None:
                connection.close()

    async def _flush(self, connection: InsertConnection, taken: list[_Waiting]) -> None:
        """Store what was taken in as few statements as go well, and answer everyone."""
        rows = [row for waiting in taken for row in waiting.rows]
        failed: set[int] = set()
        try:
            await _insert(connection, rows)
        except psycopg.Error as error:
            _raise_if_connection_is_gone(connection, error)
            failed = await self._by_municipality(connection, rows)
        for waiting in taken:
            if failed and not failed.isdisjoint(map(id, waiting.rows)):
                _answer(waiting, NotStored("an event could not be stored"))
            else:
                _answer(waiting, None)

    async def _by_municipality(self, connection: InsertConnection, rows: Iterable[Row]) -> set[int]:
        """Store the rows municipality by municipality; return the identities of those that could not be."""
        failed: set[int] = set()
        by_municipality = attrgetter("municipality_id")
        for municipality_id, group in groupby(sorted(rows, key=by_municipality), key=by_municipality):
            part = list(group)
            try:
                await _insert(connection, part)
            except errors.LockNotAvailable:
                self._held_until[municipality_id] = time.monotonic() + HELD_SECONDS
                log.warning("inbox_locked", municipality_id=str(municipality_id), rows=len(part))
                failed.update(map(id, part))
            except psycopg.Error as error:
                _raise_if_connection_is_gone(connection, error)
                failed |= await self._by_row(connection, part)
        return failed

    async def _by_row(self, connection: InsertConnection, rows: Iterable[Row]) -> set[int]:
        failed: set[int] = set()
        for row in rows:
            try:
                await _insert(connection, [row])
            except psycopg.Error as error:
                _raise_if_connection_is_gone(connection, error)
                log.error("event_not_storable", municipality_id=str(row.municipality_id), error=type(error).__name__)
                failed.add(id(row))
        return failed


async def _insert(connection: InsertConnection, rows: list[Row]) -> None:
    # In a fixed order, so that two flushes with the same events wait for each other instead of deadlocking.
    await connection.insert(sorted(rows, key=_place))


def _place(row: Row) -> tuple[int, bytes]:
    return (row.municipality_id.int, row.dedup_key)


def _raise_if_connection_is_gone(connection: InsertConnection, error: psycopg.Error) -> None:
    if connection.is_gone:
        raise error


def _answer(waiting: _Waiting, error: NotStored | None) -> None:
    if waiting.done.done():
        return  # the caller gave up
    if error is None:
        waiting.done.set_result(None)
    else:
        waiting.done.set_exception(error)
