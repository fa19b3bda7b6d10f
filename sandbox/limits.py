"""Meta's rate limits: messages a second of a number (in and out together), and messages to one citizen (pair).

Both run on real time, because the sandbox's clock is moved.
"""

from dataclasses import dataclass

PAIR_BURST = 45
PAIR_SECONDS = 6.0  # one message in six seconds to one citizen, after the burst


@dataclass(slots=True)
class Bucket:
    """A token bucket that holds one second's worth of a number's throughput."""

    per_second: int
    now: float
    tokens: float = -1.0

    def __post_init__(self) -> None:
        self.tokens = float(self.per_second)

    def take(self, *, now: float) -> bool:
        """Take one token if there is one."""
        self._refill(now=now)
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True

    def take_inbound(self, *, now: float) -> None:
        """Take one token for a citizen's message, which is never refused."""
        self._refill(now=now)
        self.tokens = max(0.0, self.tokens - 1.0)

    def _refill(self, *, now: float) -> None:
        self.tokens = min(float(self.per_second), self.tokens + (now - self.now) * self.per_second)
        self.now = now


def pair_allows(*, debts: dict[str, float], number_id: str, now: float) -> bool:
    """Tell whether this number may write to the citizen now, and count the message if so.

    debts: by phone_number_id, the moment at which the citizen's bucket is full again.
    """
    full_at = max(debts.get(number_id, now), now)
    if full_at + PAIR_SECONDS - now > PAIR_BURST * PAIR_SECONDS:
        return False
    debts[number_id] = full_at + PAIR_SECONDS
    return True
