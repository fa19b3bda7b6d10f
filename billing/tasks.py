"""What Celery does for billing: documents of issued invoices are made and mailed. The rows are the queue."""

from typing import Any

import structlog
from celery import shared_task
from django_tenants.utils import get_public_schema_name, schema_context

from billing.documents import keeping, mailing
from tenants import clock

log = structlog.get_logger(__name__)


@shared_task(time_limit=600)
def send_documents(**_: Any) -> None:
    """Make the documents that are missing, then mail what is due."""
    with schema_context(get_public_schema_name()):
        made = keeping.make_missing(at=clock.now())
        left = mailing.send_due(at=clock.now())
    if made or left:
        log.info("invoice_documents", made=made, mailed=left)
