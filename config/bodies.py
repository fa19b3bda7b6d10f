"""How much of a body is taken, before anything of it is kept: Django would write all of it down first, for anybody.

Under ASGI a body is spooled to disk before it is known who sends it and what for. So it is counted on its way in, and
refused as soon as it is too large, by what it announces or by what comes; a form's own limits come after this.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from api.middleware import HEADERS, PREFIX
from api.problems import CONTENT_TYPE, http_problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES = 2 * 1024 * 1024  # forms are bounded at one, and so are their files (DATA_UPLOAD_MAX_MEMORY_SIZE)
# Where files are sent, and how much of one request: more than the form takes, so that it says itself what is too large.
FILES: tuple[tuple[re.Pattern[str], int], ...] = (
    # The largest file that WhatsApp takes, and what is around it.
    (re.compile(r"/api/v1/media"), 101 * 1024 * 1024),
    # An agent's reply may have a file: what WhatsApp takes of every kind but the largest documents.
    (re.compile(r"/threads/[0-9a-f-]{36}/reply/"), 17 * 1024 * 1024),
    # The signed copy of an application (tenants/onboarding/signing.py), from either side.
    (re.compile(r"/application/sign/|/onboarding/[0-9a-f-]{36}/sign/"), 16 * 1024 * 1024),
    # The photo of a number (messaging/number_photo.py).
    (re.compile(r"/numbers/[0-9]{1,40}/photo/"), 8 * 1024 * 1024),
)
_TOO_LARGE = 413


class _TooLarge(Exception):
    """More came than is taken."""


async def bounded(application: Application, *, scope: Scope, receive: Receive, send: Send) -> None:
    """Have an application answer a request whose body is not too large; else answer 413."""
    most = next((most for path, most in FILES if path.fullmatch(scope["path"])), MOST_BYTES)
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > most:
        await _refuse(scope, send)
        return
    seen, begun = 0, False

    async def counted() -> MutableMapping[str, Any]:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > most:
                raise _TooLarge
        return message

    async def watched(message: MutableMapping[str, Any]) -> None:
        nonlocal begun
        begun = True
        await send(message)

    try:
        await application(scope, counted, watched)
    except _TooLarge:
        if begun:
            raise
        await _refuse(scope, send)


async def _refuse(scope: Scope, send: Send) -> None:
    """Say so: as the API says it below /api/ (api/problems.py), in plain text elsewhere."""
    content, said = b"Too large.\n", {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    if scope["path"].startswith(PREFIX):
        content, said = http_problem(status=_TOO_LARGE).content, HEADERS | {"Content-Type": CONTENT_TYPE}
    said |= {"Content-Length": str(len(content)), "Connection": "close"}
    headers = [(name.encode(), value.encode()) for name, value in said.items()]
    await send({"type": "http.response.start", "status": _TOO_LARGE, "headers": headers})
    await send({"type": "http.response.body", "body": content})
