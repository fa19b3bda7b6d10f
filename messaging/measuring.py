"""How every inbox stands: looked at by one sweep for all, and kept, so that a page reads one row a municipality.

One statement for many schemas; a schema whose tables somebody has locked is left out and keeps its old figures.
"""

from collections.abc import Sequence
from datetime import datetime, time

import structlog
from django.db import OperationalError, connection, transaction
from psycopg import sql

from messaging.core.partitions import PARTITION
from tenants.clock import AMSTERDAM
from tenants.models import Municipality
from tenants.register import checked_schema_name

AT_ONCE = 60  # schemas a statement: each takes locks on what it reads
LOCK_MILLISECONDS = 500
MOST_REASONS = 50

log = structlog.get_logger(__name__)

FIGURES = """
    SELECT {municipality_id}::uuid, count(*) FILTER (WHERE state = 'OPEN'),
        min(received_at) FILTER (WHERE state = 'OPEN'),
        (SELECT coalesce(jsonb_agg(dead), '[]') FROM (
            SELECT kind, field, reason, count(*), min(received_at) AS oldest_at FROM {inbox} WHERE state = 'DEAD'
            GROUP BY kind, field, reason ORDER BY count(*) DESC, reason LIMIT %(reasons)s
        ) AS dead),
        (SELECT count(*) FROM {messages} WHERE direction = 'OUTBOUND' AND created_at >= %(today)s),
        (SELECT count(*) FROM {templates} WHERE status IN ('PAUSED', 'DISABLED'))
    FROM {inbox} WHERE state = 'OPEN'
"""
KEEP = """
    INSERT INTO public.messaging_core_inboxfigures
        (municipality_id, open, oldest_open_at, dead, outbound_today, templates_paused, measured_at)
    SELECT each.*, %(at)s FROM ({each}) AS each
    ON CONFLICT (municipality_id) DO UPDATE SET open = excluded.open, oldest_open_at = excluded.oldest_open_at,
        dead = excluded.dead, outbound_today = excluded.outbound_today, templates_paused = excluded.templates_paused,
        measured_at = excluded.measured_at
"""


def measure_inboxes(*, at: datetime) -> int:
    """Look at every inbox and keep what was found; return of how many municipalities."""
    everyone = list(Municipality.objects.order_by("schema_name"))
    measured = 0
    for first in range(0, len(everyone), AT_ONCE):
        some = everyone[first : first + AT_ONCE]
        if _measure(some, at):
            measured += len(some)
        else:
            measured += sum(_measure([each], at) for each in some)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM public.messaging_core_inboxfigures WHERE municipality_id <> ALL(%s)",
            [[each.id for each in everyone]],
        )
    return measured


def _measure(some: Sequence[Municipality], at: datetime) -> bool:
    each = [
        sql.SQL(FIGURES).format(
            municipality_id=sql.Literal(str(municipality.id)),
            inbox=sql.Identifier(checked_schema_name(name=municipality.schema_name), PARTITION),
            messages=sql.Identifier(municipality.schema_name, "messaging_message"),
            templates=sql.Identifier(municipality.schema_name, "messaging_template"),
        )
        for municipality in some
    ]
    today = datetime.combine(at.astimezone(AMSTERDAM).date(), time.min, AMSTERDAM)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(LOCK_MILLISECONDS)])
            cursor.execute(
                sql.SQL(KEEP).format(each=sql.SQL(" UNION ALL ").join(each)),
                {"at": at, "today": today, "reasons": MOST_REASONS},
            )
    except OperationalError as error:
        log.warning("inboxes_not_measured", municipalities=len(some), error=type(error).__name__)
        return False
    return True
