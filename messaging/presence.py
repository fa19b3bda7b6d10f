"""Who else looks at a thread, and who is typing: kept in Redis for less than a minute, by ids, and nowhere else.

Nothing depends on it: without Redis nobody seems to be there. No citizen stands in it, only which user has which thread
open. An open page says so again every twenty seconds, so that who closed a browser is gone soon.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import connection
from redis.exceptions import RedisError

from messaging.announcing import announce_presence
from messaging.broker import client

LOOKING_SECONDS = 45  # a page says it every 20
TYPING_SECONDS = 25  # as long as the citizen is shown it
KEY_SECONDS = 90
_TYPING = "typing"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Present:
    """A user who has a thread open."""

    user_id: UUID
    is_typing: bool


def look(*, thread_id: UUID, user_id: UUID) -> None:
    """Note that somebody has a thread open. Safe to repeat."""
    _note(thread_id, str(user_id), LOOKING_SECONDS)


def type_in(*, thread_id: UUID, user_id: UUID) -> None:
    """Note that somebody is typing an answer in a thread. Safe to repeat."""
    _note(thread_id, f"{user_id}:{_TYPING}", TYPING_SECONDS)


def leave(*, thread_id: UUID, user_id: UUID) -> None:
    """Note that somebody closed a thread. Safe to repeat."""
    try:
        gone = client().hdel(_key(thread_id), str(user_id), f"{user_id}:{_TYPING}")
    except (RedisError, OSError) as error:
        _lost(error)
        return
    if gone:
        announce_presence(thread_id=thread_id)


def others(*, thread_id: UUID, user_id: UUID) -> Sequence[Present]:
    """Return who else has a thread open, by id."""
    return others_in(thread_ids=[thread_id], user_id=user_id).get(thread_id, ())


def others_in(*, thread_ids: Collection[UUID], user_id: UUID) -> Mapping[UUID, Sequence[Present]]:
    """Return who else has each of some threads open; of those that nobody has, nothing. One round trip."""
    if not thread_ids:
        return {}
    try:
        with client().pipeline(transaction=False) as pipe:
            for each in thread_ids:
                pipe.hgetall(_key(each))
            noted: list[dict[bytes, bytes]] = pipe.execute()
    except (RedisError, OSError) as error:
        _lost(error)
        return {}
    now = time.time()
    found = {id_: _fresh(fields, user_id, now) for id_, fields in zip(thread_ids, noted, strict=True)}
    return {id_: there for id_, there in found.items() if there}


def _fresh(noted: Mapping[bytes, bytes], user_id: UUID, now: float) -> Sequence[Present]:
    fresh = {field.decode() for field, until in noted.items() if float(until) > now}
    ids = sorted({field.partition(":")[0] for field in fresh} - {str(user_id)})
    return [Present(user_id=UUID(each), is_typing=f"{each}:{_TYPING}" in fresh) for each in ids]


def _note(thread_id: UUID, field: str, seconds: int) -> None:
    key, now = _key(thread_id), time.time()
    try:
        with client().pipeline() as pipe:
            pipe.hget(key, field)
            pipe.hset(key, field, str(now + seconds))
            pipe.expire(key, KEY_SECONDS)
            before = pipe.execute()[0]
    except (RedisError, OSError) as error:
        _lost(error)
        return
    if before is None or float(before) <= now:
        announce_presence(thread_id=thread_id)


def _key(thread_id: UUID) -> str:
    schema_name: str = connection.schema_name  # type: ignore[attr-defined]
    return f"presence:{schema_name}:{thread_id}"


def _lost(error: Exception) -> None:
    log.warning("presence_lost", error=type(error).__name__)
