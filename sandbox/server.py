"""Runs the sandbox under uvicorn, on a port of its own or on any free one (tests)."""

import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.app import Sandbox
from sandbox.clock import Clock
from sandbox.world import Config, World


class _Protocol(HttpToolsProtocol):
    """Hands the transport to the application, so that a fault can cut the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"sandbox.transport": self.transport}  # type: ignore[dict-item]


def read_config() -> Config:
    """Read the environment; what is not set has the default of `Config`."""
    env, defaults = os.environ, Config()
    return Config(
        port=int(env.get("SANDBOX_PORT", defaults.port)),
        app_id=env.get("META_APP_ID", defaults.app_id),
        app_secret=env.get("META_APP_SECRET", defaults.app_secret),
        verify_token=env.get("META_VERIFY_TOKEN", defaults.verify_token),
        system_token=env.get("META_SYSTEM_TOKEN", defaults.system_token),
        webhook_url=env.get("SANDBOX_WEBHOOK_URL", defaults.webhook_url),
    )


def make_sandbox(*, config: Config, clock_file: Path | None) -> Sandbox:
    """Make a sandbox with an empty world."""
    return Sandbox(world=World(config=config, clock=Clock(path=clock_file)))


def run(*, config: Config, clock_file: Path | None) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.WARNING, format="sandbox: %(message)s")
    log = logging.getLogger("sandbox")
    log.setLevel(logging.INFO)
    log.info("listening on http://127.0.0.1:%d, webhooks to %s", config.port, config.webhook_url)
    # uvicorn raises the signal that stopped it once more; a stop that was asked for is no failure.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: sys.exit(0))
    _server(sandbox=make_sandbox(config=config, clock_file=clock_file), port=config.port, loop="uvloop").run()


@asynccontextmanager
async def serving(*, config: Config, clock_file: Path | None = None) -> AsyncIterator[Sandbox]:
    """Serve within the running loop, on a free port, until the block ends; `world.public_url` tells where."""
    sandbox = make_sandbox(config=config, clock_file=clock_file)
    # With the protocol named, asyncio switches Nagle's algorithm off on accepted connections; otherwise not.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    sandbox.world.public_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = _server(sandbox=sandbox, port=0, loop="none")
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=[listener])
    try:
        yield sandbox
    finally:
        for each in server.servers:
            each.close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
        await server.lifespan.shutdown()


def _server(*, sandbox: Sandbox, port: int, loop: str) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            sandbox,
            host="127.0.0.1",
            port=port,
            loop=loop,
            http=_Protocol,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
            backlog=4096,
        )
    )
