"""How much one key, and all keys of a host together, may ask in a minute.

Counted in Redis for all processes together, in fixed windows of a minute, by one round trip a request. Redis holds
nothing that may not be lost: while it is away each process counts for itself, so that the API goes on and is still
limited; the limit is then at most as many times higher as there are web processes. Real time, as all pacing.

Every answer to a key says what is left (draft-ietf-httpapi-ratelimit-headers-10, read 2026-11-25): `RateLimit-Policy`
and `RateLimit`; who asks more gets 429 with `Retry-After`.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from messaging.broker import client

WINDOW_SECONDS = 60
AWAY_SECONDS = 5.0  # until Redis is asked again after it did not answer
MOST_COUNTED_HERE = 10_000  # keys and hosts that one process counts for itself

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a request is let through, and what its answer says of it."""

    is_allowed: bool
    headers: Mapping[str, str]


@dataclass(slots=True)
class _OwnCount:
    """What a process counts for itself; of this window alone."""

    window: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, names: tuple[str, str], window: int) -> tuple[int, int]:
        with self.lock:
            if window != self.window or len(self.counts) > MOST_COUNTED_HERE:
                self.window, self.counts = window, {}
            for name in names:
                self.counts[name] = self.counts.get(name, 0) + 1
            return self.counts[names[0]], self.counts[names[1]]


_own = _OwnCount()
_away_until = 0.0


def take(*, schema_name: str, key_id: UUID) -> Allowance:
    """Count one request of a key, and return whether it is let through. What is refused counts too."""
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    left_seconds = max(1, int((window + 1) * WINDOW_SECONDS - now))
    by_key, by_host = _count((f"key:{key_id}", "host"), schema_name, window)
    most = {"key": settings.API_REQUESTS_OF_A_KEY, "host": settings.API_REQUESTS_OF_A_HOST}
    left = {"key": max(0, most["key"] - by_key), "host": max(0, most["host"] - by_host)}
    headers = {
        "RateLimit-Policy": ", ".join(f'"{name}";q={most[name]};w={WINDOW_SECONDS}' for name in most),
        "RateLimit": ", ".join(f'"{name}";r={left[name]};t={left_seconds}' for name in most),
    }
    is_allowed = by_key <= most["key"] and by_host <= most["host"]
    return Allowance(is_allowed, headers if is_allowed else {**headers, "Retry-After": str(left_seconds)})


def _count(names: tuple[str, str], schema_name: str, window: int) -> tuple[int, int]:
    """Return how often each name was counted in this window, this time included."""
    global _away_until
    places = (f"api-limit:{schema_name}:{names[0]}:{window}", f"api-limit:{schema_name}:{names[1]}:{window}")
    if time.monotonic() >= _away_until:
        try:
            asked = client().pipeline(transaction=False)
            for place in places:
                asked.incr(place)
                asked.expire(place, 2 * WINDOW_SECONDS)
            by_key, _set, by_host, _set = asked.execute()
            return int(by_key), int(by_host)
        except (RedisError, OSError) as error:
            _away_until = time.monotonic() + AWAY_SECONDS
            log.warning("api_requests_counted_by_each_process", error=type(error).__name__)
    return _own.add(places, window)
