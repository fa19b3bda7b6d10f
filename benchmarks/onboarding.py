"""How long making a tenant takes: ours, from a kept script, against django-tenants as it comes, which migrates.

322 municipalities exist before; then twenty are made on each side, taking turns, in one process in which Django runs:
its start is in neither. Ours is all of tenants.provisioning: tables, number, key, templates, lane, inbox, audit.
The reference is a tenant's row saved as django-tenants documents it, which makes the schema and migrates it, no more.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks import machine, municipalities
from benchmarks.report import CannotMeasure, Case, Report, median
from config.local.folders import ROOT, VAR
from config.local.instance import Instance

NAME = "onboarding"
HELP = "making a tenant against migrating one as django-tenants does, after 322 exist"
CASES = ("tenant",)
FLOOR = 8.0
BEFORE = 322
SIDES = 20
PATIENCE_SECONDS = 480


def measure(*, passes: int = SIDES, cases: tuple[str, ...] = ()) -> Report:
    """Run the benchmark and return what it found.  Raises CannotMeasure: a tenant was not made.

    passes: tenants a side.
    """
    if not 1 <= passes <= SIDES:
        raise CannotMeasure(f"the register leaves {SIDES} municipalities to make")
    with Instance(VAR / "bench", durable=True) as instance:
        instance.take()
        instance.start_servers()
        found = machine.describe(folder=instance.folder)
        tenants_are = municipalities.give(instance=instance, most=BEFORE)
        ticks = machine.cpu_ticks()
        *runs, end = _made(environ=instance.environ, count=passes)
        found |= machine.shares_since(ticks) | {"memory_mib_by_program": machine.memory_of_children()}
    ours, reference = ([run[side] for run in runs] for side in ("ours_seconds", "stock_seconds"))
    case = Case(
        case="tenant",
        ratio=median([run["ratio"] for run in runs]),
        floor=FLOOR,
        better="higher",
        ours=median([3600 / each for each in ours]),
        reference=median([3600 / each for each in reference]),
        unit="tenants an hour",
        runs=runs,
    )
    conditions = [
        f"{BEFORE} municipalities before: {tenants_are}; fsync and synchronous_commit on",
        f"median seconds a tenant: ours {median(ours)}, django-tenants {median(reference)}",
        f"capturing the script, once a release, {end['capture_seconds']:g} s, is not in it",
        f"both sides made {end['tables']} tables in each schema by migration; ours attached the inbox besides",
    ]
    return Report(name=NAME, cases=[case], machine=found, conditions=conditions)


def _made(*, environ: Mapping[str, str], count: int) -> list[dict[str, float]]:
    """Have the tenants made in a process of their own; return what it measured, line by line."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.onboarding", str(count)],
            cwd=ROOT,
            env=dict(environ),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CannotMeasure(f"the tenants were not made within {PATIENCE_SECONDS} s") from error
    if done.returncode != 0:
        raise CannotMeasure(f"a tenant was not made: {(done.stderr.strip() or '?').splitlines()[-1]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _make(*, count: int) -> None:
    """Make so many tenants in each way, in a process that Django runs in, and print a line for each pair."""
    import time

    from tenants import script
    from tenants.models import Municipality, TenantScript
    from tenants.register import municipalities as registered

    TenantScript.objects.all().delete()
    begun = time.perf_counter()
    if script.find() is None:
        raise SystemExit("there is no script for these migrations: ours would be the reference")
    captured = time.perf_counter() - begun
    for place, each in enumerate(list(registered().values())[BEFORE : BEFORE + count]):
        begun = time.perf_counter()
        municipalities.provision(registered=each)
        ours = time.perf_counter() - begun
        begun = time.perf_counter()
        _as_it_comes(place=place)
        stock = time.perf_counter() - begun
        run = {"ratio": round(stock / ours, 2), "ours_seconds": round(ours, 4), "stock_seconds": round(stock, 4)}
        print(json.dumps(run), flush=True)
        made = _tables(each.schema_name), _tables(f"stock{place}")
        if made[0] != made[1] or not made[0]:
            raise SystemExit(f"{made[0]} tables against {made[1]}")
    if Municipality.objects.count() != BEFORE + 2 * count:
        raise SystemExit("some tenants are missing")
    print(json.dumps({"capture_seconds": round(captured, 2), "tables": made[0]}), flush=True)


def _as_it_comes(*, place: int) -> None:
    from tenants import clock
    from tenants.models import Domain, Municipality
    from tenants.stages import Stage

    tenant: Any = Municipality(
        schema_name=f"stock{place}",
        name=f"Stock {place}",
        cbs_code=f"GM99{place:02d}",
        stage=Stage.LIVE,
        created_at=clock.now(),
    )
    tenant.auto_create_schema = True
    tenant.save(verbosity=0)
    Domain.objects.create(domain=f"stock{place}.localhost", tenant=tenant, is_primary=True)


def _tables(schema_name: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = %s AND tablename <> 'inbox_event'", [schema_name]
        )
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    _make(count=int(sys.argv[1]))
