"""Plays the demo on an instance of its own: `python -m tests.flows.play_demo FOLDER`. Its report lies in FOLDER."""

import os
import sys
from pathlib import Path

from config.local.demo import play
from config.local.instance import Instance


def main() -> None:
    """Bring a platform up, play the month, end everything."""
    for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
        os.environ.pop(name, None)  # the test run's own: this platform has its own servers
    with Instance(Path(sys.argv[1]), durable=False) as instance:
        instance.bring_up()
        # Everything twice now and then, in another order, or again because nobody heard the answer.
        play(instance=instance, webhook_faults={"duplicate": 0.2, "reorder": 0.2, "drop": 0.05})


if __name__ == "__main__":
    main()
