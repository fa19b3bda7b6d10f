"""Which accounts are to be looked at now: those for which a look was asked, and each once a day, spread over the day.

All schemas by one query, as the sweeps do; the rows are the queue.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection
from psycopg import sql

from tenants.models import Municipality
from tenants.register import checked_schema_name

SWEEP_SECONDS = 120.0  # how often the sweep runs
EVERY = timedelta(days=1)
AFTER_FAILURE = timedelta(hours=1)
MOST_REQUESTED = 20  # looks that were asked for, begun by one sweep

DUE = """
    SELECT {name} AS schema_name, look.requested_at, look.attempted_at
    FROM (
        SELECT DISTINCT waba_id FROM public.tenants_number WHERE municipality_id = {id} AND closed_at IS NULL
    ) AS account
    LEFT JOIN {schema}.messaging_templatesync AS look ON look.waba_id = account.waba_id
    WHERE look.requested_at IS NOT NULL OR look.attempted_at IS NULL OR look.attempted_at < %(day_ago)s
        OR look.outcome = 'FAILED' AND look.attempted_at < %(hour_ago)s
"""


def schemas(*, at: datetime) -> list[str]:
    """Return the schemas whose templates are to be looked at now, who asked first, then who waits longest.

    Of those that nobody asked for only as many as spread all of them over half a day.
    """
    served = list(Municipality.objects.order_by("schema_name").values_list("schema_name", "id"))
    if not served:
        return []
    each = [
        sql.SQL(DUE).format(
            name=sql.Literal(name), id=sql.Literal(id_), schema=sql.Identifier(checked_schema_name(name=name))
        )
        for name, id_ in served
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(each), {"day_ago": at - EVERY, "hour_ago": at - AFTER_FAILURE})
        rows = cursor.fetchall()
    asked = sorted((requested, name) for name, requested, _ in rows if requested is not None)
    others = sorted(
        (attempted is not None, attempted or at, name) for name, requested, attempted in rows if not requested
    )
    most = math.ceil(len(served) * SWEEP_SECONDS / (EVERY.total_seconds() / 2))
    return list(_once([*(name for _, name in asked[:MOST_REQUESTED]), *(name for *_, name in others[:most])]))


def _once(names: list[str]) -> Iterator[str]:
    yield from dict.fromkeys(names)
