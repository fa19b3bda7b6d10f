"""Numbers where messages stand still because a process of ours does: nobody sends, or nobody applies what came in.

Meta says nothing then and every number looks well, so the rows are looked at: what is long due in the outbox of a lane
that nobody owns, and what is long open in an inbox. Told as a trouble, and over as soon as it moves again.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from messaging.announcing import announce_all
from messaging.core.partitions import UNOWNED
from tenants.models import Municipality, Number, Trouble
from tenants.register import checked_schema_name
from tenants.trouble import close_troubles, open_trouble

# Looked at every quarter of a minute (config/celery.py), so that agents see it within a minute.
STALLED_SECONDS = 30
NOBODYS_SECONDS = 20  # how long a lane with work may be nobody's; one whose owner dies is taken within half of it
LOOK_AGAIN_SECONDS = 5.0
AT_ONCE = 60  # schemas a statement
LOCK_MILLISECONDS = 500
NOTHING_SENT, NOTHING_TAKEN_IN = "nothing is sent", "nothing is taken in"

# Nearly always none: a lane that has a note of work, or had an owner, and has none now. On the database's clock.
LAPSED = """
    SELECT lane.phone_number_id, municipality.schema_name FROM public.messaging_core_lane AS lane
    JOIN public.tenants_municipality AS municipality ON municipality.id = lane.municipality_id
    WHERE lane.leased_until < clock_timestamp() - make_interval(secs => %s) AND (lane.owner <> '' OR EXISTS (
        SELECT FROM public.messaging_core_outboxwake AS wake WHERE wake.phone_number_id = lane.phone_number_id
    ))
    ORDER BY municipality.schema_name, lane.phone_number_id
"""
WAITS = """
    SELECT {number} WHERE EXISTS (
        SELECT FROM {schema}.messaging_outboxitem
        WHERE phone_number_id = {number} AND due_at < clock_timestamp() - make_interval(secs => %s)
    )
"""
# Through the parent, which locks every partition: good for a sweep, never for the hot loop.
OLDEST = """
    SELECT municipality_id, min(id) FROM public.inbox
    WHERE state = 'OPEN' AND coalesce(replayed_at, received_at) < %s AND municipality_id <> %s GROUP BY municipality_id
"""

log = structlog.get_logger(__name__)


def find_stalls(*, at: datetime) -> int:
    """Open a trouble for every number whose messages stand still, and end those that move; return how many are news.

    Looks twice, a few seconds apart, when an inbox seems to stand still.  Safe to repeat.
    """
    kind = Trouble.Kind.STALLED
    before = Trouble.objects.filter(kind=kind, closed_at=None).values_list("number__phone_number_id", "detail")
    known = dict(before)
    stalled = dict.fromkeys(_taking_in_nothing(at, known), NOTHING_TAKEN_IN)
    stalled |= dict.fromkeys(_sending_nothing(known), NOTHING_SENT)
    news, moving = stalled.keys() - known.keys(), known.keys() - stalled.keys()
    for number in sorted(news):
        open_trouble(phone_number_id=number, kind=kind, at=at, detail=stalled[number])
    for number in sorted(moving):
        close_troubles(phone_number_id=number, kinds=[kind], at=at)
    if news or moving:
        log.error("messages_stand_still", begun=len(news), over=len(moving), numbers=len(stalled))
        _tell(news | moving)
    return len(news)


def _taking_in_nothing(at: datetime, known: Mapping[str, str]) -> Collection[str]:
    """Return the numbers of inboxes that do not move; one that is long, and shrinks, does."""
    before = _oldest(at)
    if before:
        time.sleep(LOOK_AGAIN_SECONDS)
    after = _oldest(at) if before else before
    if before is None or after is None:  # what cannot be looked at stays as it was
        return [number for number, detail in known.items() if detail == NOTHING_TAKEN_IN]
    still = [id_ for id_, event_id in after.items() if before.get(id_) == event_id]
    numbers = Number.objects.filter(municipality_id__in=still, closed_at=None)
    return list(numbers.values_list("phone_number_id", flat=True))


def _oldest(at: datetime) -> dict[UUID, int] | None:
    """Return the oldest event of each inbox in which one is long open."""
    rows = _seen(OLDEST, [at - timedelta(seconds=STALLED_SECONDS), UNOWNED])
    return None if rows is None else dict(rows)


def _sending_nothing(known: Mapping[str, str]) -> list[str]:
    """Return the numbers of lanes that are nobody's, and in which something is long due."""
    lapsed = _seen(LAPSED, [NOBODYS_SECONDS])
    if lapsed is None:
        return [number for number, detail in known.items() if detail == NOTHING_SENT]
    found: list[str] = []
    for first in range(0, len(lapsed), AT_ONCE):
        some = lapsed[first : first + AT_ONCE]
        waiting = _waiting(some)
        if waiting is not None:
            found += waiting
            continue
        for each in some:
            waiting = _waiting([each])
            found += waiting if waiting is not None else [number for number in each[:1] if number in known]
    return found


def _waiting(lanes: Sequence[tuple[str, str]]) -> list[str] | None:
    """Return of which of these lanes something is long due, or None when a schema cannot be looked at."""
    each = [
        sql.SQL(WAITS).format(number=sql.Literal(number), schema=sql.Identifier(checked_schema_name(name=schema)))
        for number, schema in lanes
    ]
    rows = _seen(sql.SQL(" UNION ALL ").join(each), [STALLED_SECONDS] * len(each))
    return None if rows is None else [row[0] for row in rows]


def _seen(query: str | sql.Composed, values: list[Any]) -> list[tuple[Any, ...]] | None:
    """Return the rows of a query, or None when somebody has locked what it reads."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(LOCK_MILLISECONDS)])
            cursor.execute(query, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
    except DatabaseError as error:
        log.warning("stalls_not_seen", error=type(error).__name__)
        return None


def _tell(numbers: Collection[str]) -> None:
    """Have open pages ask again."""
    concerned = Municipality.objects.filter(numbers__phone_number_id__in=numbers)
    for schema_name in concerned.values_list("schema_name", flat=True).distinct():
        announce_all(schema_name=schema_name)
