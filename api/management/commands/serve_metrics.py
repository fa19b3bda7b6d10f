"""`manage.py serve_metrics`: the exporter, on METRICS_PORT."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from api.metrics import server


class Command(BaseCommand):
    help = (
        "Serve /metrics for Prometheus until told to stop: the counts of the processes that share "
        "PROMETHEUS_MULTIPROC_DIR with it, and how much waits in the database and at the broker."
    )
    # They load every page of the web, and an exporter has none.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
        parser.add_argument(
            "--processes-only",
            action="store_true",
            help="leave database and broker out: for the exporters beside each pod, where one other asks them",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        door = server(
            host=options["host"],
            port=settings.METRICS_PORT,
            database_url=None if options["processes_only"] else settings.DATABASE_URL,
            broker_url=settings.CELERY_BROKER_URL,
        )
        for name in (signal.SIGINT, signal.SIGTERM):
            # shutdown() waits for the loop to end, so it must not run in the loop's own thread.
            signal.signal(name, lambda *_: threading.Thread(target=door.shutdown).start())
        with door:
            door.serve_forever()
