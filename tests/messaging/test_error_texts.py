"""What an error says may be a citizen's words: it is in no log line and in no report, whoever writes it down."""

import gzip
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from config.env import ROOT

LOGGERS = {"messaging.inbox", "library", "celery.app.trace", "asyncio", "config.observation"}
LOGGERS |= {"uvicorn.error", "a_task", "multiprocessing"}
WORDS = "mijn buurman Teun is ziek"
# A process: our own loggers, a library's, the server's and Celery's, which bring handlers of their own; a task that
# fails, a forgotten asynchronous one, a thread and an object that end badly; and then its own end.
FAILS = f"""
import asyncio, logging, threading
import django, uvicorn
uvicorn.Config("nothing:here")
django.setup()
import sentry_sdk, structlog
from celery.utils.log import get_task_logger
from config.celery import app
app.log.setup(loglevel="INFO")

def broken():
    try:
        int({WORDS!r})
    except ValueError as error:
        raise RuntimeError("over " + {WORDS!r}) from error

def caught(say):
    try:
        broken()
    except RuntimeError as error:
        say(error)

log = structlog.get_logger("messaging.inbox")
caught(lambda error: log.error("ours", exc_info=error))
caught(lambda error: log.exception("ours_again"))
caught(lambda error: logging.getLogger("library").exception("it broke: %s", error))
caught(lambda error: logging.getLogger("library").error(f"it broke here: {{error!r}}", exc_info=error))
caught(lambda error: logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error))
caught(lambda error: get_task_logger("a_task").error("it broke", exc_info=error))
caught(lambda error: logging.getLogger("multiprocessing").error("it broke", exc_info=error))
caught(lambda error: sentry_sdk.capture_exception(error))

class Ends:
    def __del__(self):
        broken()
Ends()
thread = threading.Thread(target=broken)
thread.start()
thread.join()

@app.task(name="fails")
def fails(**_):
    broken()

fails.apply(kwargs={{"schema_name": "utrecht"}})

async def forgets():
    async def fails():
        broken()
    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
asyncio.run(forgets())
sentry_sdk.flush(5)
broken()
"""


@pytest.fixture(scope="module")
def said() -> tuple[str, str]:
    """Return what such a process logs, and what arrives at an imitation of Sentry."""
    received: list[bytes] = []

    class Sentry(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sentry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    dsn = f"http://publickey@127.0.0.1:{server.server_port}/1"
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "SENTRY_DSN": dsn, "LOG_LEVEL": "INFO"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", FAILS],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 1, done.stderr
    finally:
        server.shutdown()
        server.server_close()
    return done.stderr, b"\n".join(received).decode()


def test_no_log_line_holds_them(said):
    logged = [json.loads(line) for line in said[0].splitlines()]
    assert [line for line in logged if WORDS in json.dumps(line)] == []


def test_no_report_holds_them(said):
    assert [line for line in said[1].splitlines() if WORDS in line] == []


def test_each_error_is_logged_with_its_kind_and_place(said):
    logged = [json.loads(line) for line in said[0].splitlines()]
    errors = [line for line in logged if line["level"] in {"error", "critical"}]
    assert {line["logger"] for line in errors} == LOGGERS
    for line in errors:
        assert "RuntimeError" in line["exception"]
        assert "in broken" in line["exception"]


def test_each_error_is_reported_with_its_kind_and_place(said):
    events = [json.loads(line) for line in said[1].splitlines() if '"exception"' in line and line.startswith("{")]
    kinds = [[raised["type"] for raised in event["exception"]["values"]] for event in events if "exception" in event]
    assert kinds.count(["ValueError", "RuntimeError"]) >= 4
