"""Meta's rate limits: messages a second of a number (in and out together), and messages to one citizen (pair).

These run on real time, because the sandbox's clock is moved; the messaging limit of a portfolio runs on that clock.
"""

from dataclasses import dataclass

# People reached outside windows in 24 hours, for all numbers of a portfolio together; None: no limit.
MESSAGING_LIMITS = {
    "TIER_250": 250,
    "TIER_2K": 2000,
    "TIER_10K": 10_000,
    "TIER_100K": 100_000,
    "TIER_UNLIMITED": None,
}
MESSAGING_LIMIT_SECONDS = 86400.0
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


def limit_allows(*, reached: dict[int, float], citizen_key: int, limit: int, now: float) -> bool:
    """Tell whether a portfolio may reach this citizen outside a window now, and count the citizen if so.

    reached: by citizen, the moment (of the sandbox's clock) of the last message that counted.
    """
    since = now - MESSAGING_LIMIT_SECONDS
    if reached.get(citizen_key, 0.0) <= since:
        for key in [key for key, moment in reached.items() if moment <= since]:
            del reached[key]
        if len(reached) >= limit:
            return False
        reached[citizen_key] = now
    return True


def pair_allows(*, debts: dict[str, float], number_id: str, now: float) -> bool:
    """Tell whether this number may write to the citizen now, and count the message if so.

    debts: by phone_number_id, the moment at which the citizen's bucket is full again.
    """
    full_at = max(debts.get(number_id, now), now)
    if full_at + PAIR_SECONDS - now > PAIR_BURST * PAIR_SECONDS:
        return False
    debts[number_id] = full_at + PAIR_SECONDS
    return True
