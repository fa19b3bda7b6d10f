"""How many more citizens may be written to first: Meta's limit of unique citizens in 24 hours, kept by us.

The limit is the portfolio's, and the portfolio is the municipality's own: all its numbers count together, in its own
schema (docs/adr/0013-the-limit-of-first-messages.md). What is over it waits and costs no try. Only counted, and only
kept, where Meta told the limit; then its 131048 is what is left of races between numbers.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout

from messaging.lanes import stopping
from messaging.models import OutboxItem
from messaging.window import SERVICE_WINDOW
from tenants import clock
from tenants.models import NumberHealth, Trouble

if TYPE_CHECKING:
    from messaging.lanes.lane import Lane

COUNT_SECONDS = 2.0  # how old a count may be while templates leave
LOOK_SECONDS = 10.0  # and while what is over the limit waits for citizens of yesterday to be forgotten
KEPT_PART = 10  # the last tenth is kept for single messages and crises
ALL = OutboxItem.Priority.BROADCAST

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Firsts:
    """What is left of a number's limit, as its lane knows. most: the limit; None: there is none, or it was not told."""

    most: int | None = None
    told: bool = False  # whether people were told that it is reached
    _used: int = 0
    _since: int = 0  # templates that left since it was counted, each perhaps to somebody new
    _counted_at: float = float("-inf")

    def limit(self, *, messaging_limit: str) -> None:
        """Take over Meta's word for the limit, as it is now."""
        most = NumberHealth(messaging_limit=messaging_limit).most_citizens()
        if most != self.most:
            self.most, self._counted_at = most, float("-inf")

    def is_to_be_counted(self, *, at: float) -> bool:
        """Return whether the count is too old to go by."""
        if self.most is None:
            return self._counted_at == float("-inf")
        age = at - self._counted_at
        return age >= LOOK_SECONDS if not self._since else age >= COUNT_SECONDS

    def counted(self, *, citizens: int, at: float) -> None:
        """Note how many were written to first in the last 24 hours."""
        self._used, self._since, self._counted_at = citizens, 0, at

    def spend(self, *, templates: int) -> None:
        """Note that templates leave; who of them is new is known at the next count."""
        self._since += templates

    @property
    def is_used_up(self) -> bool:
        """Return whether nobody new may be written to."""
        return self.most is not None and self._left() <= 0

    @property
    def is_calm(self) -> bool:
        """Return whether so much is left again that it is no news when a citizen of yesterday is forgotten."""
        return self.most is None or self._left() > 2 * self._kept()

    @property
    def urgency(self) -> int:
        """Return the highest priority that may leave now: all, no broadcasts any more, or single messages alone."""
        if self.most is None or self._left() > self._kept():
            return ALL
        return OutboxItem.Priority.CRISIS if self._left() > 0 else OutboxItem.Priority.REPLY

    def at_most(self, most: int) -> int:
        """Return how many may be claimed at once, lest one claim goes over the limit."""
        if self.most is None or self.is_used_up:
            return most
        return max(1, min(most, self._left() - (self._kept() if self.urgency == ALL else 0)))

    def _left(self) -> int:
        return (self.most or 0) - self._used - self._since

    def _kept(self) -> int:
        return (self.most or 0) // KEPT_PART


async def count(*, lane: "Lane", at: float) -> None:
    """Count whom the municipality wrote to first; tell people when the limit is reached, and when it no longer is."""
    firsts, citizens = lane.firsts, 0
    try:
        if firsts.most is not None:
            citizens = await lane.store.count_firsts(lease=lane.lease, since=clock.now() - SERVICE_WINDOW)
    except (DatabaseError, PoolTimeout) as error:
        log.warning("firsts_not_counted", error=type(error).__name__)
        return
    firsts.counted(citizens=citizens, at=at)
    numbers, is_known = [lane.lease.phone_number_id], firsts.told or Trouble.Kind.LIMIT in lane.settings.troubles
    if firsts.urgency < ALL and not is_known:
        firsts.told = True
        log.warning("limit_reached", citizens=citizens, most=firsts.most)
        detail = f"{citizens} / {firsts.most}"
        await stopping.tell(numbers=numbers, kind=Trouble.Kind.LIMIT, detail=detail, at=clock.now())
    elif firsts.is_calm and is_known:
        firsts.told = False
        await stopping.tell_over(numbers=numbers, kinds=[Trouble.Kind.LIMIT], at=clock.now())
