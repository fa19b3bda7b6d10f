"""One lane: paces, claims, calls Meta, records what came of it.

A claim is committed before the call, and only as many are claimed as are called at once: so what is left in SENDING
when the process dies is never more than the calls that were in flight.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout

from messaging.figures import META_ERRORS, SENDS
from messaging.lanes.pace import Pace
from messaging.lanes.store import Claimed, LaneStore, Lease, NumberSettings
from tenants.encryption import decrypt
from whatsapp.client import CloudAPI
from whatsapp.errors import ErrorKind, ErrorScope, MetaError
from whatsapp.outcomes import Accepted, NotSent, Outcome, Reason, Refused, Uncertain
from whatsapp.outgoing import InvalidContent, Recipient

# Calls in flight of one number: at Meta's usual quarter of a second this carries about 250 messages a second.
IN_FLIGHT = 64
IDLE_SECONDS = 60.0  # a lane without work is given back after this long
LONGEST_BACK_OFF_SECONDS = 60.0
STOP_SECONDS = 60.0  # how long a number rests after Meta said that it cannot send (token, lock, payment)
MOST_ATTEMPTS = 12
PERMANENT_REASONS = frozenset({Reason.INVALID_REQUEST, Reason.UNTRUSTED_URL})

Stored = TypeVar("Stored")

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Lane:
    """The lane of one number, for as long as this process holds its lease."""

    lease: Lease
    store: LaneStore
    api: CloudAPI
    settings: NumberSettings
    ended: bool = False
    _pace: Pace = field(init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _in_flight: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._pace = Pace(per_second=self.settings.messages_per_second)
        self.refresh(self.settings)

    def wake(self) -> None:
        """Tell the lane that its outbox has work."""
        self._wake.set()

    def end(self) -> None:
        """Claim nothing more; what is in flight is finished by `run`."""
        self.ended = True
        self._wake.set()

    def refresh(self, settings: NumberSettings) -> None:
        """Take over the number's settings as they are now."""
        self.settings = settings
        self._pace.per_second = settings.messages_per_second
        if settings.paused_seconds:
            self._pace.rest(until=time.monotonic() + settings.paused_seconds)

    async def run(self) -> None:
        """Send until the lease ends or there is nothing left to do for a while; then finish what is in flight."""
        structlog.contextvars.bind_contextvars(schema=self.lease.schema_name, number_id=self.lease.phone_number_id)
        recovered = await _until_stored(lambda: self.store.recover(lease=self.lease))
        if recovered:
            log.warning("sends_uncertain", messages=recovered)
        idle_since = time.monotonic()
        while not self.ended:
            self._wake.clear()
            claimed = await self._claim()
            for item in claimed:
                task = asyncio.create_task(self._send(item))
                self._in_flight.add(task)
                task.add_done_callback(self._in_flight.discard)
            if claimed or self._in_flight:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > IDLE_SECONDS:
                break
            if not claimed:
                await self._rest()
        self.ended = True
        if self._in_flight:
            await asyncio.wait(self._in_flight)
        await _until_stored(lambda: self.store.release(lease=self.lease))

    async def _claim(self) -> list[Claimed]:
        """Claim as much as pace and calls in flight allow now; wait first where pace allows nothing."""
        allowance = self._pace.allowance(at=time.monotonic())
        most = min(allowance, IN_FLIGHT - len(self._in_flight))
        if most <= 0 or self.settings.access_token_encrypted is None:
            return []
        try:
            claimed = await self.store.claim(lease=self.lease, most=most)
        except (DatabaseError, PoolTimeout) as error:
            log.warning("claim_failed", error=type(error).__name__)
            await asyncio.sleep(0.5)
            return []
        self._pace.spend(messages=len(claimed))
        return claimed

    async def _rest(self) -> None:
        """Wait until there may be something to claim: a wake, an outcome, the pace, or a due time."""
        if self._pace.allowance(at=time.monotonic()) <= 0:
            await asyncio.sleep(min(1.0, self._pace.seconds_until_next(at=time.monotonic())))
            return
        try:
            due = await self.store.seconds_until_due(lease=self.lease)
        except (DatabaseError, PoolTimeout):
            due = 1.0
        # A due message that was not claimed waits for one of its contact's before it, whose outcome wakes us.
        seconds = 1.0 if due is None else min(1.0, max(due, 0.05))
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _send(self, item: Claimed) -> None:
        outcome = await self._call(item)
        try:
            SENDS.labels(self.lease.schema_name, type(outcome).__name__.lower()).inc()
            await self._settle(item, outcome)
        finally:
            self._wake.set()

    async def _call(self, item: Claimed) -> Outcome:
        encrypted = self.settings.access_token_encrypted
        assert encrypted is not None
        try:
            recipient = Recipient(wa_id=item.wa_id, bsuid=item.bsuid)
        except InvalidContent:
            return NotSent(Reason.INVALID_REQUEST)
        body: dict[str, Any] = {key: item.request[key] for key in item.request if key not in {"to", "recipient"}}
        return await self.api.send(
            phone_number_id=self.lease.phone_number_id,
            access_token=decrypt(encrypted=bytes(encrypted)).decode(),
            body={**body, **recipient.as_meta()},
        )

    async def _settle(self, item: Claimed, outcome: Outcome) -> None:
        """Record what came of a call; a database that is away is waited for, because the outcome is known only here."""
        lease, message_id = self.lease, item.message_id
        match outcome:
            case Accepted(wamid=wamid):
                await _until_stored(lambda: self.store.accepted(lease=lease, message_id=message_id, wamid=wamid))
            case Uncertain(reason=reason):
                log.warning("send_uncertain", message_id=str(message_id), reason=reason)
                await _until_stored(lambda: self.store.uncertain(lease=lease, message_id=message_id))
            case NotSent(reason=reason) if reason in PERMANENT_REASONS:
                await self._fail(item, code=None, reason=str(reason))
            case NotSent(reason=reason):
                await self._again(item, reason=str(reason), counts=True)
            case Refused(error=error):
                await self._refused(item, error)

    async def _refused(self, item: Claimed, error: MetaError) -> None:
        META_ERRORS.labels(error.code).inc()
        log.info("send_refused", message_id=str(item.message_id), code=error.code, kind=error.kind)
        match error.kind:
            case ErrorKind.THROTTLED:
                seconds = self._back_off(item)
                if error.scope is not ErrorScope.PAIR:
                    self._pace.rest(until=time.monotonic() + min(seconds, 2.0))
                await self._again(item, reason=f"Meta {error.code}", counts=False)
            case ErrorKind.RETRYABLE:
                await self._again(item, reason=f"Meta {error.code}", counts=True)
            case ErrorKind.STOP:
                self._pace.rest(until=time.monotonic() + STOP_SECONDS)
                reason = f"Meta {error.code}: {error.title}"
                log.error("number_stopped", code=error.code)
                await _until_stored(lambda: self.store.pause(lease=self.lease, seconds=STOP_SECONDS, reason=reason))
                await self._again(item, reason=reason, counts=False)
            case _:
                await self._fail(item, code=error.code, reason=error.title or f"Meta {error.code}")

    async def _again(self, item: Claimed, *, reason: str, counts: bool) -> None:
        """Put the message back for later, or give it up when it had all its tries."""
        if counts and item.attempts + 1 >= MOST_ATTEMPTS:
            await self._fail(item, code=None, reason=reason)
            return
        seconds = self._back_off(item)
        await _until_stored(
            lambda: self.store.again(lease=self.lease, message_id=item.message_id, seconds=seconds, counts=counts)
        )

    async def _fail(self, item: Claimed, *, code: int | None, reason: str) -> None:
        await _until_stored(
            lambda: self.store.failed(lease=self.lease, message_id=item.message_id, code=code, reason=reason)
        )

    @staticmethod
    def _back_off(item: Claimed) -> float:
        """Return the seconds to wait: doubling from half a second, with jitter so that many do not return at once."""
        longest = min(LONGEST_BACK_OFF_SECONDS, 0.5 * 2.0**item.attempts)
        return longest * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing


async def _until_stored(write: Callable[[], Awaitable[Stored]]) -> Stored:
    """Write, again and again while the database is away."""
    wait = 0.1
    while True:
        try:
            return await write()
        except (DatabaseError, PoolTimeout) as error:
            log.warning("lane_write_failed", error=type(error).__name__)
            await asyncio.sleep(wait)
            wait = min(wait * 2, 2.0)
