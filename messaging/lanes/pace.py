"""A number's pace: so many messages a second, evenly, without the double burst at a counter's edge."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """A virtual schedule of sends. Moments are seconds of a monotonic clock.

    per_second: Meta's throughput of the number; burst: how many may go at once after a rest.
    """

    per_second: float
    burst: int = 4
    _next_at: float = field(default=0.0)

    def allowance(self, *, at: float) -> int:
        """Return how many messages may leave now."""
        earliest = at - self.burst / self.per_second
        self._next_at = max(self._next_at, earliest)
        return int((at - self._next_at) * self.per_second + 1e-9)

    def spend(self, *, messages: int) -> None:
        """Count messages that leave."""
        self._next_at += messages / self.per_second

    def rest(self, *, until: float) -> None:
        """Let nothing leave before a moment: Meta said to slow down."""
        self._next_at = max(self._next_at, until)

    def seconds_until_next(self, *, at: float) -> float:
        """Return how long until one more message may leave."""
        return max(0.0, self._next_at + 1 / self.per_second - at)
