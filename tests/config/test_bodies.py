"""What is sent to the pages and the API is bounded before it is kept, whoever sends it: asked of Django itself."""

import asyncio
import json

import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application

from config.doors import Doors
from tests.web.conftest import HOSTS

MIB = 1024 * 1024


async def send(path, *, pieces, announced=True, host=HOSTS["utrecht"]):
    """Send a body in pieces; return status, headers and body of the answer, and how many pieces were asked for."""
    doors = Doors(django=get_asgi_application(), database_url="", broker_url=settings.CELERY_BROKER_URL)
    headers = [(b"host", host.encode()), (b"content-type", b"application/x-www-form-urlencoded")]
    if announced:
        headers.append((b"content-length", str(sum(map(len, pieces))).encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
    }
    asked, said, answer = 0, {}, b""

    async def receive():
        nonlocal asked
        asked += 1
        if asked > len(pieces):
            await asyncio.Event().wait()  # the caller stays until it is answered
        return {"type": "http.request", "body": pieces[asked - 1], "more_body": asked < len(pieces)}

    async def hear(message):
        nonlocal answer
        said.update(message)
        answer += message.get("body", b"")

    await doors(scope, receive, hear)
    found = {name.decode().lower(): value.decode() for name, value in said["headers"]}
    return said["status"], found, answer, asked


@pytest.mark.parametrize("path", ["/sign-in/", "/geen-pagina/", "/api/v1/messages", "/single-sign-on/"])
async def test_what_announces_too_much_is_refused_unread(path):
    status, _headers, _answer, asked = await send(path, pieces=[b"x" * 3 * MIB])
    assert (status, asked) == (413, 0)


@pytest.mark.parametrize("path", ["/sign-in/", "/api/v1/messages"])
async def test_what_announces_nothing_is_refused_when_it_becomes_too_much(path):
    status, _headers, _answer, asked = await send(path, pieces=[b"x" * MIB] * 50, announced=False)
    assert (status, asked) == (413, 3)


async def test_the_api_says_so_as_it_says_everything():
    status, headers, answer, _asked = await send("/api/v1/messages", pieces=[b"x" * 3 * MIB])
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(answer)["code"] == "too_large"
    assert status == json.loads(answer)["status"]
    assert "api-version" in headers


ID = "6f1d0a3e-1111-4222-8333-444455556666"


@pytest.mark.parametrize(
    ("path", "taken", "refused"),
    [
        ("/api/v1/media", 4, 102),
        (f"/threads/{ID}/reply/", 16, 18),
        # What a form says itself of a file that is too large: 10 MB of a signed copy, 5 MB of a photo.
        ("/application/sign/", 11, 17),
        (f"/onboarding/{ID}/sign/", 11, 17),
        ("/numbers/1000000000344/photo/", 6, 9),
    ],
)
async def test_a_file_may_be_larger_where_files_are_sent(path, taken, refused):
    status, *_ = await send(path, pieces=[b"x" * refused * MIB])
    assert status == 413
    status, *_ = await send(path, pieces=[b"x" * MIB] * taken, host="elders.example")
    assert status != 413
    status, *_ = await send(f"{path}x/", pieces=[b"x" * 3 * MIB])
    assert status == 413
