"""The faults of a chaos run: kill -9 of anything at random, a Meta at its worst, and a count of what may be unsure.

`may_be_uncertain` counts the calls whose outcome nobody can know: those in flight when a sender or the database was
killed, and those that the sandbox was told to leave without a word of Meta's.
"""

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

import psycopg

from tests.flows.live import Live

KILLED = ("web", "worker-inbox", "worker-media", "worker-maintenance", "beat", "sender", "redis", "postgres")
# Kinds after which nobody knows whether Meta took the message.
SILENT = (
    {"kind": "timeout_after_accept", "hang_seconds": 3},
    {"kind": "disconnect_after_accept"},
    {"kind": "disconnect_before"},
    {"kind": "html_500"},
    {"kind": "html_500_after_accept"},
    {"kind": "error_after_accept", "code": 131000},
)
# Kinds after which everybody knows.
SPOKEN = (
    {"kind": "error", "code": 130429},
    {"kind": "error", "code": 131056},
    {"kind": "error", "code": 131016},
    {"kind": "error", "code": 131026},
    {"kind": "error", "code": 80007},
    {"kind": "failed_status", "code": 131026},
    {"kind": "delay", "seconds": 2},
)
BACK_SECONDS = 20.0  # the supervisor waits longer each time, 5 seconds at most
WEBHOOKS = {"duplicate": 0.15, "reorder": 0.2, "drop": 0.05, "delay_seconds": [0.0, 0.3], "rebatch": True}


@dataclass
class Faults:
    """One run's faults, one after the other, drawn from a seed."""

    live: Live
    seed: int
    pause: tuple[float, float] = (1.5, 4.0)
    killed: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    may_be_uncertain: int = 0

    def run(self, *, seconds: float) -> None:
        """Do harm for so long; then everything is up again, and Meta at its best."""
        dice = random.Random(self.seed)
        until = time.monotonic() + seconds
        self.live.post("faults", {"webhooks": WEBHOOKS})
        turn = 0
        while time.monotonic() < until:
            # Each is killed in turn, in an order drawn anew, so that a short run meets all of them as well.
            if turn % len(KILLED) == 0:
                order = dice.sample(KILLED, len(KILLED))
            self._kill(order[turn % len(KILLED)])
            turn += 1
            self._tell(dice)
            time.sleep(dice.uniform(*self.pause))
        self._calm()

    def _kill(self, name: str) -> None:
        instance = self.live.instance
        self.killed[name] += 1
        if name == "postgres":
            instance.kill_postgres()
            time.sleep(0.3)
            instance.start_killed_servers()
            # What was claimed when it went away: its commit may have been made without a word.
            self.may_be_uncertain += self._sending()
        elif name == "redis":
            instance.kill_redis()
            time.sleep(0.3)
            instance.start_killed_servers()
        elif name == "sender":
            self._kill_sender()
        else:
            self._until_up(name)
            instance.supervisor.kill(name, signal.SIGKILL, group=True)

    def _kill_sender(self) -> None:
        """Stop the sender in its tracks, count what it has in flight, and kill it."""
        supervisor = self.live.instance.supervisor
        pid = self._until_up("sender")
        os.killpg(pid, signal.SIGSTOP)
        time.sleep(0.1)  # a statement that it sent is finished by then
        self.may_be_uncertain += self._sending()
        supervisor.kill("sender", signal.SIGKILL, group=True)

    def _until_up(self, name: str) -> int:
        """Return a process's number; one that ended by itself, as when Redis goes away, is killed when it is back."""
        until = time.monotonic() + BACK_SECONDS
        while (pid := self.live.instance.supervisor.pid(name)) is None:
            assert time.monotonic() < until, f"{name} did not come back"
            time.sleep(0.05)
        return pid

    def _sending(self) -> int:
        query = "SELECT count(*) FROM {s}.messaging_message WHERE state = 'SENDING'"
        for _ in range(100):
            try:
                return sum(self.live.ask(query, schema=schema)[0][0] for schema in self.live.towns)
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise AssertionError("the database did not come back")

    def _tell(self, dice: random.Random) -> None:
        """Tell Meta to misbehave with the next sends."""
        silent, spoken = dict(dice.choice(SILENT)), dict(dice.choice(SPOKEN))
        self.live.post("faults", {"sends": [{**silent, "count": 1}, {**spoken, "count": dice.randint(1, 3)}]})
        self.told[str(silent["kind"])] += 1
        self.told[str(spoken.get("code") or spoken["kind"])] += 1
        self.may_be_uncertain += 1

    def _calm(self) -> None:
        left = self.live.get("faults")["sends"]
        self.may_be_uncertain -= sum(1 for fault in left if fault["kind"] in {kind["kind"] for kind in SILENT})
        self.live.delete("faults")
        self.live.instance.start_killed_servers()
        self.live.instance.wait_until_healthy()
