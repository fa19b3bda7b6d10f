"""Runs the processes of the Procfile and watches them: one that ends unasked ends all, or is started again.

Every process leads a group of its own and writes to a log of its own. One thread watches; it lives as long as the
processes, because the kernel ties a child's life to the thread that started it (config/local/children.py).
"""

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.local import children
from config.local.failure import tail

LOOK_SECONDS = 0.1
STOP_SECONDS = 12.0  # a worker may finish what it has begun
CRASH_SECONDS = 4.0  # the same when one is gone already: the others may wait for it in vain
AGAIN_SECONDS = (0.1, 5.0)  # wait before a restart: at first, at most


class ProcessCrashed(Exception):
    """A process ended that nobody asked to end; the text says which, how and its last words."""


@dataclass(slots=True)
class _Watched:
    name: str
    log: Path
    command: Sequence[str] = ()  # empty: watched only, somebody else starts and stops it
    child: subprocess.Popen[bytes] | None = None
    expected: bool = False  # its end was asked for
    restarts: int = 0
    again_at: float | None = None
    history: list[float] = field(default_factory=list)  # moments of its latest starts


class Supervisor:
    """The processes of one instance.

    restart: start again what ends unasked, instead of ending all. on_crash: called once, from the watching thread,
    after everything was ended.
    """

    def __init__(
        self,
        *,
        commands: Mapping[str, Sequence[str]],
        environ: Mapping[str, str],
        folder: Path,
        logs: Path,
        restart: bool = False,
        on_crash: Callable[[], None] | None = None,
    ) -> None:
        """Name the processes; nothing runs before `start`."""
        self.environ = dict(environ)
        self.failure: ProcessCrashed | None = None
        self._folder = folder
        self._restart = restart
        self._on_crash = on_crash
        self._watched = {
            name: _Watched(name=name, log=logs / f"{name}.log", command=command) for name, command in commands.items()
        }
        self._turn = threading.RLock()
        self._ending = threading.Event()
        self._changed = threading.Condition(self._turn)
        self._thread: threading.Thread | None = None
        logs.mkdir(parents=True, exist_ok=True)

    def watch(self, *, name: str, child: subprocess.Popen[bytes] | None, log: Path) -> None:
        """Treat the end of a process that somebody else started as a crash too; None: it is no longer watched."""
        with self._turn:
            self._watched.pop(name, None)
            if child is not None:
                self._watched[name] = _Watched(name=name, log=log, child=child)

    def start(self, *names: str) -> None:
        """Start the named processes, or all.  A name that runs already is left as it is."""
        with self._turn:
            self._ending.clear()
            for name in names or list(self._own()):
                watched = self._watched[name]
                if watched.child is None:
                    self._spawn(watched)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="supervisor", daemon=True)
                self._thread.start()

    def stop(self, *names: str, seconds: float | None = None) -> None:
        """End the named processes, or all, the last started first: ask, wait, then kill -9.  Safe to repeat.

        Ctrl-C while it waits kills what is left at once.
        """
        chosen = [self._watched[name] for name in reversed(names or list(self._own()))]
        if not names:
            self._ending.set()
        with self._turn:
            for watched in chosen:
                watched.expected, watched.again_at = True, None
        running = [watched.child for watched in chosen if watched.child is not None]
        try:
            for child in running:
                # To the leader alone: how its own children end is its affair.
                if child.returncode is None:
                    child.terminate()
            children.wait_all(children=running, seconds=STOP_SECONDS if seconds is None else seconds)
        finally:
            for child in running:
                children.kill_group(child=child)
            with self._turn:
                for watched in chosen:
                    watched.child = None
                self._changed.notify_all()

    def restart(self, name: str) -> None:
        """End one process in good order and start it again."""
        self.stop(name)
        self.start(name)

    def kill(self, name: str, number: int = signal.SIGKILL, *, group: bool = False) -> int:
        """Send a signal to a process, or to all that it started too; return its number (pid).

        A process that ends by this has ended unasked: all end, or it is started again.
        """
        with self._turn:
            child = self._watched[name].child
            if child is None or children.has_ended(child=child):
                raise ProcessCrashed(f"{name} is not running")
            if group:
                children.signal_group(child=child, number=number)
            else:
                child.send_signal(number)
            return child.pid

    def pid(self, name: str) -> int | None:
        """Return the number of a running process, or None."""
        with self._turn:
            child = self._watched[name].child
            return None if child is None or children.has_ended(child=child) else child.pid

    def restarts(self, name: str) -> int:
        """Return how often a process was started again."""
        return self._watched[name].restarts

    def check(self) -> None:
        """Raise ProcessCrashed if a process ended unasked."""
        if self.failure is not None:
            raise self.failure

    def settle(self) -> None:
        """Give the watcher time to see what ended just now.  Raises ProcessCrashed: a process ended unasked."""
        time.sleep(3 * LOOK_SECONDS)
        self.check()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until all have ended, or for a time.  Raises ProcessCrashed: a process ended unasked."""
        deadline = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            while any(watched.child is not None for watched in self._own().values()):
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    break
                # In short steps, so that a signal is seen.
                self._changed.wait(min(0.2, left) if left is not None else 0.2)
        self.check()

    def _own(self) -> dict[str, _Watched]:
        return {name: watched for name, watched in self._watched.items() if watched.command}

    def _spawn(self, watched: _Watched) -> None:
        watched.child = children.spawn(
            command=watched.command, environ=self.environ, folder=self._folder, log=watched.log
        )
        watched.expected, watched.again_at = False, None

    def _look(self) -> None:
        while not self._ending.wait(LOOK_SECONDS):
            crashed = None
            with self._turn:
                for watched in list(self._watched.values()):
                    crashed = crashed or self._look_at(watched)
            if crashed is not None:
                self.stop(seconds=CRASH_SECONDS)
                if self._on_crash is not None:
                    self._on_crash()
        with self._turn:
            self._thread = None

    def _look_at(self, watched: _Watched) -> ProcessCrashed | None:
        """See to one process; return the crash that must end all."""
        if watched.again_at is not None and time.monotonic() >= watched.again_at and not self._ending.is_set():
            watched.restarts += 1
            self._spawn(watched)
        child = watched.child
        if child is None or watched.expected or not children.has_ended(child=child):
            return None
        # Its own children go with it: they would hold its port and its work.
        children.kill_group(child=child)
        watched.child = None
        if self._restart and watched.command:
            watched.again_at = time.monotonic() + self._pause(watched)
            return None
        self.failure = ProcessCrashed(_epitaph(name=watched.name, code=child.returncode, log=watched.log))
        return self.failure

    def _pause(self, watched: _Watched) -> float:
        """Return the wait before a restart: longer for a process that keeps ending."""
        now = time.monotonic()
        watched.history = [moment for moment in watched.history if moment > now - 60] + [now]
        first, longest = AGAIN_SECONDS
        return float(min(longest, first * 2 ** (len(watched.history) - 1)))


def _epitaph(*, name: str, code: int, log: Path) -> str:
    how = f"exit code {code}"
    if code < 0:
        with contextlib.suppress(ValueError):
            how = f"signal {signal.Signals(-code).name}"
    words = tail(log=log)
    return f"{name} stopped ({how}); its log {log} ends with:\n{words}" if words else f"{name} stopped ({how})"
