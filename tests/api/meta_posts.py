"""POSTs as Meta makes them, and Meta's door on a port of its own to send them to."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg
import uvicorn

from api.whatsapp_webhook import PATH, WhatsAppWebhook
from messaging.intake import EventWriter
from tenants.routing import QUERY, RoutingMap
from whatsapp.signature import sign

APP_SECRET = "0123456789abcdef0123456789abcdef"
VERIFY_TOKEN = "the word that was agreed"
NUMBERS = {"utrecht": "1000000000344", "delft": "1000000000503", "nobody": "1000000009999"}
WABAS = {"utrecht": "2000000000344", "delft": "2000000000503", "nobody": "2000000009999"}
CITIZEN = "31612345678"


@dataclass
class Wakes:
    """Stands where the waker stands, and remembers."""

    names: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)

    def wake(self, schema_name: str) -> None:
        """Remember a name."""
        self.names.append(schema_name)

    def wake_later(self, schema_name: str) -> None:
        """Remember a name for which there is time."""
        self.later.append(schema_name)


@dataclass
class Door:
    """A served door. writer is started unless a test says otherwise."""

    port: int
    writer: EventWriter
    wakes: Wakes

    async def post(self, body: object, *, signature: str | None = "right", chunked: bool = False) -> int:
        """Send a POST and return the status."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        signature = sign(body=raw, app_secret=APP_SECRET) if signature == "right" else signature
        headers = [] if signature is None else [f"X-Hub-Signature-256: {signature}"]
        if chunked:
            headers.append("Transfer-Encoding: chunked")
            raw = b"".join(
                b"%x\r\n%b\r\n" % (len(raw[at : at + 65536]), raw[at : at + 65536]) for at in range(0, len(raw), 65536)
            )
            raw += b"0\r\n\r\n"
        else:
            headers.append(f"Content-Length: {len(raw)}")
        return (await self.send("POST", PATH, headers=headers, body=raw))[0]

    async def send(
        self, method: str, target: str, *, headers: Iterable[str] = (), body: bytes = b""
    ) -> tuple[int, bytes, bytes]:
        """Send any request; return status, head and body of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"{method} {target} HTTP/1.1", "Host: anything.localhost", *headers, "", ""]
        sending = asyncio.create_task(_write(writer, "\r\n".join(lines).encode() + body))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        length = re.search(rb"content-length: (\d+)", head)
        rest = await reader.readexactly(int(length[1]) if length else 0)
        writer.close()
        await sending
        return int(head.split()[1]), head, rest


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    try:
        writer.write(data)
        await writer.drain()
    except OSError:
        pass  # the door may answer, and close, before it has read all


@asynccontextmanager
async def open_door(*, database_url: str, started: bool = True) -> AsyncIterator[Door]:
    """Serve the door over HTTP, wired as config/server.py wires it."""

    async def read_routes():
        async with await psycopg.AsyncConnection.connect(database_url, options="-c search_path=") as connection:
            return await (await connection.execute(QUERY)).fetchall()

    writer, wakes = EventWriter(conninfo=database_url, connections=2), Wakes()
    door = WhatsAppWebhook(
        writer=writer,
        routes=RoutingMap(read=read_routes),
        waker=wakes,
        app_secret=APP_SECRET,
        verify_token=VERIFY_TOKEN,
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(door, lifespan="off", log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    if started:
        writer.start()
    try:
        yield Door(port=listening.getsockname()[1], writer=writer, wakes=wakes)
    finally:
        await writer.stop()
        server.should_exit = True
        await serving


def message(wamid: str, text: str = "Goedemiddag") -> dict:
    """Return a citizen's message as Meta writes it."""
    return {"from": CITIZEN, "id": wamid, "timestamp": "1772442000", "type": "text", "text": {"body": text}}


def status(wamid: str, word: str = "delivered") -> dict:
    """Return a status as Meta writes it."""
    return {"id": wamid, "status": word, "timestamp": "1772442000", "recipient_id": CITIZEN}


def change(schema: str, *, messages=None, statuses=None, errors=None) -> dict:
    """Return a change of a municipality's number."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "31970100000", "phone_number_id": NUMBERS[schema]},
    }
    if messages:
        value |= {"contacts": [{"profile": {"name": "Sanne"}, "wa_id": CITIZEN}], "messages": messages}
    if statuses:
        value["statuses"] = statuses
    if errors:
        value["errors"] = errors
    return {"field": "messages", "value": value}


def entry(schema: str, *changes: dict) -> dict:
    """Return an entry of a municipality's account."""
    return {"id": WABAS[schema], "changes": list(changes)}


def webhook(*entries: dict) -> dict:
    """Return the body of a POST."""
    return {"object": "whatsapp_business_account", "entry": list(entries)}


def one(schema: str, wamid: str, text: str = "Goedemiddag") -> dict:
    """Return the body of a POST with one message."""
    return webhook(entry(schema, change(schema, messages=[message(wamid, text)])))


def stored(*, database_url: str, schema: str) -> list[dict]:
    """Return the payloads of a schema's inbox, in the order in which they were stored."""
    with psycopg.connect(database_url) as connection:
        return [row[0] for row in connection.execute(f"SELECT payload FROM {schema}.inbox_event ORDER BY id")]


def wamids(*, database_url: str, schema: str) -> list[str]:
    """Return the wamids of the messages and statuses in a schema's inbox, sorted."""
    return sorted(payload["element"]["id"] for payload in stored(database_url=database_url, schema=schema))
