"""`make demo` and `make clean`: one demo a clone, from nothing to the summary, and its end.

What the demo plays is config/local/demo.py's affair; here it gets a running platform, and whatever happens every
process ends: Ctrl-C (twice: at once), a closed terminal, SIGTERM, a crash of one.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType

from config.local import databases
from config.local.children import sweep
from config.local.failure import SetupError, disk_full, explain, is_full
from config.local.folders import VAR, FolderLock
from config.local.instance import AlreadyRunning, Instance
from config.local.supervisor import ProcessCrashed

FOLDER = VAR / "demo"
END_SECONDS = 40.0
CRASH = signal.SIGUSR1  # how the watching thread reaches this one


def demo() -> int:
    """Run the whole business once, then serve until Ctrl-C (ONCE=1: end after the summary); return the exit code."""
    played = False
    try:
        instance = Instance(
            FOLDER,
            web_port=_port(variable="PORT", default=8000),
            sandbox_port=_port(variable="SANDBOX_PORT", default=8100),
            given=os.environ,
            on_crash=lambda: os.kill(os.getpid(), CRASH),
        )
        with _signals(), instance, _crash_interrupts(instance=instance):
            instance.take()
            _bring_up(instance=instance)
            _play(instance=instance)
            played = True
            if os.environ.get("ONCE", "0") not in {"", "0"}:
                return 0
            print("Ctrl-C ends it.", flush=True)
            instance.supervisor.wait()
    except (AlreadyRunning, SetupError) as refusal:
        return _fail(text=str(refusal))
    except ProcessCrashed as crash:
        return _fail(text=str(disk_full()) if is_full(crash) else f"everything was stopped, because {crash}")
    except KeyboardInterrupt:
        print("\nstopped", flush=True)
        return 0 if played else 130
    return 0


def clean() -> int:
    """End what runs from this clone and remove all its data; return the exit code."""
    for folder in sorted(VAR.glob("*/")):
        lock = FolderLock(folder)
        deadline = time.monotonic() + END_SECONDS
        asked = False
        while (folder / "lock").exists() and not lock.take():
            holder = lock.holder()
            late = time.monotonic() > deadline
            if holder is not None and (late or not asked):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(holder, signal.SIGKILL if late else signal.SIGTERM)
                asked = True
            if time.monotonic() > deadline + 5:
                raise SetupError(f"process {holder} does not end and holds {folder}")
            time.sleep(0.1)
        sweep(instance=folder)
        lock.let_go()
    try:
        if VAR.exists():
            shutil.rmtree(VAR)
    except OSError as error:
        raise explain(error=error) from None
    return 0


def _bring_up(*, instance: Instance) -> None:
    own = instance.servers.postgres is not None
    _say("starting PostgreSQL and Redis" if own else "checking the servers of DATABASE_URL and CELERY_BROKER_URL")
    instance.start_servers()
    _say(f"making an empty database ({databases.name_in(url=instance.values['DATABASE_URL'])})")
    instance.make_database()
    instance.migrate()
    _say("starting web, workers, beat, sender and sandbox")
    instance.start_processes()
    instance.wait_until_healthy()


def _play(*, instance: Instance) -> None:
    """Play the story; where it breaks off because a process ended, that process is the reason."""
    from django.core.management import CommandError
    from django.db import DatabaseError

    from config.local.demo import play  # reads the settings, which are there only now

    try:
        play(instance=instance)
    except Exception as error:
        instance.supervisor.settle()
        if isinstance(error, DatabaseError) and is_full(error):
            raise disk_full() from None
        if isinstance(error, (CommandError, DatabaseError)):
            raise SetupError(f"the story broke off: {' '.join(str(error).split())}") from None
        raise


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Let a closed terminal and SIGTERM end the demo as Ctrl-C does."""

    def ended(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, ended) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    before[CRASH] = signal.signal(CRASH, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _crash_interrupts(*, instance: Instance) -> Iterator[None]:
    """Break off whatever runs within when the watcher has seen a process end."""

    def crashed(number: int, frame: FrameType | None) -> None:
        instance.supervisor.check()

    before = signal.signal(CRASH, crashed)
    try:
        yield
    finally:
        signal.signal(CRASH, before)


def _port(*, variable: str, default: int) -> int:
    given = os.environ.get(variable) or str(default)
    if not given.isascii() or not given.isdigit() or not 0 < int(given) < 65536:
        raise SetupError(f"{variable} must be the number of a port, such as {variable}={default}")
    return int(given)


def _say(text: str) -> None:
    print(text, flush=True)


def _fail(*, text: str) -> int:
    print(f"make demo: {text}", file=sys.stderr, flush=True)
    return 1
