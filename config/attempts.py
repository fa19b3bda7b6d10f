"""Where attempts to sign in are counted: in Redis for all processes together, and in each by itself when Redis is away.

Redis holds nothing that may not be lost: a count that is lost lets somebody guess a few times more. Signing in must
work without it, and must still be limited then; so each process counts for itself until Redis is back, and the limit
is at most as many times higher as there are web processes. Keys are digests, so that nobody reads an address or who
tried in Redis; values are JSON, so that nobody who can write there runs code here.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

PREFIX = "attempts:"
AWAY_SECONDS = 5.0  # until Redis is asked again after it did not answer
Result = TypeVar("Result")

log = structlog.get_logger(__name__)


class JsonSerializer:
    """Writes values as JSON."""

    def dumps(self, value: Any) -> bytes:
        """Return a value as it is kept."""
        return json.dumps(value).encode()

    def loads(self, value: bytes) -> Any:
        """Return a value as it was."""
        return json.loads(value)


class AttemptsCache(BaseCache):
    """Redis, or this process's own memory while Redis is away."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        """Name the Redis; the parameters are Django's."""
        super().__init__(params)
        plain = {**params, "KEY_FUNCTION": _same}
        options = {"serializer": JsonSerializer(), "socket_connect_timeout": 0.5, "socket_timeout": 0.5}
        self._redis = RedisCache(location, {**plain, "OPTIONS": options})
        self._own = LocMemCache("attempts", plain)
        self._away_until = 0.0

    def make_key(self, key: str, version: int | None = None) -> str:
        """Return a digest of the key with its schema."""
        named = super().make_key(key, version).encode()
        return PREFIX + hmac.new(settings.SECRET_KEY.encode(), named, hashlib.blake2s).hexdigest()

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Keep a value where there is none; return whether it was kept."""
        found = self.make_key(key, version)
        return self._do(lambda cache: cache.add(found, value, self._seconds(timeout)))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """Return a value, or the default."""
        found = self.make_key(key, version)
        return self._do(lambda cache: cache.get(found, default))

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        """Keep a value."""
        found = self.make_key(key, version)
        self._do(lambda cache: cache.set(found, value, self._seconds(timeout)))

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Keep a value longer; return whether there was one."""
        found = self.make_key(key, version)
        return self._do(lambda cache: cache.touch(found, self._seconds(timeout)))

    def delete(self, key: str, version: int | None = None) -> bool:
        """Forget a value; return whether there was one."""
        found = self.make_key(key, version)
        return self._do(lambda cache: cache.delete(found))

    def clear(self) -> None:
        """Forget all attempts, and nothing else that is in Redis."""
        self._own.clear()
        self._do(lambda cache: _forget(cache) if isinstance(cache, RedisCache) else None)

    def _seconds(self, timeout: Any) -> int | None:
        """Return whole seconds, rounded up: Redis takes no parts of one."""
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return None if seconds is None else -int(-seconds // 1)

    def _do(self, act: Callable[[BaseCache], Result]) -> Result:
        if time.monotonic() >= self._away_until:
            try:
                return act(self._redis)
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + AWAY_SECONDS
                log.warning("attempts_counted_by_each_process", error=type(error).__name__)
        return act(self._own)


def _same(key: str, key_prefix: str, version: int) -> str:
    return key


def _forget(cache: RedisCache) -> None:
    client = cache._cache.get_client(write=True)
    for key in client.scan_iter(match=f"{PREFIX}*", count=1000):
        client.delete(key)
