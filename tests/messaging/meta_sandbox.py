"""The sandbox in a thread of the test: real HTTP, and its world within reach."""

import asyncio
import base64
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.app import Sandbox
from sandbox.server import serving
from sandbox.world import Config
from tests.messaging import meta

PHONE = "31697000001"


@dataclass
class Meta:
    """The sandbox, and what citizens do there."""

    sandbox: Sandbox

    @property
    def url(self) -> str:
        """Return where it is."""
        return self.sandbox.world.public_url

    def control(self, path: str, body: dict[str, Any]) -> Any:
        """Call a control door."""
        request = urllib.request.Request(
            f"{self.url}/_sandbox/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def knows(self, municipality) -> None:
        """Let a municipality's account be there, with the tokens that it has here."""
        number = municipality.numbers.get()
        self.control(
            "businesses",
            {
                "waba_id": number.waba_id,
                "name": municipality.name,
                "access_token": number.access_token(),
                "phone_numbers": [{"id": number.phone_number_id, "display_phone_number": number.display_phone_number}],
            },
        )

    def set_time(self, at: datetime) -> None:
        """Have its clock show a moment."""
        clock = self.sandbox.world.clock
        clock.set_offset(offset_seconds=clock.offset_seconds + at.timestamp() - clock.now())

    def fails(self, *faults: dict[str, Any]) -> None:
        """Have something go wrong with the next media."""
        self.control("faults", {"media": list(faults)})

    def send(
        self, municipality, content: bytes, *, kind: str = "image", at: datetime, wamid: str = "wamid.M1", **more: Any
    ) -> dict[str, Any]:
        """Have a citizen send a file; return the webhook's body. Nothing is delivered: the test does that."""
        from sandbox.inbound import _media

        world = self.sandbox.world
        number = world.numbers[meta.number_id(municipality)]
        alter = more.pop("alter", {})
        described = {"content_base64": base64.b64encode(content).decode(), **more}
        shown = {**_media(world=world, number=number, kind=kind, described=described), **alter}
        return meta.message(municipality, wamid=wamid, at=at, type=kind, **{kind: shown})


@contextmanager
def running() -> Iterator[Meta]:
    """Run a sandbox in a thread while the block runs."""
    started, made = threading.Event(), []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        ended = asyncio.Event()
        async with serving(config=Config(webhook_url="http://127.0.0.1:9/")) as sandbox:
            made.extend([sandbox, ended])
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(20), "the sandbox does not come up"
    try:
        yield Meta(sandbox=made[0])
    finally:
        loop.call_soon_threadsafe(made[1].set)
        thread.join(20)
        loop.close()
