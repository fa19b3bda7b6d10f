"""Server-sent events: tells an open page that what it shows has changed. Plain ASGI, beside Django.

Who may listen Django decides: the door first hands the request on to the view of the same address (web/listening.py),
which signs nobody in that the page would not, reads the version of what is shown, and lets its database connection go.
Then the stream holds nothing but itself. It carries no content: the page fetches the part again. One subscription to
Redis a process; when that is away the door answers 503 and pages ask by themselves, every ten seconds.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from messaging.announcing import CHANNEL, Announcement

PATH = "/live/"
SCHEMA, THREAD, VERSION = b"x-live-schema", b"x-live-thread", b"x-live-version"
MOST_STREAMS = 2000  # a process; each costs a few kilobytes
GATHER_SECONDS = 0.15  # changes in this time are told as one
HEARTBEAT_SECONDS = 20.0
LONGEST_SECONDS = 300.0  # then the browser comes again, and is looked at again: somebody may have been signed out
RETRY_MILLISECONDS = 2000
STOP_SECONDS = 0.2  # until a task that did not stop is told so again
STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class Stream:
    """One open page: what it watches, and which events it is to be told since it was told last."""

    schema_name: str
    thread_id: str | None
    events: set[str] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, event: str) -> None:
        """Have it told soon: "changed", "presence", or "inbox" to a thread's page: something else in the inbox did."""
        self.events.add(event)
        self.changed.set()


class LiveDoor:
    """All streams of one process."""

    def __init__(self, *, application: Application, redis_url: str) -> None:
        """Name Django's application, which admits, and the Redis on which changes are told."""
        self._application = application
        self._redis_url = redis_url
        self._streams: defaultdict[str, set[Stream]] = defaultdict(set)
        self._told_at: dict[str, float] = {}
        self._listening = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to listen."""
        self._task = asyncio.create_task(self._listen_forever())

    async def stop(self) -> None:
        """End every stream and stop to listen."""
        while self._task is not None and not self._task.done():
            self._task.cancel()  # more than once: a client that is just connecting swallows it
            await asyncio.wait([self._task], timeout=STOP_SECONDS)
        self._end_all()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request below PATH."""
        begun = time.monotonic()
        start, body = await self._admit(scope)
        headers = {name.lower(): value for name, value in start.get("headers", ())}
        if start["status"] != 204 or SCHEMA not in headers:
            await send(start)
            await send({"type": "http.response.body", "body": body})
            return
        if not self._listening or sum(map(len, self._streams.values())) >= MOST_STREAMS:
            await send({"type": "http.response.start", "status": 503, "headers": [(b"retry-after", b"30")]})
            await send({"type": "http.response.body", "body": b""})
            return
        stream = Stream(schema_name=headers[SCHEMA].decode(), thread_id=headers.get(THREAD, b"").decode() or None)
        version = headers[VERSION].decode()
        with self._open(stream):
            # What was told since the version was read is news too.
            told = self._told_at.get(stream.schema_name, float("-inf")) >= begun
            if told or _version_of_page(scope) != version:
                stream.tell("changed")
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            await send(_part(f"retry: {RETRY_MILLISECONDS}\nid: {version}\nevent: listening\ndata: {{}}\n\n"))
            await self._stream(stream, receive, send)

    async def _stream(self, stream: Stream, receive: Receive, send: Send) -> None:
        """Tell changes until the page goes, its time is over, or Redis is away."""
        gone = asyncio.create_task(_until_gone(receive))
        until = time.monotonic() + LONGEST_SECONDS
        try:
            while time.monotonic() < until and not gone.done() and not stream.ended.is_set():
                if await _first_of(stream.changed, stream.ended, gone):
                    if stream.ended.is_set() or gone.done():
                        break
                    await asyncio.sleep(GATHER_SECONDS)
                    stream.changed.clear()
                    events, stream.events = stream.events, set()
                    for event in sorted(events):
                        await send(_part(f"event: {event}\ndata: {{}}\n\n"))
                else:
                    await send(_part(": still here\n\n"))
        finally:
            gone.cancel()
        if not gone.done() or gone.cancelled():
            with contextlib.suppress(OSError):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _admit(self, scope: Scope) -> tuple[Message, bytes]:
        """Return what Django answers to the same request."""
        start: Message = {"type": "http.response.start", "status": 500, "headers": []}
        body = bytearray()
        asked = False

        async def receive() -> Message:
            nonlocal asked
            if asked:
                await asyncio.Event().wait()  # the body is over; who is watched for leaving is watched elsewhere
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            else:
                body.extend(message.get("body", b""))

        await self._application(dict(scope), receive, send)
        return start, bytes(body)

    @contextlib.contextmanager
    def _open(self, stream: Stream) -> Iterator[None]:
        self._streams[stream.schema_name].add(stream)
        try:
            yield
        finally:
            self._streams[stream.schema_name].discard(stream)
            if not self._streams[stream.schema_name]:
                del self._streams[stream.schema_name]

    async def _listen_forever(self) -> None:
        while True:
            try:
                async for announcement in _announcements(self._redis_url, self._is_listening):
                    self._tell(announcement)
            except (RedisError, OSError) as error:
                if self._listening:
                    log.warning("live_waits_for_redis", error=type(error).__name__)
            self._end_all()
            await asyncio.sleep(1.0)

    def _is_listening(self) -> None:
        self._listening = True

    def _tell(self, announcement: Announcement) -> None:
        if not announcement.presence:
            self._told_at[announcement.schema_name] = time.monotonic()
        for stream in self._streams.get(announcement.schema_name, ()):
            if announcement.about(thread_id=stream.thread_id):
                stream.tell("presence" if announcement.presence else "changed")
            if stream.thread_id is not None and not announcement.presence:
                stream.tell("inbox")

    def _end_all(self) -> None:
        """End the streams: what happens meanwhile would not be told, so pages must ask."""
        self._listening = False
        for streams in self._streams.values():
            for stream in streams:
                stream.ended.set()


async def _announcements(redis_url: str, subscribed: Callable[[], None]) -> AsyncIterator[Announcement]:
    client = redis.asyncio.Redis.from_url(redis_url, socket_connect_timeout=2.0, health_check_interval=10)
    try:
        async with client.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(CHANNEL)
            subscribed()
            while True:
                message = await channel.get_message(timeout=5.0)
                found = Announcement.decode(message["data"]) if message else None
                if found is not None:
                    yield found
    finally:
        await client.aclose()


async def _first_of(changed: asyncio.Event, ended: asyncio.Event, gone: "asyncio.Task[None]") -> bool:
    """Wait until something happens; return False when nothing did for the time of a heartbeat."""
    waits = [asyncio.create_task(changed.wait()), asyncio.create_task(ended.wait())]
    try:
        done, _ = await asyncio.wait([*waits, gone], timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for wait in waits:
            wait.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _version_of_page(scope: Scope) -> str:
    """Return the version that the page has: what it was told last, or what it was made with."""
    told: bytes = dict(scope["headers"]).get(b"last-event-id", b"")
    asked = parse_qs(bytes(scope["query_string"]).decode("ascii", "replace")).get("version", [""])
    return told.decode("ascii", "replace") or asked[0]


def _part(text: str) -> Message:
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}
