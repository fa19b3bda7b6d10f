"""The sandbox's Stripe for tests: its server in a thread, its control door, and how long we wait for it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from sandbox.server import serving
from sandbox.world import Config

KEY = "sk_test_of_the_sandbox"
SECRET = "whsec_of_the_sandbox"


class Account:
    """An account at the sandbox's Stripe, by HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def api(self) -> str:
        """Where Stripe is."""
        return f"{self.url}/stripe"

    def control(self, door: str, **given: Any) -> dict[str, Any]:
        """Ask the control door something."""
        answer = requests.post(f"{self.url}/_sandbox/stripe/{door}", json=given, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, kind: str, operation: str = "*", count: int = 1) -> None:
        """Have the next requests of an operation go wrong."""
        self.control("faults", faults=[{"kind": kind, "operation": operation, "count": count}])

    def books(self) -> dict[str, Any]:
        """Return what Stripe holds."""
        return requests.get(f"{self.url}/_sandbox/stripe/books", timeout=30).json()


@contextmanager
def stripe_account() -> Iterator[Account]:
    """Serve a sandbox in a thread until the block ends."""
    started, stopping, told = threading.Event(), asyncio.Event(), {}

    async def serve() -> None:
        told["loop"] = asyncio.get_running_loop()
        async with serving(config=Config()) as sandbox:
            told["url"] = sandbox.world.public_url
            started.set()
            await stopping.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert started.wait(20)
    try:
        yield Account(told["url"])
    finally:
        told["loop"].call_soon_threadsafe(stopping.set)
        thread.join(20)
