"""What Celery does for templates, on the queue of maintenance: looks at accounts, a few at a time."""

from typing import Any

import structlog
from celery import current_app, shared_task
from django_tenants.utils import schema_context
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from messaging.templates import due, mailing, syncing
from messaging.templates.accounts import accounts_of
from tenants import clock
from tenants.models import Municipality

log = structlog.get_logger(__name__)


@shared_task
def sync_templates(*, schema_name: str, **_: Any) -> None:
    """Look at the templates of each account of a municipality."""
    municipality = Municipality.objects.filter(schema_name=schema_name).first()
    if municipality is None:
        log.warning("templates_of_nobody", schema=schema_name)
        return
    with schema_context(schema_name):
        for number in accounts_of(municipality=municipality):
            try:
                syncing.sync(number=number, at=clock.now())
            except syncing.SyncUnderWay:
                log.info("templates_sync_under_way", schema=schema_name)


@shared_task
def sweep_templates(**_: Any) -> None:
    """Begin the looks that are due: those that were asked for, and everyone's once a day."""
    names = due.schemas(at=clock.now())
    for name in names:
        begin(schema_name=name)
    log.info("templates_swept", municipalities=len(names))


@shared_task
def mail_template_alerts(**_: Any) -> None:
    """Mail admins about what Meta decided of their templates."""
    if told := mailing.mail_all(at=clock.now()):
        log.info("template_alerts_mailed", alerts=told)


def begin(*, schema_name: str) -> bool:
    """Queue a look at a municipality's templates; return False when the broker is away: the sweep begins it then."""
    try:
        current_app.send_task(
            "messaging.templates.tasks.sync_templates", kwargs={"schema_name": schema_name}, ignore_result=True
        )
    except (RedisError, OperationalError, OSError) as error:
        log.warning("templates_sync_not_queued", schema=schema_name, error=type(error).__name__)
        return False
    return True
