"""One platform for the flows of a worker process, made once; each flow writes from citizens of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local import testing
from tests.flows.live import Live


@pytest.fixture(scope="package")  # not the session: what is left running would slow all tests that follow
def live() -> Iterator[Live]:
    """Return the running platform; its PostgreSQL is durable, because flows kill it."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    live = Live(Path(os.environ[testing.RUN_FOLDER]) / f"live-{worker}", durable=True)
    try:
        live.start()
        yield live
    finally:
        live.stop()
