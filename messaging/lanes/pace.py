"""A number's pace: so many messages a second, evenly, without the double burst at a counter's edge; slower when told.

When Meta says that it was too fast, the pace is halved, and comes back by steps while Meta takes all. What citizens
write counts too, because Meta counts in and out together.
"""

from dataclasses import dataclass, field

SLOWEST = 0.05  # of the number's own pace
SLOWED_ONCE_SECONDS = 1.0  # refusals within this time are of calls that left together: they slow down once
RECOVERY_A_SECOND = 0.05  # of the number's own pace: from half to whole in ten seconds
# What may leave in this time is claimed together, and who got his turn late makes up for as much: else the sender of
# many numbers, on a busy machine, falls behind their pace.
TICK_SECONDS = 0.1
# What citizens write takes at most this share of the pace: Meta refuses none of it, and they wait for answers.
MOST_INBOUND = 0.75


@dataclass(slots=True)
class Pace:
    """A virtual schedule of sends. Moments are seconds of a monotonic clock.

    per_second: Meta's throughput of the number; burst: how many may go at once after a rest, at least.
    """

    per_second: float
    burst: int = 4
    _next_at: float = 0.0
    _share: float = 1.0
    _slowed_at: float = float("-inf")
    _recovered_at: float = field(default=0.0)

    def current(self, *, at: float) -> float:
        """Return how many messages a second may leave now."""
        if self._share < 1.0:
            self._share = min(1.0, self._share + max(0.0, at - self._recovered_at) * RECOVERY_A_SECOND)
        self._recovered_at = max(self._recovered_at, at)
        return self.per_second * self._share

    def allowance(self, *, at: float) -> int:
        """Return how many messages may leave now."""
        rate = self.current(at=at)
        self._next_at = max(self._next_at, at - self._at_once(rate) / rate)
        return int((at - self._next_at) * rate + 1e-9)

    def spend(self, *, messages: int, at: float) -> None:
        """Count messages that leave."""
        self._next_at += messages / self.current(at=at)

    def spend_inbound(self, *, messages: int, seconds: float, at: float) -> None:
        """Count what citizens wrote in the last so many seconds."""
        most = int(MOST_INBOUND * seconds * self.per_second)
        self.spend(messages=min(messages, most), at=at)

    def rest(self, *, until: float) -> None:
        """Let nothing leave before a moment: Meta said to slow down."""
        self._next_at = max(self._next_at, until)

    def slow_down(self, *, at: float) -> bool:
        """Halve the pace, once for all refusals of about one moment; return whether it did. It comes back by itself."""
        if at - self._slowed_at < SLOWED_ONCE_SECONDS:
            return False
        self._share = max(SLOWEST, self.current(at=at) / self.per_second / 2)
        self._slowed_at = self._recovered_at = at
        return True

    def seconds_until_next(self, *, at: float) -> float:
        """Return how long until as many messages may leave as are worth a claim: one, or those of a tick."""
        rate = self.current(at=at)
        worth = max(1, min(int(rate * TICK_SECONDS), self._at_once(rate)))
        return max(0.0, self._next_at + worth / rate - at)

    def _at_once(self, rate: float) -> int:
        return max(self.burst, int(2 * rate * TICK_SECONDS))
