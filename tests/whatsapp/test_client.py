"""Calls over real sockets, to a server that behaves as badly as networks do: a send is written once, whatever comes."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import orjson
import pytest

from whatsapp.client import (
    GRAPH_VERSION,
    Accepted,
    CloudAPI,
    CreatedTemplate,
    MediaRecord,
    MetaRefused,
    MetaUnreachable,
    NotSent,
    Reason,
    Refused,
    Uncertain,
    open_session,
)
from whatsapp.errors import ErrorKind
from whatsapp.outgoing import Recipient, Text, request_body

NUMBER, WABA, TOKEN = "106540352242922", "215589313241560883", "EAAtoken"
BODY = request_body(recipient=Recipient(wa_id="316970001001"), content=Text("Goedemorgen"), our_id="our-id")
ACCEPTED = orjson.dumps(
    {
        "messaging_product": "whatsapp",
        "contacts": [{"input": "+316970001001", "wa_id": "316970001001"}],
        "messages": [{"id": "wamid.1", "message_status": "accepted"}],
    }
)


@dataclass(frozen=True)
class Request:
    """What the server read: its first line, headers in lower case, body, and which connection it came over."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int


Behaviour = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, body: bytes, *, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def says(status: int, body: bytes, *, headers: str = "") -> Behaviour:
    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(status, body, headers=headers))

    return behave


def writes(raw: bytes) -> Behaviour:
    """Write these bytes, whatever they are, and close."""

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        writer.close()

    return behave


