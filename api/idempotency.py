"""Requests that may be repeated: the same key and body get the same answer, and do nothing a second time.

Record and deed are one transaction. Whoever repeats while the first is under way waits at the unique constraint, and
finds the answer, or finds nothing and does it; so a crash at any moment leaves both or neither.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg import errors

from accounts.models import ApiKey
from api.models import IdempotencyRecord
from audit.record import written_last

KEPT = timedelta(hours=24)
LONGEST_WAIT_SECONDS = 5
_ANSWERED = """
    UPDATE api_idempotencyrecord SET status = %s, answer = %s, request_hash = %s, created_at = %s WHERE id = %s
"""


class BodyDiffers(Exception):
    """The key was used before, for another request."""


class UnderWay(Exception):
    """The same request is under way, and did not end in the time that we wait."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered; replayed: by an earlier one."""

    status: int
    body: Any
    replayed: bool = False


def request_hash(*, address: str, body: Any) -> bytes:
    """Return SHA-256 over the address and the body's canonical JSON, so that spaces and order do not matter."""
    canonical = json.dumps([address, body], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).digest()


def once(
    *, api_key: ApiKey, idempotency_key: str, request_hash: bytes, at: datetime, do: Callable[[], Answer]
) -> Answer:
    """Do it, or return the answer of the time before.

    What `do` raises is raised, and nothing is kept of it: it may be tried again.
    Raises BodyDiffers, UnderWay: nothing was done.
    """
    # The trail last: until the commit after it nobody else of this host is accepted.
    with transaction.atomic(), written_last():
        record = _take(api_key, idempotency_key, request_hash, at)
        if record is None:
            record = IdempotencyRecord.objects.get(api_key=api_key, idempotency_key=idempotency_key)
            if record.created_at + KEPT > at:
                if bytes(record.request_hash) != request_hash:
                    raise BodyDiffers
                assert record.status is not None and record.answer is not None  # noqa: PT018 - one row, written whole
                return Answer(status=record.status, body=json.loads(record.answer), replayed=True)
            record.request_hash, record.created_at = request_hash, at
        answer = do()
        with connection.cursor() as cursor:
            said: list[Any] = [answer.status, json.dumps(answer.body), record.request_hash]
            cursor.execute(_ANSWERED, [*said, record.created_at, record.id])
        return answer


def forget(*, before: datetime) -> int:
    """Delete what is older than a moment, in the schema that the connection is in; return how many."""
    return IdempotencyRecord.objects.filter(created_at__lt=before).delete()[0]


def _take(api_key: ApiKey, idempotency_key: str, request_hash: bytes, at: datetime) -> IdempotencyRecord | None:
    """Insert the record and return it, or return None when it is there; waits for a transaction that is writing it."""
    table = IdempotencyRecord._meta.db_table
    insert = f"""
        SET LOCAL lock_timeout = '{LONGEST_WAIT_SECONDS}s';
        INSERT INTO {table} (api_key_id, idempotency_key, request_hash, created_at) VALUES (%s, %s, %s, %s)
            ON CONFLICT (api_key_id, idempotency_key) DO NOTHING RETURNING id;
        SET LOCAL lock_timeout TO DEFAULT
    """  # noqa: S608 - the name is ours
    with connection.cursor() as cursor:
        try:
            cursor.execute(insert, [api_key.id, idempotency_key, request_hash, at])
        except OperationalError as error:
            if isinstance(error.__cause__, errors.LockNotAvailable):
                raise UnderWay from error
            raise
        cursor.nextset()  # of one round trip with three statements, the second
        row = cursor.fetchone()
    if row is None:
        return None
    return IdempotencyRecord(
        id=row[0], api_key=api_key, idempotency_key=idempotency_key, request_hash=request_hash, created_at=at
    )
