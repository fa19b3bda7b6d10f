"""Meta's door: a POST that is another's, nobody's or at odds with itself changes nothing of the owner's."""

import json
from typing import Any

import psycopg
import pytest
from django.conf import settings

from messaging import inbox
from messaging.models import Contact, Message
from tests.api.meta_posts import NUMBERS, WABAS, webhook
from tests.conftest import FROZEN_AT
from tests.isolation.calling import call, open_doors
from tests.isolation.rows import Party
from tests.isolation.world import World, changed, fingerprint, found_in
from whatsapp.signature import sign

PATH = "/webhooks/whatsapp"
STAMP = str(int(FROZEN_AT.timestamp()))


def change(*, number: str, word: str, owner: Party) -> dict[str, Any]:
    """Return a change of a number that speaks of the owner's citizen and messages."""
    contact, message = owner.rows[Contact], owner.rows[Message]
    status = {"id": message.wamid, "status": "failed", "timestamp": STAMP, "recipient_id": contact.wa_id}
    echo = {**status, "id": f"wamid.{word}.echo", "biz_opaque_callback_data": str(owner.more[-1].pk)}
    said = {"from": contact.wa_id, "timestamp": STAMP, "type": "text", "context": {"id": message.wamid}}
    return {
        "field": "messages",
        "value": {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": owner.number.display_phone_number, "phone_number_id": number},
            "contacts": [{"profile": {"name": f"{word} profile"}, "wa_id": contact.wa_id}],
            "messages": [{**said, "id": f"wamid.{word}", "text": {"body": f"{word} text"}}],
            "statuses": [{**status, "errors": [{"code": 131026, "title": "no"}]}, echo],
        },
    }


def account_change(*, name: str) -> dict[str, Any]:
    """Return a change of an account: Meta rejected a template."""
    value = {
        "event": "REJECTED",
        "message_template_id": 1,
        "message_template_name": name,
        "message_template_language": "nl",
    }
    return {"field": "message_template_status_update", "value": value}


async def post(world: World, url: str, body: dict[str, Any], *, signed: bool = True) -> int:
    """Post as Meta does, on the owner's own host."""
    raw = json.dumps(body).encode()
    secret = settings.META_APP_SECRET if signed else "f" * 32
    headers = {"content-type": "application/json", "x-hub-signature-256": sign(body=raw, app_secret=secret)}
    async with open_doors(database_url=url) as doors:
        answer = await call(doors, "POST", PATH, host=world.owner.host, body=raw, headers=headers)
    assert answer.body == b""
    return answer.status


def stored(url: str, schema: str, word: str) -> int:
    """Return how many events of a schema's inbox hold a word, as they lie there."""
    with psycopg.connect(url) as plain:
        row = plain.execute(
            f"SELECT count(*) FROM {schema}.inbox_event WHERE payload::text LIKE %s", [f"%{word}%"]
        ).fetchone()
    assert row is not None
    return int(row[0])


# By name: the number of the change, the account of its entry, and in whose inbox it must lie, readable.
POSTS = {
    "of_another": ("delft", "delft", "delft"),
    "of_anothers_number_in_the_owners_account": ("delft", "utrecht", "delft"),
    "of_nobody": ("nobody", "nobody", None),
    "of_nobodys_number_in_the_owners_account": ("nobody", "utrecht", None),
}


@pytest.mark.parametrize("name", POSTS)
async def test_a_post_that_is_not_the_owners_changes_nothing_of_it(world: World, world_url, name):
    number, account, holder = POSTS[name]
    word = f"post-{name}"
    before = fingerprint_apart(world, url=world_url)
    entry = {"id": WABAS[account], "changes": [change(number=NUMBERS[number], word=word, owner=world.owner)]}
    assert await post(world, world_url, webhook(entry)) == 200
    await drain("delft")
    await drain("utrecht")
    assert changed(before, fingerprint_apart(world, url=world_url)) == []
    assert stored(world_url, "utrecht", word) == 0
    assert (stored(world_url, "delft", word) > 0) is (holder == "delft")
    assert stored(world_url, "quarantine", word) == 0, "what is nobody's must not be readable"


@pytest.mark.parametrize("account", ["delft", "nobody"])
async def test_an_update_of_another_account_changes_nothing_of_the_owners(world: World, world_url, account):
    from messaging.models import Template

    before = fingerprint_apart(world, url=world_url)
    name = world.owner.rows[Template].name
    entry = {"id": WABAS[account], "time": 1, "changes": [account_change(name=name)]}
    assert await post(world, world_url, webhook(entry)) == 200
    await drain("delft")
    await drain("utrecht")
    assert changed(before, fingerprint_apart(world, url=world_url)) == []


async def test_a_post_that_is_not_signed_by_meta_changes_nothing_anywhere(world: World, world_url):
    before = [fingerprint_apart(world, url=world_url, party=party) for party in world.parties]
    entry = {"id": WABAS["utrecht"], "changes": [change(number=NUMBERS["utrecht"], word="forged", owner=world.owner)]}
    assert await post(world, world_url, webhook(entry), signed=False) == 403
    after = [fingerprint_apart(world, url=world_url, party=party) for party in world.parties]
    assert [changed(*pair) for pair in zip(before, after, strict=True)] == [[], [], []]


async def test_asking_the_door_reads_nothing(world: World, world_url):
    marks = {mark for party in world.parties for mark in world.marks(party)}
    async with open_doors(database_url=world_url) as doors:
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "POST"):
            for path in (PATH, f"{PATH}?hub.mode=subscribe&hub.verify_token=guess&hub.challenge=1"):
                answer = await call(doors, method, path, host=world.owner.host)
                assert answer.status in {403, 405}
                assert found_in(answer.said(), marks) == []


async def test_the_owners_own_post_does_change_it(world: World, world_url):
    before = fingerprint_apart(world, url=world_url)
    other = fingerprint_apart(world, url=world_url, party=world.other)
    entry = {"id": WABAS["utrecht"], "changes": [change(number=NUMBERS["utrecht"], word="own", owner=world.owner)]}
    assert await post(world, world_url, webhook(entry)) == 200
    await drain("utrecht")
    after = fingerprint_apart(world, url=world_url)
    assert {"utrecht.inbox_event", "utrecht.messaging_message"} <= set(changed(before, after))
    assert changed(other, fingerprint_apart(world, url=world_url, party=world.other)) == []


def fingerprint_apart(world: World, *, url: str, party: Party | None = None) -> dict[str, tuple[int, str]]:
    """Return a fingerprint, the owner's unless said, over a connection of its own."""
    with psycopg.connect(url) as plain, plain.cursor() as cursor:
        return fingerprint(party or world.owner, cursor=cursor)


async def drain(schema: str) -> None:
    """Apply a municipality's events as a worker does."""
    from asgiref.sync import sync_to_async

    await sync_to_async(inbox.drain)(schema_name=schema)
