"""How fast messages leave, from the outbox to Meta, with every claim and every outcome durable.

pace: the pacing lifted, statuses off, one number with its broadcast in the outbox, against a bare asynchronous client
that makes the same requests with the same library and as many calls in flight. numbers: how many numbers keep 80 a
second each at once, with Meta's statuses coming in and being applied. Sandbox, database and sender share the cores.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg

from benchmarks import machine, municipalities
from benchmarks.meta import Meta
from benchmarks.outboxes import Outboxes
from benchmarks.report import CannotMeasure, Case, Report, median
from config.local.folders import ROOT, VAR
from config.local.instance import Instance

NAME = "outbound"
HELP = "messages that leave in a second, against a bare client; numbers that keep their pace at once"
CASES = ("pace", "numbers")
PASSES = 5
MESSAGES = 5_000  # of a pass of pace
EDGE = 0.1  # of a pass, at each end, that is not measured: starting and running out
NUMBERS = (3, 4, 6, 8, 10)
A_SECOND = 80
WINDOWS, WINDOW_SECONDS = 5, 3.0
WARM_UP_SECONDS = 2.0
HELD = 0.95
MUNICIPALITIES = 12
PATIENCE_SECONDS = 90.0
LIFT = "UPDATE public.tenants_number SET messages_per_second = %s WHERE phone_number_id = ANY(%s)"


def measure(*, passes: int = PASSES, cases: tuple[str, ...] = ()) -> Report:
    """Run the benchmark and return what it found.  Raises CannotMeasure: a pass was not what it should be."""
    chosen = cases or CASES
    with Instance(VAR / "bench", durable=True) as instance:
        instance.take()
        instance.start_servers()
        found = machine.describe(folder=instance.folder)
        tenants_are = municipalities.give(instance=instance, most=MUNICIPALITIES)
        instance.start_processes(
            "sandbox", *(("web", "worker-inbox", "worker-maintenance", "beat") if "numbers" in chosen else ())
        )
        instance.wait_until_healthy()
        with Outboxes(environ=instance.environ) as outboxes:
            bench = _Bench(instance, outboxes)
            results = []
            if "pace" in chosen:
                results.append(bench.pace(passes=passes))
            if "numbers" in chosen:
                results.append(bench.numbers())
            found |= {"memory_mib_by_program": machine.memory_of_children()}
    conditions = [
        f"{MUNICIPALITIES} municipalities: {tenants_are}; fsync and synchronous_commit on",
        f"pace: {passes} passes of {MESSAGES} messages to as many citizens, the first and last tenth left out",
        f"numbers: {WINDOWS} windows of {WINDOW_SECONDS:.0f} s; a number keeps its pace at {HELD:.0%} of {A_SECOND}/s",
    ]
    return Report(name=NAME, cases=results, machine=found, conditions=conditions)


class _Bench:
    def __init__(self, instance: Instance, outboxes: Outboxes) -> None:
        self.instance, self.outboxes = instance, outboxes
        self.database_url = instance.values["DATABASE_URL"]
        # One connection and a cheap question, because looking takes from what is looked at.
        self._looking = psycopg.connect(self.database_url, autocommit=True)
        self.meta = Meta(url=instance.urls.sandbox)
        self.tenants = municipalities.read(database_url=self.database_url)
        self.calls: int = outboxes.do("in_flight")
        self.meta.know(tenants=self.tenants)
        self.meta.switch(pair_limit=False, throughput_limit=False)

    def pace(self, *, passes: int) -> Case:
        """Measure one number without its pacing, and the bare client, in turn."""
        tenant = self.tenants[0]
        self.meta.switch(automatic_statuses=False)
        self._lift(numbers=[tenant.phone_number_id], a_second=30_000)
        self.instance.start_processes("sender")
        self._bare(tenant)  # warm
        self._ours(tenant)
        runs: list[dict[str, float]] = []
        for _ in range(passes):
            before = self._bare(tenant)
            ours = self._ours(tenant)
            after = self._bare(tenant)
            bare = (before + after) / 2
            runs.append({"ratio": round(ours["ours"] / bare, 3), **ours, "bare": round(bare)})
        self.instance.supervisor.stop("sender")
        self._lift(numbers=[tenant.phone_number_id], a_second=A_SECOND)
        return Case(
            case="pace",
            ratio=median([run["ratio"] for run in runs]),
            floor=0.60,
            better="higher",
            ours=median([run["ours"] for run in runs]),
            reference=median([run["bare"] for run in runs]),
            unit="messages/s",
            runs=runs,
        )

    def numbers(self) -> Case:
        """Find how many numbers keep their pace at once: three, and more as long as they do."""
        self.meta.switch(automatic_statuses=True)
        self.instance.start_processes("sender")
        runs: list[dict[str, float]] = []
        held = 0
        for count in NUMBERS:
            run = self._at_once(count)
            runs.append(run)
            if run["slowest"] < HELD:
                break
            held = count
        self.instance.supervisor.stop("sender")
        last = next((run for run in runs if run["numbers"] == held), runs[0])
        return Case(
            case="numbers",
            ratio=float(held),
            floor=3.0,
            better="higher",
            ours=round(last["slowest"] * A_SECOND, 1),
            reference=float(A_SECOND),
            unit="messages/s of each number",
            runs=runs,
        )

    def _bare(self, tenant: municipalities.Tenant) -> float:
        self.meta.forget()
        token = f"token-of-{tenant.schema_name}"
        subprocess.run(
            [
                *(sys.executable, "-m", "benchmarks.bare_client", str(self.instance.sandbox_port)),
                *(tenant.phone_number_id, token, str(MESSAGES), str(self.calls)),
            ],
            cwd=ROOT,
            env=self.instance.environ,
            check=True,
        )
        return self._rate()

    def _ours(self, tenant: municipalities.Tenant) -> dict[str, float]:
        self.meta.forget()
        self.outboxes.do("clear", schema_names=[tenant.schema_name])
        before = self._count(tenant.schema_name, "ACCEPTED")
        self.outboxes.do("fill", schema_name=tenant.schema_name, count=MESSAGES, template=True)
        cpu, ticks = machine.cpu_seconds_of_children(), machine.cpu_ticks()
        self._until(lambda: self._is_empty(tenant.schema_name), tenant.schema_name)
        shares, used = machine.shares_since(ticks), machine.cpu_seconds_of_children()
        accepted = self._count(tenant.schema_name, "ACCEPTED") - before
        deadline = time.monotonic() + 10
        while accepted < MESSAGES and time.monotonic() < deadline:
            time.sleep(0.1)
            accepted = self._count(tenant.schema_name, "ACCEPTED") - before
        if accepted != MESSAGES:
            raise CannotMeasure(f"Meta accepted {MESSAGES} messages, and {accepted} are stored as accepted")
        spent = {
            f"{name}_us": round(1e6 * (used.get(name, 0.0) - cpu.get(name, 0.0)) / MESSAGES)
            for name in ("run_lanes", "postgres", "sandbox")
        }
        return {"ours": round(self._rate()), **spent, **shares}

    def _rate(self) -> float:
        """Return the messages a second that Meta got, without the edges."""
        moments = sorted(moment for _, _, moment, outcome in self.meta.sends() if outcome == "ACCEPTED")
        if len(moments) != MESSAGES:
            raise CannotMeasure(f"{MESSAGES} messages were sent, and Meta accepted {len(moments)}")
        edge = int(MESSAGES * EDGE)
        return (len(moments) - 2 * edge - 1) / (moments[-edge - 1] - moments[edge])

    def _at_once(self, count: int) -> dict[str, float]:
        tenants = self.tenants[:count]
        seconds = WARM_UP_SECONDS + WINDOWS * WINDOW_SECONDS
        schemas = [tenant.schema_name for tenant in tenants]
        self.instance.supervisor.stop("sender")
        self.outboxes.do("clear", schema_names=schemas)
        for schema in schemas:
            self.outboxes.do("fill", schema_name=schema, count=int(A_SECOND * (seconds + 2)), template=True)
        self.meta.forget()
        cpu, ticks = machine.cpu_seconds_of_children(), machine.cpu_ticks()
        self.instance.start_processes("sender")
        self._until(lambda: self.meta.accepted() > 0, schemas[0])
        time.sleep(seconds + 1.0)
        shares, used = machine.shares_since(ticks), machine.cpu_seconds_of_children()
        waiting = sum(self._one(f"SELECT count(*) FROM {each}.inbox_event WHERE state = 'OPEN'") for each in schemas)
        slowest = self._slowest([tenant.phone_number_id for tenant in tenants])
        self._until(lambda: all(self._is_empty(each) for each in schemas), schemas[0])
        spent = {
            f"{name}_cores": round((used.get(name, 0.0) - cpu.get(name, 0.0)) / (seconds + 1.0), 2)
            for name in ("run_lanes", "postgres", "sandbox", "celery", "uvicorn")
        }
        return {"numbers": count, "slowest": slowest, "statuses_waiting": waiting, **spent, **shares}

    def _slowest(self, numbers: list[str]) -> float:
        """Return the share of its pace that the slowest number kept, as the median of the windows."""
        sends = self.meta.sends()
        start = max(min(moment for number, _, moment, _ in sends if number == each) for each in numbers)
        start += WARM_UP_SECONDS
        shares = []
        for window in range(WINDOWS):
            since = start + window * WINDOW_SECONDS
            kept = [
                sum(1 for number, _, moment, _ in sends if number == each and since <= moment < since + WINDOW_SECONDS)
                for each in numbers
            ]
            shares.append(min(kept) / (A_SECOND * WINDOW_SECONDS))
        return median(shares)

    def _lift(self, *, numbers: list[str], a_second: int) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(LIFT, [a_second, numbers])

    def _is_empty(self, schema: str) -> bool:
        return not self._one(f"SELECT EXISTS (SELECT FROM {schema}.messaging_outboxitem)::int")

    def _count(self, schema: str, state: str) -> int:
        return self._one(f"SELECT count(*) FROM {schema}.messaging_message WHERE state = '{state}'")

    def _one(self, query: Any) -> int:
        row = self._looking.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def _until(self, condition: Any, schema: str) -> None:
        for _ in _patiently():
            if condition():
                return
        raise CannotMeasure(f"the outbox of {schema} was not sent in {PATIENCE_SECONDS:.0f} seconds")


def _patiently() -> Iterator[None]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        yield
        time.sleep(0.25)
