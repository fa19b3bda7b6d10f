"""A database in which commits are real, for one test after the other: each finds it exactly as the template is.

A copy of the template is some 1,500 files, and a test changes a few of the rows in them. So the copy stays, and what
changed is put back. What that is the database itself says: each row names the transaction that wrote it, as do the
rows of its catalogue, which describe all the rest, and what was deleted is missing in the count. Where more changed
than rows and sequences (a table, a schema, a right, a setting, statistics), the database is made anew.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from config.local import databases

END_SECONDS = 10.0
OPTIONS = "-c search_path= -c jit=off"

# Of each table: how many rows it has, how large its file is, and how many of the rows were written since then. Rows
# that were never seen (their transaction did not commit) show in the size alone.
LOOK = "SELECT {oid}, count(*), pg_relation_size({oid}), count(*) FILTER (WHERE age(xmin) <= age({since}::xid))"
OF_THE_DATABASE = """
SELECT own.xmin::text, (SELECT count(*) FROM pg_catalog.pg_db_role_setting WHERE setdatabase = own.oid),
    (SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = own.datname)
FROM pg_catalog.pg_database AS own WHERE datname = pg_catalog.current_database()
"""
# All that has rows of its own: ours, and of the catalogue what is not the whole server's.
TABLES = """
SELECT c.oid::bigint, nspname, relname, relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema'),
    array(
        SELECT attname::text FROM pg_catalog.pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
    )
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace
WHERE relkind IN ('r', 'm') AND NOT relisshared AND relpersistence <> 't'
"""
REFERENCES = """
SELECT DISTINCT confrelid::bigint, conrelid::bigint FROM pg_catalog.pg_constraint
JOIN pg_catalog.pg_class AS c ON c.oid = conrelid WHERE contype = 'f' AND relkind = 'r'
"""
SET_SEQUENCE = """
SELECT pg_catalog.setval(seqrelid::regclass, coalesce(%(value)s, seqstart), %(value)s::bigint IS NOT NULL)
FROM pg_catalog.pg_sequence WHERE seqrelid = %(oid)s
"""
END_OTHERS = """
SELECT count(pg_catalog.pg_terminate_backend(pid, 5000)) FROM pg_catalog.pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table. is_ours: it is no part of the catalogue, so that its rows can be put back."""

    name: sql.Composable
    columns: sql.Composable
    is_ours: bool


@dataclass(slots=True)
class Found:
    """How everything is, by the oid of each table and sequence. written: in which tables there are new rows."""

    counts: dict[int, int]
    sizes: dict[int, int]
    written: set[int]
    sequences: dict[int, int | None]
    settings: object


@dataclass(slots=True)
class OwnDatabase:
    """A database that each test that asks for it has to itself."""

    server: str
    template: str
    name: str
    _tables: dict[int, Table] = field(default_factory=dict)
    _references: dict[int, set[int]] = field(default_factory=dict)  # by what is referred to
    _rows: dict[int, bytes] = field(default_factory=dict)
    _first: Found | None = None  # None: it has to be made
    _since: str = ""

    @property
    def url(self) -> str:
        """Return its URL."""
        return databases.with_name(url=self.server, name=self.name)

    def ready(self) -> None:
        """Bring it into the state of the template: put back what was changed, or make it anew."""
        if self._first is None or not self._put_back():
            self._make()

    def end_connections(self) -> None:
        """End whatever is connected to it, as the end of a test does.  Raises AssertionError: that does not end."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            _end_others(connection, name=self.name)

    def drop(self) -> None:
        """Remove it."""
        self._first = None
        databases.drop(server=self.server, name=self.name)

    def _make(self) -> None:
        self._first = None
        databases.make(server=self.server, name=self.name, template=self.template)
        with psycopg.connect(self.url, options=OPTIONS, autocommit=True) as connection:
            if not _one(connection, "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"):
                return  # rows go back past the triggers that guard them, which is for a superuser: a copy each time
            self._tables = _tables(connection)
            self._references = {}
            for table, referring in connection.execute(REFERENCES):
                self._references.setdefault(table, set()).add(referring)
            self._since = _now(connection)
            found = _look(connection, tables=self._tables, since=self._since)
            filled = [oid for oid, table in self._tables.items() if table.is_ours and found.counts[oid]]
            self._rows = {oid: _copy_out(connection, self._tables[oid]) for oid in filled}
            self._first = found

    def _put_back(self) -> bool:
        """Put back what was changed; return False where that would not be all there is to do."""
        try:
            connection = psycopg.connect(self.url, options=OPTIONS, autocommit=True)
        except psycopg.OperationalError:  # it was left so that nobody can connect
            return False
        with connection:
            _end_others(connection, name=self.name)
            found = self.look(connection)
            if found is None:
                return False
            tables = self._changed(found)
            if tables or found.sequences != self._first.sequences:
                self._restore(connection, tables=self._with_referring(tables), found=found)
                self._since = _now(connection)
                found = _look(connection, tables=self._tables, since=self._since)
                self._first.sizes = found.sizes
            connection.execute("SELECT pg_catalog.pg_stat_reset()")
            return not self._changed(found) and found.sequences == self._first.sequences

    def look(self, connection: psycopg.Connection) -> Found | None:
        """Return how everything is; None where more changed than rows and sequences, which cannot be put back."""
        if _tables(connection).keys() != self._tables.keys():
            return None
        found = _look(connection, tables=self._tables, since=self._since)
        if found.settings != self._first.settings or not all(self._tables[oid].is_ours for oid in self._changed(found)):
            return None
        return found

    def _changed(self, found: Found) -> set[int]:
        """Return the tables that are not as they were at first; of the catalogue the size says nothing of its rows."""
        first = self._first
        return found.written | {
            oid
            for oid, table in self._tables.items()
            if found.counts[oid] != first.counts[oid] or (table.is_ours and found.sizes[oid] != first.sizes[oid])
        }

    def _with_referring(self, tables: Iterable[int]) -> set[int]:
        """Return tables with all that refer to them: these are emptied together or not at all."""
        found, more = set(tables), set(tables)
        while more:
            more = {each for oid in more for each in self._references.get(oid, ())} - found
            found |= more
        return found

    def _restore(self, connection: psycopg.Connection, *, tables: set[int], found: Found) -> None:
        """Empty the tables and fill them in the order in which the rows lay; set the sequences that moved."""
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            if tables:
                names = [sql.SQL("ONLY ") + self._tables[oid].name for oid in sorted(tables)]
                connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(names)))
            for oid in sorted(tables & self._rows.keys()):
                _copy_in(connection, self._tables[oid], self._rows[oid])
            for oid, value in self._first.sequences.items():
                if value != found.sequences[oid]:
                    connection.execute(SET_SEQUENCE, {"oid": oid, "value": value})


