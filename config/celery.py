"""Celery: it wakes, the rows are the queue. No task carries anything that may not be lost."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup, setup_logging, worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# A worker would run Django's checks, which load every page, each time it starts; migrating runs them before that.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

from django.conf import settings

from tenants import garbage

app = Celery("whatsapp_bsp")
app.set_default()  # the web process sends tasks from threads, which know no other
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    # A worker that lost Redis ends, and whoever watches over it starts it again: of those that connect anew by
    # themselves it is told that some live on and take nothing (celery #8091, #10205). At its start it waits for Redis,
    # for ever: meanwhile the inbox's workers need only the database.
    broker_connection_retry=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 5, "socket_keepalive": True},
    task_ignore_result=True,
    task_default_queue="maintenance",
    # Live inbound never shares a queue with sweeps and later with exports and deletion.
    task_routes={
        "messaging.tasks.drain_inbox": {"queue": "inbox"},
        "messaging.tasks.fetch_media": {"queue": "media"},  # waits for Meta, so never where others wait for it
    },
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=None,
    task_acks_late=False,  # a lost wake-up is harmless: the sweep finds the rows
    task_publish_retry=False,  # who wakes never waits for Redis
    timezone="UTC",
    beat_schedule={
        "sweep-inboxes": {"task": "messaging.tasks.sweep_inboxes", "schedule": 30.0, "options": {"expires": 30}},
        "continue-replays": {"task": "messaging.tasks.continue_replays", "schedule": 60.0, "options": {"expires": 60}},
        "sweep-templates": {
            "task": "messaging.templates.tasks.sweep_templates",
            "schedule": 120.0,  # messaging/templates/due.py spreads a day's looks over these sweeps
            "options": {"expires": 120},
        },
        "sweep-media": {"task": "messaging.tasks.sweep_media", "schedule": 30.0, "options": {"expires": 30}},
        "sweep-blobs": {"task": "messaging.tasks.sweep_blobs", "schedule": 3600.0, "options": {"expires": 3600}},
        "measure-inboxes": {"task": "messaging.tasks.measure_inboxes", "schedule": 60.0, "options": {"expires": 60}},
        "claim-unowned": {"task": "messaging.tasks.claim_unowned", "schedule": 300.0, "options": {"expires": 300}},
        "find-silences": {"task": "messaging.tasks.find_silences", "schedule": 600.0, "options": {"expires": 600}},
        "find-stalls": {"task": "messaging.tasks.find_stalls", "schedule": 15.0, "options": {"expires": 15}},
        "erase-unowned": {"task": "messaging.tasks.erase_unowned", "schedule": 3600.0, "options": {"expires": 3600}},
        "tell-entries": {"task": "accounts.tasks.tell_entries", "schedule": 10.0, "options": {"expires": 10}},
        "mail-troubles": {"task": "messaging.tasks.mail_troubles", "schedule": 30.0, "options": {"expires": 30}},
        "mail-template-alerts": {
            "task": "messaging.templates.tasks.mail_template_alerts",
            "schedule": 300.0,
            "options": {"expires": 300},
        },
        "read-numbers": {
            "task": "messaging.tasks.read_numbers",
            "schedule": 600.0,  # tenants/number_reading.py spreads a day's questions over these sweeps
            "options": {"expires": 600},
        },
        "end-restrictions": {"task": "messaging.tasks.end_restrictions", "schedule": 60.0, "options": {"expires": 60}},
        "sweep-mail": {"task": "accounts.tasks.sweep_mail", "schedule": 60.0, "options": {"expires": 60}},
        "forget-hours": {"task": "messaging.tasks.forget_hours", "schedule": 86400.0, "options": {"expires": 86400}},
        "send-documents": {"task": "billing.tasks.send_documents", "schedule": 30.0, "options": {"expires": 30}},
        "collect-invoices": {"task": "billing.tasks.collect_invoices", "schedule": 30.0, "options": {"expires": 30}},
        "forget-answers": {"task": "api.tasks.forget_answers", "schedule": 3600.0, "options": {"expires": 3600}},
    },
)


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Leave logging as config/observation.py set it up: Celery's own handlers would write errors' texts as they are."""


app.autodiscover_tasks(["accounts", "billing", "messaging", "messaging.templates", "api"])


@worker_process_init.connect
def _collect_seldom(**_: Any) -> None:
    garbage.look_seldom()


@celeryd_after_setup.connect
def _know_the_queues(instance: Any, **_: Any) -> None:
    """Have the processes of a worker of live inbound look after the inboxes also when Redis is away."""
    if "inbox" in instance.app.amqp.queues.consume_from:
        worker_process_init.connect(_watch, weak=False)


def _watch(**_: Any) -> None:
    from messaging import sweeping

    sweeping.start()
