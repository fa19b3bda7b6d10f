"""The ASGI application: a short path for sends, Starlette for every other door.

Owns the one world with its courier and statuses. Answers faults that concern the connection (delay, hang, cut) here,
because only here the connection is at hand.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import (
    account_events,
    accounts,
    analytics,
    books_doors,
    citizen_doors,
    control,
    media,
    number_settings,
    registration,
    signup,
    signup_window,
    story_doors,
    template_edits,
    templates,
    uploads,
)
from sandbox.books import Change
from sandbox.control import sandbox_of
from sandbox.courier import Courier
from sandbox.faults import SendFault, UnknownFault
from sandbox.graph_errors import GraphError, answer_body, http_status
from sandbox.inbound import UnfitMessage
from sandbox.sending import accept_message, mark_read, note_refusal, number_for
from sandbox.statuses import Statuses
from sandbox.story import Story
from sandbox.stripe_room import control as stripe_control
from sandbox.stripe_room.room import Room
from sandbox.switches import UnknownSwitch
from sandbox.world import Conflict, Number, World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON_HEADERS = (b"content-type", b"application/json; charset=UTF-8")
HTML_500 = b"<!DOCTYPE html><html><head><title>Error</title></head><body>Sorry, something went wrong.</body></html>"
MOST_BODY_BYTES = 110 * 1024 * 1024


class _Cut(Exception):
    """The connection is to be cut without an answer."""


class Sandbox:
    """The application; `world`, `courier` and `statuses` are open to tests that run it in their own process."""

    def __init__(self, *, world: World) -> None:
        self.world = world
        self.courier = Courier(world=world)
        self.statuses = Statuses(world=world, courier=self.courier)
        self.story: Story | None = None
        self.stripe = Room()
        self._doors = Starlette(
            routes=[
                *control.routes(),
                *citizen_doors.routes(),
                *books_doors.routes(),
                *story_doors.routes(),
                *media.routes(),
                *templates.routes(),
                *template_edits.routes(),
                *account_events.routes(),
                *analytics.routes(),
                *number_settings.routes(),
                *registration.routes(),
                *signup.routes(),
                *signup_window.routes(),
                *uploads.routes(),
                *accounts.routes(),
                *stripe_control.routes(room=self.stripe),
                *self.stripe.routes(),
                Route("/{path:path}", _nowhere, methods=["GET", "POST", "DELETE", "PUT", "PATCH"]),
            ],
            exception_handlers={
                GraphError: _answer_graph_error,
                **dict.fromkeys((UnfitMessage, UnknownFault, UnknownSwitch), _answer_unfit),
                Conflict: _answer_conflict,
            },
        )
        self._doors.state.sandbox = self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path = scope["path"]
        counted = not path.startswith("/_sandbox/")
        self.world.requests_in_hand += counted
        try:
            if scope["method"] == "POST" and path.endswith(("/messages", "/marketing_messages")):
                await self._messages(scope, receive, send)
            elif counted and not path.startswith("/stripe/"):
                await self._call(scope, receive, send)
            else:
                await self._doors(scope, receive, send)
        finally:
            self.world.requests_in_hand -= counted

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call that is no send, as its door does or as a fault has it."""
        if scope["method"] != "GET":
            send = self._noting(scope, send)
        fault = self.world.faults.take_call(method=scope["method"], path=scope["path"])
        if fault is None:
            await self._doors(scope, receive, send)
        elif fault.kind == "error":
            refused = GraphError(code=fault.code, details="Asked for by a fault.")
            await _respond(send, *self.answer_error(error=refused))
        else:
            _cut_connection(scope)

    def _noting(self, scope: Scope, send: Send) -> Send:
        """Return a `send` that has the books know how the call was answered."""

        async def noted(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                made = Change(self.world.clock.now(), scope["method"], scope["path"], message["status"])
                self.world.books.changes.append(made)
            await send(message)

        return noted

    def reset(self) -> None:
        """Forget everything, and let the clock show real time."""
        self.courier.clear()
        self.statuses.clear()
        self.world.clear()
        self.story = None
        self.stripe.clear()
        self.world.clock.set_offset(offset_seconds=0.0)

    def answer_error(self, *, error: GraphError) -> tuple[int, bytes]:
        """Make the answer to a refused call."""
        switches = self.world.switches
        body = answer_body(
            error=error, trace_id=self.world.ids.next_trace(), data_as_string=switches.error_data_as_string
        )
        return http_status(code=error.code, overrides=switches.http_status), orjson.dumps(body)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self.statuses.clear()
                await self.courier.close()
                self.world.clock.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _messages(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status, body = await self._answer_messages(scope, receive)
        except GraphError as error:
            status, body = self.answer_error(error=error)
        except _Cut:
            _cut_connection(scope)
            return
        await _respond(send, status, body)

    async def _answer_messages(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        parts = scope["path"].split("/")
        token = _bearer(scope)
        raw = await _read_body(receive)
        if len(parts) not in (3, 4):
            raise GraphError(code=100, details="Unsupported post request.", subcode=33)
        number = number_for(world=self.world, token=token, number_id=parts[-2])
        try:
            payload = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise GraphError(code=100, details="The body is not valid JSON.") from error
        if not isinstance(payload, dict):
            raise GraphError(code=100, details="The body is not a JSON object.")
        if "status" in payload:
            return 200, orjson.dumps(mark_read(world=self.world, payload=payload))
        if self.world.faults.sends:
            fault = self.world.faults.take(number_id=number.id)
            if fault is not None:
                return await self._with_fault(fault=fault, number=number, payload=payload, receive=receive)
        lite = parts[-1] == "marketing_messages"
        return 200, orjson.dumps(
            accept_message(world=self.world, statuses=self.statuses, number=number, payload=payload, lite=lite)
        )

    async def _with_fault(
        self, *, fault: SendFault, number: Number, payload: dict[str, Any], receive: Receive
    ) -> tuple[int, bytes]:
        world, kind = self.world, fault.kind
        if kind in ("error", "html_500", "disconnect_before"):
            note_refusal(world=world, number=number, payload=payload, code=fault.code)
            if kind == "error":
                raise GraphError(code=fault.code, details="Asked for by a fault.")
            if kind == "html_500":
                return 500, HTML_500
            raise _Cut
        if kind == "delay":
            await asyncio.sleep(fault.seconds)
        failure = fault.code if kind == "failed_status" else None
        answer = accept_message(world=world, statuses=self.statuses, number=number, payload=payload, failure=failure)
        if kind == "error_after_accept":
            raise GraphError(code=fault.code, details="Asked for by a fault.")
        if kind == "html_500_after_accept":
            return 500, HTML_500
        if kind == "timeout_after_accept":
            await _hang(receive=receive, seconds=fault.seconds)
            raise _Cut
        if kind == "disconnect_after_accept":
            raise _Cut
        return 200, orjson.dumps(answer)


async def _respond(send: Send, status: int, body: bytes) -> None:
    content_type = (b"content-type", b"text/html") if body is HTML_500 else JSON_HEADERS
    headers = [content_type, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_BODY_BYTES:
            raise GraphError(code=100, details="The body is too large.")
    return body


def _bearer(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return str(value[7:].decode("latin-1")) if value[:7].lower() == b"bearer " else None
    return None


async def _hang(*, receive: Receive, seconds: float) -> None:
    """Wait until the time is over or the caller has hung up."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


def _cut_connection(scope: Scope) -> None:
    transport = scope.get("extensions", {}).get("sandbox.transport")
    if transport is None:
        raise RuntimeError("connections can only be cut on the sandbox's own server")
    transport.abort()


async def _nowhere(request: Request) -> Response:
    raise GraphError(code=100, details=f"Unsupported {request.method.lower()} request.", subcode=33)


async def _answer_graph_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, GraphError):
        raise error
    status, body = sandbox_of(request=request).answer_error(error=error)
    return Response(body, status_code=status, media_type="application/json")


async def _answer_unfit(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)


async def _answer_conflict(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=409)
