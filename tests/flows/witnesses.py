"""Those who overhear a running platform: what it reports, asks of Meta, tells Redis, keeps in shared tables and files.

Each collects; nobody judges. tests/flows/canaries.py finds what should not be there.
"""

import contextlib
import gzip
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg import sql

from tests.flows.live import Live

# Where an address stands in a page.
_ADDRESSES = re.compile(r"""\s(?:href|src|action|formaction|hx-[a-z-]+|data-[a-z-]+)=("[^"]*"|'[^']*')""")
# Schemas that belong to no municipality.
SHARED = ("public", "quarantine")
_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'm', 'p') ORDER BY 1, 2
"""


class _Server:
    """A small HTTP server in a thread."""

    def __init__(self) -> None:
        witness = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, TimeoutError):
                    self.close_connection = True

            def do_GET(self) -> None:
                witness.answer(self)

            do_POST = do_DELETE = do_GET

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, door: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop; what hangs is let go."""
        self._server.shutdown()
        self._server.server_close()


class Sentry(_Server):
    """An imitation of Sentry that keeps what it is sent, headers too."""

    def __init__(self) -> None:
        self.received: list[str] = []
        super().__init__()

    @property
    def dsn(self) -> str:
        """Where reports go."""
        return f"http://publickey@127.0.0.1:{self.port}/1"

    def answer(self, door: BaseHTTPRequestHandler) -> None:
        """Keep a report."""
        body = door.rfile.read(int(door.headers.get("Content-Length") or 0))
        if door.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.received.append(f"{door.requestline}\n{door.headers}\n{body.decode()}")
        _respond(door, 200, b"{}")

    def events(self) -> list[dict[str, Any]]:
        """Return the errors that were reported."""
        items = [json.loads(line) for each in self.received for line in each.splitlines() if line.startswith("{")]
        return [item for item in items if "event_id" in item and "level" in item]


@dataclass(frozen=True)
class Answer:
    """What Meta says instead of what the sandbox would; None: it hangs up; seconds: after which it does."""

    status: int | None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    accepts: bool = False  # the sandbox accepts it all the same
    seconds: float = 0.0


class MetaFront(_Server):
    """Stands between the platform and the sandbox: keeps each request's line, and speaks for Meta where told to."""

    def __init__(self, *, sandbox: str) -> None:
        self._sandbox = urlsplit(sandbox).netloc
        self.lines: list[str] = []
        self.bodies: list[str] = []
        self.tokens: set[str] = set()
        self.answers: dict[str, Answer] = {}  # by whom a message is for, once
        self.ended = threading.Event()
        super().__init__()

    def stop(self) -> None:
        """Stop, and let go of who still waits for an answer."""
        self.ended.set()
        super().stop()

    def answer(self, door: BaseHTTPRequestHandler) -> None:
        """Pass a request on, or answer it as told."""
        body = door.rfile.read(int(door.headers.get("Content-Length") or 0))
        self.lines.append(door.requestline)
        self.bodies.append(body.decode("utf-8", "replace"))
        self.tokens.add(door.headers.get("Authorization", ""))
        told = self._told(body)
        if told is None or told.accepts:
            status, headers, said = self._pass_on(door, body)
            if told is None:
                _respond(door, status, said, headers)
                return
        if told.seconds:
            self.ended.wait(told.seconds)
        if told.status is None:
            door.close_connection = True
            door.connection.shutdown(socket.SHUT_RDWR)
        else:
            _respond(door, told.status, told.body, told.headers)

    def _told(self, body: bytes) -> Answer | None:
        try:
            message = json.loads(body)
        except ValueError:
            return None
        who = str(message.get("to") or message.get("recipient")) if isinstance(message, dict) else ""
        return self.answers.pop(who.removeprefix("+"), None)

    def _pass_on(self, door: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self._sandbox, timeout=40)
        kept = {name: value for name, value in door.headers.items() if name.lower() not in {"host", "connection"}}
        connection.request(door.command, door.path, body=body or None, headers=kept)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        return answer.status, {"Content-Type": answer.getheader("Content-Type", "")}, said


def _respond(door: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    door.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        door.send_header(name, value)
    door.send_header("Content-Length", str(len(body)))
    door.end_headers()
    door.wfile.write(body)


class RedisEar:
    """Hears each command that anybody gives to Redis: keys, values, messages of the broker, channels."""

    def __init__(self, *, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 0))
        self._socket.sendall(f"AUTH {parts.password}\r\nMONITOR\r\n".encode())
        self.heard = bytearray()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            while part := self._socket.recv(1 << 16):
                self.heard += part
        except OSError:
            return

    def stop(self) -> None:
        """Hear no more."""
        self._socket.close()


class Arguments:
    """Looks again and again at the names and arguments of all processes."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._stop = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self._stop.wait(0.5):
            self.look()

    def look(self) -> None:
        """Look now."""
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # ended meanwhile
                self.seen.update((folder / name).read_text(errors="replace") for name in ("comm", "cmdline"))

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()


def rows_of(live: Live, *schemas: str) -> Iterator[tuple[str, str]]:
    """Return every row of every table of these schemas, as text; bytes are hexadecimal there."""
    for schema, table in live.ask(_TABLES, list(schemas)):
        query = sql.SQL("SELECT t::text FROM ONLY {}.{} AS t").format(sql.Identifier(schema), sql.Identifier(table))
        with live.connect() as connection:
            rows = [str(row[0]) for row in connection.execute(query).fetchall()]
        yield f"{schema}.{table}", "\n".join(rows)


def files(folder: Path, *, but: Callable[[Path], bool]) -> Iterator[tuple[str, bytes]]:
    """Return every file below a folder but some: its name and what is in it."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and not but(path):
            yield str(path.relative_to(folder)), str(path.relative_to(folder)).encode() + b"\n" + path.read_bytes()


def addresses(*, page: str, headers: dict[str, str]) -> list[str]:
    """Return the addresses that an answer sends its reader to."""
    told = [headers[name] for name in headers if name.lower() in {"location", "hx-redirect", "hx-location", "link"}]
    return told + [match[1] for match in _ADDRESSES.finditer(page)]


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Wait until a condition holds; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not so within {seconds:.0f} seconds"
        time.sleep(0.1)
