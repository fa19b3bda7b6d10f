"""The connections of a web process are fewer than those who may ask at once: who comes then waits, and is answered."""

import json
import os
import subprocess
import sys

import pytest

from config.env import ROOT

# The server as a process has it, with all its connections in use. It says what was answered, and when.
ASKED = """
import asyncio, json, time
import httpx
from config.server import application
from django.db import connection

pool, said = connection.pool, {}

async def ask(client, name):
    began = time.monotonic()
    answer = await client.get("/sign-in/")
    said[name] = [answer.status_code, time.monotonic() - began]

async def main():
    door = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=door, base_url="http://utrecht.localhost") as client:
        await ask(client, "at rest")
        held = [await asyncio.to_thread(pool.getconn) for _ in range(pool.max_size)]
        waiting = [asyncio.create_task(ask(client, f"waiting {number}")) for number in range(3)]
        await asyncio.sleep(1)
        said["meanwhile"] = sorted(name for name in said if name != "at rest")
        for each in held[1:]:
            pool.putconn(each)
        await asyncio.gather(*waiting)
        said["patience"], pool.timeout = pool.timeout, 0.2  # as if none came free in all that time
        held[1:] = [await asyncio.to_thread(pool.getconn, timeout=5) for _ in range(pool.max_size - 1)]
        await ask(client, "in vain")
        for each in held:
            pool.putconn(each)
    pool.close()

asyncio.run(main())
print(json.dumps(said))
"""


@pytest.mark.usefixtures("django_db_setup")
def test_who_asks_while_all_connections_are_in_use_waits_and_is_answered():
    done = subprocess.run(
        [sys.executable, "-c", ASKED],
        cwd=ROOT,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["at rest"][0] == 200
    assert said["meanwhile"] == [], "they were answered while no connection was free"
    for number in range(3):
        status, seconds = said[f"waiting {number}"]
        assert status == 200
        assert seconds >= 1
    assert said["in vain"][0] == 500, "it was not the connection that they waited for"
    assert said["patience"] == 30, "of fifty agents at once some waited for more than ten seconds"
