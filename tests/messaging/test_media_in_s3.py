"""Media in an S3-compatible service: the same code, another place; imitated here by a few lines over HTTP."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from config.env import storage_url
from messaging.media import blobs
from messaging.media.blobs import Sealing
from messaging.models import Blob, Medium
from tests.messaging import stored_media
from tests.messaging.media_files import PDF

KEY, SECRET = "sleutel/1", "geheim+woord"


class Shelf(ThreadingHTTPServer):
    """What lies in the bucket, and how it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.signed_by: set[str] = set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Shelf

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.server.signed_by.add(self.headers.get("Authorization", "").split("Credential=")[-1].split("/2")[0])
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            size, rest = body.split(b"\r\n", 1)
            body = rest[: int(size.split(b";")[0], 16)]
        self.server.objects[self.path] = body
        self._answer(200, ETag=f'"{hashlib.md5(body).hexdigest()}"')

    def do_GET(self) -> None:
        found = self.server.objects.get(self.path)
        if found is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._answer(200, found, ETag=f'"{hashlib.md5(found).hexdigest()}"')

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        self.server.objects.pop(self.path, None)
        self._answer(204)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def shelf(settings) -> Iterator[Shelf]:
    server = Shelf()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    url = f"s3://sleutel%2F1:geheim%2Bwoord@127.0.0.1:{server.server_port}/emmer/media?region=nl-1&tls=off"
    settings.STORAGES = {**settings.STORAGES, "media": storage_url(url)}
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_keeps_reads_and_removes(shelf, thread, here, clock, django_capture_on_commit_callbacks):
    medium = stored_media.store(thread=thread, content=PDF * 5000, at=clock.now(), kind="document")
    (path,) = shelf.objects
    assert path.startswith("/emmer/media/utrecht/")
    assert PDF not in shelf.objects[path]
    assert shelf.signed_by == {KEY}
    with blobs.read(medium=medium, part=Blob.Part.ORIGINAL) as file:
        assert b"".join(file.parts(start=100_000, end=100_050)) == (PDF * 5000)[100_000:100_050]
        assert file.size == len(PDF) * 5000
    with django_capture_on_commit_callbacks(execute=True):
        blobs.discard(blobs=Blob.objects.filter(medium=medium))
    assert shelf.objects == {}
    assert not Blob.objects.exists()


def test_what_is_gone_is_gone(shelf, thread, here, clock):
    from messaging.media import showing

    medium = stored_media.store(thread=thread, content=PDF, at=clock.now(), kind="document")
    shelf.objects.clear()
    with pytest.raises(showing.NotThere):
        showing.read(medium=medium, part=Blob.Part.ORIGINAL, actor=None, at=clock.now(), recorded=False)


def test_a_service_that_is_away_is_said_to_be(settings, thread, here, clock, monkeypatch):
    from messaging.media import showing

    medium = stored_media.store(thread=thread, content=PDF, at=clock.now(), kind="document")
    away = storage_url("s3://a:b@127.0.0.1:9/emmer?tls=off&region=x")
    settings.STORAGES = {**settings.STORAGES, "media": away}
    with pytest.raises(showing.StorageAway):
        showing.read(medium=medium, part=Blob.Part.ORIGINAL, actor=None, at=clock.now(), recorded=False)
    with pytest.raises(Exception, match="endpoint"):
        blobs.write(sealed=_sealed(medium), part=Blob.Part.THUMBNAIL)
    assert Blob.objects.get(state="WRITING")


def _sealed(medium: Medium):
    import io

    file = io.BytesIO()
    sealer = Sealing(key=b"k" * 32, name=str(medium.id)).sealer(file)
    sealer.finish()
    return file
