"""How much of the database's own speed is left at Meta's door, with every event durable before its 200.

Ours: signed POSTs over HTTP to the real web process (Procfile), 32 connections, spread evenly over 342 municipalities,
stored in their partitions. Reference: pgbench, the same rows into one plain table, 32 clients, before and after each
pass of ours. Generator, web and database share the cores. Redis and waking are on; no worker drains meanwhile.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from benchmarks import machine, municipalities, posting
from benchmarks.pgbench import Reference
from benchmarks.report import CannotMeasure, Case, Report, median
from config.local.folders import VAR
from config.local.instance import Instance

NAME = "intake"
HELP = "rows stored in a second at Meta's door, against pgbench"
FLOOR = 0.40
CONNECTIONS = 32
PASSES = 5
WARM_UP_SECONDS = 1.0
SECONDS = 3
MOST_ROWS_A_SECOND = 20_000  # for so many POSTs are prepared
SHORTEST, LONGEST = 1_100, 1_500  # bytes of a stored payload, as text


@dataclass(frozen=True, slots=True)
class Shape:
    """A case: how many updates Meta puts into one POST, and pgbench into one transaction."""

    case: str
    updates: int


SHAPES = (Shape("one", 1), Shape("ten", 10))
CASES = tuple(shape.case for shape in SHAPES)


def measure(*, passes: int = PASSES, seconds: int = SECONDS, cases: tuple[str, ...] = ()) -> Report:
    """Run the benchmark and return what it found.  Raises CannotMeasure: a pass was not what it should be."""
    with Instance(VAR / "bench", durable=True) as instance:
        instance.take()
        instance.start_servers()
        found = machine.describe(folder=instance.folder)
        tenants_are = municipalities.give(instance=instance)
        instance.start_processes("web")
        instance.wait_until_healthy()
        bench = _Bench(instance)
        chosen = [shape for shape in SHAPES if not cases or shape.case in cases]
        results = [bench.case(shape=shape, passes=passes, seconds=seconds) for shape in chosen]
        found |= {"postgresql": bench.version, "memory_mib_by_program": machine.memory_of_children()}
    conditions = [
        f"{len(bench.tenants)} municipalities: {tenants_are}",
        f"{CONNECTIONS} connections and clients, {passes} passes of {seconds} s, payloads of {bench.payload_bytes} B",
        "fsync and synchronous_commit on; each POST belongs to one municipality, POSTs to all in turn; no workers run",
    ]
    return Report(name=NAME, cases=results, machine=found, conditions=conditions)


class _Bench:
    def __init__(self, instance: Instance) -> None:
        self.port = instance.web_port
        self.folder = instance.folder
        self.database_url = instance.values["DATABASE_URL"]
        self.secret = instance.values["META_APP_SECRET"]
        self.tenants = municipalities.read(database_url=self.database_url)
        self.payload_bytes = 0
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            settings = {name: _setting(connection, name) for name in ("fsync", "synchronous_commit", "server_version")}
        if (settings["fsync"], settings["synchronous_commit"]) != ("on", "on"):
            raise CannotMeasure("the database is not durable: fsync and synchronous_commit must be on")
        self.version = settings["server_version"]

    def case(self, *, shape: Shape, passes: int, seconds: int) -> Case:
        """Measure one case: the reference, then ours and the reference in turn."""
        needed = int(MOST_ROWS_A_SECOND / shape.updates**0.5 * (WARM_UP_SECONDS + seconds))
        posts = posting.write_posts(tenants=self.tenants, app_secret=self.secret, count=needed, updates=shape.updates)
        payload = self._payload_of(posts[0])
        reference = Reference(
            database_url=self.database_url,
            folder=self.folder,
            payload=payload,
            rows=shape.updates,
            tenants=len(self.tenants),
        )
        reference.run(seconds=1)  # warm
        before = reference.run(seconds=seconds)
        runs: list[dict[str, float]] = []
        for _ in range(passes):
            run = self._pass(posts=posts, updates=shape.updates, seconds=seconds)
            after = reference.run(seconds=seconds)
            mean = (before + after) / 2
            runs.append({"ratio": round(run["ours"] / mean, 3), **run, "before": round(before), "after": round(after)})
            before = after
        return Case(
            case=shape.case,
            ratio=median([run["ratio"] for run in runs]),
            floor=FLOOR,
            better="higher",
            ours=median([run["ours"] for run in runs]),
            reference=median([(run["before"] + run["after"]) / 2 for run in runs]),
            unit="rows/s",
            runs=runs,
        )

    def _pass(self, *, posts: list[bytes], updates: int, seconds: int) -> dict[str, float]:
        """Run one pass of ours from an empty inbox, and check that what was answered is stored."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute("TRUNCATE public.inbox")
            connection.execute("CHECKPOINT")
            cpu, ticks = machine.cpu_seconds_of_children(), machine.cpu_ticks()
            done = posting.post(
                port=self.port, requests=posts, connections=CONNECTIONS, warm_up=WARM_UP_SECONDS, seconds=seconds
            )
            shares = machine.shares_since(ticks)
            used = machine.cpu_seconds_of_children()
            stored, of_tenants = _one(connection, "SELECT count(*), count(DISTINCT municipality_id) FROM public.inbox")
        rows = done.answered * updates
        if stored < rows:
            raise CannotMeasure(f"{rows} rows were answered with 200, and {stored} are stored")
        if of_tenants < min(len(self.tenants), done.answered):
            raise CannotMeasure(f"rows came to {of_tenants} municipalities of {len(self.tenants)}")
        return {
            "ours": round(done.a_second * updates),
            "p50_ms": done.p50_ms,
            "p99_ms": done.p99_ms,
            "generator_share_of_a_core": done.cpu_share,
            "web_us_a_row": _microseconds(cpu, used, "uvicorn", rows),
            "postgres_us_a_row": _microseconds(cpu, used, "postgres", rows),
            **shares,
        }

    def _payload_of(self, post: bytes) -> str:
        """Return what is stored of a POST's first update, by sending it, and check that it has the size meant."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute("TRUNCATE public.inbox")
            posting.send_one(port=self.port, request=post)
            (payload,) = _one(connection, "SELECT payload::text FROM public.inbox ORDER BY id LIMIT 1")
        self.payload_bytes = len(payload.encode())
        if not SHORTEST <= self.payload_bytes <= LONGEST:
            raise CannotMeasure(f"a payload has {self.payload_bytes} bytes: {SHORTEST} to {LONGEST} were meant")
        json.loads(payload)
        return str(payload)


def _setting(connection: psycopg.Connection, name: str) -> str:
    return str(_one(connection, "SELECT current_setting(%s)", [name])[0])


def _one(connection: psycopg.Connection, query: LiteralString, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return row


def _microseconds(before: dict[str, float], after: dict[str, float], program: str, rows: int) -> float:
    return round(1e6 * (after.get(program, 0.0) - before.get(program, 0.0)) / rows, 1)
