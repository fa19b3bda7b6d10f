"""`/metrics`, on a port of its own: what the processes counted, and what only the database and the broker know.

The processes' counts come from files (messaging/figures.py). How much waits, and for how long, is asked at each scrape,
with short limits, so that neither a lock nor a database that is away holds it up; what failed is said by whatsapp_up.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from psycopg import sql
from redis import Redis
from redis.exceptions import RedisError

from messaging.core.partitions import UNOWNED
from tenants import clock

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
QUEUES = ("inbox", "media", "maintenance")
SECONDS = 5
OPTIONS = f"-c search_path= -c statement_timeout={SECONDS}s -c lock_timeout=500ms"

# Through the parent, which locks every partition for reading: good for a scrape, never for a hot loop.
INBOX = """
    SELECT municipality_id, count(*) FILTER (WHERE state = 'OPEN'), count(*) FILTER (WHERE state = 'DEAD'),
        min(received_at) FILTER (WHERE state = 'OPEN')
    FROM public.inbox WHERE state IN ('OPEN', 'DEAD') AND municipality_id <> %s GROUP BY municipality_id
"""
SCHEMAS = "SELECT id, schema_name FROM public.tenants_municipality ORDER BY schema_name"
OUTBOX = """
    (SELECT {name}, (SELECT count(*) FROM {schema}.messaging_outboxitem),
        (SELECT count(*) FROM {schema}.messaging_message WHERE uncertain_since IS NOT NULL))
"""
PAUSED = """
    SELECT municipality.schema_name FROM public.messaging_core_lane AS lane
    JOIN public.tenants_municipality AS municipality ON municipality.id = lane.municipality_id
    WHERE lane.paused_until > clock_timestamp()
"""
# What stopped on its way to Stripe or went wrong there, and mails of invoices that were given up: a person has to look.
BILLING = """
    SELECT 'collection', count(*) FROM public.billing_collection
    WHERE step = 'STOPPED' OR step = 'DONE' AND trouble <> ''
    UNION ALL SELECT 'mail', count(*) FROM (
        SELECT DISTINCT ON (invoice_id) state FROM public.billing_invoicemail ORDER BY invoice_id, id DESC
    ) AS last WHERE state = 'FAILED'
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits: asked when it is scraped."""

    database_url: str
    broker_url: str

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return the gauges; those of a part that does not answer are left out, and whatsapp_up says so."""
        up = GaugeMetricFamily("whatsapp_up", "Whether the exporter reached it", labels=["part"])
        for part, ask in (("database", self._database), ("broker", self._broker)):
            try:
                yield from ask()
            except (psycopg.Error, RedisError, OSError) as error:
                log.warning("metrics_incomplete", part=part, error=type(error).__name__)
                up.add_metric([part], 0)
            else:
                up.add_metric([part], 1)
        yield up

    def _database(self) -> list[GaugeMetricFamily]:
        with psycopg.connect(
            self.database_url, autocommit=True, connect_timeout=SECONDS, options=OPTIONS
        ) as connection:
            names: dict[Any, str] = dict(connection.execute(SCHEMAS).fetchall())
            inbox = connection.execute(INBOX, [UNOWNED]).fetchall()
            each = [sql.SQL(OUTBOX).format(name=name, schema=sql.Identifier(name)) for name in names.values()]
            outbox = connection.execute(sql.SQL(" UNION ALL ").join(each)).fetchall() if each else []
            paused = [row[0] for row in connection.execute(PAUSED).fetchall()]
            stuck = GaugeMetricFamily("whatsapp_invoices_stuck", "Issued invoices to look at, by what", labels=["what"])
            for what, count in connection.execute(BILLING).fetchall():
                stuck.add_metric([what], count)
        return [*_of_inbox(inbox, names), *_of_outbox(outbox, paused), stuck]

    def _broker(self) -> list[GaugeMetricFamily]:
        length = GaugeMetricFamily("whatsapp_queue_length", "Wake-ups that no worker took yet", labels=["queue"])
        with Redis.from_url(self.broker_url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as redis:
            for queue in QUEUES:
                length.add_metric([queue], _whole(redis.llen(queue)))
        return [length]


def _of_inbox(rows: list[tuple[Any, ...]], names: dict[Any, str]) -> list[GaugeMetricFamily]:
    at = clock.now()
    is_open = GaugeMetricFamily("whatsapp_inbox_open_events", "Events that wait to be applied", labels=["schema"])
    dead = GaugeMetricFamily("whatsapp_inbox_dead_letters", "Events that could not be applied", labels=["schema"])
    age = GaugeMetricFamily("whatsapp_inbox_oldest_seconds", "Age of the oldest unapplied event, over all tenants")
    oldest = [row[3] for row in rows if row[3] is not None]
    age.add_metric([], max(0.0, (at - min(oldest)).total_seconds()) if oldest else 0.0)
    for municipality_id, waiting, given_up, _ in rows:
        if municipality_id in names:
            is_open.add_metric([names[municipality_id]], waiting)
            dead.add_metric([names[municipality_id]], given_up)
    return [age, is_open, dead]


def _of_outbox(rows: list[tuple[Any, ...]], paused: list[str]) -> list[GaugeMetricFamily]:
    waiting = GaugeMetricFamily("whatsapp_outbox_waiting", "Messages that wait for their lane", labels=["schema"])
    uncertain = GaugeMetricFamily(
        "whatsapp_messages_uncertain", "Messages of which nobody knows whether Meta took them", labels=["schema"]
    )
    stopped = GaugeMetricFamily("whatsapp_lanes_paused", "Numbers for which Meta takes nothing now", labels=["schema"])
    for schema, queued, unknown in rows:
        waiting.add_metric([schema], queued)
        if unknown:
            uncertain.add_metric([schema], unknown)
    for schema in sorted(set(paused)):
        stopped.add_metric([schema], paused.count(schema))
    return [waiting, uncertain, stopped]


def _whole(length: Any) -> int:
    return int(length)


def exposition(*, database_url: str | None, broker_url: str) -> bytes:
    """Return everything in Prometheus' text form; database_url: None leaves out what only one exporter need ask."""
    registry = CollectorRegistry()
    if os.environ.get(FOLDER):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    if database_url is not None:
        registry.register(Waiting(database_url=database_url, broker_url=broker_url))
    return generate_latest(registry)


def server(*, host: str, port: int, database_url: str | None, broker_url: str) -> ThreadingHTTPServer:
    """Return the server of /metrics; the caller runs it."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer a scrape."""
            if self.path.split("?")[0] != "/metrics":
                self.send_error(404)
                return
            body = exposition(database_url=database_url, broker_url=broker_url)
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE_LATEST)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep scrapes out of the log."""

    return ThreadingHTTPServer((host, port), Door)
