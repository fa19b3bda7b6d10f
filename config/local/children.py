"""Child processes that do not outlive the one that started them.

Each child leads a session of its own, so that Ctrl-C at the terminal reaches only the starter, who then ends the
children in order. On Linux the kernel ends a child when its starter is gone, whatever the cause (kill -9 too);
what such a child started itself is found by a variable in its environment. Elsewhere both are best effort.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

MARK = "LOCAL_INSTANCE"  # variable in the environment of all that belongs to one instance: its folder
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    *,
    command: Sequence[str],
    environ: Mapping[str, str],
    folder: Path,
    log: Path,
    given: bytes = b"",
    at_end: signal.Signals | None = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child whose output is appended to `log`, and return it.

    given: what it reads from standard input. at_end: what it gets when the starting thread ends; None where the
    command arranges that itself.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(command),
            env=dict(environ),
            cwd=folder,
            stdin=subprocess.PIPE if given else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(_bind, at_end) if at_end is not None and _LIBC is not None else None,
        )
    if given and child.stdin is not None:
        child.stdin.write(given)
        child.stdin.close()
    return child


def has_ended(*, child: subprocess.Popen[bytes]) -> bool:
    """Return whether the child has ended, without taking its exit code from the kernel.

    As long as that is not taken its number cannot become another process's, so its group can be signalled safely.
    """
    if child.returncode is not None:
        return True
    try:
        return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def signal_group(*, child: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the child and to all that it started in its group."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)


def kill_group(*, child: subprocess.Popen[bytes]) -> None:
    """Kill -9 the child and all that it started in its group, and take its exit code."""
    signal_group(child=child, number=signal.SIGKILL)
    child.wait()


def wait_all(*, children: Sequence[subprocess.Popen[bytes]], seconds: float) -> bool:
    """Wait until all children have ended; return whether they have."""
    deadline = time.monotonic() + seconds
    while not all(has_ended(child=child) for child in children):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def belonging_to(*, instance: Path) -> list[int]:
    """Return the processes, this one excluded, whose environment says that they belong to the instance."""
    mark = f"{MARK}={instance}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            belongs = mark in (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # ended meanwhile, or another user's
        if belongs and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def sweep(*, instance: Path, seconds: float = 5.0) -> None:
    """End what a killed run of the instance left behind: ask first, then kill -9."""
    deadline = time.monotonic() + seconds
    asked: set[int] = set()
    while left := belonging_to(instance=instance):
        late = time.monotonic() > deadline
        for pid in left:
            if late or pid not in asked:
                asked.add(pid)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        if time.monotonic() > deadline + seconds:
            return
        time.sleep(0.05)


def program_of(*, pid: int) -> list[str]:
    """Return the command line of a process, empty when there is none or it may not be seen."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        done = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return done.stdout.split()


def _bind(at_end: signal.Signals) -> None:
    assert _LIBC is not None
    _LIBC.prctl(_PR_SET_PDEATHSIG, at_end.value)
