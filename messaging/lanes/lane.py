"""One lane: paces, claims, and hands each message to `calling`, which calls Meta and has written what came of it.

A claim is committed before the call, and only as many are claimed as are called at once: so what is left in SENDING
when the process dies is never more than the calls that were in flight, and the answers that were being written.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import structlog
from psycopg import Error as DatabaseError
from psycopg import errors
from psycopg_pool import PoolTimeout

from messaging.failures import WINDOW_CLOSED
from messaging.lanes import out_of_reach, stopping
from messaging.lanes.calling import call, tell_sends
from messaging.lanes.firsts import ALL, Firsts, count
from messaging.lanes.pace import Pace
from messaging.lanes.pairs import Pairs
from messaging.lanes.receipts import Receipts
from messaging.lanes.settling import Settler, until_stored
from messaging.lanes.standing import PROBE_SECONDS, Standing, Stop
from messaging.lanes.store import Choice, Claimed, LaneStore, Lease, NumberSettings
from messaging.window import SERVICE_WINDOW
from tenants import clock
from tenants.encryption import UnreadableSecret, decrypt
from tenants.models import Trouble
from whatsapp.client import CloudAPI
from whatsapp.outcomes import Outcome

# Calls in flight of one number: what leaves in this time, within bounds. Meta usually answers in a quarter of a second.
IN_FLIGHT_SECONDS, LEAST_IN_FLIGHT, MOST_IN_FLIGHT = 0.8, 64, 256
# An answer that is being written holds up no call, until so many times as many wait as are called at once: the database
# is slow then, and what is in nobody's hands after a kill must stay little.
MOST_UNWRITTEN = 1
# While others are under way, a claim waits until an eighth of them is done, or so long.
WORTH_A_CLAIM, GATHER_SECONDS = 8, 0.01
IDLE_SECONDS = 60.0  # a lane without work is given back after this long
LOOK_SECONDS = 1.0  # how often a lane looks at what citizens write, while it is busy
EXPIRE_SECONDS = 10.0  # how often it looks for answers that are too late
LONGEST_WAIT_SECONDS = 5.0  # how long it sleeps with nothing due; a note of work wakes it
REFUSED_CLAIM_SECONDS = 0.5  # until a claim is tried again that a lock kept out
RECEIPTS_SECONDS = 0.1  # until the next look when more of reading and typing is left to tell
UNREADABLE = "there is none that can be read"

# The statement was surely not committed.
NOT_CLAIMED = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected, PoolTimeout)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Lane:
    """The lane of one number, for as long as this process holds its lease.

    peers: all lanes of this process, for what Meta says of a whole account or of all that we send.
    """

    lease: Lease
    store: LaneStore
    api: CloudAPI
    settings: NumberSettings
    peers: Callable[[], "Collection[Lane]"] = tuple
    ended: bool = False
    broken: bool = False  # something is in a state that only a next lease can mend: this one is left to end
    token: str | None = None
    pace: Pace = field(init=False)
    standing: Standing = field(default_factory=Standing)
    settler: Settler = field(init=False)
    firsts: Firsts = field(default_factory=Firsts)
    throttled: dict[object, int] = field(default_factory=dict)  # how often in a row, by message: costs no try
    sends: Counter[type[Outcome]] = field(default_factory=Counter)  # by what came of them, since it was told
    told_unreachable: bool = False
    _pairs: Pairs = field(default_factory=Pairs)
    _receipts: Receipts = field(default_factory=Receipts)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _in_flight: set[asyncio.Task[None]] = field(default_factory=set)  # until what came of it is written, or noted
    _calling: int = 0  # of these, how many Meta has not answered
    _waits: bool = False  # whether anything was left in the outbox at the last look
    _claimed_at: float = float("-inf")
    _looked_at: float = float("-inf")
    _expired_at: float = float("-inf")
    _last_event: int | None = None

    def __post_init__(self) -> None:
        self.pace = Pace(per_second=max(1, self.settings.messages_per_second))
        self.settler = Settler(store=self.store, lease=self.lease, written=self._wake.set, lost=self.break_off)
        self.refresh(self.settings)

    def wake(self) -> None:
        """Tell the lane that its outbox has work."""
        self._receipts.wanted = True
        self._wake.set()

    def end(self) -> None:
        """Claim nothing more; what is in flight is finished by `run`."""
        self.ended = True
        self._wake.set()

    def break_off(self) -> None:
        """Claim nothing more, and leave the lease to end: the next one mends what is in a state that nobody knows."""
        self.broken = True
        self.end()

    def refresh(self, settings: NumberSettings) -> None:
        """Take over the number's settings as they are now: token, pace, and what people know to be wrong."""
        at = time.monotonic()
        had, known = self.token, self.settings.access_token_encrypted
        if settings.access_token_encrypted is None:
            self.token = None
        elif self.token is None or settings.access_token_encrypted != known:
            self.token = _readable(settings.access_token_encrypted)
        self.settings = settings
        self.pace.per_second = max(1, settings.messages_per_second)
        self.firsts.limit(messaging_limit=settings.messaging_limit)
        troubles = set(settings.troubles)
        for stop, kinds in ((self.standing.number, stopping.STOPS), (self.standing.templates, stopping.TEMPLATE_STOPS)):
            if troubles & kinds and not stop.is_on:
                stop.put(at=at, seconds=settings.paused_seconds)
            elif not troubles & kinds and stop.is_on and at - stop.since > PROBE_SECONDS / 6:
                stop.lift()  # somebody saw that it is over
        if self.token is not None and self.token != had and not self.standing.number.probing:
            self.standing.number.probe_at = at  # a new token is tried at once
            self._wake.set()

    async def run(self) -> None:
        """Send until the lease ends or there is nothing left to do for a while; then finish what is in flight."""
        structlog.contextvars.bind_contextvars(schema=self.lease.schema_name, number_id=self.lease.phone_number_id)
        recovered = await until_stored(lambda: self.store.recover(lease=self.lease))
        if recovered:
            log.warning("sends_uncertain", messages=recovered)
        if self.token is None:
            await self._tell_no_token()
        idle_since = time.monotonic()
        while not self.ended:
            self._wake.clear()
            await self._turn()
            if self._in_flight or self.settler.noted or self._waits:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > IDLE_SECONDS and not self._wake.is_set():
                await out_of_reach.ask(lane=self)
                break
        self.ended = True
        self._receipts.drop()
        if self._in_flight:
            await asyncio.wait(self._in_flight)
        await self.settler.finish()
        tell_sends(lane=self)
        if not self.broken:
            await until_stored(lambda: self.store.release(lease=self.lease))

    async def _turn(self) -> None:
        """Claim what may leave now and call Meta with it; else wait until something may."""
        at = time.monotonic()
        if at - self._looked_at >= LOOK_SECONDS:
            await self._look(at)
        if self.standing.is_unreachable(at=at):
            await out_of_reach.tell(lane=self)
        if at - self._expired_at >= EXPIRE_SECONDS:
            await self._expire(at)
        if self.firsts.is_to_be_counted(at=at):
            await count(lane=self, at=at)
        usual = self._usual_in_flight()
        free = self._free(usual=usual, at=at)
        if self.token is None or not self.standing.may_claim(at=at) or free <= 0:
            await self._until_woken(LOOK_SECONDS)
            return
        if self._calling and free < usual // WORTH_A_CLAIM and (left := self._claimed_at + GATHER_SECONDS - at) > 0:
            await self._until_woken(left)
            return
        allowance = self.pace.allowance(at=at)
        if allowance <= 0:
            await asyncio.sleep(min(LOOK_SECONDS, self.pace.seconds_until_next(at=at)))
            return
        most = self._at_most(min(allowance, free), at)
        claimed = await self._claim(most=most, at=at)
        if claimed is not None and len(claimed) < most and not self.ended:
            await self._receipts.tell(lane=self, most=most - len(claimed))  # no message can leave now
            await self._until_due(at)

    def answered(self) -> None:
        """Note that Meta answered a call, or never will: another may leave, as soon as that is worth a claim."""
        self._calling -= 1
        usual = self._usual_in_flight()
        if not self._calling or usual - self._calling >= usual // WORTH_A_CLAIM:
            self._wake.set()

    def _free(self, *, usual: int, at: float) -> int:
        """Return how many more calls may be under way."""
        unwritten = len(self._in_flight) - self._calling + self.settler.noted
        most = self.standing.most_in_flight(usual=usual, at=at)
        return min(most - self._calling, usual * MOST_UNWRITTEN - unwritten)

    def _usual_in_flight(self) -> int:
        usual = int(self.pace.per_second * IN_FLIGHT_SECONDS)
        return min(MOST_IN_FLIGHT, max(LEAST_IN_FLIGHT, usual))

    def _at_most(self, most: int, at: float) -> int:
        """Return how many may be claimed: one, when it is to be seen whether it goes through."""
        templates = self.standing.templates
        is_to_be_seen = self.standing.number.is_on or (templates.is_on and templates.may_probe(at=at))
        return 1 if is_to_be_seen else self.firsts.at_most(most)

    def _choice(self, at: float) -> Choice:
        """Return what may leave now."""
        return Choice(
            at=clock.now(),
            templates=self.standing.may_send_templates(at=at),
            held=self._pairs.held(at=at),
            urgency=self.firsts.urgency,
            firsts=not self.firsts.is_used_up,
            counted=self.firsts.most is not None,
            elections=self.settings.elections,
        )

    async def _claim(self, *, most: int, at: float) -> list[Claimed] | None:
        """Claim messages and start their calls; return them, or None when a claim was not possible now."""
        try:
            claimed = await self.store.claim(lease=self.lease, most=most, choice=self._choice(at))
        except NOT_CLAIMED as error:
            log.warning("claim_kept_out", error=type(error).__name__)
            await asyncio.sleep(REFUSED_CLAIM_SECONDS)
            return None
        except DatabaseError as error:
            # It may have been committed all the same: what it claimed is nobody's then, and waits for the next lease.
            log.warning("claim_failed", error=type(error).__name__)
            self.break_off()
            return None
        self._claimed_at = time.monotonic()
        self.pace.spend(messages=len(claimed), at=self._claimed_at)
        self.firsts.spend(templates=sum(item.is_template for item in claimed))
        for item in claimed:
            self._pairs.sent(contact_id=item.contact_id, at=at)
            stop = self._probed_by(item)
            if stop is not None:
                stop.probe(at=self._claimed_at)
            task = asyncio.create_task(call(lane=self, item=item, probes=stop))
            self._in_flight.add(task)
            self._calling += 1
            task.add_done_callback(self._done)
        return claimed

    def _probed_by(self, item: Claimed) -> Stop | None:
        """Return what a message is to try out, when it is sent to see whether it goes through."""
        if self.standing.number.is_on:
            return self.standing.number
        return self.standing.templates if self.standing.templates.is_on and item.is_template else None

    def _done(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._wake.set()

    async def _until_due(self, at: float) -> None:
        """Wait until there may be something to claim: a wake, an outcome, or a due time."""
        choice = self._choice(at)
        try:
            due = await self.store.seconds_until_due(lease=self.lease, choice=choice)
        except (DatabaseError, PoolTimeout):
            due = LOOK_SECONDS
        limited = choice.urgency < ALL
        self._waits = due is not None or bool(choice.held) or not choice.templates or limited
        # A due message that was not claimed waits for one of its contact's before it, whose outcome wakes us.
        longest = RECEIPTS_SECONDS if self._receipts.wanted else LONGEST_WAIT_SECONDS
        if limited:  # what is over the limit waits for the next count
            longest, due = min(longest, LOOK_SECONDS), None
        await self._until_woken(longest if due is None else min(longest, max(due, 0.05)))

    async def _until_woken(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _look(self, at: float) -> None:
        """Count what citizens wrote while we send: Meta counts it too; and tell how many were sent."""
        tell_sends(lane=self)
        since, self._looked_at = at - self._looked_at, at
        if at - self._claimed_at > LOOK_SECONDS:
            self._last_event = None  # what comes in while nothing leaves slows nothing
            return
        try:
            if self._last_event is None:
                self._last_event = await self.store.last_event(lease=self.lease)
            else:
                wrote, self._last_event = await self.store.inbound(lease=self.lease, after=self._last_event)
                self.pace.spend_inbound(messages=wrote, seconds=since, at=at)
        except (DatabaseError, PoolTimeout) as error:
            log.warning("look_failed", error=type(error).__name__)

    async def _expire(self, at: float) -> None:
        """Fail the answers that can never leave any more, and see whether anything waits while nothing may leave."""
        self._expired_at = at
        try:
            closed_before = clock.now() - SERVICE_WINDOW
            await self.store.expire(lease=self.lease, closed_before=closed_before, reason=WINDOW_CLOSED)
            if not self.standing.may_claim(at=at) or self.token is None:
                self._waits = await self.store.seconds_until_due(lease=self.lease) is not None
        except (DatabaseError, PoolTimeout) as error:
            log.warning("look_failed", error=type(error).__name__)

    async def _tell_no_token(self) -> None:
        self.standing.number.put(at=time.monotonic(), seconds=PROBE_SECONDS)
        number = self.lease.phone_number_id
        await stopping.tell(numbers=[number], kind=Trouble.Kind.TOKEN, detail=UNREADABLE, at=clock.now())
        self.store.announcer.tell_all(schema_name=self.lease.schema_name)


def _readable(encrypted: bytes) -> str | None:
    """Return the token, or None when no key opens it: the number cannot send until that is mended."""
    try:
        return decrypt(encrypted=bytes(encrypted)).decode()
    except UnreadableSecret:
        log.error("access_token_unreadable")
        return None
