"""Delivers webhooks: batches updates into signed POSTs, retries what gets no 200, plays the faults asked for.

Updates travel in parcels: what was asked to travel in one POST stays one; everything else is batched with whatever
waits, over numbers and businesses.
"""

import asyncio
import hmac
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from sandbox.books import WebhookPost
from sandbox.envelope import Update, copy_of, encode
from sandbox.graph_errors import GraphError
from sandbox.world import World

# When a POST that is dropped loses its connection: before it was sent, while it is stored, or just after.
DROP_SECONDS = (0.001, 0.04)


@dataclass(slots=True, eq=False)
class Parcel:
    """Updates that travel together; `sealed` ones are not batched with others."""

    updates: list[Update]
    sealed: bool = False
    arrived: "asyncio.Future[None] | None" = None


@dataclass(slots=True)
class _Counts:
    in_flight: int = 0
    waiting: int = 0
    retrying: int = 0
    timers: set[asyncio.TimerHandle] = field(default_factory=set)


class Courier:
    """One for the sandbox; every webhook goes through `send`."""

    def __init__(self, *, world: World) -> None:
        self._world = world
        self._ready: deque[Parcel] = deque()
        self._counts = _Counts()
        self._posts: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._pump_due = False
        self._random = random.Random(world.switches.seed)
        self._generation = 0

    async def close(self) -> None:
        """Stop at once: what was not delivered is lost, as the state is."""
        self.clear()
        if self._session is not None:
            await self._session.close()
            self._session = None

    def clear(self) -> None:
        """Forget everything on its way."""
        self._generation += 1
        for timer in self._counts.timers:
            timer.cancel()
        for post in self._posts:
            post.cancel()
        for parcel in self._ready:
            if parcel.arrived is not None:
                parcel.arrived.cancel()
        self._ready.clear()
        self._counts = _Counts()
        self._random = random.Random(self._world.switches.seed)

    @property
    def unacknowledged(self) -> int:
        """Count the updates that have not been answered with 200 yet."""
        return sum(len(parcel.updates) for parcel in self._ready) + self._counts.waiting + self._counts.in_flight

    @property
    def retrying(self) -> int:
        """Count the updates that wait for another attempt."""
        return self._counts.retrying

    def send(self, *, update: Update) -> None:
        """Deliver the update, in a POST with whatever else is due, through the faults in force."""
        faults = self._world.faults.webhooks
        delay = 0.0
        if faults.concern(number_id=update.number.id if update.number else None):
            delay = self._random.uniform(*faults.delay_seconds)
            if faults.reorder and self._random.random() < faults.reorder:
                delay += self._random.uniform(0.05, 0.5)
            if faults.duplicate and self._random.random() < faults.duplicate:
                self._put(parcel=Parcel([copy_of(update)]), delay=delay + self._random.uniform(0.0, 0.3))
        self._put(parcel=Parcel([update]), delay=delay)

    def send_awaited(self, *, update: Update) -> "asyncio.Future[None]":
        """Deliver the update as `send` does; the future is done when it is answered with 200."""
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        update.on_acknowledged = _Countdown(count=1, arrived=arrived).after(update.on_acknowledged)
        self.send(update=update)
        return arrived

    def send_together(self, *, updates: list[Update]) -> "asyncio.Future[None]":
        """Deliver the updates in exactly one POST; the future is done when that is answered with 200."""
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(parcel=Parcel(updates, sealed=True, arrived=arrived), delay=0.0)
        return arrived

    async def verify(self, *, url: str, verify_token: str) -> None:
        """Verify a URL for webhooks as Meta does, by a challenge. Raises GraphError 2200: it did not come back."""
        if not self._world.switches.verify_overrides:
            return
        status, text, challenge = await self.challenge(url=url, verify_token=verify_token)
        if status != 200 or text != challenge:
            raise GraphError(code=2200, details="Callback verification failed.")

    async def challenge(self, *, url: str, verify_token: str) -> tuple[int | None, str, str]:
        """Ask the URL for a challenge back; return status (None: no answer), text and what was expected."""
        challenge = self._world.ids.next_number()
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        timeout = aiohttp.ClientTimeout(total=self._world.switches.webhook_timeout_seconds)
        try:
            async with self._client().get(url, params=query, timeout=timeout) as answer:
                return answer.status, await answer.text(), challenge
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None, "", challenge

    async def send_raw(self, *, url: str, body: bytes) -> tuple[int, str]:
        """Sign and deliver a body as given, once; return the answer's status and text."""
        async with self._client().post(url, data=body, headers=self._headers(body=body)) as answer:
            return answer.status, await answer.text()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60), auto_decompress=False
            )
        return self._session

    def _headers(self, *, body: bytes) -> dict[str, str]:
        signature = hmac.digest(self._world.config.app_secret.encode(), body, "sha256").hex()
        return {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": f"sha256={signature}",
            "User-Agent": "facebookexternalua",
        }

    def _put(self, *, parcel: Parcel, delay: float) -> None:
        if delay > 0:
            self._later(parcel=parcel, delay=delay)
            return
        self._ready.append(parcel)
        self._plan_pump()

    def _later(self, *, parcel: Parcel, delay: float) -> None:
        counts = self._counts
        counts.waiting += len(parcel.updates)

        def due() -> None:
            counts.timers.discard(timer)
            counts.waiting -= len(parcel.updates)
            self._put(parcel=parcel, delay=0.0)

        timer = asyncio.get_running_loop().call_later(delay, due)
        counts.timers.add(timer)

    def _plan_pump(self) -> None:
        if not self._pump_due:
            self._pump_due = True
            asyncio.get_running_loop().call_later(self._world.switches.linger_seconds, self._pump)

    def _pump(self) -> None:
        self._pump_due = False
        switches = self._world.switches
        while self._ready and len(self._posts) < switches.posts_at_once:
            parcels = self._take_batch(most=switches.max_updates_per_post)
            # Counted before the task begins: at no moment does anything under way look quiet.
            self._counts.in_flight += sum(len(parcel.updates) for parcel in parcels)
            task = asyncio.get_running_loop().create_task(self._post(parcels=parcels))
            self._posts.add(task)
            task.add_done_callback(self._post_done)

    def _post_done(self, task: asyncio.Task[None]) -> None:
        self._posts.discard(task)
        if not task.cancelled() and task.exception() is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "delivering a webhook failed", "exception": task.exception()}
            )
        if self._ready:
            self._plan_pump()

    def _take_batch(self, *, most: int) -> list[Parcel]:
        first = self._ready.popleft()
        batch = [first]
        while not first.sealed and self._ready and len(batch) < most:
            following = self._ready[0]
            if following.sealed or following.updates[0].url != first.updates[0].url:
                break
            batch.append(self._ready.popleft())
        return batch

    async def _post(self, *, parcels: list[Parcel]) -> None:
        updates = [update for parcel in parcels for update in parcel.updates]
        url, counts, now = updates[0].url, self._counts, self._world.clock.now()
        retried = sum(1 for update in updates if update.attempts)
        for update in updates:
            update.attempts += 1
            update.first_at = update.first_at or now
            if update.inbound_wamid is not None:
                self._world.books.note_inbound_delivery(wamid=update.inbound_wamid)
        body = encode(updates=updates, now=now)
        started = time.monotonic()
        try:
            status = await self._deliver(url=url, body=body)
        finally:
            counts.in_flight -= len(updates)
            counts.retrying -= retried
        self._note_post(at=now, url=url, updates=updates, answer=status, seconds=time.monotonic() - started)
        for parcel in parcels:
            if status == 200:
                self._acknowledge(parcel=parcel)
            else:
                self._try_again(parcel=parcel)

    async def _deliver(self, *, url: str, body: bytes) -> int | None:
        patience, faults = self._world.switches.webhook_timeout_seconds, self._world.faults.webhooks
        if faults.drop and self._random.random() < faults.drop:
            patience = self._random.uniform(*DROP_SECONDS)
        timeout = aiohttp.ClientTimeout(total=patience)
        try:
            async with self._client().post(url, data=body, headers=self._headers(body=body), timeout=timeout) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    def _note_post(self, *, at: float, url: str, updates: list[Update], answer: int | None, seconds: float) -> None:
        self._world.books.posts.append(
            WebhookPost(
                at=at,
                url=url,
                updates=len(updates),
                numbers=len({update.number.id for update in updates if update.number}),
                attempt=max(update.attempts for update in updates),
                answer=answer,
                seconds=seconds,
            )
        )

    def _acknowledge(self, *, parcel: Parcel) -> None:
        for update in parcel.updates:
            if update.on_acknowledged is not None:
                update.on_acknowledged()
        if parcel.arrived is not None and not parcel.arrived.done():
            parcel.arrived.set_result(None)

    def _try_again(self, *, parcel: Parcel) -> None:
        switches, now = self._world.switches, self._world.clock.now()
        kept = [update for update in parcel.updates if now - update.first_at < switches.retry_horizon_seconds]
        self._world.books.dropped_updates += len(parcel.updates) - len(kept)
        if not kept:
            return
        self._counts.retrying += len(kept)
        attempts = max(update.attempts for update in kept)
        delay = min(switches.retry_longest_seconds, switches.retry_first_seconds * 2 ** min(attempts - 1, 20))
        split = not parcel.sealed or self._world.faults.webhooks.rebatch is True
        if not split:
            parcel.updates = kept
            self._later(parcel=parcel, delay=delay)
            return
        # Meta batches anew what it sends again; who waits for the sealed POST is told when its last update arrives.
        waiting = _Countdown(count=len(kept), arrived=parcel.arrived)
        for update in kept:
            if parcel.arrived is not None:
                update.on_acknowledged = waiting.after(update.on_acknowledged)
            self._later(parcel=Parcel([update]), delay=delay)


@dataclass(slots=True)
class _Countdown:
    count: int
    arrived: "asyncio.Future[None] | None"

    def after(self, before: Callable[[], None] | None) -> Callable[[], None]:
        def one_more() -> None:
            if before is not None:
                before()
            self.count -= 1
            if self.count == 0 and self.arrived is not None and not self.arrived.done():
                self.arrived.set_result(None)

        return one_more
