"""Chaos: `python -m tests.flows.chaos [--seconds 600] [--seed N] [--json]`, as `make chaos` does.

A platform of its own carries traffic while everything in it is killed at random and Meta misbehaves; in the end the
database is held against the sandbox's own books. Exit code 1 when anything was lost, doubled or left in the air.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from config.local.failure import SetupError
from config.local.folders import VAR
from config.local.instance import AlreadyRunning
from tests.flows.chaos.playing import PER_SECOND, Played, play


def main() -> int:
    """Play, print, and say by the exit code whether all is well."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__.split("\n\n")[1])
    parser.add_argument("--seconds", type=float, default=600.0, help="how long faults go on (600)")
    parser.add_argument("--per-second", type=float, default=PER_SECOND, help=f"messages of citizens ({PER_SECOND})")
    parser.add_argument("--seed", type=int, default=None, help="draw the same faults again")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.add_argument("--folder", type=Path, default=VAR / "chaos", help="where it runs (var/chaos)")
    options = parser.parse_args()
    for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
        os.environ.pop(name, None)  # what is killed must be its own
    seed = options.seed if options.seed is not None else int(time.time())
    try:
        played = play(folder=options.folder, seconds=options.seconds, per_second=options.per_second, seed=seed)
    except (AlreadyRunning, SetupError) as refusal:
        sys.exit(f"make chaos: {refusal}")
    sys.stdout.write((json.dumps(played.as_dict()) if options.json else _lines(played)) + "\n")
    return 1 if played.verdict.faults else 0


def _lines(played: Played) -> str:
    lines = [f"{part:14} {_counts(counts)}" for part, counts in played.as_dict().items() if isinstance(counts, dict)]
    lines += [f"settled {played.settled_seconds:.1f} s after the last fault; seed {played.seed}"]
    lines += played.verdict.faults or ["nothing lost, nothing twice, nothing left in the air"]
    return "\n".join(lines)


def _counts(counts: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in counts.items())


if __name__ == "__main__":
    sys.exit(main())
