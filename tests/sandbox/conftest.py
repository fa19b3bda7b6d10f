"""A sandbox on a free port, and a platform of a few lines that receives its webhooks."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from sandbox_doors import Doors, Platform, business

from sandbox.server import serving
from sandbox.world import Config


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    platform = Platform()
    application = web.Application(client_max_size=8 * 1024 * 1024)
    application.router.add_route("*", "/webhooks/whatsapp", platform.receive)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    platform.url = f"http://127.0.0.1:{port}/webhooks/whatsapp"
    yield platform
    await runner.cleanup()


@pytest.fixture
async def doors(platform: Platform) -> AsyncIterator[Doors]:
    async with serving(config=Config(webhook_url=platform.url)) as sandbox, aiohttp.ClientSession() as session:
        doors = Doors(sandbox, session)
        await doors.control(
            "POST",
            "switches",
            {
                "sent_after_seconds": 0,
                "delivered_after_seconds": 0,
                "read_after_seconds": 0,
                "linger_seconds": 0.001,
                "retry_first_seconds": 0.01,
                "reads": 1.0,
                "skips_delivered": 0.0,
            },
        )
        await doors.control("POST", "businesses", business())
        yield doors
