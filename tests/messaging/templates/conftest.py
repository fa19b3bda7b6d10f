"""Meta's side of templates: the sandbox as a process of its own, by HTTP; or pages answered as a test tells."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from config.local.folders import ROOT
from tests.messaging import meta

BODY = "Goedendag {{naam}}, uw aanvraag is ontvangen en wij nemen contact met u op."
COMPONENTS = [
    {
        "type": "BODY",
        "text": BODY,
        "example": {"body_text_named_params": [{"param_name": "naam", "example": "mevrouw De Vries"}]},
    }
]


def listed(name: str, **more: Any) -> dict[str, Any]:
    """Return a template as Meta lists it, or as the sandbox is given it."""
    base = {"name": name, "language": "nl", "category": "UTILITY", "components": COMPONENTS}
    return {**base, "parameter_format": "NAMED", "status": "APPROVED", **more}


@dataclass
class Sandbox:
    """The sandbox's doors, and the webhooks that it sent."""

    url: str
    waba_id: str
    token: str
    webhooks: list[dict[str, Any]] = field(default_factory=list)

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call a control door."""
        return self._call(f"{self.url}/_sandbox/{path}", body, "GET" if body is None else "POST")

    def graph(self, path: str, body: dict[str, Any] | None = None, method: str = "GET") -> Any:
        """Call Meta's API as the municipality."""
        return self._call(f"{self.url}/v24.0/{path}", body, method)

    def has(self, *templates: dict[str, Any]) -> None:
        """Let the municipality's account have these templates at Meta."""
        number = {"id": "1000000000344", "display_phone_number": "+31970100344"}
        business = {"waba_id": self.waba_id, "name": "Utrecht", "access_token": self.token, "phone_numbers": [number]}
        self.control("businesses", {**business, "templates": list(templates)})

    def decide(self, name: str, action: str, language: str = "nl", **more: Any) -> None:
        """Play a decision of Meta's."""
        self.control(
            "templates", {"waba_id": self.waba_id, "name": name, "language": language, "action": action, **more}
        )

    def delete(self, name: str) -> None:
        """Delete a template at Meta."""
        self.graph(f"{self.waba_id}/message_templates?name={name}", method="DELETE")

    def told(self, least: int = 0) -> list[dict[str, Any]]:
        """Return the webhooks that came since the last time, once so many came and nothing is under way."""
        deadline = time.monotonic() + 10
        while len(self.webhooks) < least or not self.control("quiet")["quiet"]:
            assert time.monotonic() < deadline, "webhooks are still under way"
            time.sleep(0.02)
        came, self.webhooks[:] = list(self.webhooks), []
        return came

    def _call(self, url: str, body: dict[str, Any] | None, method: str) -> Any:
        request = urllib.request.Request(
            url,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def process() -> Iterator[Sandbox]:
    """Run the sandbox, and a platform of a few lines that receives its webhooks."""
    webhooks: list[dict[str, Any]] = []
    with serving(_receiver(webhooks)) as receiver:
        port = _free_port()
        environ = {
            **os.environ,
            "SANDBOX_WEBHOOK_URL": f"{receiver}/webhooks/whatsapp",
            "CLOCK_FILE": "",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "sandbox", "--port", str(port)]
        running = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = Sandbox(url=f"http://127.0.0.1:{port}", waba_id="2000000000344", token="token-of-utrecht")
        found.webhooks = webhooks
        try:
            _until_healthy(found)
            yield found
        finally:
            running.terminate()
            running.wait(timeout=10)


@pytest.fixture
def sandbox(process, settings, utrecht, here) -> Sandbox:
    """Return an empty sandbox in which Utrecht's account is."""
    process.control("reset", {})
    process.webhooks.clear()
    process.waba_id = utrecht.numbers.get().waba_id
    settings.META_GRAPH_URL = process.url
    process.has()
    # Without this nobody is told anything.
    process.graph(f"{process.waba_id}/subscribed_apps", {}, method="POST")
    return process


@pytest.fixture
def hear(sandbox, utrecht) -> Callable[..., list[dict[str, Any]]]:
    """Return what receives and applies the webhooks that the sandbox has sent: so many of them at least."""

    def receive(least: int = 1) -> list[dict[str, Any]]:
        came = sandbox.told(least)
        meta.receive(utrecht, *came)
        return came

    return receive


@dataclass
class Shelf:
    """Meta's listing as a test tells it: one answer for each request in turn, the last one for all that follow."""

    answers: list[Callable[[str], tuple[int, Any]]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def page(self, *items: Any, after: str | None = None) -> None:
        """Answer with a page of templates."""
        paging = {"cursors": {"after": after}, "next": "https://graph.facebook.com/next"} if after else {}
        self.answers.append(lambda path: (200, {"data": list(items), "paging": paging}))

    def refuse(self, code: int, status: int = 400) -> None:
        """Answer with Meta's error."""
        error = {"code": code, "type": "OAuthException", "message": "no", "fbtrace_id": "A1"}
        self.answers.append(lambda path: (status, {"error": error}))

    def say(self, status: int, body: Any) -> None:
        """Answer with anything."""
        self.answers.append(lambda path: (status, body))

    def answer(self, path: str) -> tuple[int, Any]:
        """Answer one request."""
        self.paths.append(path)
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(path)


@pytest.fixture
def shelf(settings, here) -> Iterator[Shelf]:
    """Return a Meta that lists as it is told."""
    made = Shelf()

    class Handler(_Handler):
        def do_GET(self) -> None:
            self.reply(*made.answer(self.path))

    with serving(Handler) as url:
        settings.META_GRAPH_URL = url
        yield made


class serving:
    """A server of this handler in a thread, while the block runs."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        """Take a free port."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> str:
        """Start; return its address."""
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status: int, body: Any) -> None:
        written = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _receiver(webhooks: list[dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    class Receiver(_Handler):
        def do_POST(self) -> None:
            webhooks.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.reply(200, {})

    return Receiver


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _until_healthy(found: Sandbox) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            found.control("healthz")
            return
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline, "the sandbox does not come up"
            time.sleep(0.05)
