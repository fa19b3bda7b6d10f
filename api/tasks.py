"""What Celery does for the API: it lets go of answers that nobody may ask for again."""

from typing import Any

import structlog
from celery import shared_task
from django_tenants.utils import schema_context

from api import idempotency
from tenants import clock
from tenants.models import Municipality

log = structlog.get_logger(__name__)


@shared_task
def forget_answers(**_: Any) -> None:
    """Delete the idempotency records of all municipalities that are older than they are kept."""
    before = clock.now() - idempotency.KEPT
    forgotten = 0
    for schema_name in Municipality.objects.values_list("schema_name", flat=True):
        with schema_context(schema_name):
            forgotten += idempotency.forget(before=before)
    log.info("answers_forgotten", records=forgotten)
