"""The live door as a process has it: it starts and stops with it."""

import asyncio

from django.conf import settings

from web.live import LiveDoor


async def _nothing(scope, receive, send) -> None:
    """Stand in for Django."""


async def test_it_stops_at_whatever_moment_it_is_told_to():
    for moment in range(40):
        door = LiveDoor(application=_nothing, redis_url=settings.CELERY_BROKER_URL)
        door.start()
        await asyncio.sleep(moment * 0.0002)
        async with asyncio.timeout(5):
            await door.stop()
