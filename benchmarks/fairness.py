"""Whether one municipality's flood delays another's answers: the same load, from one number or spread over all others.

Ours: one municipality sends a broadcast at 80 a second while agents of another answer citizens. Reference: the same 80
a second, spread evenly over all the others. Measured is each answer, from its commit to its arrival at the sandbox.
Web, workers, sender, sandbox and database run as they always do, and Meta's statuses come in and are applied.
"""

import time
from typing import Any

import psycopg

from benchmarks import machine, municipalities
from benchmarks.meta import Meta
from benchmarks.outboxes import Outboxes
from benchmarks.report import CannotMeasure, Case, Report
from config.local.folders import VAR
from config.local.instance import Instance

NAME = "fairness"
HELP = "how long one municipality's answers take while another floods, against the same load spread over all"
CASES = ("flood",)
FLOOR = 1.10
A_SECOND = 80
SECONDS = 60.0
WARM_UP_SECONDS = 3.0
ANSWERS_A_SECOND = 6.0
CITIZENS = 40
MUNICIPALITIES: int | None = None  # all 342
PATIENCE_SECONDS = 60.0
WAITING = "SELECT count(*) FROM {schema}.messaging_thread WHERE last_inbound_at IS NOT NULL"


def measure(*, passes: int = 1, cases: tuple[str, ...] = ()) -> Report:
    """Run the benchmark and return what it found.  Raises CannotMeasure: a pass was not what it should be.

    passes: pairs; one fits into five minutes.
    """
    with Instance(VAR / "bench", durable=True) as instance:
        instance.take()
        instance.start_servers()
        found = machine.describe(folder=instance.folder)
        tenants_are = municipalities.give(instance=instance, most=MUNICIPALITIES)
        instance.start_processes("sandbox", "web", "worker-inbox", "worker-maintenance", "beat", "sender")
        instance.wait_until_healthy()
        with Outboxes(environ=instance.environ) as outboxes:
            bench = _Bench(instance, outboxes)
            runs = [bench.pair() for _ in range(passes)]
            found |= {"memory_mib_by_program": machine.memory_of_children()}
    middle = sorted(runs, key=lambda run: run["ratio"])[len(runs) // 2]
    case = Case(
        case="flood",
        ratio=middle["ratio"],
        floor=FLOOR,
        better="lower",
        ours=middle["flood_p95_ms"],
        reference=middle["spread_p95_ms"],
        unit="ms from an answer's commit to Meta, p95",
        runs=runs,
    )
    conditions = [
        f"{len(bench.tenants)} municipalities: {tenants_are}; fsync and synchronous_commit on",
        f"{A_SECOND} broadcast messages and {ANSWERS_A_SECOND:g} answers a second for {SECONDS:.0f} s on each side",
    ]
    return Report(name=NAME, cases=[case], machine=found, conditions=conditions)


class _Bench:
    def __init__(self, instance: Instance, outboxes: Outboxes) -> None:
        self.outboxes = outboxes
        self.database_url = instance.values["DATABASE_URL"]
        self.meta = Meta(url=instance.urls.sandbox)
        self.tenants = municipalities.read(database_url=self.database_url)
        self.answering, self.flooding, *self.others = self.tenants
        self.meta.know(tenants=self.tenants)
        self._have_citizens_write()

    def pair(self) -> dict[str, float]:
        """Measure the answers while one floods, and while all others together send as much."""
        count = int(A_SECOND * (SECONDS + WARM_UP_SECONDS))
        schema = self.flooding.schema_name
        spread = {"schema_names": [tenant.schema_name for tenant in self.others], "count": count, "a_second": A_SECOND}
        # What is done once is done before: threads, plans, leases.
        self._side("fill", schema_name=schema, count=A_SECOND, template=True, seconds=1.0)
        ours = self._side("fill", schema_name=schema, count=count, template=True, seconds=SECONDS)
        reference = self._side("spread", **spread, seconds=SECONDS)
        return {
            "ratio": round(ours["p95_ms"] / reference["p95_ms"], 3),
            **{f"flood_{name}": value for name, value in ours.items()},
            **{f"spread_{name}": value for name, value in reference.items()},
        }

    def _side(self, load: str, *, seconds: float, **given: Any) -> dict[str, float]:
        self.meta.forget()
        queued = self.outboxes.do(load, **given)
        time.sleep(WARM_UP_SECONDS if seconds == SECONDS else 0.0)
        ticks = machine.cpu_ticks()
        committed = dict(
            self.outboxes.do(
                "reply", schema_name=self.answering.schema_name, seconds=seconds, a_second=ANSWERS_A_SECOND
            )
        )
        shares = machine.shares_since(ticks)
        self._until(lambda: self.meta.accepted() >= queued + len(committed), f"{queued} messages to be sent")
        arrived = {id_: moment for _, id_, moment, outcome in self.meta.sends() if outcome == "ACCEPTED"}
        if missing := committed.keys() - arrived.keys():
            raise CannotMeasure(f"{len(missing)} answers did not arrive")
        delays = sorted(arrived[id_] - moment for id_, moment in committed.items())
        load_moments = sorted(moment for id_, moment in arrived.items() if id_ not in committed)
        rate = (len(load_moments) - 1) / max(0.001, load_moments[-1] - load_moments[0])
        return {
            "p50_ms": round(1000 * delays[len(delays) // 2], 1),
            "p95_ms": round(1000 * delays[int(len(delays) * 0.95)], 1),
            "sent_a_second": round(rate, 1),
            "idle_percent": shares["idle_percent"],
        }

    def _have_citizens_write(self) -> None:
        """Open the windows of some citizens, whom the agents answer in turn."""
        updates = [
            {
                "phone_number_id": self.answering.phone_number_id,
                "citizen": {"phone": f"+3169{place:07d}", "name": "Sanne"},
                "message": {"type": "text", "text": {"body": "Wanneer komt u langs?"}},
            }
            for place in range(CITIZENS)
        ]
        self.meta.call("inbound", {"updates": updates, "wait": True})
        query = WAITING.format(schema=self.answering.schema_name)
        self._until(lambda: self._one(query) >= CITIZENS, "the citizens' messages to be applied")

    def _one(self, query: Any) -> int:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def _until(self, condition: Any, what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise CannotMeasure(f"waited {PATIENCE_SECONDS:.0f} seconds for {what}")
            time.sleep(0.5)