async def resets(_request: Request, writer: asyncio.StreamWriter) -> None:
    """End the connection the hard way."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def hangs(_request: Request, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def dribbles(_request: Request, writer: asyncio.StreamWriter) -> None:
    raw = answer(200, ACCEPTED)
    for start in range(0, len(raw), 20):
        writer.write(raw[start : start + 20])
        await asyncio.sleep(0.01)


@dataclass
class Meta:
    """A server of raw sockets that plays one behaviour for each request, the last one from then on."""

    behaviours: list[Behaviour] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    close_at_once: bool = False
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        try:
            while not self.close_at_once and not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                line, *rest = head.strip().split("\r\n")
                headers = {name.lower(): value for name, value in (item.split(": ", 1) for item in rest)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                request = Request(line, headers, body, connection)
                self.requests.append(request)
                self.arrived.set()
                behave = self.behaviours[min(len(self.requests), len(self.behaviours)) - 1]
                await behave(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def meta() -> AsyncIterator[Meta]:
    played = Meta([says(200, ACCEPTED)])
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(asyncio.CancelledError):
            await played.serve(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    played.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield played
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(connections=4) as opened:
        yield opened


@pytest.fixture
def api(meta: Meta, session: aiohttp.ClientSession) -> CloudAPI:
    return CloudAPI(session=session, base_url=meta.url, timeout_seconds=0.5, connect_seconds=0.2)


def error(code, **more):
    return orjson.dumps({"error": {"message": f"(#{code}) x", "type": "OAuthException", "code": code, **more}})


async def send(api, **changes):
    return await api.send(**{"phone_number_id": NUMBER, "access_token": TOKEN, "body": BODY, **changes})


# A send that Meta answers


async def test_an_accepted_send_has_its_wamid(api, meta):
    assert await send(api) == Accepted("wamid.1")
    (request,) = meta.requests
    assert request.line == f"POST /{GRAPH_VERSION}/{NUMBER}/messages HTTP/1.1"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json"
    assert orjson.loads(request.body) == BODY


async def test_a_send_to_an_id_has_no_phone_number(api, meta):
    sent = {"contacts": [{"input": "NL.1", "user_id": "NL.1"}], "messages": [{"id": "wamid.2"}]}
    meta.behaviours = [says(200, orjson.dumps(sent))]
    assert await send(api) == Accepted("wamid.2")


async def test_an_answer_in_small_pieces_is_accepted(api, meta):
    meta.behaviours = [dribbles]
    assert isinstance(await send(api), Accepted)


@pytest.mark.parametrize("status", [400, 401, 403, 500, 503])
async def test_metas_error_is_a_refusal_whatever_the_status(status, api, meta):
    meta.behaviours = [says(status, error(131047))]
    outcome = await send(api)
    assert isinstance(outcome, Refused)
    assert (outcome.error.code, outcome.error.kind) == (131047, ErrorKind.PERMANENT)


async def test_131000_is_uncertain_and_keeps_what_meta_said(api, meta):
    meta.behaviours = [says(500, error(131000, fbtrace_id="Ab1"))]
    outcome = await send(api)
    assert (outcome.reason, outcome.error.fbtrace_id) == (Reason.META_UNSURE, "Ab1")
    assert isinstance(outcome, Uncertain)


# A send that was written and not answered

LOST = {
    "closed after reading": (writes(b""), Reason.DISCONNECTED),
    "reset after reading": (resets, Reason.DISCONNECTED),
    "garbage": (writes(b"\x00\x01 garbage \xff\r\n\r\n"), Reason.UNREADABLE_ANSWER),
    "half of the headers": (writes(b"HTTP/1.1 200 OK\r\nContent-Le"), None),
    "half of the body": (writes(answer(200, ACCEPTED)[:-10]), Reason.UNREADABLE_ANSWER),
    "a broken chunk": (writes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), None),
    "no answer": (hangs, Reason.READ_TIMEOUT),
    "headers and no body": (writes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), Reason.UNREADABLE_ANSWER),
    "a page of a proxy, 500": (says(500, b"<html>Oops</html>"), Reason.SERVER_ERROR),
    "a page of a proxy, 502": (says(502, b'{"error":{"code":502,"message":"upstream"}}'), Reason.SERVER_ERROR),
    "a page of a proxy, 403": (says(403, b"<html>No</html>"), Reason.UNEXPECTED_STATUS),
    "a page of a proxy, 404": (says(404, b"<html>No</html>"), Reason.NOT_FOUND),
    "a redirect": (says(307, b"", headers="Location: /elsewhere\r\n"), Reason.UNEXPECTED_STATUS),
    "another redirect": (says(302, b"", headers="Location: /elsewhere\r\n"), Reason.UNEXPECTED_STATUS),
    "200 and no JSON": (says(200, b"OK"), Reason.UNREADABLE_ANSWER),
    "200 and nothing": (says(200, b""), Reason.UNREADABLE_ANSWER),
    "200 and no wamid": (says(200, b'{"messages":[{"id":""}]}'), Reason.UNREADABLE_ANSWER),
    "200 and other JSON": (says(200, b'{"messages":{"id":"x"},"contacts":7}'), Reason.UNREADABLE_ANSWER),
    "200 and a list": (says(200, b"[1]"), Reason.UNREADABLE_ANSWER),
    "200 and broken gzip": (says(200, b"xxxx", headers="Content-Encoding: gzip\r\n"), None),
    "more than we read": (says(200, b"x" * (9 * 1024 * 1024)), Reason.ANSWER_TOO_LARGE),
}


@pytest.mark.parametrize(("behaviour", "reason"), LOST.values(), ids=LOST)
async def test_a_send_without_metas_answer_is_uncertain_and_written_once(behaviour, reason, api, meta):
    meta.behaviours = [behaviour, says(200, ACCEPTED)]
    outcome = await send(api)
    assert isinstance(outcome, Uncertain)
    assert reason is None or outcome.reason is reason
    assert len(meta.requests) == 1
    await asyncio.sleep(0.02)
    assert len(meta.requests) == 1


async def test_a_connection_closed_before_reading_is_uncertain_and_not_tried_again(api, meta):
    meta.close_at_once = True
    assert isinstance(await send(api), Uncertain)
    assert (meta.connections, meta.requests) == (1, [])


@pytest.mark.parametrize("ending", [writes(b""), resets], ids=["closed", "reset"])
async def test_a_send_over_a_kept_connection_that_dies_is_never_repeated(ending, api, meta):
    """The trap: a library that takes the loss of a kept connection for "it was stale" and writes the POST again."""
    meta.behaviours = [says(200, ACCEPTED), ending, says(200, ACCEPTED)]
    assert isinstance(await send(api), Accepted)
    assert await send(api) == Uncertain(Reason.DISCONNECTED)
    assert [request.connection for request in meta.requests] == [1, 1]


async def test_a_kept_connection_that_meta_closed_meanwhile_is_not_used(api, meta):
    async def answers_and_closes(request, writer):
        await writes(answer(200, ACCEPTED))(request, writer)

    meta.behaviours = [answers_and_closes, says(200, ACCEPTED)]
    assert isinstance(await send(api), Accepted)
    await asyncio.sleep(0.05)
    assert isinstance(await send(api), Accepted)
    assert [request.connection for request in meta.requests] == [1, 2]


async def test_a_cancelled_send_is_written_at_most_once(api, meta):
    meta.behaviours = [hangs, says(200, ACCEPTED)]
    task = asyncio.create_task(send(api))
    await meta.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.02)
    assert len(meta.requests) == 1


# A send that was never written


async def test_a_refused_connection_is_not_sent(session):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        assert await send(CloudAPI(session=session, base_url=address)) == NotSent(Reason.CONNECTION_FAILED)


class NoSuchName(aiohttp.abc.AbstractResolver):
    async def resolve(self, host, port=0, family=socket.AF_INET):
        raise OSError(None, "no such name")

    async def close(self):
        """Nothing is held."""


async def test_a_name_that_does_not_resolve_is_not_sent():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=NoSuchName())) as session:
        api = CloudAPI(session=session, base_url="http://graph.example.invalid")
        assert await send(api) == NotSent(Reason.NAME_NOT_RESOLVED)


async def test_a_server_that_speaks_no_tls_is_not_sent(meta, session):
    api = CloudAPI(
        session=session, base_url=meta.url.replace("http:", "https:"), timeout_seconds=1, connect_seconds=0.5
    )
    assert isinstance(await send(api), NotSent)
    assert meta.requests == []


async def test_waiting_in_vain_for_a_free_connection_is_not_sent(meta):
    meta.behaviours = [hangs]
    async with open_session(connections=1) as session:
        slow = CloudAPI(session=session, base_url=meta.url, timeout_seconds=2, connect_seconds=0.1)
        first = asyncio.create_task(send(slow))
        await meta.arrived.wait()
        assert await send(slow) == NotSent(Reason.CONNECT_TIMEOUT)
        assert len(meta.requests) == 1
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": "with\r\nnewline"},
        {"access_token": ""},
        {"access_token": "é"},
        {"phone_number_id": "../1"},
        {"phone_number_id": "1?x=1"},
        {"phone_number_id": ".."},
        {"phone_number_id": ""},
        {"body": {"text": "\ud800"}},
        {"body": {"text": object()}},
    ],
)
async def test_a_request_that_cannot_be_made_is_not_sent(changes, api, meta):
    assert await send(api, **changes) == NotSent(Reason.INVALID_REQUEST)
    assert meta.requests == []


# The other calls


async def test_a_token_check_returns_the_number(api, meta):
    number = {"id": NUMBER, "display_phone_number": "+31 53 000 0001", "quality_rating": "GREEN", "status": "CONNECTED"}
    meta.behaviours = [says(200, orjson.dumps(number))]
    record = await api.check_token(phone_number_id=NUMBER, access_token=TOKEN)
    assert (record.phone_number_id, record.quality_rating, record.verified_name) == (NUMBER, "GREEN", None)
    assert meta.requests[0].line.startswith(f"GET /{GRAPH_VERSION}/{NUMBER}?fields=id,")


async def test_a_refused_token_stops_and_names_no_secret(api, meta):
    meta.behaviours = [says(401, error(190, error_data={"details": "of +316970001001"}))]
    with pytest.raises(MetaRefused) as refusal:
        await api.check_token(phone_number_id=NUMBER, access_token=TOKEN)
    assert refusal.value.error.kind is ErrorKind.STOP
    assert "31697" not in str(refusal.value)
    assert TOKEN not in str(refusal.value)


def page(*names, after=None):
    paging = (
        {"cursors": {"after": after}, "next": f"https://graph.facebook.com/x?access_token={TOKEN}"} if after else {}
    )
    items = [
        {"id": name, "name": name, "language": "nl", "category": "UTILITY", "status": "APPROVED"} for name in names
    ]
    return says(200, orjson.dumps({"data": items, "paging": paging}))


async def test_templates_come_page_by_page_without_the_token_in_an_address(api, meta):
    meta.behaviours = [page("a", "b", after="c1"), page("c")]
    first = await api.template_page(waba_id=WABA, access_token=TOKEN)
    second = await api.template_page(waba_id=WABA, access_token=TOKEN, after=first.after)
    assert [item["name"] for item in (*first.items, *second.items)] == ["a", "b", "c"]
    assert (first.after, second.after) == ("c1", None)
    lines = [request.line for request in meta.requests]
    assert ["after=c1" in line for line in lines] == [False, True]
    assert not any(TOKEN in line for line in lines)


async def test_a_page_of_templates_that_leads_back_to_itself_is_no_answer(api, meta):
    meta.behaviours = [page("a", after="c1")]
    with pytest.raises(MetaUnreachable):
        await api.template_page(waba_id=WABA, access_token=TOKEN, after="c1")


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": {"id": "1"}}, {"error_of_a_proxy": True}])
async def test_a_page_of_templates_without_its_list_does_not_pass_for_an_empty_one(api, meta, answer):
    meta.behaviours = [says(200, orjson.dumps(answer))]
    with pytest.raises(MetaUnreachable):
        await api.template_page(waba_id=WABA, access_token=TOKEN)


async def test_a_page_that_says_there_are_more_without_saying_where_is_no_answer(api, meta):
    meta.behaviours = [says(200, orjson.dumps({"data": [], "paging": {"next": "https://graph.facebook.com/x"}}))]
    with pytest.raises(MetaUnreachable):
        await api.template_page(waba_id=WABA, access_token=TOKEN)


async def test_templates_are_handed_on_as_meta_wrote_them(api, meta):
    items = [{"id": 16895, "name": "afspraak", "components": {"not": "a list"}}, {"id": "1"}, 7]
    meta.behaviours = [says(200, orjson.dumps({"data": items}))]
    assert list((await api.template_page(waba_id=WABA, access_token=TOKEN)).items) == items


async def test_one_template_is_read_by_its_id(api, meta):
    meta.behaviours = [says(200, b'{"id":"16895","name":"afspraak"}'), says(400, error(100))]
    assert await api.template(template_id="16895", access_token=TOKEN) == {"id": "16895", "name": "afspraak"}
    assert meta.requests[0].line.startswith(f"GET /{GRAPH_VERSION}/16895?fields=id,name")
    with pytest.raises(MetaRefused):
        await api.template(template_id="16896", access_token=TOKEN)


async def test_a_new_template_may_come_back_in_another_category(api, meta):
    meta.behaviours = [says(200, b'{"id":"5","status":"PENDING","category":"MARKETING"}')]
    made = await api.create_template(
        waba_id=WABA, access_token=TOKEN, name="x", language="nl", category="UTILITY", components=[]
    )
    assert made == CreatedTemplate("5", "PENDING", "MARKETING")
    assert orjson.loads(meta.requests[0].body)["category"] == "UTILITY"


async def test_a_medium_is_uploaded_with_its_type(api, meta):
    meta.behaviours = [says(200, b'{"id":"77"}')]
    content = b"%PDF-1.7 \x00\xff"
    media_id = await api.upload_media(
        phone_number_id=NUMBER, access_token=TOKEN, content=content, mime_type="application/pdf", filename='a"b.pdf'
    )
    assert media_id == "77"
    (request,) = meta.requests
    assert content in request.body
    assert b"application/pdf" in request.body
    assert b"messaging_product" in request.body


async def test_a_medium_is_looked_up_for_one_number(api, meta):
    found = {
        "id": "77",
        "url": "https://lookaside.fbsbx.com/x",
        "mime_type": "image/jpeg",
        "sha256": "ab",
        "file_size": "12",
    }
    meta.behaviours = [says(200, orjson.dumps(found))]
    record = await api.media_info(media_id="77", phone_number_id=NUMBER, access_token=TOKEN)
    assert record == MediaRecord("77", "https://lookaside.fbsbx.com/x", "image/jpeg", "ab", 12)
    assert f"phone_number_id={NUMBER}" in meta.requests[0].line


async def test_a_medium_is_downloaded_with_the_token(api, meta):
    meta.behaviours = [says(200, b"\xff\xd8\xff")]
    came = bytearray()
    await api.download_media(url=f"{meta.url}/media/77", access_token=TOKEN, write=came.extend)
    assert came == b"\xff\xd8\xff"
    assert meta.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/x",
        "http://lookaside.fbsbx.com/x",
        "https://lookaside.fbsbx.com.evil.example/x",
        "https://evilfbsbx.com/x",
        "http://127.0.0.1:1/x",
        "file:///etc/passwd",
        "nonsense",
        "",
        "http://[",
    ],
)
async def test_the_token_is_taken_to_no_other_host(url, api):
    with pytest.raises(MetaUnreachable) as failure:
        await api.download_media(url=url, access_token=TOKEN, write=bytearray().extend)
    assert (failure.value.reason, failure.value.may_have_happened) == (Reason.UNTRUSTED_URL, False)


async def test_a_medium_that_redirects_takes_the_token_nowhere(api, meta):
    meta.behaviours = [says(302, b"", headers="Location: http://127.0.0.1:1/\r\n")]
    with pytest.raises(MetaUnreachable):
        await api.download_media(url=f"{meta.url}/media/77", access_token=TOKEN, write=bytearray().extend)


async def test_a_url_that_is_too_old_says_so(api, meta):
    meta.behaviours = [says(404, b"gone")]
    with pytest.raises(MetaUnreachable) as failure:
        await api.download_media(url=f"{meta.url}/media/77", access_token=TOKEN, write=bytearray().extend)
    assert failure.value.reason is Reason.NOT_FOUND


async def test_a_medium_larger_than_asked_for_is_left(api, meta):
    meta.behaviours = [says(200, b"x" * 1001)]
    url = f"{meta.url}/media/77"
    with pytest.raises(MetaUnreachable) as failure:
        await api.download_media(url=url, access_token=TOKEN, most_bytes=1000, write=bytearray().extend)
    assert failure.value.reason is Reason.ANSWER_TOO_LARGE


async def test_a_message_is_marked_as_read(api, meta):
    meta.behaviours = [says(200, b'{"success":true}')]
    await api.mark_read(phone_number_id=NUMBER, access_token=TOKEN, wamid="wamid.1")
    assert orjson.loads(meta.requests[0].body) == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.1",
    }


async def test_another_call_that_may_have_happened_says_so(api, meta):
    meta.behaviours = [hangs]
    with pytest.raises(MetaUnreachable) as failure:
        await api.mark_read(phone_number_id=NUMBER, access_token=TOKEN, wamid="wamid.1")
    assert (failure.value.reason, failure.value.may_have_happened) == (Reason.READ_TIMEOUT, True)


@pytest.mark.parametrize(
    "given",
    [
        {"base_url": "graph.facebook.com"},
        {"base_url": "ftp://x"},
        {"version": "24"},
        {"timeout_seconds": 1, "connect_seconds": 1},
    ],
)
async def test_a_client_is_not_made_of_nonsense(given, session):
    with pytest.raises(ValueError):
        CloudAPI(session=session, **given)
