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
from uuid import UUID

import structlog
from psycopg import Error as DatabaseError
from psycopg import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from messaging.figures import META_ERRORS, SENDS
from messaging.lanes.pace import Pace
from messaging.lanes.store import Claimed, LaneStore, Lease, NumberSettings
from tenants.encryption import UnreadableSecret, decrypt
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
    broken: bool = False  # something is in a state that only a next lease can mend: this one is left to end
    _pace: Pace = field(init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _in_flight: set[asyncio.Task[None]] = field(default_factory=set)
    _token: str | None = None
    _throttled: dict[UUID, int] = field(default_factory=dict)  # how often in a row, by message: costs no try
    _unreachable: int = 0  # rests in a row because calls did not reach Meta
    _unreachable_until: float = 0.0
    _templates_from: float = 0.0  # before this moment no template leaves, because Meta said so

    def __post_init__(self) -> None:
        self._pace = Pace(per_second=max(1, self.settings.messages_per_second))
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
        if settings.access_token_encrypted is None:
            self._token = None
        elif self._token is None or settings.access_token_encrypted != self.settings.access_token_encrypted:
            self._token = _readable(settings.access_token_encrypted)
        self.settings = settings
        self._pace.per_second = max(1, settings.messages_per_second)
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
            elif time.monotonic() - idle_since > IDLE_SECONDS and not self._wake.is_set():
                break
            if not claimed:
                await self._rest()
        self.ended = True
        if self._in_flight:
            await asyncio.wait(self._in_flight)
        if not self.broken:
            await _until_stored(lambda: self.store.release(lease=self.lease))

    async def _claim(self) -> list[Claimed]:
        """Claim as much as pace and calls in flight allow now; wait first where pace allows nothing."""
        allowance = self._pace.allowance(at=time.monotonic())
        most = min(allowance, IN_FLIGHT - len(self._in_flight))
        if most <= 0 or self._token is None:
            return []
        try:
            claimed = await self.store.claim(lease=self.lease, most=most, templates=self._may_send_templates())
        except (DatabaseError, PoolTimeout) as error:
            # It may have been committed all the same: what it claimed is nobody's then, and waits for the next lease.
            log.warning("claim_failed", error=type(error).__name__)
            self.broken = True
            self.end()
            return []
        self._pace.spend(messages=len(claimed))
        return claimed

    async def _rest(self) -> None:
        """Wait until there may be something to claim: a wake, an outcome, the pace, or a due time."""
        if self._token is None:
            await asyncio.sleep(1.0)
            return
        if self._pace.allowance(at=time.monotonic()) <= 0:
            await asyncio.sleep(min(1.0, self._pace.seconds_until_next(at=time.monotonic())))
            return
        try:
            due = await self.store.seconds_until_due(lease=self.lease, templates=self._may_send_templates())
        except (DatabaseError, PoolTimeout):
            due = 1.0
        # A due message that was not claimed waits for one of its contact's before it, whose outcome wakes us.
        seconds = 1.0 if due is None else min(1.0, max(due, 0.05))
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _may_send_templates(self) -> bool:
        return time.monotonic() >= self._templates_from

    async def _send(self, item: Claimed) -> None:
        try:
            outcome = await self._call(item)
        except Exception as error:
            # Whatever broke, the request may have been written: nobody knows, and nothing more is claimed by this lane.
            log.error("send_broke", message_id=str(item.message_id), exc_info=error)
            self.broken = True
            self.end()
            outcome = Uncertain(Reason.DISCONNECTED)
        try:
            SENDS.labels(self.lease.schema_name, type(outcome).__name__.lower()).inc()
            await self._settle(item, outcome)
        except Exception as error:
            # It cannot be written as it is: the message stays SENDING, and the next lease makes it UNCERTAIN.
            log.error("outcome_not_storable", message_id=str(item.message_id), exc_info=error)
            self.broken = True
            self.end()
        finally:
            self._wake.set()

    async def _call(self, item: Claimed) -> Outcome:
        assert self._token is not None
        try:
            recipient = Recipient(wa_id=item.wa_id, bsuid=item.bsuid)
        except InvalidContent:
            return NotSent(Reason.INVALID_REQUEST)
        body: dict[str, Any] = {key: item.request[key] for key in item.request if key not in {"to", "recipient"}}
        return await self.api.send(
            phone_number_id=self.lease.phone_number_id,
            access_token=self._token,
            body={**body, **recipient.as_meta()},
        )

    async def _settle(self, item: Claimed, outcome: Outcome) -> None:
        """Record what came of a call; a database that is away is waited for, because the outcome is known only here."""
        lease, message_id = self.lease, item.message_id
        if not isinstance(outcome, NotSent):
            self._unreachable = 0
        times_throttled = self._throttled.pop(message_id, 0)
        match outcome:
            case Accepted(wamid=wamid):
                await _until_stored(lambda: self.store.accepted(lease=lease, message_id=message_id, wamid=wamid))
            case Uncertain(reason=reason):
                log.warning("send_uncertain", message_id=str(message_id), reason=reason)
                await _until_stored(lambda: self.store.uncertain(lease=lease, message_id=message_id))
            case NotSent(reason=reason) if reason in PERMANENT_REASONS:
                await self._fail(item, code=None, reason=str(reason))
            case NotSent(reason=reason):
                # Meta is out of reach for the whole number: it rests, and no message pays for it with a try.
                self._rest_unreachable(reason)
                await self._put_back(item, seconds=0.0, counts=False)
            case Refused(error=error):
                await self._refused(item, error, times_throttled)

    def _rest_unreachable(self, reason: Reason) -> None:
        """Rest twice as long as the last time; the calls that were under way together count as one time."""
        now = time.monotonic()
        if now < self._unreachable_until:
            return
        self._unreachable_until = now + _doubling(self._unreachable)
        self._unreachable += 1
        self._pace.rest(until=self._unreachable_until)
        log.warning("meta_out_of_reach", reason=reason)

    async def _refused(self, item: Claimed, error: MetaError, times_throttled: int) -> None:
        META_ERRORS.labels(error.code).inc()
        log.info("send_refused", message_id=str(item.message_id), code=error.code, kind=error.kind)
        match error.kind:
            case ErrorKind.THROTTLED:
                await self._throttle(item, error, times_throttled)
            case ErrorKind.RETRYABLE:
                await self._again(item, reason=f"Meta {error.code}")
            case ErrorKind.STOP if error.scope is ErrorScope.BUSINESS_INITIATED and item.request["type"] == "template":
                # Templates rest, replies go on.
                self._templates_from = time.monotonic() + STOP_SECONDS
                await self._put_back(item, seconds=STOP_SECONDS, counts=False)
            case ErrorKind.STOP:
                self._pace.rest(until=time.monotonic() + STOP_SECONDS)
                reason = f"Meta {error.code}: {error.title}"
                log.error("number_stopped", code=error.code)
                await _until_stored(lambda: self.store.pause(lease=self.lease, seconds=STOP_SECONDS, reason=reason))
                await self._put_back(item, seconds=0.0, counts=False)
            case _:
                await self._fail(item, code=error.code, reason=error.title or f"Meta {error.code}")

    async def _throttle(self, item: Claimed, error: MetaError, times: int) -> None:
        """Slow down as Meta asks: the pair by powers of four, all else by doubling; no try is spent."""
        self._throttled[item.message_id] = times + 1
        seconds = min(LONGEST_BACK_OFF_SECONDS, 4.0**times) if error.scope is ErrorScope.PAIR else _doubling(times)
        if error.scope is not ErrorScope.PAIR:
            self._pace.rest(until=time.monotonic() + min(seconds, 2.0))
        await self._put_back(item, seconds=seconds, counts=False)

    async def _again(self, item: Claimed, *, reason: str) -> None:
        """Put the message back for later, at the price of a try; give it up when it had them all."""
        if item.attempts + 1 >= MOST_ATTEMPTS:
            await self._fail(item, code=None, reason=reason)
        else:
            await self._put_back(item, seconds=_doubling(item.attempts), counts=True)

    async def _put_back(self, item: Claimed, *, seconds: float, counts: bool) -> None:
        await _until_stored(
            lambda: self.store.again(lease=self.lease, message_id=item.message_id, seconds=seconds, counts=counts)
        )

    async def _fail(self, item: Claimed, *, code: int | None, reason: str) -> None:
        await _until_stored(
            lambda: self.store.failed(lease=self.lease, message_id=item.message_id, code=code, reason=reason)
        )


def _doubling(times: int) -> float:
    """Return the seconds to wait: doubling from half a second, with jitter so that many do not return at once."""
    longest = min(LONGEST_BACK_OFF_SECONDS, 0.5 * 2.0 ** min(times, 10))
    return longest * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing


def _readable(encrypted: bytes) -> str | None:
    """Return the token, or None when no key opens it: the number cannot send until that is mended."""
    try:
        return decrypt(encrypted=bytes(encrypted)).decode()
    except UnreadableSecret:
        log.error("access_token_unreadable")
        return None


async def _until_stored(write: Callable[[], Awaitable[Stored]]) -> Stored:
    """Write, again and again while the database is away.  Raises what no repeating can mend."""
    wait = 0.1
    while True:
        try:
            return await write()
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            log.warning("lane_write_failed", error=type(error).__name__)
            await asyncio.sleep(wait)
            wait = min(wait * 2, 2.0)
