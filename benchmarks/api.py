"""What accepting a message costs beside what any request with a key costs: `POST /api/v1/messages` by a system.

Ours: free-form answers into open threads, each with an Idempotency-Key of its own, accepted by 201 after message,
outbox row, idempotency record and trail are committed. Reference: PUT at the same address, which knows no PUT: the key
is found and counted against its limits, its scope is looked at, and nothing else is done. Both over HTTP to the real
web process (Procfile), on the same connections, in turn. Generator, web, database and Redis share the cores.
"""

import asyncio
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import psycopg
from psycopg import sql

from benchmarks import machine, municipalities
from benchmarks.outboxes import TEXT, Outboxes
from benchmarks.report import CannotMeasure, Case, Report, median
from config.local.folders import VAR
from config.local.instance import Instance

NAME = "api"
HELP = "accepting a message by the REST API, against an authenticated no-op on the same server"
CASES = ("accept",)
FLOOR = 0.50
MUNICIPALITIES = 4
THREADS = 500
CONNECTIONS = 8
PASSES = 7
SECONDS = 4.0
WARM_UP_SECONDS = 1.0
UNLIMITED = "100000000"  # requests a minute: limits are counted, and not reached
IN_REFERENCE, ACCEPTED = 405, 201
SHOWN = ("p50_ms", "uvicorn_us", "postgres_us", "benchmark_us", "idle_percent")


@dataclass(frozen=True, slots=True)
class _Side:
    """One of both: how it asks, and what it must be answered."""

    method: str
    status: int
    has_body: bool


OURS, REFERENCE = _Side("POST", ACCEPTED, has_body=True), _Side("PUT", IN_REFERENCE, has_body=False)


def measure(*, passes: int = PASSES, cases: tuple[str, ...] = ()) -> Report:
    """Run the benchmark and return what it found.  Raises CannotMeasure: a pass was not what it should be."""
    with Instance(VAR / "bench", durable=True) as instance:
        instance.take()
        instance.start_servers()
        found = machine.describe(folder=instance.folder)
        tenants_are = municipalities.give(instance=instance, most=MUNICIPALITIES)
        for values in (instance.values, instance.environ, instance.supervisor.environ):
            values["API_REQUESTS_OF_A_KEY"] = values["API_REQUESTS_OF_A_HOST"] = UNLIMITED
        tenant = municipalities.read(database_url=instance.values["DATABASE_URL"])[0]
        with Outboxes(environ=instance.environ) as outboxes:
            outboxes.do("fill", schema_name=tenant.schema_name, count=THREADS)
        key = instance.manage(
            *("create_api_key", tenant.schema_name, "--name", "Benchmark", "--scopes", "messages:send")
        ).strip()
        instance.start_processes("web")
        instance.wait_until_healthy()
        bench = _Bench(instance, tenant.schema_name, key)
        runs = asyncio.run(bench.run(passes=passes))
        found |= {"memory_mib_by_program": machine.memory_of_children()}
    case = Case(
        case=CASES[0],
        ratio=median([run["ratio"] for run in runs]),
        floor=FLOOR,
        better="higher",
        ours=median([run["ours"] for run in runs]),
        reference=median([run["reference"] for run in runs]),
        unit="requests/s",
        runs=runs,
    )
    conditions = [
        f"{MUNICIPALITIES} municipalities: {tenants_are}",
        f"{CONNECTIONS} connections, {passes} passes of {SECONDS:g} s a side in turn, {THREADS} threads of one of them",
        "fsync on; rate limits counted in Redis and not reached; no sender runs",
    ]
    return Report(name=NAME, cases=[case], machine=found, conditions=conditions)


class _Bench:
    def __init__(self, instance: Instance, schema_name: str, key: str) -> None:
        self.address = f"http://127.0.0.1:{instance.web_port}/api/v1/messages"
        self.headers = {"Host": f"{schema_name}.localhost", "Authorization": f"Bearer {key}"}
        self.database_url, self.schema = instance.values["DATABASE_URL"], sql.Identifier(schema_name)
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            opened = sql.SQL("UPDATE {}.messaging_thread SET last_inbound_at = now() RETURNING id").format(self.schema)
            self.threads = [str(row[0]) for row in connection.execute(opened).fetchall()]
        if len(self.threads) < THREADS:
            raise CannotMeasure(f"there are {len(self.threads)} threads of {THREADS}")
        self._names = itertools.count()

    async def run(self, *, passes: int) -> list[dict[str, float]]:
        """Measure both sides in turn, the reference before and after each pass of ours."""
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        async with aiohttp.ClientSession(connector=connector, headers=self.headers) as session:
            for side in (REFERENCE, OURS):
                await self._pass(session, side, WARM_UP_SECONDS)
            runs = []
            before = await self._pass(session, REFERENCE, SECONDS)
            for _ in range(passes):
                stored = self._messages()
                ours = await self._pass(session, OURS, SECONDS)
                if self._messages() - stored != ours["answered"]:
                    raise CannotMeasure(f"{ours['answered']:.0f} were accepted, {self._messages() - stored} are stored")
                after = await self._pass(session, REFERENCE, SECONDS)
                reference = (before["a_second"] + after["a_second"]) / 2
                runs.append(
                    {
                        "ratio": round(ours["a_second"] / reference, 3),
                        "ours": round(ours["a_second"], 1),
                        "reference": round(reference, 1),
                        **{f"ours_{name}": ours[name] for name in SHOWN},
                        **{f"reference_{name}": after[name] for name in SHOWN},
                    }
                )
                before = after
        return runs

    async def _pass(self, session: aiohttp.ClientSession, side: _Side, seconds: float) -> dict[str, float]:
        """Ask on every connection until the time is over."""
        took: list[float] = []
        cpu, ticks = machine.cpu_seconds_of_children(), machine.cpu_ticks()
        begun = time.perf_counter()

        async def ask(threads: Iterator[str]) -> None:
            while time.perf_counter() - begun < seconds:
                body = {"threadId": next(threads), "text": TEXT} if side.has_body else None
                named = {"Idempotency-Key": f"benchmark-{next(self._names)}"} if side.has_body else None
                sent = time.perf_counter()
                async with session.request(side.method, self.address, json=body, headers=named) as answer:
                    await answer.read()
                    if answer.status != side.status:
                        raise CannotMeasure(f"{side.method} was answered {answer.status}, not {side.status}")
                took.append(time.perf_counter() - sent)

        threads = itertools.cycle(self.threads)
        await asyncio.gather(*(ask(threads) for _ in range(CONNECTIONS)))
        spent = time.perf_counter() - begun
        used, idle = machine.cpu_seconds_of_children(), machine.shares_since(ticks)["idle_percent"]
        middle = sorted(took)[len(took) // 2]
        return {
            "answered": len(took),
            "a_second": len(took) / spent,
            "p50_ms": round(1000 * middle, 1),
            "idle_percent": idle,
            **{
                f"{name}_us": round(1e6 * (used.get(name, 0.0) - cpu.get(name, 0.0)) / len(took))
                for name in ("uvicorn", "postgres", "benchmark")
            },
        }

    def _messages(self) -> int:
        with psycopg.connect(self.database_url) as connection:
            counted = sql.SQL("SELECT count(*) FROM {}.messaging_message").format(self.schema)
            row = connection.execute(counted).fetchone()
        assert row is not None
        return int(row[0])
