"""Whether a process can work, and what the exporter tells: parts by name, and nothing of persons or hosts."""

import json
import threading
import urllib.error
import urllib.request
from datetime import date, timedelta

import pytest
from django.conf import settings
from django_tenants.utils import schema_context

from api.health import ReadyDoor
from api.metrics import exposition, server
from billing.models import Collection, Invoice
from messaging.models import OutboxItem
from messaging.replying import reply
from tests.messaging import meta

NOWHERE = "postgresql://someone:geheim@127.0.0.1:9/none"
NO_BROKER = "redis://:geheim@127.0.0.1:9/0"


async def ask(door: ReadyDoor) -> tuple[int, dict[str, object]]:
    sent = []

    async def send(message):
        sent.append(message)

    await door({"type": "http", "method": "GET"}, None, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


class TestReadiness:
    async def test_it_is_ready_when_everything_answers(self, committing_db):
        door = ReadyDoor(database_url=committing_db.url, broker_url=settings.CELERY_BROKER_URL)
        assert await ask(door) == (200, {"ready": True, "database": "ok", "broker": "ok", "migrations": "ok"})

    async def test_it_says_which_part_fails_and_nothing_of_where_it_is(self, caplog):
        status, said = await ask(ReadyDoor(database_url=NOWHERE, broker_url=NO_BROKER))
        assert (status, said) == (
            503,
            {"ready": False, "database": "failed", "broker": "failed", "migrations": "failed"},
        )
        assert "geheim" not in caplog.text + json.dumps(said)

    async def test_it_is_not_ready_before_the_migrations_are_run(self, committing_db):
        import psycopg

        with psycopg.connect(committing_db.url, autocommit=True) as connection:
            connection.execute("DELETE FROM public.django_migrations WHERE app = 'billing' AND name LIKE '0001%'")
        door = ReadyDoor(database_url=committing_db.url, broker_url=settings.CELERY_BROKER_URL)
        assert await ask(door) == (503, {"ready": False, "database": "ok", "broker": "ok", "migrations": "failed"})


def value(text: str, name: str) -> float:
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name)))


@pytest.fixture
def scraped(committing_db, utrecht):
    def scrape() -> str:
        return exposition(database_url=committing_db.url, broker_url=settings.CELERY_BROKER_URL).decode()

    return scrape


class TestMetrics:
    def test_it_tells_the_age_of_the_oldest_event_over_all_tenants(self, scraped, utrecht, delft, clock):
        assert value(scraped(), "whatsapp_inbox_oldest_seconds") == 0
        meta.store(utrecht, meta.message(utrecht, wamid="wamid.1"), meta.message(utrecht, wamid="wamid.2"))
        clock.set(meta.RECEIVED_AT + timedelta(seconds=90))
        text = scraped()
        assert value(text, "whatsapp_inbox_oldest_seconds") == 90
        assert value(text, 'whatsapp_inbox_open_events{schema="utrecht"}') == 2
        # What finance has to look at, once it is there.
        assert value(text, 'whatsapp_invoices_stuck{what="collection"}') == 0
        assert value(text, 'whatsapp_invoices_stuck{what="mail"}') == 0
        invoice = Invoice.objects.create(
            municipality_id=delft.id,
            period=date(2026, 10, 1),
            vat_rate=0,
            net_cents=0,
            vat_cents=0,
            total_cents=0,
            lines_hash="0" * 64,
            drafted_at=clock.now(),
        )
        Collection.objects.create(invoice=invoice, step="STOPPED", trouble="DIFFERS total", due_at=clock.now())
        assert value(scraped(), 'whatsapp_invoices_stuck{what="collection"}') == 1
        assert 'whatsapp_inbox_open_events{schema="delft"}' not in text

    def test_it_counts_what_waits_for_a_lane_and_what_is_uncertain(self, scraped, utrecht, clock, actor):
        with schema_context("utrecht"):
            meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
            thread_id = _thread_id()
            for text in ("Een", "Twee"):
                message = reply(thread_id=thread_id, text=text, actor=actor, at=clock.now())
            OutboxItem.objects.get(message=message).delete()
            message.state = "UNCERTAIN"
            message.save()
        text = scraped()
        assert value(text, 'whatsapp_outbox_waiting{schema="utrecht"}') == 1
        assert value(text, 'whatsapp_outbox_waiting{schema="delft"}') == 0
        assert value(text, 'whatsapp_messages_uncertain{schema="utrecht"}') == 1

    def test_it_counts_a_failure_that_meta_reports_later_once(self, utrecht, committing_db, clock, actor):
        from messaging.figures import META_ERRORS
        from messaging.models import Message

        def counted() -> float:
            return META_ERRORS.labels(131049)._value.get()

        before = counted()
        with schema_context("utrecht"):
            meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
            message = reply(thread_id=_thread_id(), text="Dag", actor=actor, at=clock.now())
            Message.objects.filter(id=message.id).update(state="ACCEPTED", wamid="wamid.OUT")
            failed = [{"code": 131049, "title": "Not delivered"}]
            meta.receive(utrecht, meta.status(utrecht, wamid="wamid.OUT", status="failed", errors=failed))
            meta.replay("utrecht")
        assert counted() - before == 1

    def test_it_names_no_citizen(self, scraped, utrecht, clock):
        meta.receive(utrecht, meta.message(utrecht, text="Mijn geheim", name="Piet", at=clock.now()))
        text = scraped()
        assert "utrecht" in text
        for word in ("31697000001", "geheim", "Piet"):
            assert word not in text

    def test_it_still_answers_when_database_and_broker_are_away(self):
        text = exposition(database_url=NOWHERE, broker_url=NO_BROKER).decode()
        assert value(text, 'whatsapp_up{part="database"}') == 0
        assert value(text, 'whatsapp_up{part="broker"}') == 0
        assert "geheim" not in text

    def test_it_is_served_over_http_and_adds_up_what_processes_counted(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
        for _ in range(2):
            _count_in_a_process()
        with server(host="127.0.0.1", port=0, database_url=None, broker_url=NO_BROKER) as door:
            thread = threading.Thread(target=door.serve_forever)
            thread.start()
            try:
                base = f"http://127.0.0.1:{door.server_port}"
                with urllib.request.urlopen(f"{base}/metrics", timeout=10) as answer:
                    text = answer.read().decode()
                with pytest.raises(urllib.error.HTTPError, match="404"):
                    urllib.request.urlopen(f"{base}/", timeout=10)
            finally:
                door.shutdown()
                thread.join()
        assert value(text, 'whatsapp_sends_total{outcome="accepted",schema="utrecht"}') == 6
        assert value(text, 'whatsapp_meta_errors_total{code="131026"}') == 2
        assert value(text, "whatsapp_intake_seconds_count") == 2


def _thread_id():
    from messaging.models import Thread

    return Thread.objects.get().id


def _count_in_a_process() -> None:
    import subprocess
    import sys

    code = (
        "from messaging.figures import *; SENDS.labels('utrecht', 'accepted').inc(3);"
        "META_ERRORS.labels(131026).inc(); INTAKE_SECONDS.observe(0.004)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=settings.ROOT)
