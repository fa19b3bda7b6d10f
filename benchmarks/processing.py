"""How fast stored events become committed messages, against the usual way: one Celery task an event.

Ours: the inbox's workers as the Procfile starts them, two processes; events lie stored in the partitions of 342
municipalities, and each has its wake-up queued. Reference: Celery, prefork with two processes and prefetch 4, one task
an event queued with what arrived (benchmarks/one_task_an_event.py). Both queues are filled before the clock starts;
it stops when the last message is committed. Passes take turns; every pass has citizens of its own.
"""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import redis
from celery import Celery
from celery.utils.nodenames import gethostname
from psycopg import sql

from benchmarks import machine, municipalities
from benchmarks.report import CannotMeasure, Case, Report, median
from config.local.folders import ROOT, VAR
from config.local.instance import Instance
from whatsapp.payloads import split

NAME = "processing"
HELP = "events applied in a second, against Celery with one task an event"
PASSES = 5
# A backlog of some minutes: thirty for each municipality, or three for each beside the one in crisis. A turn costs the
# same for one event as for thirty, so with less waiting the distance to the reference is smaller.
EVENTS = 10_260
# The reference takes as long for each of its events, however many there are: fewer do.
REFERENCE_EVENTS = 1_026
PROCESSES = 2
PREFETCH = 4
QUEUE = "one-task-an-event"
EVENTS_A_CITIZEN = 2
MOST_SECONDS = 240.0
LOOK_SECONDS = 0.05
_TEXT = (
    "Goedemiddag, bij ons op de hoek is sinds gisteren de straatverlichting uit. Kunt u laten weten wanneer dit wordt "
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A case: which share of the events is one municipality's, and what must be reached."""

    case: str
    share_of_one: float
    floor: float


SHAPES = (Shape("crisis", 0.9, 10.0), Shape("even", 0.0, 4.0))
CASES = tuple(shape.case for shape in SHAPES)
TENANTS = """
    SELECT municipality.id, municipality.schema_name, number.phone_number_id, number.waba_id
    FROM public.tenants_municipality AS municipality
    JOIN public.tenants_number AS number ON number.municipality_id = municipality.id
    ORDER BY municipality.schema_name
"""


def measure(*, passes: int = PASSES, cases: tuple[str, ...] = ()) -> Report:
    """Run the benchmark and return what it found.  Raises CannotMeasure: a pass was not what it should be."""
    with Instance(VAR / "bench", durable=True) as instance:
        instance.take()
        instance.start_servers()
        found = machine.describe(folder=instance.folder)
        tenants_are = municipalities.give(instance=instance)
        instance.start_processes("worker-inbox")
        with _reference_worker(instance), psycopg.connect(instance.values["DATABASE_URL"], autocommit=True) as database:
            bench = _Bench(instance, database)
            chosen = [shape for shape in SHAPES if not cases or shape.case in cases]
            results = [bench.case(shape=shape, passes=passes) for shape in chosen]
            found |= {"memory_mib_by_program": machine.memory_of_children()}
    conditions = [
        f"{len(bench.tenants)} municipalities: {tenants_are}",
        f"{EVENTS} messages a pass of ours, {REFERENCE_EVENTS} of the reference, {EVENTS_A_CITIZEN} of each citizen",
        f"{passes} passes of each side in turn",
        f"crisis: 90% are one municipality's; even: {EVENTS // len(bench.tenants)} of each one, in random order",
        f"{PROCESSES} processes a side; fsync and synchronous_commit on; queues are filled before the clock starts",
    ]
    return Report(name=NAME, cases=results, machine=found, conditions=conditions)


class _Bench:
    def __init__(self, instance: Instance, database: psycopg.Connection) -> None:
        self.database = database
        self.broker = redis.Redis.from_url(instance.values["CELERY_BROKER_URL"])
        self.apps = {
            "inbox": Celery("ours", broker=instance.values["CELERY_BROKER_URL"]),
            QUEUE: Celery("reference", broker=instance.values["CELERY_BROKER_URL"]),
        }
        self.workers = {"inbox": f"inbox@{gethostname()}", QUEUE: f"reference@{gethostname()}"}
        self.tenants = database.execute(TENANTS).fetchall()
        self.turn = 0
        for queue in self.apps:
            self._control("cancel_consumer", queue)

    def case(self, *, shape: Shape, passes: int) -> Case:
        """Measure one case: ours and the reference in turn, after a pass of each to warm up."""
        for side in (self._ours, self._reference):
            side(shape, EVENTS // 10)
        runs = []
        for _ in range(passes):
            ours, reference = self._ours(shape, EVENTS), self._reference(shape, REFERENCE_EVENTS)
            runs.append({"ratio": round(ours["ours"] / reference["reference"], 2), **ours, **reference})
        return Case(
            case=shape.case,
            ratio=median([run["ratio"] for run in runs]),
            floor=shape.floor,
            better="higher",
            ours=median([run["ours"] for run in runs]),
            reference=median([run["reference"] for run in runs]),
            unit="events/s",
            runs=runs,
        )

    def _ours(self, shape: Shape, count: int) -> dict[str, float]:
        events = self._events(shape, count)
        columns = "municipality_id, dedup_key, kind, field, phone_number_id, payload, received_at"
        at = datetime.now(UTC)
        with self.database.cursor() as cursor, cursor.copy(f"COPY public.inbox ({columns}) FROM STDIN") as copy:
            for tenant, body in events:
                for event in split(body=body, received_at=at):
                    row = (event.kind, event.field, event.phone_number_id, json.dumps(event.payload), at)
                    copy.write_row((tenant[0], event.dedup_key, *row))
        for name in {tenant[1] for tenant, _ in events}:
            self.apps["inbox"].send_task(
                "messaging.tasks.drain_inbox", kwargs={"schema_name": name}, queue="inbox", ignore_result=True
            )
        return self._timed("ours", "inbox", events)

    def _reference(self, shape: Shape, count: int) -> dict[str, float]:
        events = self._events(shape, count)
        for tenant, body in events:
            value = body["entry"][0]["changes"][0]["value"]
            what = {
                "schema_name": tenant[1],
                "phone_number_id": tenant[2],
                "profile_name": value["contacts"][0]["profile"]["name"],
                "element": value["messages"][0],
            }
            self.apps[QUEUE].send_task("apply_event", kwargs=what, queue=QUEUE, ignore_result=True)
        return self._timed("reference", QUEUE, events)

    def _timed(self, side: str, queue: str, events: list[tuple[Any, dict[str, Any]]]) -> dict[str, float]:
        """Let the workers loose; return what they did in a second, and what it took of the processors."""
        prefix = f"wamid.bench.{self.turn}."
        last = {tenant[1] for tenant, _ in events}
        count = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT count(*) FROM {} WHERE wamid ^@ {}").format(
                sql.Identifier(name, "messaging_message"), sql.Literal(prefix)
            )
            for name in sorted(last)
        )
        cpu, ticks = machine.cpu_seconds_of_children(), machine.cpu_ticks()
        begun = time.perf_counter()
        self.apps[queue].control.broadcast(
            "add_consumer", arguments={"queue": queue}, destination=[self.workers[queue]]
        )
        while True:
            time.sleep(LOOK_SECONDS)
            ended = time.perf_counter()
            if self._is_done(queue):
                stored = sum(row[0] for row in self.database.execute(count).fetchall())
                if stored == len(events):
                    break
            if ended - begun > MOST_SECONDS:
                raise CannotMeasure(f"{side}: not done after {MOST_SECONDS:.0f} s")
        seconds = ended - begun
        used, shares = machine.cpu_seconds_of_children(), machine.shares_since(ticks)
        self._control("cancel_consumer", queue)
        return {
            side: round(len(events) / seconds, 1),
            **{
                f"{side}_{name}_us_an_event": round(1e6 * (used.get(name, 0) - cpu.get(name, 0)) / len(events))
                for name in ("celery", "postgres")
            },
            **{f"{side}_{name}": value for name, value in shares.items()},
        }

    def _is_done(self, queue: str) -> bool:
        """Return whether, as far as is cheap to see, nothing is left: only then are messages counted."""
        if self.broker.llen(queue):
            return False
        if queue != "inbox":
            return True
        open_ones = "SELECT EXISTS (SELECT FROM public.inbox WHERE state = 'OPEN')"
        row = self.database.execute(open_ones, prepare=True).fetchone()
        return row is not None and not row[0]

    def _events(self, shape: Shape, count: int) -> list[tuple[Any, dict[str, Any]]]:
        """Return a pass's webhooks with whose they are, in the order of their coming."""
        self.turn += 1
        order = random.Random(self.turn)
        one, others = self.tenants[0], self.tenants[1:] if shape.share_of_one else self.tenants
        of_one = round(count * shape.share_of_one)
        owners = [one] * of_one + [others[place % len(others)] for place in range(count - of_one)]
        order.shuffle(owners)
        of_owner: Counter[str] = Counter()
        events = []
        for place, owner in enumerate(owners):
            events.append((owner, self._body(owner, place, of_owner[owner[1]] // EVENTS_A_CITIZEN)))
            of_owner[owner[1]] += 1
        return events

    def _body(self, tenant: Any, place: int, citizen_number: int) -> dict[str, Any]:
        citizen = f"316{self.turn:03d}{citizen_number:05d}"
        message = {
            "from": citizen,
            "id": f"wamid.bench.{self.turn}.{place}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": _TEXT},
        }
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "31970100000", "phone_number_id": tenant[2]},
            "contacts": [{"profile": {"name": "Inwoner"}, "wa_id": citizen}],
            "messages": [message],
        }
        entry = {"id": tenant[3], "changes": [{"field": "messages", "value": value}]}
        return {"object": "whatsapp_business_account", "entry": [entry]}

    def _control(self, command: str, queue: str) -> None:
        """Tell a side's worker, and wait until it has heard."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            answers = self.apps[queue].control.broadcast(
                command, arguments={"queue": queue}, destination=[self.workers[queue]], reply=True, timeout=2, limit=1
            )
            if any("ok" in answer for each in answers or () for answer in each.values()):
                return
        raise CannotMeasure(f"the worker of {queue} does not answer")


@contextmanager
def _reference_worker(instance: Instance) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "--app", "benchmarks.one_task_an_event", "worker", "--pool", "prefork"]
    command += ["--concurrency", str(PROCESSES), "--prefetch-multiplier", str(PREFETCH)]
    command += [
        "--loglevel",
        "WARNING",
        "--without-mingle",
        "--without-gossip",
        "--hostname",
        "reference@%h",
        "--queues",
        QUEUE,
    ]
    with (instance.logs / "reference.log").open("ab") as log:
        worker = subprocess.Popen(command, cwd=ROOT, env=instance.environ, stdout=log, stderr=log)
        try:
            yield
        finally:
            worker.terminate()
            try:
                worker.wait(timeout=10)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
