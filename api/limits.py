"""How much one key, and all keys of a host together, may ask in a minute.

Counted in Redis for all processes together, by one round trip a request: a minute that slides on in steps of five
seconds, so that no minute at all, wherever it begins, holds more than the limit. What is refused is not counted: who
goes on asking is not kept out by it. Redis holds nothing that may not be lost: while it is away each process counts
for itself, so that the API goes on and is still limited; the limit is then at most as many times higher as there are
web processes. Real time, as all pacing.

Every answer to a key says what is left (draft-ietf-httpapi-ratelimit-headers-10, read 2026-11-25): `RateLimit-Policy`
and `RateLimit`; who asks more gets 429 with `Retry-After`.
"""

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

import structlog
from django.conf import settings
from redis.commands.core import Script
from redis.exceptions import RedisError

from messaging.broker import client

WINDOW_SECONDS = 60
STEP_SECONDS = 5
STEPS = WINDOW_SECONDS // STEP_SECONDS  # before the one that runs; with it, never less than a minute is counted
AWAY_SECONDS = 5.0  # until Redis is asked again after it did not answer
MOST_COUNTED_HERE = 10_000  # keys and hosts that one process counts for itself

# One hash for each name: how often in which step. Looks at both first, then counts in both or in none.
TAKE = """
    local step, steps, keeps = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local told, is_allowed = {0}, 1
    for place, name in ipairs(KEYS) do
        local total, oldest, counted = 0, step, redis.call('HGETALL', name)
        for at = 1, #counted, 2 do
            local other = tonumber(counted[at])
            if other < step - steps or other > step + steps then  -- over, or of a clock that was wrong
                redis.call('HDEL', name, counted[at])
            else
                total = total + tonumber(counted[at + 1])
                oldest = math.min(oldest, other)
            end
        end
        if total >= tonumber(ARGV[3 + place]) then is_allowed = 0 end
        told[2 * place], told[2 * place + 1] = total, oldest
    end
    told[1] = is_allowed
    if is_allowed == 1 then
        for place, name in ipairs(KEYS) do
            redis.call('HINCRBY', name, step, 1)
            redis.call('EXPIRE', name, keeps)
            told[2 * place] = told[2 * place] + 1
        end
    end
    return told
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a request is let through, and what its answer says of it."""

    is_allowed: bool
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Counted:
    """What one name has asked in the minute that runs; oldest: the first step in which something counts."""

    total: int
    oldest: int


Taken = tuple[bool, tuple[_Counted, _Counted]]  # whether it is let through; of key and host, this time included


@dataclass(slots=True)
class _OwnCount:
    """What a process counts for itself, as TAKE does in Redis."""

    steps: dict[str, dict[int, int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, names: tuple[str, str], step: int, most: tuple[int, int]) -> Taken:
        with self.lock:
            if len(self.steps) > MOST_COUNTED_HERE:
                self.steps = {}
            for name in names:
                known = self.steps.get(name, {})
                self.steps[name] = {
                    other: count for other, count in known.items() if step - STEPS <= other <= step + STEPS
                }
            is_allowed = all(sum(self.steps[name].values()) < limit for name, limit in zip(names, most, strict=True))
            for name in names if is_allowed else ():
                self.steps[name][step] = self.steps[name].get(step, 0) + 1
            by_key, by_host = (
                _Counted(sum(self.steps[name].values()), min(self.steps[name], default=step)) for name in names
            )
            return is_allowed, (by_key, by_host)


_own = _OwnCount()
_away_until = 0.0


def take(*, schema_name: str, key_id: UUID) -> Allowance:
    """Count one request of a key if it is let through, and return whether it is."""
    now = time.time()
    most = {"key": settings.API_REQUESTS_OF_A_KEY, "host": settings.API_REQUESTS_OF_A_HOST}
    names = (f"api-limit:{schema_name}:key:{key_id}", f"api-limit:{schema_name}:host")
    is_allowed, counted = _take(names, int(now // STEP_SECONDS), (most["key"], most["host"]))
    left, frees = {}, {}
    for name, each in zip(most, counted, strict=True):
        left[name] = max(0, most[name] - each.total)
        # When the first of what counts no longer does.
        frees[name] = max(1, math.ceil((each.oldest + STEPS + 1) * STEP_SECONDS - now))
    headers = {
        "RateLimit-Policy": ", ".join(f'"{name}";q={most[name]};w={WINDOW_SECONDS}' for name in most),
        "RateLimit": ", ".join(f'"{name}";r={left[name]};t={frees[name]}' for name in most),
    }
    if is_allowed:
        return Allowance(is_allowed=True, headers=headers)
    wait = max(frees[name] for name in most if not left[name])
    return Allowance(is_allowed=False, headers={**headers, "Retry-After": str(wait)})


def _take(names: tuple[str, str], step: int, most: tuple[int, int]) -> Taken:
    global _away_until
    if time.monotonic() >= _away_until:
        try:
            keeps = WINDOW_SECONDS + 2 * STEP_SECONDS
            told = _script()(keys=names, args=(step, STEPS, keeps, *most), client=client())
        except (RedisError, OSError) as error:
            _away_until = time.monotonic() + AWAY_SECONDS
            log.warning("api_requests_counted_by_each_process", error=type(error).__name__)
        else:
            is_allowed, key_total, key_oldest, host_total, host_oldest = (int(each) for each in told)
            return bool(is_allowed), (_Counted(key_total, key_oldest), _Counted(host_total, host_oldest))
    return _own.take(names, step, most)


@cache
def _script() -> Script:
    return client().register_script(TAKE)
