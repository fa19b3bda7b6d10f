"""Meta's door: `GET/POST /webhooks/whatsapp` on any host, as plain ASGI, because it is hot.

verify the signature over the raw bytes → split into events → find each one's municipality → durable write → 200.
403: wrong signature, nothing stored. 413: over 4 MiB. 400: not JSON. 503: not all stored, so Meta sends it again.
"""

import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import orjson
import psycopg
import structlog

from messaging.core.partitions import UNOWNED
from messaging.inserting import Row
from messaging.intake import EventWriter, NotStored
from messaging.waking import Waker
from tenants import clock
from tenants.encryption import encrypt
from tenants.routing import RoutingMap
from whatsapp.payloads import EventKind, split
from whatsapp.signature import is_valid

PATH = "/webhooks/whatsapp"
MOST_BYTES = 4 * 1024 * 1024  # Meta's own limit is 3 MB

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = structlog.get_logger(__name__)


class TooLarge(Exception):
    """The body is over MOST_BYTES."""


class Disconnected(Exception):
    """The caller went away before its request was complete."""


@dataclass(frozen=True, slots=True)
class WhatsAppWebhook:
    """The ASGI application of Meta's door."""

    writer: EventWriter
    routes: RoutingMap
    waker: Waker
    app_secret: str
    verify_token: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] == "POST":
            await _answer(send, await self._receive(scope, receive))
        elif scope["method"] == "GET":
            challenge = self._challenge(scope)
            await _answer(send, 403 if challenge is None else 200, body=challenge or b"")
        else:
            await _answer(send, 405, headers=[(b"allow", b"GET, POST")])

    def _challenge(self, scope: Scope) -> bytes | None:
        """Return the challenge to echo when Meta verifies the address with our word, else None."""
        # As text: of bytes, parse_qs takes nothing but ASCII, and a stranger may write anything.
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        token = query.get("hub.verify_token", "").encode()
        if query.get("hub.mode") != "subscribe" or not hmac.compare_digest(token, self.verify_token.encode()):
            return None
        challenge = query.get("hub.challenge")
        return None if challenge is None else challenge.encode()

    async def _receive(self, scope: Scope, receive: Receive) -> int:
        """Store a POST's events and return the status to answer with."""
        headers = dict(scope["headers"])
        try:
            body = await _read(headers, receive)
        except TooLarge:
            return 413
        except Disconnected:
            return 400
        signature = headers.get(b"x-hub-signature-256")
        if not is_valid(
            body=body, header=signature.decode("latin-1") if signature else None, app_secret=self.app_secret
        ):
            log.warning("webhook_refused", bytes=len(body))
            return 403
        try:
            parsed = _parse(body)
        except ValueError:
            return 400
        try:
            await self._store(parsed)
        except (NotStored, psycopg.Error, OSError) as error:
            log.warning("webhook_not_stored", error=type(error).__name__)
            return 503
        return 200

    async def _store(self, parsed: Any) -> None:
        at, asked_at = clock.now(), self.routes.clock()
        rows: list[Row] = []
        schemas: dict[str, bool] = {}  # whose, and whether more than statuses came for it
        for event in split(body=parsed, received_at=at):
            route = await self.routes.find(
                phone_number_id=event.phone_number_id, waba_id=event.waba_id, asked_at=asked_at
            )
            payload = orjson.dumps(event.payload)
            if route is None:
                # Nobody's, until a number is opened: readable with our keys only, because it rests in a shared schema.
                payload = orjson.dumps({"encrypted": encrypt(plain=payload).decode(), "waba_id": event.waba_id})
            else:
                is_urgent = event.kind is not EventKind.STATUS
                schemas[route.schema_name] = is_urgent or schemas.get(route.schema_name, False)
            rows.append(
                Row(
                    municipality_id=route.municipality_id if route else UNOWNED,
                    dedup_key=event.dedup_key,
                    kind=event.kind.value,
                    field=event.field,
                    phone_number_id=event.phone_number_id,
                    payload=payload,
                    received_at=at,
                )
            )
        if rows:
            await self.writer.store(rows)
        for schema_name, is_urgent in schemas.items():
            wake = self.waker.wake if is_urgent else self.waker.wake_later
            wake(schema_name)


async def _read(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """Return the whole body.  Raises TooLarge, as soon as that is known; Disconnected."""
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MOST_BYTES:
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            raise TooLarge
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _parse(body: bytes) -> Any:
    """Return what the JSON says.  Raises ValueError: it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # Stricter than JSON is (half of a pair in an emoji, a number of a thousand digits, a deep nest): a POST refused
        # for that would come back for a week. The slow parser takes it, and `split` repairs what cannot be stored.
        try:
            return json.loads(body, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


async def _answer(
    send: Send, status: int, *, body: bytes = b"", headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    all_headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        *(headers or ()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})
