"""Draining without the broker: while Redis does not answer, the inbox's workers look for open events by themselves.

The rows are the queue, so nothing but the database is needed. A thread in each worker process asks Redis whether it is
there; when it twice is not, the thread drains what is open, a turn each, until Redis is back and wake-ups come again.
Two of them, or one and a late task, keep out of each other's way by the inbox's own lock.
"""

import random
import threading
import time

import structlog
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from messaging import inbox
from messaging.broker import client
from messaging.core.partitions import UNOWNED
from tenants.models import Municipality

LOOK_SECONDS = 5.0

# Through the parent, which locks every partition: good for a sweep, never for the hot loop.
OPEN_INBOXES = "SELECT DISTINCT municipality_id FROM public.inbox WHERE state = 'OPEN' AND municipality_id <> %s"

log = structlog.get_logger(__name__)


def open_inboxes() -> list[str]:
    """Return the schemas of the municipalities that have open events."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN_INBOXES, [UNOWNED])
        ids = {row[0] for row in cursor.fetchall()}
    return list(Municipality.objects.filter(id__in=ids).values_list("schema_name", flat=True))


def broker_answers() -> bool:
    """Return whether Redis is there."""
    try:
        return bool(client().ping())
    except (RedisError, OSError):
        return False


def drain_open_inboxes() -> int:
    """Drain every inbox that has open events for one turn; return how many there were."""
    names = open_inboxes()
    random.shuffle(names)  # the processes that do this begin at different ends
    for name in names:
        try:
            inbox.drain(schema_name=name)
        except DatabaseError as error:
            log.warning("inbox_not_drained", schema=name, error=type(error).__name__)
    return len(names)


def watch() -> None:
    """Look after the inboxes for as long as the process lives; a worker's thread runs this."""
    missed = 0
    while True:
        time.sleep(LOOK_SECONDS)
        missed = look(missed=missed)


def look(*, missed: int) -> int:
    """Drain what is open when Redis did not answer now and before; return how often in a row it did not."""
    if broker_answers():
        return 0
    if missed:
        try:
            log.warning("drained_without_broker", municipalities=drain_open_inboxes())
        except Exception as error:  # noqa: BLE001 - the thread must not end: it is what is left
            log.error("not_drained_without_broker", error=type(error).__name__)
        finally:
            connection.close()
    return missed + 1


def start() -> None:
    """Have a thread of this process watch."""
    threading.Thread(target=watch, name="sweep-without-broker", daemon=True).start()
