"""How fast a month of conversations becomes invoices, beside one query that counts and prices the same rows.

Ours: `billing.invoicing.run`, whole: gathering, rating, storing and committing the drafts, and the entry in the trail.
Reference: one SQL by municipality, number, category, purpose, template and day, whose result stays in the database.
"""

import json
import subprocess
import sys
import time
from decimal import Decimal

import psycopg

from benchmarks import machine
from benchmarks.report import CannotMeasure, Case, Report, median
from config.local.folders import ROOT, VAR
from config.local.instance import Instance

NAME = "metering"
HELP = "a million conversations to draft invoices, against one query that counts and prices the same rows"
CASES = ("month",)
FLOOR = 2.0
CONVERSATIONS = 1_000_000
MONTH = "2026-10"
# The rule against overlap is not asked by a run, and would take minutes to fill.
UNGUARDED = "ALTER TABLE billing_conversation DROP CONSTRAINT conversation_no_overlap"
# A few large municipalities and many small ones; a third service, some marketing; five templates; all days.
FILL = """
    INSERT INTO billing_conversation (phone_number_id, contact_hash, category, opened_at, ends_at, opened_date, month,
        municipality_id, purpose, template)
    SELECT '1065' || place, decode(lpad(to_hex(n), 64, '0'), 'hex'),
        (ARRAY['SERVICE', 'UTILITY', 'UTILITY', 'MARKETING', 'AUTHENTICATION'])[1 + n %% 5], opened_at,
        opened_at + interval '24 hours', (opened_at AT TIME ZONE 'Europe/Amsterdam')::date, %(month)s::date, id,
        (ARRAY['PERMITS', 'APPOINTMENTS', 'SERVICES'])[1 + n %% 3], 'sjabloon_' || n %% 7
    FROM (
        SELECT n, (power((n * 7919 %% 1000003) / 1000003.0, 3) * (SELECT count(*) - 1 FROM municipality))::int AS place,
            (%(month)s::date + interval '1 hour' + (n * 104729 %% 2600000) * interval '1 second') AT TIME ZONE 'UTC'
                AS opened_at
        FROM generate_series(1, %(count)s::bigint) AS n
    ) AS drawn JOIN municipality USING (place)
"""
MUNICIPALITIES = """
    CREATE TEMPORARY TABLE municipality AS
    SELECT id, (row_number() OVER (ORDER BY schema_name) - 1)::int AS place FROM tenants_municipality
"""
REFERENCE = """
    SELECT sum(conversations)::bigint, sum(amount) FROM (
        SELECT count(*) AS conversations, count(*) * rate.unit_price AS amount
        FROM billing_conversation AS conversation
        JOIN billing_ratecard AS card ON conversation.opened_date >= card.valid_from
            AND (card.valid_until IS NULL OR conversation.opened_date < card.valid_until)
        JOIN billing_rate AS rate ON rate.card_id = card.id AND rate.category = conversation.category
        WHERE conversation.month = %s
        GROUP BY conversation.municipality_id, phone_number_id, conversation.category, purpose, template, opened_date,
            rate.unit_price
    ) AS priced
"""


def measure(*, passes: int = 5, cases: tuple[str, ...] = ()) -> Report:
    """Run the benchmark and return what it found.  Raises CannotMeasure: the two do not come to the same."""
    with Instance(VAR / "bench", durable=True) as instance:
        instance.take()
        instance.start_servers()
        found = machine.describe(folder=instance.folder)
        instance.make_database()
        instance.migrate()
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.drafting", MONTH],
            cwd=ROOT,
            env=instance.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            return _measured(process, instance.values["DATABASE_URL"], passes, found)
        finally:
            process.kill()
            process.wait()


def _measured(process: "subprocess.Popen[str]", database_url: str, passes: int, found: dict[str, object]) -> Report:
    _answer(process)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET search_path = public")
        begun = time.perf_counter()
        connection.execute(UNGUARDED)
        connection.execute(MUNICIPALITIES)
        connection.execute(FILL, {"month": f"{MONTH}-01", "count": CONVERSATIONS})
        connection.execute("VACUUM ANALYZE billing_conversation")
        filled = time.perf_counter() - begun
        _pass(process, connection)  # plans and caches are made before, on both sides
        runs = [_pass(process, connection) for _ in range(passes)]
    case = Case(
        case="month",
        ratio=median([run["ratio"] for run in runs]),
        floor=FLOOR,
        better="lower",
        ours=median([run["ours_ms"] for run in runs]),
        reference=median([run["reference_ms"] for run in runs]),
        unit="ms for the month",
        runs=runs,
    )
    found |= {"memory_mib_by_program": {"drafting, at most": max(run["peak_mib"] for run in runs)}}
    conditions = [
        f"{CONVERSATIONS:,} conversations of {MONTH}, filled in {filled:.0f} s; fsync and synchronous_commit on",
        "ours ends with the committed drafts of 342 municipalities and its entry in the trail",
    ]
    return Report(name=NAME, cases=[case], machine=found, conditions=conditions)


def _pass(process: "subprocess.Popen[str]", connection: "psycopg.Connection[tuple[object, ...]]") -> dict[str, float]:
    begun = time.perf_counter()
    row = connection.execute(REFERENCE, [f"{MONTH}-01"]).fetchone()
    reference = time.perf_counter() - begun
    assert row is not None
    assert process.stdin is not None
    process.stdin.write("draft\n")
    process.stdin.flush()
    ours = json.loads(_answer(process))
    apart = abs(Decimal(ours["usage_cents"]) / 100 - Decimal(str(row[1])))
    # Each line is rounded once, by half a cent at most.
    if ours["conversations"] != row[0] or apart > Decimal("0.005") * 5 * ours["invoices"]:
        raise CannotMeasure(
            f"ours counts {ours['conversations']} conversations, one query {row[0]}; {apart} euros apart"
        )
    return {
        "ratio": round(ours["seconds"] / reference, 3),
        "ours_ms": round(ours["seconds"] * 1000, 1),
        "reference_ms": round(reference * 1000, 1),
        "invoices": ours["invoices"],
        "peak_mib": round(ours["peak_mib"], 1),
    }


def _answer(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise CannotMeasure("the process that drafts has ended")
    return line
