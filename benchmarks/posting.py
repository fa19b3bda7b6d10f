"""Meta as a load generator: signed POSTs over 32 connections that stay open, each sending as soon as it is answered.

Everything is written and signed before the clock starts, and one epoll loop sends bytes and reads status lines: a
generator that works while it measures would take its share of the cores from what is measured.
"""

import hashlib
import hmac
import json
import select
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.municipalities import Tenant
from benchmarks.report import CannotMeasure

PATH = "/webhooks/whatsapp"
DRAIN_SECONDS = 10.0
BETWEEN_CONNECTIONS_SECONDS = 0.005
_OK = b"HTTP/1.1 200"
_WORDS = (
    "Goedemiddag, bij ons op de hoek is sinds gisteren de straatverlichting uit en er ligt ook nog steeds grofvuil "
    "naast de ondergrondse container. Kunt u laten weten wanneer dit wordt opgehaald en of ik daar zelf nog iets voor "
    "moet doen? Ik heb het vorige week al via het formulier op de site gemeld. "
)


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass of the generator saw.

    answered: all 200s, warm-up and end included; a_second: POSTs answered in a second between them.
    """

    answered: int
    a_second: float
    p50_ms: float
    p99_ms: float
    cpu_share: float


def write_posts(*, tenants: Sequence[Tenant], app_secret: str, count: int, updates: int) -> list[bytes]:
    """Return whole HTTP requests, in turn to each municipality, with so many messages each, no two of them alike."""
    return [
        _request(body=_body(tenant=tenants[number % len(tenants)], number=number, updates=updates), secret=app_secret)
        for number in range(count)
    ]


def post(*, port: int, requests: Sequence[bytes], connections: int, warm_up: float, seconds: float) -> Pass:
    """Send the requests in their order until the time is over.

    Raises CannotMeasure: an answer was not 200, a connection broke, or the requests did not last.
    """
    return _Generator(port=port, requests=iter(requests), connections=connections).run(warm_up, seconds)


def send_one(*, port: int, request: bytes) -> None:
    """Send one request.  Raises CannotMeasure: the answer was not 200."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = connection.recv(4096)
    if not answer.startswith(_OK):
        raise CannotMeasure(f"the door answered {answer[:60]!r}")


class _Generator:
    def __init__(self, *, port: int, requests: Iterator[bytes], connections: int) -> None:
        self._requests = requests
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._sent_at: dict[int, float] = {}
        self._unsent: dict[int, bytes] = {}
        self._latencies: list[float] = []
        self._port, self._connections = port, connections

    def run(self, warm_up: float, seconds: float) -> Pass:
        try:
            self._open()
            self._work(until=time.perf_counter() + warm_up)
            before = len(self._latencies)
            begun, cpu = time.perf_counter(), time.thread_time()
            self._work(until=begun + seconds)
            took, cpu = time.perf_counter() - begun, time.thread_time() - cpu
            within = len(self._latencies)
            self._drain()
        finally:
            for connection in self._sockets.values():
                connection.close()
            self._poll.close()
        measured = sorted(self._latencies[before:within])
        if len(measured) < 100:
            raise CannotMeasure(f"only {len(measured)} answers came in {seconds} seconds")
        return Pass(
            answered=len(self._latencies),
            a_second=len(measured) / took,
            p50_ms=round(1000 * statistics.median(measured), 1),
            p99_ms=round(1000 * measured[int(len(measured) * 0.99)], 1),
            cpu_share=round(cpu / took, 3),
        )

    def _open(self) -> None:
        """Open the connections one after another while the others send, as they come in life.

        Web processes share a port: of many connections at once the first process awake would take nearly all.
        """
        for _ in range(self._connections):
            connection = socket.create_connection(("127.0.0.1", self._port), timeout=5)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            number = connection.fileno()
            self._sockets[number] = connection
            self._poll.register(number, select.EPOLLIN)
            self._send(number)
            self._work(until=time.perf_counter() + BETWEEN_CONNECTIONS_SECONDS)

    def _work(self, *, until: float) -> None:
        while (left := until - time.perf_counter()) > 0:
            for number, what in self._poll.poll(left):
                if what & select.EPOLLIN:
                    self._read(number)
                    self._send(number)
                else:
                    self._push(number)

    def _drain(self) -> None:
        deadline = time.perf_counter() + DRAIN_SECONDS
        while self._sent_at:
            if time.perf_counter() > deadline:
                raise CannotMeasure(f"{len(self._sent_at)} requests were not answered in {DRAIN_SECONDS:.0f} seconds")
            for number, what in self._poll.poll(1):
                if what & select.EPOLLIN:
                    self._read(number)
                else:
                    self._push(number)

    def _send(self, number: int) -> None:
        request = next(self._requests, None)
        if request is None:
            raise CannotMeasure("the prepared requests did not last: prepare more")
        self._sent_at[number] = time.perf_counter()
        sent = self._sockets[number].send(request)
        if sent < len(request):
            self._unsent[number] = request[sent:]
            self._poll.modify(number, select.EPOLLIN | select.EPOLLOUT)

    def _push(self, number: int) -> None:
        rest = self._unsent.pop(number, b"")
        rest = rest[self._sockets[number].send(rest) :]
        if rest:
            self._unsent[number] = rest
        else:
            self._poll.modify(number, select.EPOLLIN)

    def _read(self, number: int) -> None:
        answer = self._sockets[number].recv(4096)
        # The answer is a head without a body, in one piece; anything else is no answer of the door's.
        if not answer.startswith(_OK) or not answer.endswith(b"\r\n\r\n"):
            raise CannotMeasure(f"the door answered {answer[:60]!r}")
        self._latencies.append(time.perf_counter() - self._sent_at.pop(number))


def _request(*, body: bytes, secret: str) -> bytes:
    signature = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: hooks.localhost\r\nUser-Agent: facebookexternalua\r\nAccept: */*\r\n"
        f"Accept-Encoding: deflate, gzip\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\n\r\n"
    )
    return head.encode() + body


def _body(*, tenant: Tenant, number: int, updates: int) -> bytes:
    """Return a POST as Meta writes it. Each message is as long as leaves 1.1 to 1.2 kB to be stored of it."""
    contacts, messages = [], []
    for index in range(updates):
        citizen = f"3197{number % 100_000_000:08d}{index:02d}"
        user_id = f"NL.1349120{number:09d}{index:02d}"
        contacts.append({"profile": {"name": "Sanne de Vries"}, "wa_id": citizen, "user_id": user_id})
        messages.append(
            {
                "from": citizen,
                "from_user_id": user_id,
                "id": f"wamid.HBgMMzE2OTcwMDAxMDAxFQIAEhgU{number:012d}{index:04d}AA==",
                "timestamp": "1790000023",
                "text": {"body": (_WORDS * 3)[: 700 + number % 60]},
                "type": "text",
            }
        )
    value = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": tenant.display_phone_number.removeprefix("+"),
            "phone_number_id": tenant.phone_number_id,
        },
        "contacts": contacts,
        "messages": messages,
    }
    entry = {"id": tenant.waba_id, "changes": [{"value": value, "field": "messages"}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}, separators=(",", ":")).encode()
