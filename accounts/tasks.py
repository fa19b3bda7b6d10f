"""What Celery does for accounts: it sends what was written down. Ids alone; the rows are the queue."""

from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from django_tenants.utils import get_public_schema_name, schema_context

from accounts import letters, posting
from tenants.models import Municipality

log = structlog.get_logger(__name__)


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
