"""Databases on a PostgreSQL server: made, copied and dropped, and never one that was not made here.

A database made here carries a comment that says so; without that comment nothing is dropped. `server` is everywhere
the URL of a database that is only connected to.
"""

from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import errors, sql

from config.local.failure import SetupError, disk_full

OLDEST_SERVER = 170000  # PostgreSQL 17, as server_version_num counts
MARK = "made by the local set-up of the WhatsApp BSP platform, which drops it again"
CONNECT_SECONDS = 10
EMPTY = "template0"


def name_in(*, url: str) -> str:
    """Return the name of the database that a URL points at."""
    return urlsplit(url).path.removeprefix("/") or "postgres"


def with_name(*, url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path="/" + name))


def check_server(*, server: str) -> None:
    """Refuse a server that cannot be reached, is too old or may not be used for this.

    Raises SetupError: one line that says which.
    """
    with _connect(server) as connection:
        version = connection.info.server_version
        if version < OLDEST_SERVER:
            found = f"{version // 10000}.{version % 10000}"
            raise SetupError(f"PostgreSQL 17 or newer is needed, and the server of DATABASE_URL is {found}")
        may = connection.execute(
            "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
        ).fetchone()
        if may is None or not may[0]:
            raise SetupError(
                "the user of DATABASE_URL may not create databases, and each run makes one of its own beside yours: "
                f"let a superuser run ALTER ROLE {connection.info.user} CREATEDB, or unset DATABASE_URL"
            )


def make(*, server: str, name: str, template: str = EMPTY) -> None:
    """Make a database, empty or as a copy of another, dropping the one that was made here before.

    Raises SetupError: there is one of that name which was not made here, or the disk is full.
    """
    drop(server=server, name=name)
    with _connect(server) as connection:
        # Copying files is the quicker way where nothing is synced to disk; the log is where it is.
        strategy = "FILE_COPY" if template != EMPTY and _is_not_durable(connection) else "WAL_LOG"
        try:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {} ENCODING 'UTF8'").format(
                    sql.Identifier(name), sql.Identifier(template), sql.SQL(strategy)
                )
            )
        except errors.DiskFull:
            raise disk_full() from None
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(MARK)))


def rename(*, server: str, name: str, to: str) -> None:
    """Give a database another name."""
    with _connect(server) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(to)))


def drop(*, server: str, name: str) -> None:
    """Drop a database, ending its connections; do nothing where there is none.

    Raises SetupError: it was not made here.
    """
    made_here = listed(server=server).get(name)
    if made_here is False:
        raise SetupError(f"the database {name} is there already and was not made by this set-up: rename or drop it")
    if made_here:
        with _connect(server) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def listed(*, server: str) -> dict[str, bool]:
    """Return every database on the server, and of each whether it was made here."""
    with _connect(server) as connection:
        rows = connection.execute(
            "SELECT datname, coalesce(shobj_description(oid, 'pg_database') = %s, false) FROM pg_catalog.pg_database",
            [MARK],
        ).fetchall()
    return dict(rows)


def _is_not_durable(connection: psycopg.Connection) -> bool:
    row = connection.execute("SHOW fsync").fetchone()
    return row is not None and row[0] == "off"


def _connect(server: str) -> psycopg.Connection:
    try:
        return psycopg.connect(server, autocommit=True, connect_timeout=CONNECT_SECONDS)
    except psycopg.OperationalError as error:
        # The client's words hold host, port, user and database; the password is never among them.
        reason = (str(error).strip() or "no answer").splitlines()[-1].strip()
        raise SetupError(f"PostgreSQL cannot be reached: {reason}") from None
    except psycopg.ProgrammingError:
        raise SetupError("DATABASE_URL cannot be read: write postgresql://user:password@host:port/name") from None
