"""With Redis away, what came in is applied all the same: the database is enough."""

import pytest
from django_tenants.utils import schema_context

from messaging import sweeping
from messaging.broker import client
from messaging.models import Message
from tests.messaging import meta


@pytest.fixture
def waiting(utrecht, delft, clock):
    """Have a message open at each municipality."""
    for municipality in (utrecht, delft):
        meta.store(municipality, meta.message(municipality))


@pytest.fixture
def away(settings, monkeypatch):
    """Have no broker."""
    with monkeypatch.context() as broken:
        broken.setattr(settings, "CELERY_BROKER_URL", "redis://127.0.0.1:9/0")
        client.cache_clear()
        yield
    client.cache_clear()


def applied() -> list[int]:
    counts = []
    for schema in ("utrecht", "delft"):
        with schema_context(schema):
            counts.append(Message.objects.count())
    return counts


@pytest.fixture
def kept_open(monkeypatch):
    """Keep the test's connection, which a thread would close."""
    monkeypatch.setattr(sweeping.connection, "close", lambda: None)


@pytest.mark.usefixtures("waiting", "kept_open")
class TestWithoutTheBroker:
    def test_it_drains_what_is_open_when_the_broker_was_missed_twice(self, away):
        missed = sweeping.look(missed=0)
        assert (missed, applied()) == (1, [0, 0])
        assert (sweeping.look(missed=missed), applied()) == (2, [1, 1])

    def test_it_leaves_everything_to_the_wake_ups_when_it_is_there(self):
        assert (sweeping.look(missed=5), applied()) == (0, [0, 0])

    def test_a_municipality_that_cannot_be_drained_stops_no_other(self, away, monkeypatch):
        from django.db import OperationalError

        original = sweeping.inbox.drain

        def fails(*, schema_name):
            if schema_name == "utrecht":
                raise OperationalError("locked")
            return original(schema_name=schema_name)

        monkeypatch.setattr(sweeping.inbox, "drain", fails)
        assert sweeping.drain_open_inboxes() == 2
        assert applied() == [0, 1]

    def test_an_error_does_not_end_it(self, away, monkeypatch):
        monkeypatch.setattr(sweeping, "drain_open_inboxes", lambda: 1 // 0)
        assert sweeping.look(missed=1) == 2


def test_only_workers_of_live_inbound_do_so():
    import subprocess
    import sys

    tried = """
import sys
from types import SimpleNamespace
from celery.signals import worker_process_init
from config import celery
app = celery.app
app.amqp.queues.select([sys.argv[1]])
celery._know_the_queues(instance=SimpleNamespace(app=app))
print(any(celery._watch in receiver for receiver in worker_process_init.receivers))
"""
    said = {
        queue: subprocess.run([sys.executable, "-c", tried, queue], capture_output=True, text=True, check=True).stdout
        for queue in ("inbox", "maintenance")
    }
    assert said == {"inbox": "True\n", "maintenance": "False\n"}