def _look(connection: psycopg.Connection, *, tables: dict[int, Table], since: str) -> Found:
    """Look at all tables, at the sequences, and at what is said of the database itself."""
    looking = [
        sql.SQL(f"{LOOK} FROM ONLY {{name}}").format(oid=oid, since=since, name=table.name)
        for oid, table in tables.items()
    ]
    rows = connection.execute(sql.SQL(" UNION ALL ").join(looking)).fetchall()
    sequences = "SELECT seqrelid::bigint, pg_catalog.pg_sequence_last_value(seqrelid) FROM pg_catalog.pg_sequence"
    return Found(
        counts={oid: count for oid, count, _, _ in rows},
        sizes={oid: size for oid, _, size, _ in rows},
        written={oid for oid, _, _, written in rows if written},
        sequences=dict(connection.execute(sequences).fetchall()),
        settings=connection.execute(OF_THE_DATABASE).fetchone(),
    )


def _tables(connection: psycopg.Connection) -> dict[int, Table]:
    return {
        oid: Table(
            name=sql.Identifier(schema, name),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            is_ours=is_ours,
        )
        for oid, schema, name, is_ours, columns in connection.execute(TABLES)
    }


def _now(connection: psycopg.Connection) -> str:
    """Return the first transaction that has not been yet; those that wrote what is there are all before it."""
    return _one(connection, "SELECT (pg_snapshot_xmax(pg_current_snapshot())::xid)::text")


def _one(connection: psycopg.Connection, query: str) -> object:
    return connection.execute(query).fetchone()[0]


def _copy_out(connection: psycopg.Connection, table: Table) -> bytes:
    copying = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT binary)").format(table.name, table.columns)
    with connection.cursor() as cursor, cursor.copy(copying) as copy:
        return b"".join(copy)


def _copy_in(connection: psycopg.Connection, table: Table, rows: bytes) -> None:
    copying = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(table.name, table.columns)
    with connection.cursor() as cursor, cursor.copy(copying) as copy:
        copy.write(rows)


def _end_others(connection: psycopg.Connection, *, name: str) -> None:
    deadline = time.monotonic() + END_SECONDS
    while connection.execute(END_OTHERS, [name]).fetchone()[0]:
        assert time.monotonic() < deadline, f"connections to {name} do not end"
