"""Statuses of sent messages: which come, when, and in what shape.

Each citizen behaves the same every time (drawn from the seed): reads or not, reads at once so that `delivered` is
skipped, never gets it, cannot be reached. Stamps are of the sandbox's clock, the delays between them are real seconds.
"""

import asyncio
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.books import Reported, Send
from sandbox.courier import Courier
from sandbox.envelope import Update
from sandbox.graph_errors import status_error
from sandbox.world import Citizen, Number, World

BEHAVIOURS = {
    "reads": ("sent", "delivered", "read"),
    "leaves_unread": ("sent", "delivered"),
    "skips_delivered": ("sent", "read"),
    "never_delivered": ("sent",),
    "undeliverable": ("failed",),
    # The phone is off: delivered and read hours later, on the sandbox's clock.
    "phone_off": ("sent",),
}
PHONE_OFF_SECONDS = 9 * 3600.0
UNDELIVERABLE = 131026
TTL_SECONDS = 30 * 86400.0


@dataclass(slots=True)
class _Course:
    """The statuses of one message, and how far they are; stamped with the moment they come unless told otherwise."""

    send: Send
    number: Number
    citizen: Citizen
    steps: tuple[str, ...]
    failure: int
    stamped_at: float | None = None
    index: int = 0


class Statuses:
    """Plans and sends the statuses of accepted messages."""

    def __init__(self, *, world: World, courier: Courier) -> None:
        self._world = world
        self._courier = courier
        self._timers: set[asyncio.TimerHandle] = set()
        # What is due at a moment of the sandbox's clock.
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._later_seq = 0
        self._wake: asyncio.TimerHandle | None = None

    def clear(self) -> None:
        """Forget all that was planned."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._later.clear()
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None

    @property
    def planned(self) -> int:
        """Count the statuses that come within moments (not those due at a later time of the sandbox's clock)."""
        now = self._world.clock.now()
        return len(self._timers) + sum(1 for due, _, _ in self._later if due <= now)

    def plan(
        self,
        *,
        send: Send,
        number: Number,
        citizen: Citizen,
        failure: int | None = None,
        ttl_seconds: float = TTL_SECONDS,
    ) -> None:
        """Plan the statuses that follow an accepted message; `failure` is the code of a `failed` that comes instead.

        ttl_seconds: how long Meta tries to deliver it, on the sandbox's clock.
        """
        if not self._world.switches.automatic_statuses and failure is None:
            return
        behaviour = self.behaviour_of(citizen=citizen)
        if failure is not None or behaviour == "undeliverable":
            steps: tuple[str, ...] = ("failed",)
        elif send.type == "reaction":
            steps = ("sent",)
        else:
            steps = BEHAVIOURS[behaviour]
        self._go_on(course=_Course(send, number, citizen, steps, failure or UNDELIVERABLE))
        if behaviour == "phone_off" and "failed" not in steps and send.type != "reaction":
            seconds = citizen.off_seconds or PHONE_OFF_SECONDS
            if seconds > ttl_seconds:
                # Meta drops it without a word: no `delivered` before its time is all there is to see.
                self._world.books.expired += 1
                return
            moment = self._world.clock.now() + seconds
            course = _Course(send, number, citizen, ("delivered", "read"), 0, stamped_at=moment)
            self.at_sandbox_time(moment=moment, action=lambda: self._go_on(course=course))

    def may_arrive(self, *, citizen: Citizen) -> bool:
        """Tell whether messages can reach this citizen; how one behaves is drawn only where statuses come of it."""
        return not self._world.switches.automatic_statuses or self.behaviour_of(citizen=citizen) != "undeliverable"

    def behaviour_of(self, *, citizen: Citizen) -> str:
        """Tell how this citizen behaves, drawing it the first time."""
        if citizen.behaviour is None:
            switches = self._world.switches
            drawn = random.Random(f"{switches.seed}:{citizen.phone}:{citizen.bsuid}").random()
            for name in ("undeliverable", "never_delivered", "skips_delivered", "reads"):
                share = float(getattr(switches, name))
                if drawn < share:
                    citizen.behaviour = name
                    break
                drawn -= share
            else:
                citizen.behaviour = "leaves_unread"
        return citizen.behaviour

    def at_sandbox_time(self, *, moment: float, action: Callable[[], None]) -> None:
        """Do something when the sandbox's clock reaches the moment, whether it runs or is moved there."""
        self._later_seq += 1
        heapq.heappush(self._later, (moment, self._later_seq, action))
        self.clock_moved()

    def clock_moved(self) -> None:
        """Do what is due on the sandbox's clock, and plan to look again."""
        while self._later and self._later[0][0] <= self._world.clock.now():
            heapq.heappop(self._later)[2]()
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if self._later:
            wait = max(0.0, self._later[0][0] - self._world.clock.now())
            self._wake = asyncio.get_running_loop().call_later(min(wait, 3600.0), self.clock_moved)

    def _go_on(self, *, course: _Course) -> None:
        """Plan the next status of the course."""
        switches, status = self._world.switches, course.steps[course.index]
        delay = switches.read_after_seconds
        if status == "delivered":
            delay = switches.delivered_after_seconds
        elif status in ("sent", "failed"):
            delay = switches.sent_after_seconds

        def arrive() -> None:
            self._timers.discard(timer)
            self._arrive(course=course)

        timer = asyncio.get_running_loop().call_later(delay, arrive)
        self._timers.add(timer)

    def _arrive(self, *, course: _Course) -> None:
        """Send the status that is due, and plan the one after it."""
        status = course.steps[course.index]
        failed = status == "failed"
        # Pricing comes with `sent` and with one of delivered and read.
        priced = status in ("sent", "delivered") or (status == "read" and "delivered" not in course.steps)
        update = self.update_for(
            send=course.send,
            number=course.number,
            citizen=course.citizen,
            status=status,
            at=course.stamped_at or self._world.clock.now(),
            pricing=course.send.pricing if priced else None,
            error=status_error(code=course.failure, details="The message was not delivered.") if failed else None,
        )
        if update is not None:
            self._courier.send(update=update)
        course.index += 1
        if course.index < len(course.steps):
            self._go_on(course=course)

    def update_for(
        self,
        *,
        send: Send,
        number: Number,
        citizen: Citizen,
        status: str,
        at: float,
        pricing: dict[str, Any] | None,
        error: dict[str, Any] | None = None,
    ) -> Update | None:
        """Make the update that carries one status; None when the business gets no webhooks."""
        business = number.business
        send.note(status=status, at=at)
        if not business.subscribed:
            return None
        while citizen.same_as is not None:
            citizen = citizen.same_as
        stamp = int(at)
        element: dict[str, Any] = {"id": send.wamid, "status": status, "timestamp": str(stamp)}
        to_bsuid = send.to == citizen.bsuid
        if citizen.phone is not None:
            element["recipient_id"] = citizen.phone
        if citizen.bsuid is not None and (status != "failed" or to_bsuid):
            element["recipient_user_id"] = citizen.bsuid
            if citizen.parent_bsuid is not None:
                element["recipient_parent_user_id"] = citizen.parent_bsuid
        if send.opaque is not None:
            element["biz_opaque_callback_data"] = send.opaque
        if status != "failed":
            self._add_conversation(element=element, send=send, status=status, stamp=stamp)
        if pricing is not None:
            element["pricing"] = pricing
        if error is not None:
            element["errors"] = [error]

        def acknowledged() -> None:
            books = self._world.books
            send.acknowledged.append(status)
            books.statuses[status] += 1
            books.log.append(Reported(send, status, stamp, pricing))

        return Update(
            waba_id=business.waba_id,
            number=number,
            url=number.override_url or self._world.config.webhook_url,
            kind="statuses",
            element=element,
            contact=None
            if status == "failed" and not self._world.switches.contacts_on_failed
            else contact_of(citizen=citizen, world=self._world, with_username=status != "sent"),
            on_acknowledged=acknowledged,
        )

    def _add_conversation(self, *, element: dict[str, Any], send: Send, status: str, stamp: int) -> None:
        pricing = send.pricing or {}
        entry_point = pricing.get("type") == "free_entry_point"
        if self._world.switches.payload_version == "v24" and not entry_point:
            return
        # Up to v23 each message has an id of its own; within an entry point's window, one id for the window.
        owner = f"{send.number_id}:{send.citizen_key}" if entry_point else str(send.wamid)
        conversation: dict[str, Any] = {
            "id": f"{random.Random(owner).getrandbits(128):032x}",
            "origin": {"type": pricing.get("category", "service")},
        }
        if status == "sent":
            conversation["expiration_timestamp"] = str(stamp + (72 if entry_point else 24) * 3600)
        element["conversation"] = conversation


def contact_of(*, citizen: Citizen, world: World, with_username: bool) -> dict[str, Any]:
    """Make the element of `contacts[]` for a citizen, with the ids that Meta discloses."""
    contact: dict[str, Any] = {}
    profile: dict[str, Any] = {}
    if citizen.name is not None:
        profile["name"] = citizen.name
    if citizen.username is not None and with_username:
        profile["username"] = ("@" if world.switches.username_with_at else "") + citizen.username
    if profile:
        contact["profile"] = profile
    if citizen.phone is not None:
        contact["wa_id"] = citizen.phone
    elif world.switches.bsuid_in_from and citizen.bsuid is not None:
        contact["wa_id"] = citizen.bsuid
    if citizen.bsuid is not None:
        contact["user_id"] = citizen.bsuid
    if citizen.parent_bsuid is not None:
        contact["parent_user_id"] = citizen.parent_bsuid
    return contact
