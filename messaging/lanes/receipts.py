"""Tells Meta what was read and who is typing, with what a lane's pace leaves over; lost ones do no harm.

Taken out of the database before the call, and never put back: at most once each. Few at a time, beside the messages'
calls and not among them, and none while the number stands still.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout

from whatsapp.outcomes import MetaRefused, MetaUnreachable

if TYPE_CHECKING:
    from messaging.lanes.lane import Lane
    from messaging.lanes.store import Receipt

MOST_UNDER_WAY = 4

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Receipts:
    """What one lane has to tell beside messages. wanted: there may be some in the database."""

    wanted: bool = True
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def tell(self, *, lane: "Lane", most: int) -> None:
        """Begin to tell as many as may be told now."""
        free = min(most, MOST_UNDER_WAY - len(self._under_way))
        if not self.wanted or free <= 0 or lane.standing.number.is_on:
            return
        try:
            taken = await lane.store.take_receipts(lease=lane.lease, most=free)
        except (DatabaseError, PoolTimeout) as error:
            log.info("receipts_left", error=type(error).__name__)
            self.wanted = False  # until the next note of work
            return
        self.wanted = len(taken) == free
        lane.pace.spend(messages=len(taken), at=time.monotonic())
        for receipt in taken:
            task = asyncio.create_task(_tell(lane, receipt))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    def drop(self) -> None:
        """Give up what is under way: the lane ends, and nobody waits for it."""
        for task in self._under_way:
            task.cancel()


async def _tell(lane: "Lane", receipt: "Receipt") -> None:
    token = lane.token
    if token is None:
        return
    number = lane.lease.phone_number_id
    try:
        await lane.api.mark_read(phone_number_id=number, access_token=token, wamid=receipt.wamid, typing=receipt.typing)
    except MetaRefused as refusal:
        log.info("receipt_refused", code=refusal.error.code)
    except MetaUnreachable as failure:
        log.info("receipt_lost", reason=failure.reason)
