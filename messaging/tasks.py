"""What Celery does: it wakes. Each task names a municipality and carries nothing else; the rows are the queue."""

from typing import Any

import structlog
from celery import shared_task
from django.db import connection

from messaging import inbox
from messaging.core.partitions import UNOWNED
from tenants.models import Municipality

log = structlog.get_logger(__name__)

# Through the parent, which locks every partition: good for a sweep, never for the hot loop.
OPEN_INBOXES = "SELECT DISTINCT municipality_id FROM public.inbox WHERE state = 'OPEN' AND municipality_id <> %s"


@shared_task
def drain_inbox(*, schema_name: str, **_: Any) -> None:
    """Apply a municipality's open events for one turn, and come back when some are left."""
    if inbox.drain(schema_name=schema_name):
        drain_inbox.apply_async(kwargs={"schema_name": schema_name})


@shared_task
def sweep_inboxes(**_: Any) -> None:
    """Wake every municipality that has open events: the truth behind all wake-ups."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN_INBOXES, [UNOWNED])
        ids = {row[0] for row in cursor.fetchall()}
    for schema_name in Municipality.objects.filter(id__in=ids).values_list("schema_name", flat=True):
        drain_inbox.apply_async(kwargs={"schema_name": schema_name})
    log.info("inboxes_swept", municipalities=len(ids))
