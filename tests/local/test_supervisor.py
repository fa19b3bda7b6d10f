"""Processes are watched, ended and started again, and none outlives its starter."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from config.local.folders import ROOT
from config.local.supervisor import ProcessCrashed

from .conftest import FAILS, SLEEPS, lives, until

STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('awake', flush=True); time.sleep(60)",
]
PARENT = [
    sys.executable,
    "-c",
    (
        "import subprocess, sys, time; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "print(child.pid, flush=True); time.sleep(60)"
    ),
]
STARTER = """
import os, sys, time
from pathlib import Path
from config.local.supervisor import Supervisor
folder = Path(sys.argv[1])
supervisor = Supervisor(commands={"sleeper": ["sleep", "60"]}, environ=os.environ, folder=folder, logs=folder / "log")
supervisor.start()
print(supervisor.pid("sleeper"), flush=True)
time.sleep(60)
"""


def _log(tmp_path, name):
    return (tmp_path / "log" / f"{name}.log").read_text()


class TestCrash:
    def test_it_ends_all_and_says_which_ended_and_why(self, supervise):
        supervisor = supervise({"steady": SLEEPS, "printer": FAILS})
        supervisor.start()
        steady = supervisor.pid("steady")
        with pytest.raises(ProcessCrashed, match=r"(?s)printer stopped \(exit code 3\).*out of paper"):
            supervisor.wait(10)
        assert not lives(steady)

    def test_it_names_the_signal_that_ended_a_process(self, supervise):
        supervisor = supervise({"steady": SLEEPS})
        supervisor.start()
        supervisor.kill("steady")
        with pytest.raises(ProcessCrashed, match="SIGKILL"):
            supervisor.wait(10)

    def test_it_tells_once_when_all_are_ended(self, supervise):
        told = threading.Semaphore(0)
        supervisor = supervise({"printer": FAILS, "steady": SLEEPS}, on_crash=told.release)
        supervisor.start()
        assert told.acquire(timeout=10)
        assert supervisor.pid("steady") is None
        assert not told.acquire(timeout=0.4)

    def test_it_notices_the_end_of_what_it_only_watches(self, supervise, tmp_path):
        supervisor = supervise({"steady": SLEEPS})
        supervisor.start()
        server = subprocess.Popen(["sleep", "60"])
        supervisor.watch(name="server", child=server, log=tmp_path / "server.log")
        server.kill()
        with pytest.raises(ProcessCrashed, match="server stopped"):
            supervisor.wait(10)


class TestRestart:
    def test_it_starts_again_what_was_killed(self, supervise):
        supervisor = supervise({"steady": SLEEPS}, restart=True)
        supervisor.start()
        first = supervisor.kill("steady")
        assert until(lambda: supervisor.pid("steady") not in {None, first})
        assert supervisor.restarts("steady") == 1
        supervisor.check()

    def test_it_takes_what_a_killed_process_had_started_with_it(self, supervise, tmp_path):
        supervisor = supervise({"parent": PARENT}, restart=True)
        supervisor.start()
        assert until(lambda: _log(tmp_path, "parent").strip())
        child = int(_log(tmp_path, "parent"))
        supervisor.kill("parent")
        assert until(lambda: not lives(child))

    def test_it_waits_longer_each_time_a_process_keeps_ending(self, supervise):
        supervisor = supervise({"hasty": ["false"]}, restart=True)
        supervisor.start()
        time.sleep(2)
        assert 2 <= supervisor.restarts("hasty") <= 5

    def test_it_restarts_one_in_good_order(self, supervise):
        supervisor = supervise({"one": SLEEPS, "other": SLEEPS})
        supervisor.start()
        one, other = supervisor.pid("one"), supervisor.pid("other")
        supervisor.restart("one")
        assert supervisor.pid("one") not in {None, one}
        assert supervisor.pid("other") == other
        supervisor.check()


class TestEnd:
    def test_it_kills_what_does_not_listen(self, supervise, monkeypatch, tmp_path):
        monkeypatch.setattr("config.local.supervisor.STOP_SECONDS", 0.5)
        supervisor = supervise({"stubborn": STUBBORN})
        supervisor.start()
        assert until(lambda: "awake" in _log(tmp_path, "stubborn"))
        pid = supervisor.pid("stubborn")
        supervisor.stop()
        assert not lives(pid)
        supervisor.check()

    def test_it_may_be_stopped_twice_and_started_again(self, supervise):
        supervisor = supervise({"steady": SLEEPS})
        supervisor.start()
        supervisor.stop()
        supervisor.stop()
        supervisor.start()
        assert supervisor.pid("steady")
        supervisor.kill("steady")
        with pytest.raises(ProcessCrashed):
            supervisor.wait(10)

    def test_it_leaves_nothing_when_its_own_process_is_killed(self, tmp_path):
        starter = subprocess.Popen([sys.executable, "-c", STARTER, tmp_path], stdout=subprocess.PIPE, cwd=ROOT)
        sleeper = int(starter.stdout.readline())
        assert lives(sleeper)
        starter.send_signal(signal.SIGKILL)
        starter.communicate()
        assert until(lambda: not lives(sleeper))
