"""The reference of processing: the usual way, one Celery task an event, with its own tenant switch and transaction.

A task carries what arrived. It finds or makes contact and thread and saves the message, with the product's own models;
nothing of the inbox, the books or the metering. Started by benchmarks/processing.py, as a worker of its own.
"""

import os
from datetime import datetime
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
from celery import Celery
from django.conf import settings

app = Celery("one_task_an_event")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    task_ignore_result=True,
    worker_hijack_root_logger=False,
    task_acks_late=False,
)
django.setup()


@app.task(name="apply_event")
def apply_event(*, schema_name: str, phone_number_id: str, profile_name: str, element: dict[str, Any]) -> None:
    """Apply one message of a citizen's, as it arrived."""
    from django.db import transaction
    from django_tenants.utils import schema_context

    from messaging.models import Contact, Message, Thread
    from tenants import clock

    at = clock.now()
    stamped_at = datetime.fromtimestamp(int(element["timestamp"]), tz=at.tzinfo)
    with schema_context(schema_name), transaction.atomic():
        contact, _ = Contact.objects.get_or_create(
            wa_id=element["from"], defaults={"profile_name": profile_name, "created_at": at}
        )
        thread, _ = Thread.objects.get_or_create(
            contact=contact,
            phone_number_id=phone_number_id,
            state=Thread.State.OPEN,
            defaults={"opened_at": stamped_at, "last_message_at": stamped_at, "last_inbound_at": stamped_at},
        )
        Message.objects.create(
            thread=thread,
            direction=Message.Direction.INBOUND,
            state=Message.State.RECEIVED,
            kind=element["type"],
            text=element["text"]["body"],
            content=element["text"],
            wamid=element["id"],
            stamped_at=stamped_at,
            created_at=at,
        )
