"""One minute of chaos; ten of it are `make chaos`."""

import os
from pathlib import Path

from config.local import testing
from tests.flows.chaos.faults import KILLED
from tests.flows.chaos.playing import play


def test_a_minute_of_chaos_loses_nothing_doubles_nothing_and_settles():
    played = play(folder=Path(os.environ[testing.RUN_FOLDER]) / "chaos", seconds=60, per_second=8, seed=2026)
    assert played.verdict.faults == []
    assert set(played.killed) == set(KILLED)
    assert played.verdict.inbound["deliveries"] > played.verdict.inbound["written"] > 200
    # How many depends on how soon the agents come back on a busy machine: enough to have gone through the faults.
    assert played.verdict.outbound["taken_by_meta"] > 20
    assert played.verdict.media["stored"] > 3
    assert played.verdict.api["answered"] > 3
