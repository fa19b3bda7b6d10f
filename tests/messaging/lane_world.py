"""A lane in a test: Meta's API as a server on this machine that answers as told, and senders on the test's database."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from psycopg_pool import AsyncConnectionPool

from messaging.lanes.lane import Lane
from messaging.lanes.sender import Sender
from messaging.lanes.store import CONNECTION_OPTIONS, LaneStore, NumberSettings
from tenants import clock
from whatsapp.client import CloudAPI
from whatsapp.transport import open_session

UTRECHT = "1000000000344"
Answer = Callable[[dict[str, Any]], Awaitable[web.Response]]


def refusal(code: int, *, status: int = 400) -> web.Response:
    """Return Meta's answer that it did not take a message."""
    error = {"code": code, "type": "OAuthException", "message": f"(#{code}) no", "fbtrace_id": "A1"}
    return web.json_response({"error": error}, status=status)


@dataclass
class Meta:
    """Meta's side. answer: what a send is answered with; takes it unless a test says otherwise.

    is_away: whether it answers other questions with a proxy's error.
    """

    answer: Answer | None = None
    is_away: bool = False
    requests: list[dict[str, Any]] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    port: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one send."""
        body = await request.json()
        self.requests.append(body)
        self.moments.append(time.monotonic())
        if self.answer is not None:
            return await self.answer(body)
        return taken(body)

    async def tell(self, request: web.Request) -> web.StreamResponse:
        """Answer who asks about a number."""
        if self.is_away:
            return web.Response(status=502, text="Bad Gateway")
        return web.json_response({"id": request.match_info["number"]})

    def texts(self) -> list[str]:
        """Return what was asked to be sent, in order."""
        return [body["text"]["body"] if body["type"] == "text" else body["template"]["name"] for body in self.requests]


def taken(body: dict[str, Any]) -> web.Response:
    """Return Meta's answer that it took a message."""
    wamid = f"wamid.{body['biz_opaque_callback_data']}"
    return web.json_response({"messaging_product": "whatsapp", "messages": [{"id": wamid}]})


@dataclass
class World:
    """What lanes stand on."""

    meta: Meta
    pool: AsyncConnectionPool
    api: CloudAPI

    def store(self, owner: str = "sender-1", kind: type[LaneStore] = LaneStore) -> LaneStore:
        """Return the store of one sender."""
        return kind(pool=self.pool, owner=owner)

    def sender(self, store: LaneStore | None = None) -> Sender:
        """Return a sender."""
        return Sender(store=store or self.store(), api=self.api)

    async def lane(self, store: LaneStore | None = None, number: str = UTRECHT) -> Lane:
        """Return the lane of a number, its lease just taken."""
        store = store or self.store()
        (lease,) = await store.acquire(wanted=[number])
        return Lane(lease=lease, store=store, api=self.api, settings=await self.settings(store, number))

    async def settings(self, store: LaneStore | None = None, number: str = UTRECHT) -> NumberSettings:
        """Return what sending from a number needs now."""
        return (await (store or self.store()).settings(numbers=[number], at=clock.now()))[number]

    async def ask(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def expire(self, number: str = UTRECHT) -> None:
        """Let a lease's time pass."""
        past = "UPDATE public.messaging_core_lane SET leased_until = clock_timestamp() - interval '1 second'"
        await self.ask(past + " WHERE phone_number_id = %(number)s", number=number)

    async def owner(self, number: str = UTRECHT) -> str:
        """Return who has a lane's lease."""
        query = "SELECT owner FROM public.messaging_core_lane WHERE phone_number_id = %(number)s"
        return str((await self.ask(query, number=number))[0][0])

    async def states(self) -> dict[str, str]:
        """Return the state of each message to a citizen of Utrecht, by its text."""
        query = "SELECT text, state FROM utrecht.messaging_message WHERE direction = 'OUTBOUND'"
        return dict(await self.ask(query))

    async def attempts(self) -> list[int]:
        """Return how many tries what waits in Utrecht has had."""
        return [row[0] for row in await self.ask("SELECT attempts FROM utrecht.messaging_outboxitem ORDER BY id")]


@asynccontextmanager
async def open_world(*, database_url: str, meta: Meta) -> AsyncIterator[World]:
    """Serve Meta's API, and open what a sender process has."""
    application = web.Application()
    application.router.add_post("/{version}/{number}/messages", meta.handle)
    application.router.add_get("/{version}/{number}", meta.tell)
    runner = web.AppRunner(application)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", meta.port))
    meta.port = listening.getsockname()[1]
    await web.SockSite(runner, listening).start()
    options = {"autocommit": True, "options": CONNECTION_OPTIONS}
    pool = AsyncConnectionPool(database_url, min_size=1, max_size=8, timeout=5, open=False, kwargs=options)
    try:
        async with pool, open_session(connections=0) as session:
            api = CloudAPI(session=session, base_url=f"http://127.0.0.1:{meta.port}", version="v24.0")
            yield World(meta=meta, pool=pool, api=api)
    finally:
        await runner.cleanup()


async def until(condition: Callable[[], Awaitable[Any]], *, seconds: float = 8.0) -> Any:
    """Return what a condition gives as soon as it is true; fail when that takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)
    return found


@asynccontextmanager
async def running(runs: Lane | Sender) -> AsyncIterator[asyncio.Task[None]]:
    """Run a lane or a sender; end it with the block, and let its error out."""
    stop = asyncio.Event()
    task = asyncio.create_task(runs.run() if isinstance(runs, Lane) else runs.run(stop=stop))
    try:
        yield task
    finally:
        stop.set()
        if isinstance(runs, Lane):
            runs.end()
        await asyncio.wait_for(task, 15)
