"""What a test run stands on: servers of its own, and one migrated template that every test database is copied from.

Loaded by pytest as an early plugin (`-p config.local.testing`), because the settings are read before any conftest:
the run's environment has to be there by then. Several runs in one clone do not meet: each takes a folder of its own.
"""

import fcntl
import gc
import hashlib
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]  # no py.typed in it
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # no py.typed in it

from config.local import databases, environment
from config.local.failure import SetupError
from config.local.folders import ROOT, VAR, FolderLock
from config.local.servers import Servers

RUNS_AT_ONCE = 8
SERVER, TEMPLATE_PREFIX, RUN_FOLDER = "TEST_SERVER_URL", "TEST_TEMPLATE_PREFIX", "TEST_RUN_FOLDER"


class TestRun:
    """The servers and environment of one run."""

    __test__ = False

    def __init__(self) -> None:
        """Take the first folder that no other run holds.  Raises SetupError: there is none."""
        for number in range(1, RUNS_AT_ONCE + 1):
            self.folder = VAR / ("test" if number == 1 else f"test-{number}")
            self._lock = FolderLock(self.folder)
            if self._lock.take():
                break
        else:
            raise SetupError(f"{RUNS_AT_ONCE} test runs are under way in this clone already: wait for one to end")
        self.servers = Servers(self.folder, durable=False)

    def start(self) -> None:
        """Start the servers and put the run's environment into this process, for it and its workers."""
        self.servers.start()
        kept = self.folder / "env"
        values = environment.read(path=kept)
        if not values:
            # Kept from run to run: the template holds what was encrypted with these.
            values = environment.make_secrets()
            environment.write(path=kept, values=values)
        of_clone = hashlib.sha256(str(self.folder).encode()).hexdigest()[:6]
        prefix = self.servers.database_name(name=f"test_{of_clone}_")
        for name in ("ONCE", "PORT", "SANDBOX_PORT", "CLOCK_FILE", "STRIPE_API_KEY", "SENTRY_DSN", "EMAIL_URL"):
            os.environ.pop(name, None)
        os.environ.update(values)
        os.environ.update(
            {
                "ENVIRONMENT": "development",
                SERVER: self.servers.server,
                TEMPLATE_PREFIX: prefix,
                RUN_FOLDER: str(self.folder),
                "DATABASE_URL": databases.with_name(url=self.servers.server, name=prefix + "main"),
                "CELERY_BROKER_URL": self.servers.broker(number=1),
                "STORAGE_URL": f"file://{quote(str(self.folder.resolve() / 'media'))}",
                # Nobody listens there: a test that forgot its own sandbox fails instead of calling Meta.
                "META_GRAPH_URL": "http://127.0.0.1:9",
            }
        )

    def stop(self) -> None:
        """Drop the run's databases, all but the template, and stop the servers.  Safe to repeat."""
        try:
            if self.servers.postgres is None and TEMPLATE_PREFIX in os.environ:  # otherwise it did not come that far
                drop_databases(server=self.servers.server, prefix=os.environ[TEMPLATE_PREFIX])
        finally:
            self.servers.stop()
            self._lock.let_go()


def drop_databases(*, server: str, prefix: str) -> None:
    """Drop every test database of the prefix, templates excepted."""
    for name, made_here in databases.listed(server=server).items():
        if made_here and name.startswith(prefix) and not name.startswith(prefix + "template"):
            databases.drop(server=server, name=name)


def template_name(*, prefix: str) -> str:
    """Return the name of the template that fits the code as it is now."""
    return f"{prefix}template_{shape(of=os.environ['FIELD_ENCRYPTION_KEYS'])}"


def shape(*, of: str = "") -> str:
    """Return a word for all that shapes a migrated database: the code, what it stands on, and what else is given."""
    digest = hashlib.sha256(of.encode())
    for path in sorted(_what_shapes_a_template()):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def template_turn() -> Iterator[None]:
    """Hold the template, so that one worker makes it and the others wait and find it."""
    with (Path(os.environ[RUN_FOLDER]) / "template.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def take_worker_database(*, worker: str) -> None:
    """Point the environment of a worker of pytest-xdist at databases of its own, before the settings are read."""
    number = int(worker.removeprefix("gw")) + 2 if worker.removeprefix("gw").isdigit() else 2
    server, prefix = os.environ[SERVER], os.environ[TEMPLATE_PREFIX]
    os.environ["DATABASE_URL"] = databases.with_name(url=server, name=prefix + worker)
    broker = os.environ["CELERY_BROKER_URL"]
    os.environ["CELERY_BROKER_URL"] = f"{broker.rpartition('/')[0]}/{number % 16}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Generator[None, Any, Any]:
    """Start the run before anything reads the settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        take_worker_database(worker=worker)
    elif not {"--help", "-h", "--version", "-V"} & set(args):
        try:
            run = TestRun()
            early_config.add_cleanup(run.stop)
            run.start()
        except SetupError as error:
            raise pytest.UsageError(str(error)) from None
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Have the collector of garbage leave alone what stays to the end: thousands of tests, and all that is loaded."""
    from tenants import garbage

    gc.collect()
    garbage.look_seldom()


class OnePlatformEach(LoadScopeScheduling):  # type: ignore[misc]  # for the same cause
    """Hands out tests one by one, but the flows of one running platform together: making that takes half a minute.

    By path, because pytest-xdist's own groups have no effect with pytest 9.2: it no longer takes a node's new name.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::")[0]
        if path.startswith("tests/web/") and path.endswith("_in_a_browser.py"):
            return "browser"  # one platform with something on every page
        if path.startswith("tests/isolation/"):
            return "isolation"  # one world for the whole walk
        if not path.startswith("tests/flows/"):
            return nodeid
        name = path.removeprefix("tests/flows/test_").removesuffix(".py")
        return name if name in {"demo", "canaries"} else "live"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Choose who hands out tests; another choice of --dist stands."""
    return OnePlatformEach(config, log) if config.getvalue("dist") == "loadgroup" else None


def _what_shapes_a_template() -> Iterator[Path]:
    yield from (ROOT / "config").glob("*.py")
    for room in ("audit", "tenants", "accounts", "billing", "messaging", "api"):
        for pattern in ("**/migrations/*.py", "**/models.py", "**/provisioning.py", "**/apps.py", "**/*.sql"):
            yield from (ROOT / room).glob(pattern)
    yield from (ROOT / "messaging" / "core").glob("*.py")
    yield from (ROOT / "messaging" / "templates").glob("*.py")
    yield ROOT / "tests" / "conftest.py"
    yield ROOT / "requirements" / "test.txt"
