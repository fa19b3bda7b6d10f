"""What the agents' pages cost in a municipality with a million messages, beside the same pages in one with a thousand.

Two real municipalities on one web process (Procfile, one worker). In both fifty agents ask at once, each on a
connection and in a session of their own, in turn for the list of open threads, for a thread of a hundred messages, and
for a search; the server's time for a page is the time until all had theirs, by the number of agents. The queries of
each page are counted in a process beside it: there must be as many. Then two hundred open windows listen to the large
one, and hear of a change.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import psycopg
import redis

from benchmarks import machine, municipalities
from benchmarks.report import CannotMeasure, Case, Report, median
from config.local.folders import VAR
from config.local.instance import Instance

NAME = "inbox"
HELP = "the inbox and a thread with a million messages, against a thousand, for 50 agents at once, and 200 open windows"
CASES = ("list", "thread", "search")
FLOOR = 1.5
SIZES = {"small": (100, 60), "large": (100_000, 1_000)}  # threads of ten messages, and how many of them are open
LONG = 100  # messages of the thread that is asked for
PASSES = 5
AGENTS = 50  # in each municipality, at once
WINDOWS = 200
# As many messages of one thread as of all others, a tenth of them of a word that is looked for; ours every second one.
FILL = """
    INSERT INTO messaging_contact (id, wa_id, profile_name, username, parent_bsuid, created_at)
    SELECT md5('c' || n)::uuid, '3169' || lpad(n::text, 7, '0'), 'Inwoner ' || n, '', '', now()
    FROM generate_series(1, %(threads)s::int) AS n;
    INSERT INTO messaging_thread (id, contact_id, phone_number_id, state, opened_at, closed_at, last_inbound_at,
        last_message_at, waiting_since, imported, close_reason, case_number)
    SELECT md5('t' || n)::uuid, md5('c' || n)::uuid, %(number)s, CASE WHEN n <= %(open)s THEN 'OPEN' ELSE 'CLOSED' END,
        at - interval '1 hour', CASE WHEN n <= %(open)s THEN NULL ELSE at END, at, at,
        CASE WHEN n <= %(open)s THEN at END, false, '', ''
    FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, %(threads)s::int) AS n) AS made;
    INSERT INTO messaging_message (id, thread_id, direction, kind, text, content, wamid, replies_to_wamid, state,
        stamped_at, created_at, purpose, template_name, template_category, forwarded, failed_reason)
    SELECT md5('m' || n || '-' || m)::uuid, md5('t' || n)::uuid,
        CASE WHEN m %% 2 = 1 THEN 'OUTBOUND' ELSE 'INBOUND' END,
        'text', 'Bericht ' || m || ' over de melding bij nummer ' || n || CASE WHEN m = 4 AND n <= 40 THEN
        ', met de dakkapel' ELSE ', waarvoor ik graag een antwoord ontvang' END, '{}', 'wamid.' || n || '.' || m, '',
        CASE WHEN m %% 2 = 1 THEN 'READ' ELSE 'RECEIVED' END, at, at, '', '', '', false, ''
    FROM (
        SELECT n, m, now() - n * interval '1 minute' - (%(long)s - m) * interval '1 second' AS at
        FROM generate_series(1, %(threads)s::int) AS n,
            generate_series(1, CASE WHEN n = 1 THEN %(long)s::int ELSE 10 END) AS m
    ) AS made;
