"""What Celery does for who signs in: municipalities are told of entries by break-glass, and what is over is settled."""

from typing import Any

import structlog
from celery import shared_task
from django.utils import timezone

from accounts import breakglass, entry_mail
from tenants import clock

log = structlog.get_logger(__name__)


@shared_task
def tell_entries(**_: Any) -> None:
    """Mail about entries that wait or were opened, then settle those whose time is over."""
    if told := entry_mail.mail_entries(now=timezone.now()):
        log.info("entries_mailed", entries=told)
    if settled := breakglass.settle(at=clock.now(), now=timezone.now()):
        log.info("entries_settled", entries=settled)
