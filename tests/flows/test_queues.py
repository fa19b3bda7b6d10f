"""Queues with owners, for real: what floods maintenance, or one municipality, keeps nobody's messages waiting."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from config.celery import app
from config.local import procfile
from config.local.folders import ROOT
from messaging import inbox
from messaging.broker import client
from messaging.models import InboxEvent
from messaging.waking import send_wakes
from tests.messaging import meta

PATIENCE_SECONDS = 60.0
FLOOD = 400
MESSAGES = 10


@pytest.fixture
def inbox_worker(committing_db, utrecht, delft) -> Iterator[None]:
    """Run the workers of live inbound, as the Procfile starts them, and nobody for maintenance."""
    _empty()
    environ = {**os.environ, "DATABASE_URL": committing_db.url, "PYTHONPATH": str(ROOT)}
    program, *arguments = procfile.commands(environ=environ)["worker-inbox"]
    command = [sys.executable, "-m", program, *arguments]
    worker = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        worker.terminate()
        try:
            worker.wait(timeout=20)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        _empty()


def _empty() -> None:
    client().delete("inbox", "maintenance", *client().keys("inbox-wake:*"))


def store(municipality, prefix: str, count: int = 1) -> None:
    """Store messages and wake a worker, as Meta's door does."""
    with schema_context(municipality.schema_name):
        meta.store(municipality, *(meta.message(municipality, wamid=f"wamid.{prefix}.{n}") for n in range(count)))
    send_wakes(schema_names=[municipality.schema_name])


def seconds_until_applied(municipality) -> float:
    begun = time.monotonic()
    with schema_context(municipality.schema_name):
        while InboxEvent.objects.filter(state="OPEN").exists():
            assert time.monotonic() - begun < PATIENCE_SECONDS
            time.sleep(0.02)
    return time.monotonic() - begun


@pytest.mark.usefixtures("inbox_worker")
class TestQueues:
    def test_a_flood_of_maintenance_leaves_live_inbound_alone(self, delft):
        for _ in range(FLOOD):
            app.send_task("messaging.tasks.measure_inboxes", ignore_result=True)
        store(delft, "live")
        seconds_until_applied(delft)
        assert client().llen("maintenance") == FLOOD

    def test_a_flood_of_one_municipality_holds_no_other_for_longer_than_a_turn_or_two(self, utrecht, delft):
        store(delft, "first")
        seconds_until_applied(delft)  # the worker is there
        store(utrecht, "flood", 1_500)
        waited = []
        for number in range(MESSAGES):
            store(delft, f"one.{number}")
            waited.append(seconds_until_applied(delft))
        with schema_context("utrecht"):
            still = InboxEvent.objects.filter(state="OPEN").exists()
        p95 = statistics.quantiles(waited, n=20)[-1]
        assert still or p95 < 1.0, "the flood was over before the others were"
        assert p95 < 2 * inbox.TURN_SECONDS + 2.0
        connection.close()
