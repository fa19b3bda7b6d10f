"""What Celery does for who signs in: it sends mail that was written down, and tells and settles entries by break-glass.

Ids alone; the rows are the queue.
"""

from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from django.utils import timezone
from django_tenants.utils import get_public_schema_name, schema_context

from accounts import breakglass, entry_mail, letters, posting
from tenants import clock
from tenants.models import Municipality

log = structlog.get_logger(__name__)


@shared_task
def tell_entries(**_: Any) -> None:
    """Mail about entries that wait or were opened, then settle those whose time is over."""
    if told := entry_mail.mail_entries(now=timezone.now()):
        log.info("entries_mailed", entries=told)
    if settled := breakglass.settle(at=clock.now(), now=timezone.now()):
        log.info("entries_settled", entries=settled)


@shared_task(time_limit=60)
def send_mail(*, schema_name: str, mail_id: str, **_: Any) -> None:
    """Send one mail of a schema, when it is due."""
    with schema_context(schema_name):
        state = posting.send(mail_id=UUID(mail_id), write=letters.write)
    log.info("mail_looked_at", schema=schema_name, mail_id=mail_id, state=state)


@shared_task(time_limit=600)
def sweep_mail(**_: Any) -> None:
    """Send the mails that are due and that nobody sent: the wake-up was lost, or who sent it died, or it waited."""
    names = [get_public_schema_name(), *Municipality.objects.values_list("schema_name", flat=True)]
    for found in posting.due(schema_names=names):
        with schema_context(found.schema_name):
            posting.send(mail_id=found.mail_id, write=letters.write)
