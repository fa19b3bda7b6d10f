"""The sender: owns leases, wakes lanes, and gives everything back when it stops.

Notes of work are looked at twenty times a second with one query, lanes of an owner that died once; leases are renewed
three times in their life; a sweep over all outboxes is the net under lost notes, and works beside the rest, because a
schema may be locked.
"""

import asyncio
import time
from dataclasses import dataclass, field

import structlog
from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout

from messaging.failures import WINDOW_CLOSED
from messaging.lanes.lane import Lane
from messaging.lanes.store import LEASE_SECONDS, LaneStore, Lease
from messaging.window import SERVICE_WINDOW
from tenants import clock
from whatsapp.client import CloudAPI

LOOK_SECONDS = 0.05
SCHEMAS_A_SWEEP = 50  # so many outboxes are looked at with one statement
RENEW_SECONDS = LEASE_SECONDS / 3
SWEEP_SECONDS = 30.0
ORPHANS_SECONDS = 1.0  # how often lanes are looked for whose owner died, when no number is wanted

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Sender:
    """All lanes of one process."""

    store: LaneStore
    api: CloudAPI
    _lanes: dict[str, Lane] = field(default_factory=dict)
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _left: set[str] = field(default_factory=set)  # numbers with work, without a note or a lane that takes it
    _sweeping: asyncio.Task[None] | None = None
    _acquired_at: float = float("-inf")

    async def run(self, *, stop: asyncio.Event) -> None:
        """Send until told to stop; then finish what is in flight and release the lanes."""
        log.info("sender_started", owner=self.store.owner)
        renewed_at = swept_at = float("-inf")
        while not stop.is_set():
            try:
                now = time.monotonic()
                if now - renewed_at >= RENEW_SECONDS:
                    await self._renew()
                    renewed_at = now
                if now - swept_at >= SWEEP_SECONDS and (self._sweeping is None or self._sweeping.done()):
                    self._sweeping = asyncio.create_task(self._sweep())
                    swept_at = now
                await self._open(await self.store.wanted())
            except (DatabaseError, PoolTimeout) as error:
                log.warning("sender_waits_for_database", error=type(error).__name__)
                await asyncio.sleep(0.5)
            await asyncio.sleep(LOOK_SECONDS)
        if self._sweeping is not None:
            self._sweeping.cancel()
        for lane in self._lanes.values():
            lane.end()
        while self._running:
            # Leases are kept while calls in flight are waited for, so that nobody takes these for lost.
            await asyncio.wait(self._running, timeout=RENEW_SECONDS)
            try:
                await self._renew()
            except (DatabaseError, PoolTimeout) as error:
                log.warning("sender_waits_for_database", error=type(error).__name__)
        log.info("sender_stopped", owner=self.store.owner)

    async def _sweep(self) -> None:
        """Find what no note tells: outboxes that hold anything, numbers to ask about, notes that are for no lane."""
        try:
            if dropped := await self.store.drop_wakes():
                log.warning("notes_without_lane_dropped", notes=dropped)
            self._left.update(await self.store.out_of_reach())
            schemas = await self.store.schemas()
            for start in range(0, len(schemas), SCHEMAS_A_SWEEP):
                self._left.update(await self._with_outbox(schemas[start : start + SCHEMAS_A_SWEEP]))
        except (DatabaseError, PoolTimeout) as error:
            log.warning("sweep_cut_short", error=type(error).__name__)

    async def _with_outbox(self, schemas: list[str]) -> list[str]:
        """Return the numbers with work in these schemas; one that is locked is left out."""
        try:
            return await self.store.with_outbox(schemas=schemas)
        except (DatabaseError, PoolTimeout) as error:
            if len(schemas) == 1:
                log.warning("outbox_not_seen", schema=schemas[0], error=type(error).__name__)
                return []
        half = len(schemas) // 2
        return await self._with_outbox(schemas[:half]) + await self._with_outbox(schemas[half:])

    async def _open(self, wanted: list[str]) -> None:
        """Wake our lanes that have work, and take those that nobody owns."""
        ours = [number for number in wanted if self._is_ours(number)]
        others = [number for number in wanted if not self._is_ours(number)]
        if ours:
            # The note goes before the lane looks: what is queued after it leaves a new note.
            await self.store.take_wakes(numbers=ours)
            for number in ours:
                lane = self._lanes.get(number)
                if lane is not None and not lane.ended:
                    lane.wake()
                else:
                    self._left.add(number)  # it ended meanwhile: taken again as soon as it is free
        self._left -= {number for number in self._left if self._is_ours(number)}
        others.extend(self._left)
        if not others and time.monotonic() - self._acquired_at < ORPHANS_SECONDS:
            return
        leases = await self.store.acquire(wanted=others)
        self._acquired_at = time.monotonic()
        self._left.difference_update(lease.phone_number_id for lease in leases)
        if not leases:
            return
        settings = await self.store.settings(numbers=[lease.phone_number_id for lease in leases], at=clock.now())
        await self.store.take_wakes(numbers=[lease.phone_number_id for lease in leases])
        for lease in leases:
            if lease.phone_number_id not in settings:
                await self._close(lease)
                continue
            found = settings[lease.phone_number_id]
            self._start(Lane(lease=lease, store=self.store, api=self.api, settings=found, peers=self._lanes.values))

    async def _close(self, lease: Lease) -> None:
        """Give back the lane of a number that was closed: its outbox waits for a person, or for its window to close."""
        try:
            closed_before = clock.now() - SERVICE_WINDOW
            await self.store.expire(lease=lease, closed_before=closed_before, reason=WINDOW_CLOSED)
        finally:
            await self.store.release(lease=lease)

    def _start(self, lane: Lane) -> None:
        self._lanes[lane.lease.phone_number_id] = lane
        task = asyncio.create_task(lane.run())
        self._running.add(task)
        task.add_done_callback(lambda done: self._finished(done, lane.lease))

    def _finished(self, task: asyncio.Task[None], lease: Lease) -> None:
        self._running.discard(task)
        lane = self._lanes.get(lease.phone_number_id)
        if lane is not None and lane.lease == lease:
            lane.ended = True
            del self._lanes[lease.phone_number_id]
        if not task.cancelled() and task.exception() is not None:
            log.error("lane_broke", exc_info=task.exception(), number_id=lease.phone_number_id)

    def _is_ours(self, phone_number_id: str) -> bool:
        lane = self._lanes.get(phone_number_id)
        return lane is not None and not lane.ended

    async def _renew(self) -> None:
        """Prolong our leases; a lane whose lease was lost claims nothing more."""
        if not self._lanes:
            return
        numbers = list(self._lanes)
        kept = await self.store.renew(numbers=numbers)
        settings = await self.store.settings(numbers=numbers, at=clock.now())
        for number, lane in list(self._lanes.items()):
            if number not in kept or number not in settings:
                log.warning("lease_lost", number_id=number)
                lane.end()
            else:
                lane.refresh(settings[number])
