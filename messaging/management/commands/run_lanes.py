"""`manage.py run_lanes`: the `sender` process, from the outboxes to Meta."""

import asyncio
import os
import secrets
import signal
import socket
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand
from psycopg_pool import AsyncConnectionPool

from messaging.lanes.sender import Sender
from messaging.lanes.store import CONNECTION_OPTIONS, LaneStore
from tenants import garbage
from whatsapp.client import CloudAPI
from whatsapp.transport import open_session

DATABASE_CONNECTIONS = 8
UNLIMITED = 0  # each lane bounds its own calls: a slow number takes no connection from another


class Command(BaseCommand):
    help = "Send queued messages to Meta, many numbers at once, until told to stop (Ctrl-C or SIGTERM)."
    # They load every page of the web, and a sender has none: `make lint` and the release check what it needs.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        garbage.look_seldom()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run())


async def _run() -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    # Unique for each start: a process that comes back is another owner, and waits until its old leases end.
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    pool = AsyncConnectionPool(
        settings.DATABASE_URL,
        min_size=2,
        max_size=DATABASE_CONNECTIONS,
        timeout=5,
        open=False,
        kwargs={"autocommit": True, "options": CONNECTION_OPTIONS, "application_name": "sender"},
    )
    async with pool, open_session(connections=UNLIMITED) as session:
        api = CloudAPI(session=session, base_url=settings.META_GRAPH_URL, version=settings.META_GRAPH_VERSION)
        await Sender(store=LaneStore(pool=pool, owner=owner), api=api).run(stop=stop)
