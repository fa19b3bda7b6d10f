"""What Celery does: it wakes. Each task names a municipality and carries nothing else; the rows are the queue."""

from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from django.db import connection

from messaging import dead_letters, inbox
from messaging.core.partitions import UNOWNED
from messaging.waking import send_wakes, woken
from tenants import clock
from tenants.models import Municipality

# A drain takes a second or two. One that hangs is killed, and the next one finds out which event it was.
DRAIN_SECONDS = 60

log = structlog.get_logger(__name__)

# Through the parent, which locks every partition: good for a sweep, never for the hot loop.
OPEN_INBOXES = "SELECT DISTINCT municipality_id FROM public.inbox WHERE state = 'OPEN' AND municipality_id <> %s"


@shared_task(time_limit=DRAIN_SECONDS)
def drain_inbox(*, schema_name: str, **_: Any) -> None:
    """Apply a municipality's open events for one turn; when some are left, queue up behind the others again."""
    woken(schema_name=schema_name)
    if inbox.drain(schema_name=schema_name):
        send_wakes(schema_names=[schema_name])


@shared_task
def sweep_inboxes(**_: Any) -> None:
    """Wake every municipality that has open events: the truth behind all wake-ups."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN_INBOXES, [UNOWNED])
        ids = {row[0] for row in cursor.fetchall()}
    names = Municipality.objects.filter(id__in=ids).values_list("schema_name", flat=True)
    log.info("inboxes_swept", municipalities=len(ids), woken=send_wakes(schema_names=names))


@shared_task
def replay_dead_letters(*, replay_id: str, **_: Any) -> None:
    """Put back what somebody asked for."""
    dead_letters.run(replay_id=UUID(replay_id), at=clock.now())


@shared_task
def continue_replays(**_: Any) -> None:
    """Go on with what was asked for and is not finished: its task was lost or killed, or an inbox was locked."""
    for replay_id in dead_letters.unfinished():
        dead_letters.run(replay_id=replay_id, at=clock.now())
