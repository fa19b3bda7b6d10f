"""What the web process serves beside Django: streams of changes, health, files. None tells anything of another's."""

import asyncio
import threading
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db.backends.signals import connection_created

from config.doors import Doors
from messaging.announcing import CHANNEL, Announcement
from messaging.models import Thread
from tests.isolation import addresses
from tests.isolation.addresses import BESIDE_DJANGO
from tests.isolation.calling import call, calling, open_doors
from tests.isolation.rows import Party
from tests.isolation.world import ALL, World, found_in
from web import assets

STREAM = {"accept": "text/event-stream"}


def signed_in(party: Party) -> dict[str, str]:
    """Return the headers of a page that listens, of somebody who may see all pages of a party."""
    return {**STREAM, "cookie": f"{settings.SESSION_COOKIE_NAME}={party.sessions[ALL]}"}


def announce(schema: str, *threads: object) -> None:
    """Tell as messaging does that threads changed."""
    told = Announcement(schema_name=schema, threads=frozenset(map(str, threads)))
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.publish(CHANNEL, told.encode())


async def listening(doors: Doors) -> None:
    """Wait until the process has its subscription."""
    async with asyncio.timeout(10):
        while not doors.below["/live/"]._listening:  # noqa: ASYNC110 - it happens once, at the start
            await asyncio.sleep(0.02)


async def version(doors: Doors, party: Party, path: str) -> str:
    """Return the version that a page shows now, so that its stream begins with nothing to tell."""
    async with calling(doors, "GET", path, host=party.host, headers=signed_in(party)) as heard:
        await heard.until(b"event: listening")
    return heard.body.split(b"id: ")[1].split(b"\n")[0].decode()


def test_it_knows_every_address_beside_django(world: World, world_url):
    doors = Doors(django=None, database_url=world_url, broker_url=settings.CELERY_BROKER_URL)
    assert {*doors.exact, *doors.below} == set(BESIDE_DJANGO), (
        "an address of config/doors.py is new or gone: enter it in tests/isolation/addresses.py, BESIDE_DJANGO, and"
        " ask it in the test that is named there"
    )
    live = {route for route in addresses.OF_MUNICIPALITIES if f"/{route}".startswith("/live/")}
    assert live == {"live/inbox/", "live/threads/<uuid:thread_id>/"}, "listen to the new stream in this file"


async def test_health_and_files_tell_nothing_of_anyone(world: World, world_url):
    marks = {mark for party in world.parties for mark in world.marks(party)}
    async with open_doors(database_url=world_url) as doors:
        for path in ("/healthz", "/readyz", assets.address("web/live.js"), "/static/../manage.py"):
            for party in world.parties:
                answer = await call(doors, "GET", path, host=world.owner.host, headers=signed_in(party))
                assert answer.status in {200, 404}, path
                assert found_in(answer.said(), marks) == []


async def test_an_error_page_knows_a_cookie_of_its_own_host_and_no_other(world: World, world_url):
    threads: set[str] = set()

    def note(**_: object) -> None:
        threads.add(threading.current_thread().name)

    connection_created.connect(note)
    try:
        async with open_doors(database_url=world_url) as doors:
            for path in ("/nothing/", "/live/", f"/threads/{uuid4()}/", "/users/"):
                for party in world.parties:
                    headers = {
                        "cookie": f"{settings.SESSION_COOKIE_NAME}={party.sessions.get('AGENT', party.sessions[ALL])}"
                    }
                    answer = await call(doors, "GET", path, host=world.owner.host, headers=headers)
                    shown = [each.schema for each in world.parties if each.text("user") in answer.said()]
                    assert shown == ([party.schema] if party is world.owner else []), (path, party.schema)
                    assert (f"{settings.SESSION_COOKIE_NAME}=" in answer.headers.get("set-cookie", "")) is (
                        party is not world.owner
                    ), path
    finally:
        connection_created.disconnect(note)
    # The threads of the loop, in which error pages are made, have no tenant and so must not ask the database.
    assert threads
    assert not [name for name in threads if name.startswith("asyncio")]


@pytest.mark.parametrize("path", ["/live/inbox/", "/live/threads/{thread}/"])
async def test_nobody_is_admitted_to_the_owners_stream_but_its_own(world: World, world_url, path):
    owner = world.owner
    path = path.format(thread=owner.rows[Thread].id)
    marks = {mark for party in world.parties for mark in world.marks(party)}
    async with open_doors(database_url=world_url) as doors:
        await listening(doors)
        for party in (world.other, world.console):
            for session in party.sessions.values():
                headers = {**STREAM, "cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}
                answer = await call(doors, "GET", path, host=owner.host, headers=headers)
                assert answer.status == 401
                assert found_in(answer.said(), marks) == []
            for key in party.keys.values():
                headers = {**STREAM, "authorization": f"Bearer {key}"}
                assert (await call(doors, "GET", path, host=owner.host, headers=headers)).status == 401
        answer = await call(doors, "GET", path, host=world.console.host, headers=signed_in(world.console))
        assert answer.status == 404
        if "threads" in path:
            answer = await call(doors, "GET", path, host=world.other.host, headers=signed_in(world.other))
            assert answer.status == 404


async def test_a_stream_hears_of_its_own_municipality_alone(world: World, world_url):
    owner, other = world.owner, world.other
    async with open_doors(database_url=world_url) as doors:
        await listening(doors)
        inbox = f"/live/inbox/?version={await version(doors, other, '/live/inbox/')}"
        mine = f"/live/threads/{other.rows[Thread].id}/"
        mine = f"{mine}?version={await version(doors, other, mine)}"
        theirs = f"/live/threads/{owner.rows[Thread].id}/"
        theirs = f"{theirs}?version={await version(doors, owner, theirs)}"
        async with (
            calling(doors, "GET", inbox, host=other.host, headers=signed_in(other)) as others_inbox,
            calling(doors, "GET", mine, host=other.host, headers=signed_in(other)) as others_thread,
            calling(doors, "GET", theirs, host=owner.host, headers=signed_in(owner)) as owners_thread,
        ):
            for heard in (others_inbox, others_thread, owners_thread):
                await heard.until(b"event: listening")
            # Told of the owner's thread, of all its threads, and of the other's thread under the owner's name.
            announce(owner.schema, owner.rows[Thread].id)
            announce(owner.schema)
            announce(owner.schema, other.rows[Thread].id)
            await owners_thread.until(b"event: changed")
            await asyncio.sleep(0.5)
            assert b"changed" not in others_inbox.body + others_thread.body
            announce(other.schema, other.rows[Thread].id)
            await others_inbox.until(b"event: changed")
            await others_thread.until(b"event: changed")
        for heard in (others_inbox, others_thread):
            assert found_in(heard.said(), world.marks(owner)) == []
