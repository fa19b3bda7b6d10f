"""The one Redis client of a process. Redis holds nothing that may not be lost: whoever asks it must do without it."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_SECONDS = 0.5


@cache
def client() -> redis.Redis:
    """Return the client; it connects when it is used, and gives up quickly."""
    return redis.Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
