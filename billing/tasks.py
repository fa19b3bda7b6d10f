"""What Celery does for billing: issued invoices become documents, are mailed and collected. The rows are the queue."""

from typing import Any

import structlog
from celery import shared_task
from django_tenants.utils import get_public_schema_name, schema_context

from billing.collecting import events, steps
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


@shared_task(time_limit=900)
def collect_invoices(**_: Any) -> None:
    """Hand to Stripe what is issued, and ask it about what it told of; nothing without STRIPE_API_KEY."""
    with schema_context(get_public_schema_name()):
        done = steps.collect_due(at=clock.now())
        applied = events.apply_due(at=clock.now())
        closed = steps.close_settled()
    if done or applied or closed:
        log.info("invoices_collected", steps=done, events=applied, closed=closed)
