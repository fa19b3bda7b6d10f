"""What Celery does: it wakes. Each task names a municipality and carries nothing else; the rows are the queue."""

from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from django.db import DatabaseError, connection, transaction
from django_tenants.utils import schema_context

from messaging import alerts, dead_letters, hours, inbox, measuring, quarantine, silence, stalling, sweeping
from messaging.media import blobs, fetching
from messaging.waking import FETCH, send_wakes, woken
from tenants import clock, health, number_reading
from tenants.models import Municipality

# A drain takes a second or two. One that hangs is killed, and the next one finds out which event it was.
DRAIN_SECONDS = 60
# A turn of downloads takes three minutes at most, and storing them less. The lease of one that hangs ends by itself.
FETCH_SECONDS = 600

log = structlog.get_logger(__name__)


@shared_task(time_limit=DRAIN_SECONDS)
def drain_inbox(*, schema_name: str, **_: Any) -> None:
    """Apply a municipality's open events for one turn; when some are left, queue up behind the others again."""
    woken(schema_name=schema_name)
    if inbox.drain(schema_name=schema_name):
        send_wakes(schema_names=[schema_name])


@shared_task
def sweep_inboxes(**_: Any) -> None:
    """Wake every municipality that has open events: the truth behind all wake-ups."""
    names = sweeping.open_inboxes()
    log.info("inboxes_swept", municipalities=len(names), woken=send_wakes(schema_names=names))


@shared_task
def replay_dead_letters(*, replay_id: str, **_: Any) -> None:
    """Put back what somebody asked for."""
    dead_letters.run(replay_id=UUID(replay_id), at=clock.now())


@shared_task
def continue_replays(**_: Any) -> None:
    """Go on with what was asked for and is not finished: its task was lost or killed, or an inbox was locked."""
    for replay_id in dead_letters.unfinished():
        dead_letters.run(replay_id=replay_id, at=clock.now())


@shared_task(time_limit=FETCH_SECONDS)
def fetch_media(*, schema_name: str, **_: Any) -> None:
    """Fetch a municipality's media for one turn; when some are left, queue up behind the others again."""
    woken(schema_name=schema_name, task=FETCH)
    if fetching.fetch_due(schema_name=schema_name):
        send_wakes(schema_names=[schema_name], task=FETCH)


@shared_task
def sweep_media(**_: Any) -> None:
    """Wake every municipality that has media to fetch now: the truth behind all wake-ups, and the clock of retries."""
    names = [name for name in _schema_names() if _asks(name)]
    log.info("media_swept", municipalities=len(names), woken=send_wakes(schema_names=names, task=FETCH))


@shared_task
def sweep_blobs(**_: Any) -> None:
    """Remove the objects in the storage that nothing refers to, municipality after municipality."""
    for name in _schema_names():
        try:
            with schema_context(name):
                removed = blobs.sweep()
        except Exception as error:  # noqa: BLE001 - a storage raises what it likes, and the others are to have their turn
            log.warning("blobs_not_swept", schema=name, error=type(error).__name__)
        else:
            if removed:
                log.info("blobs_swept", schema=name, removed=removed)


def _schema_names() -> list[str]:
    return list(Municipality.objects.order_by("schema_name").values_list("schema_name", flat=True))


def _asks(schema_name: str) -> bool:
    """Return whether media of a schema are due; one that is locked, or being changed, is left for the next time."""
    try:
        with schema_context(schema_name), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            return fetching.has_due()
    except DatabaseError as error:
        log.warning("media_not_swept", schema=schema_name, error=type(error).__name__)
        return False


@shared_task
def claim_unowned(**_: Any) -> None:
    """Hand unowned events to whoever has their number now."""
    quarantine.claim(at=clock.now())


@shared_task
def erase_unowned(**_: Any) -> None:
    """Erase what nobody claimed in time."""
    log.info("quarantine_erased", events=quarantine.erase(at=clock.now()))


@shared_task
def measure_inboxes(**_: Any) -> None:
    """Look at how every inbox stands."""
    measuring.measure_inboxes(at=clock.now())


@shared_task
def find_silences(**_: Any) -> None:
    """Miss the numbers that normally talk now and do not."""
    log.info("silences_found", numbers=silence.find_silences(at=clock.now()))


@shared_task
def find_stalls(**_: Any) -> None:
    """See where messages stand still because a process of ours does, and where they move again."""
    stalling.find_stalls(at=clock.now())


@shared_task
def forget_hours(**_: Any) -> None:
    """Forget counts that are too old to compare with."""
    hours.forget(at=clock.now())


@shared_task
def mail_troubles(**_: Any) -> None:
    """Mail about numbers whose trouble began or is over."""
    if told := alerts.mail_troubles(at=clock.now()):
        log.info("troubles_mailed", troubles=told)


@shared_task(time_limit=600)
def read_numbers(**_: Any) -> None:
    """Ask Meta how the numbers are whose turn it is."""
    if read := number_reading.read_due(at=clock.now()):
        log.info("numbers_read", numbers=read)


@shared_task
def end_restrictions(**_: Any) -> None:
    """End what Meta restricted until a moment that has come."""
    if ended := health.end_restrictions(at=clock.now()):
        log.info("restrictions_ended", numbers=ended)
