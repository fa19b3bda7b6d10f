"""A lane moves to another living sender when its owner is killed: two real processes, and nothing is sent twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from config.local.folders import ROOT
from tests.flows.live import TOWNS, Live, Traffic, eventually
from tests.flows.test_killing import assert_all_is_there_once

SOON_SECONDS = 30.0
NUMBER = TOWNS["utrecht"][3]
LANE = "SELECT owner, fencing_token FROM messaging_core_lane WHERE phone_number_id = %s AND leased_until > now()"


@pytest.fixture
def senders(live: Live) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    """Run two senders of the test's own in place of the platform's, which would be started again."""
    live.rest()
    live.instance.supervisor.stop("sender")
    command = [sys.executable, str(ROOT / "manage.py"), "run_lanes"]
    with (live.instance.logs / "senders.log").open("ab") as log:
        made = [subprocess.Popen(command, cwd=ROOT, env=live.instance.environ, stdout=log, stderr=log) for _ in "ab"]
        try:
            yield {process.pid: process for process in made}
        finally:
            for process in made:
                process.kill()
                process.wait()
            live.instance.supervisor.start("sender")


def _owner(live: Live) -> tuple[int, int] | None:
    """Return whose Utrecht's lane is, as a process id, and under which token; None: nobody's now."""
    rows = [row for row in live.ask(LANE, NUMBER) if row[0]]
    return (int(rows[0][0].split(":")[1]), rows[0][1]) if rows else None


def _sent(live: Live) -> int:
    return len(live.rows("sends", number=NUMBER))


def test_the_other_sender_goes_on_within_half_a_minute(
    live: Live, senders: dict[int, subprocess.Popen[bytes]], record_property
):
    with Traffic(live) as traffic:
        # Not the platform's own sender, killed by an earlier test and leased for some seconds more.
        eventually(lambda: (_owner(live) or (0, 0))[0] in senders and _sent(live) > 0, seconds=60)
        before = _owner(live)
        assert before is not None
        os.kill(before[0], signal.SIGKILL)
        killed_at = time.monotonic()
        senders[before[0]].wait()
        sent = _sent(live)
        eventually(lambda: _owner(live) not in {None, before} and _sent(live) > sent, seconds=SOON_SECONDS)
        took = time.monotonic() - killed_at
    after = _owner(live)
    assert after is not None
    assert after[0] in senders.keys() - {before[0]}
    assert after[1] > before[1]
    record_property("seconds_until_a_message_left", round(took, 1))
    assert traffic.written > 0
    live.answer()
    live.rest()
    assert_all_is_there_once(live)
