"""Ground for the tests of the local set-up: programs to supervise, and a look at what still runs."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config.local.supervisor import Supervisor

SLEEPS = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(60)"]
FAILS = [sys.executable, "-c", "import sys, time; time.sleep(0.3); print('out of paper'); sys.exit(3)"]


def until(condition: Callable[[], object], seconds: float = 10) -> bool:
    """Wait for a condition; return whether it came."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def lives(pid: int) -> bool:
    """Return whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def supervise(tmp_path):
    """Make supervisors that are ended with the test."""
    made = []

    def make(commands, **options):
        made.append(
            Supervisor(commands=commands, environ=os.environ, folder=tmp_path, logs=tmp_path / "log", **options)
        )
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.stop()