"""
# Signed in without the form, which lets in thirty a minute from one address; each has looked for a word.
AGENTS_SIGNED_IN = """
import json
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context
from accounts.models import RoleGrant, User
queries, cookies = {}, {}
for schema, paths in json.loads(%r).items():
    for number in range(%d):
        client = Client(headers={"host": f"{schema}.localhost"})
        with schema_context(schema):
            user = User.objects.create_user(email=f"agent{number}@benchmarks.example", name=f"Agent {number}")
            RoleGrant.objects.create(user=user, role="AGENT")
            client.force_login(user)
        client.post(paths["search"], {"words": "dakkapel"})
        cookies.setdefault(schema, []).append(client.cookies[settings.SESSION_COOKIE_NAME].value)
    for name, path in paths.items():
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        queries.setdefault(name, {})[schema] = len(captured)
named = {schema: [f"{settings.SESSION_COOKIE_NAME}={each}" for each in values] for schema, values in cookies.items()}
print(json.dumps({"queries": queries, "cookies": named}))
"""


def measure(*, passes: int = PASSES, cases: tuple[str, ...] = ()) -> Report:
    """Run the benchmark and return what it found.  Raises CannotMeasure: a page was not what it should be."""
    with Instance(VAR / "bench", durable=True) as instance:
        instance.take()
        instance.start_servers()
        found = machine.describe(folder=instance.folder)
        tenants_are = municipalities.give(instance=instance, most=4)
        for values in (instance.environ, instance.supervisor.environ):
            values["WEB_CONCURRENCY"] = "1"
        tenants = municipalities.read(database_url=instance.values["DATABASE_URL"])[:2]
        schemas = dict(zip(SIZES, (tenant.schema_name for tenant in tenants), strict=True))
        begun = time.perf_counter()
        paths = {}
        for (threads, opened), tenant in zip(SIZES.values(), tenants, strict=True):
            paths[tenant.schema_name] = _fill(instance.values["DATABASE_URL"], tenant, threads, opened)
        filled = time.perf_counter() - begun
        script = AGENTS_SIGNED_IN % (json.dumps(paths), AGENTS)
        made = json.loads(instance.manage("shell", "--verbosity", "0", "--command", script).splitlines()[-1])
        queries = made["queries"]
        for name, counted in queries.items():
            if len(set(counted.values())) != 1:
                raise CannotMeasure(f"{name} takes {counted} queries: the number grows with the messages")
        instance.start_processes("web")
        instance.wait_until_healthy()
        bench = _Bench(instance, schemas, paths, made["cookies"])
        runs, windows = asyncio.run(bench.run(passes=passes, cases=cases or CASES))
        found |= {"memory_mib_by_program": machine.memory_of_children()}
    (few, few_open), (many, many_open) = SIZES.values()
    conditions = [
        f"4 municipalities: {tenants_are}; filled in {filled:.0f} s; one web process",
        f"{AGENTS} agents at once in each, {passes} passes, the small one before and after the large one",
        f"threads: {few:,} ({few_open} open) and {many:,} ({many_open:,} open), of ten messages, and one of {LONG}",
        "queries a page, in both: " + ", ".join(f"{name} {min(each.values())}" for name, each in queries.items()),
        f"{WINDOWS} open windows: " + ", ".join(f"{name} {value:g}" for name, value in windows.items()),
    ]
    return Report(
        name=NAME, cases=[_case(name, each) for name, each in runs.items()], machine=found, conditions=conditions
    )


def _case(name: str, runs: list[dict[str, float]]) -> Case:
    return Case(
        case=name,
        ratio=median([run["ratio"] for run in runs]),
        floor=FLOOR,
        better="lower",
        ours=median([run["large_ms"] for run in runs]),
        reference=median([run["small_ms"] for run in runs]),
        unit="ms a page",
        runs=runs,
    )


def _fill(database_url: str, tenant: municipalities.Tenant, threads: int, opened: int) -> dict[str, str]:
    """Fill a municipality, and return where its pages are."""
    values = {"threads": threads, "open": opened, "number": tenant.phone_number_id, "long": LONG}
    with psycopg.connect(database_url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(f"SET search_path = {tenant.schema_name}, public")
        connection.execute("SET synchronous_commit = off")
        connection.execute(FILL, values)
        for table in ("contact", "thread", "message"):
            connection.execute(f"VACUUM ANALYZE messaging_{table}")
        row = connection.execute("SELECT md5('t1')::uuid").fetchone()
    assert row is not None
    return {"list": "/inbox/?list=all", "thread": f"/threads/{row[0]}/", "search": "/search/"}


class _Bench:
    """cookies: of the agents who are signed in, by schema."""

    def __init__(
        self,
        instance: Instance,
        schemas: Mapping[str, str],
        paths: Mapping[str, Mapping[str, str]],
        cookies: Mapping[str, Sequence[str]],
    ) -> None:
        self.root = f"http://127.0.0.1:{instance.web_port}"
        self.broker_url = instance.values["CELERY_BROKER_URL"]
        self.schemas, self.paths, self.cookies = schemas, paths, cookies

    async def run(
        self, *, passes: int, cases: tuple[str, ...]
    ) -> tuple[dict[str, list[dict[str, float]]], dict[str, float]]:
        """Measure the pages of both in turn, then the windows."""
        connector = aiohttp.TCPConnector(limit=len(SIZES) * AGENTS)
        async with aiohttp.ClientSession(connector=connector) as session:
            runs = {}
            for case in cases:
                for side in SIZES:
                    await self._pass(session, side, case)
                runs[case] = [await self._both(session, case) for _ in range(passes)]
        return runs, await self._windows()

    async def _both(self, session: aiohttp.ClientSession, case: str) -> dict[str, float]:
        before = await self._pass(session, "small", case)
        large = await self._pass(session, "large", case)
        small = (before + await self._pass(session, "small", case)) / 2
        return {"ratio": round(large / small, 3), "large_ms": round(large, 1), "small_ms": round(small, 1)}

    async def _pass(self, session: aiohttp.ClientSession, side: str, case: str) -> float:
        """Have all agents of one side ask at once; return the server's time for a page, in milliseconds."""
        schema = self.schemas[side]

        async def ask(cookie: str) -> None:
            headers = _host(schema) | {"Cookie": cookie}
            async with session.get(self.root + self.paths[schema][case], headers=headers) as answer:
                text = await answer.text()
            if answer.status != 200 or "Inwoner" not in text:
                raise CannotMeasure(f"{case} of the {side} one was answered {answer.status}, or shows nobody")

        begun = time.perf_counter()
        await asyncio.gather(*(ask(cookie) for cookie in self.cookies[schema]))
        return 1000 * (time.perf_counter() - begun) / len(self.cookies[schema])

    async def _windows(self) -> dict[str, float]:
        """Open the windows, have one change told, and return when all had heard of it."""
        schema = self.schemas["large"]
        connector = aiohttp.TCPConnector(limit=WINDOWS + 1)
        headers = _host(schema) | {"Cookie": self.cookies[schema][0], "Accept": "text/event-stream"}
        before = machine.memory_of_children().get("uvicorn", 0.0)
        async with aiohttp.ClientSession(connector=connector, headers=headers) as windows:
            streams = await asyncio.gather(*(self._open(windows) for _ in range(WINDOWS)))
            after = machine.memory_of_children().get("uvicorn", 0.0)
            told = json.dumps({"schema": schema, "threads": []})
            begun = time.perf_counter()
            with redis.Redis.from_url(self.broker_url) as client:
                client.publish("live", told)
            heard = await asyncio.gather(*(_until_changed(stream) for stream in streams))
            for stream in streams:
                stream.close()
        return {
            "open": float(len(streams)),
            "all told after ms": round(1000 * (max(heard) - begun), 0),
            "uvicorn MiB before": before,
            "uvicorn MiB with them": after,
        }

    async def _open(self, windows: aiohttp.ClientSession) -> aiohttp.ClientResponse:
        stream = await windows.get(f"{self.root}/live/inbox/?list=all")
        if stream.status != 200:
            raise CannotMeasure(f"a window was answered {stream.status}")
        await _until(stream, b"event: listening")
        # The page has no version, so it is told at once that there is news; then it waits.
        await _until(stream, b"event: changed")
        return stream


async def _until_changed(stream: aiohttp.ClientResponse) -> float:
    await _until(stream, b"event: changed")
    return time.perf_counter()


async def _until(stream: aiohttp.ClientResponse, said: bytes) -> None:
    async with asyncio.timeout(30):
        async for line in stream.content:
            if line.startswith(said):
                return
    raise CannotMeasure("a window was closed")


def _host(schema: str) -> dict[str, Any]:
    return {"Host": f"{schema}.localhost"}
