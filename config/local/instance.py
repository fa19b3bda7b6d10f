"""A whole platform on this machine: servers, a database, the processes of the Procfile, and where they listen.

The demo is one, at fixed ports; flows in tests, kill -9 tests and benchmarks make others, at free ports and in
folders of their own. In the order of use: take, start_servers, make_database, migrate, start_processes,
wait_until_healthy, or `bring_up` for all of them; `stop` undoes all of it, whatever the state.
"""

import http.client
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from config.local import databases, environment, ports, procfile
from config.local.failure import SetupError, disk_full, is_full
from config.local.folders import ROOT, FolderLock
from config.local.servers import Servers
from config.local.supervisor import Supervisor

HEALTHY_SECONDS = 60.0


class AlreadyRunning(Exception):
    """Another run holds the folder; the text says where it answers."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the doors are. Programs connect to 127.0.0.1 and name the host in the Host header."""

    web: str
    sandbox: str
    console: str


class Instance:
    """One platform in one folder.

    web_port, sandbox_port: 0 chooses free ones. durable: false only where data may be lost (tests).
    database_url: use this database, made and migrated already, and start no PostgreSQL.
    given: environment in which DATABASE_URL and CELERY_BROKER_URL name the caller's own servers; empty: start both.
    restart: start again a process that ends unasked (kill -9 tests) instead of ending all.
    on_crash: called from another thread when a process ended unasked and all others were ended.
    """

    def __init__(
        self,
        folder: Path,
        *,
        web_port: int = 0,
        sandbox_port: int = 0,
        durable: bool = True,
        database_url: str | None = None,
        given: Mapping[str, str] | None = None,
        restart: bool = False,
        on_crash: Callable[[], None] | None = None,
    ) -> None:
        """Name the instance; nothing is made before `take`."""
        self.folder = folder
        self.env_file = folder / "env"
        self.logs = folder / "log"
        self.environ: dict[str, str] = {}
        self.values: dict[str, str] = {}  # what is written to env_file
        self.web_port = web_port
        self.sandbox_port = sandbox_port
        servers_given = dict(given or {})
        if database_url is not None:
            servers_given["DATABASE_URL"] = database_url
        self.servers = Servers(folder, durable=durable, environ=servers_given)
        self._database_url = database_url
        self._lock = FolderLock(folder)
        self._restart, self._on_crash = restart, on_crash
        self._supervisor: Supervisor | None = None

    def __enter__(self) -> "Instance":
        """Return the instance; the block's end stops it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything."""
        self.stop()

    def take(self) -> None:
        """Hold the folder for this run, ending what a killed run left behind.

        Raises AlreadyRunning: another run holds it. SetupError: the folder cannot be written, or a port is taken.
        """
        if not self._lock.take():
            port = environment.read(path=self.env_file).get("PORT")
            where = f"at http://console.localhost:{port}/" if port else "and is starting"
            raise AlreadyRunning(f"it runs already {where} (process {self._lock.holder()}); Ctrl-C there ends it")
        self.env_file.unlink(missing_ok=True)
        self.web_port = self._port(variable="PORT", port=self.web_port, other=8001)
        self.sandbox_port = self._port(variable="SANDBOX_PORT", port=self.sandbox_port, other=8101)
        if self.web_port == self.sandbox_port:
            raise SetupError(f"PORT and SANDBOX_PORT are both {self.web_port}: choose two")

    def start_servers(self) -> None:
        """Start PostgreSQL and Redis, or check those that are given.  Raises SetupError: one cannot be used."""
        self.servers.start()
        self._describe()

    def make_database(self, *, template: str = databases.EMPTY) -> None:
        """Make the instance's database anew, empty or as a copy; one made here before is dropped with its data."""
        name = databases.name_in(url=self.values["DATABASE_URL"])
        databases.make(server=self.servers.server, name=name, template=template)

    def migrate(self) -> None:
        """Bring the public schema up to date.  Raises SetupError: it failed; the text ends with the reason."""
        self.manage("migrate_schemas", "--shared", "--noinput", "--verbosity", "0")

    def manage(self, *arguments: str, given: str = "") -> str:
        """Run a management command in the instance's environment; return what it printed.

        Raises SetupError: it failed; the text ends with the last line of its complaint.
        """
        done = self._run_manage(*arguments, given=given)
        if done.returncode != 0:
            if is_full(done.stderr):
                raise disk_full()
            last = (done.stderr.strip() or "no reason was given").splitlines()[-1]
            raise SetupError(f"manage.py {arguments[0]} failed (exit code {done.returncode}): {last}")
        return done.stdout

    def _run_manage(self, *arguments: str, given: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environ, input=given, capture_output=True, text=True, check=False
        )

    def bring_up(self) -> None:
        """Do all of it in the order of use: an empty, migrated platform of which every process runs and answers."""
        self.take()
        self.start_servers()
        self.make_database()
        self.migrate()
        self.start_processes()
        self.wait_until_healthy()

    def start_processes(self, *names: str) -> None:
        """Start the named processes of the Procfile, or all, and watch them and the servers."""
        self.supervisor.start(*names)
        if self._supervisor is not None:
            self._watch_servers()

    def wait_until_healthy(self, *, seconds: float = HEALTHY_SECONDS) -> None:
        """Wait until web and sandbox answer.

        Raises ProcessCrashed: a process ended. SetupError: one does not answer in time.
        """
        deadline = time.monotonic() + seconds
        doors = {"web": (self.web_port, "/healthz"), "sandbox": (self.sandbox_port, "/_sandbox/healthz")}
        for name, (port, path) in doors.items():
            if self.supervisor.pid(name) is None and not self.supervisor.restarts(name):
                continue  # not among those that were started
            while not _answers(port=port, path=path):
                self.supervisor.check()
                if time.monotonic() > deadline:
                    raise SetupError(
                        f"{name} does not answer after {seconds:.0f} seconds; its log is {self.logs}/{name}.log"
                    )
                time.sleep(0.1)

    def kill_postgres(self) -> None:
        """Kill -9 the instance's own PostgreSQL, as a test of what survives."""
        assert self.servers.postgres is not None
        self.supervisor.watch(name="postgres", child=None, log=self.servers.postgres.log)
        self.servers.postgres.kill()

    def kill_redis(self) -> None:
        """Kill -9 the instance's own Redis, as a test of what survives."""
        assert self.servers.redis is not None
        self.supervisor.watch(name="redis", child=None, log=self.servers.redis.log)
        self.servers.redis.kill()

    def start_killed_servers(self) -> None:
        """Start again, at the same port, what was killed."""
        if self.servers.postgres is not None and self.servers.postgres.process is None:
            self.servers.postgres.start()
        if self.servers.redis is not None and self.servers.redis.process is None:
            self.servers.redis.start()
        self._watch_servers()

    def stop(self) -> None:
        """End every process and both servers, and let the folder go.  Safe to repeat; Ctrl-C then kills at once."""
        try:
            if self._supervisor is not None:
                self._supervisor.stop()
        finally:
            try:
                self.servers.stop()
            finally:
                self._lock.let_go()

    @property
    def supervisor(self) -> Supervisor:
        """The watcher of the processes, from `start_servers` on."""
        assert self._supervisor is not None, "start_servers comes first"
        return self._supervisor

    @property
    def urls(self) -> Urls:
        """Where the doors are, from `take` on."""
        return Urls(
            web=f"http://{ports.HOST}:{self.web_port}",
            sandbox=f"http://{ports.HOST}:{self.sandbox_port}",
            console=f"http://console.localhost:{self.web_port}/",
        )

    def _port(self, *, variable: str, port: int, other: int) -> int:
        if port == 0:
            return ports.find_free()
        ports.require_free(variable=variable, port=port, other=other)
        return port

    def _describe(self) -> None:
        clock = self.folder / "clock"
        clock.unlink(missing_ok=True)
        clock.write_bytes(struct.pack("<d", 0.0))
        self.values = {
            **environment.make_secrets(),
            "ENVIRONMENT": "development",
            "BASE_DOMAIN": "localhost",
            "PORT": str(self.web_port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "DATABASE_URL": self._database_url or self.servers.database(name="demo"),
            "CELERY_BROKER_URL": self.servers.broker(),
            "META_GRAPH_URL": self.urls.sandbox,
            "META_SDK_URL": f"{self.urls.sandbox}/nl_NL/sdk.js",
            "META_CONFIG_ID": "500000000000001",
            "META_CREDIT_LINE_ID": "700000000000001",
            "SANDBOX_WEBHOOK_URL": f"{self.urls.web}/webhooks/whatsapp",
            "CLOCK_FILE": str(clock),
            "EMAIL_URL": f"file://{quote(str(self.folder.resolve() / 'mail'))}",
            "STORAGE_URL": f"file://{quote(str(self.folder.resolve() / 'media'))}",
            "BEAT_SCHEDULE": str(self.folder / "beat-schedule"),
            "METRICS_PORT": os.environ.get("METRICS_PORT") or str(ports.find_free()),
            "PROMETHEUS_MULTIPROC_DIR": str(self._empty_folder("metrics")),
        }
        if self._database_url is not None:
            # What is encrypted in a database made elsewhere is read with the keys of there.
            self.values["FIELD_ENCRYPTION_KEYS"] = os.environ["FIELD_ENCRYPTION_KEYS"]
        environment.write(path=self.env_file, values=self.values)
        self.environ = environment.of_processes(values=self.values, folder=self.folder)
        for log in self.logs.glob("*.log"):
            log.unlink()
        self._supervisor = Supervisor(
            commands=procfile.commands(environ=self.environ),
            environ=self.environ,
            folder=ROOT,
            logs=self.logs,
            restart=self._restart,
            on_crash=self._on_crash,
        )

    def _empty_folder(self, name: str) -> Path:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def _watch_servers(self) -> None:
        for name, server in (("postgres", self.servers.postgres), ("redis", self.servers.redis)):
            if server is not None:
                self.supervisor.watch(name=name, child=server.process, log=server.log)


def _answers(*, port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(ports.HOST, port, timeout=2)
    try:
        connection.request("GET", path, headers={"Host": f"console.localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
