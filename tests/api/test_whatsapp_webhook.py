"""Meta's door, over HTTP: what it lets in, what it answers, and what is in the database then."""

import asyncio
import json
import statistics
import time

import psycopg
import pytest

from api.whatsapp_webhook import MOST_BYTES, PATH
from messaging import intake
from tenants.encryption import decrypt
from tests.api import meta_posts as meta
from tests.api.meta_posts import change, entry, message, one, open_door, status, stored, wamids, webhook
from whatsapp.signature import sign

END_CONNECTIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
EVERYTHING = ("utrecht", "delft", "quarantine")


@pytest.fixture
async def door(committing_db):
    async with open_door(database_url=committing_db.url) as opened:
        yield opened


@pytest.fixture
def url(committing_db) -> str:
    return committing_db.url


def rows(url: str) -> int:
    return sum(len(stored(database_url=url, schema=schema)) for schema in EVERYTHING)


# --- Who is let in


async def test_it_echoes_the_challenge_to_who_knows_the_word(door):
    word = meta.VERIFY_TOKEN.replace(" ", "%20")
    answer = await door.send("GET", f"{PATH}?hub.mode=subscribe&hub.verify_token={word}&hub.challenge=1158201444")
    assert (answer[0], answer[2]) == (200, b"1158201444")


async def test_it_refuses_a_handshake_that_is_not_right(door):
    for query in (
        "hub.mode=subscribe&hub.verify_token=guess&hub.challenge=1",
        "hub.mode=subscribe&hub.verify_token=gu%C3%A9ss&hub.challenge=1",
        "hub.mode=subscribe&hub.verify_token=%ff&hub.challenge=%ff",
        "hub.mode=subscribe&hub.challenge=1",
        "hub.mode=unsubscribe&hub.verify_token=the%20word%20that%20was%20agreed&hub.challenge=1",
        "hub.mode=subscribe&hub.verify_token=the%20word%20that%20was%20agreed",
        "",
    ):
        answer = await door.send("GET", f"{PATH}?{query}")
        assert (answer[0], answer[2]) == (403, b""), query


async def test_it_says_which_methods_there_are(door):
    for method in ("PUT", "DELETE", "PATCH"):
        code, head, _ = await door.send(method, PATH, headers=["Content-Length: 0"])
        assert code == 405, method
        assert b"allow: GET, POST" in head, method


async def test_it_refuses_a_wrong_signature_and_stores_nothing(door, url):
    of_another = sign(body=b"{}", app_secret=meta.APP_SECRET)
    for signature in (None, "", "sha256=", "sha256=" + "0" * 64, of_another, "sha256=é"):
        assert await door.post(one("utrecht", "wamid.1"), signature=signature) == 403, signature
        assert rows(url) == 0, signature
    assert door.wakes.names == []


async def test_it_refuses_bytes_that_were_changed_after_signing(door, url):
    body = json.dumps(one("utrecht", "wamid.1")).encode()
    signature = sign(body=body, app_secret=meta.APP_SECRET)
    assert await door.post(body + b" ", signature=signature) == 403
    assert await door.post(body, signature=signature.upper().replace("SHA256", "sha256")) == 403
    assert rows(url) == 0


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "found out"])
async def test_it_refuses_more_than_four_mebibytes(door, url, chunked):
    body = json.dumps(one("utrecht", "wamid.1")).encode()
    assert await door.post(body.ljust(MOST_BYTES + 1), chunked=chunked) == 413
    assert rows(url) == 0
    assert await door.post(body.ljust(MOST_BYTES), chunked=chunked) == 200
    assert rows(url) == 1


async def test_it_refuses_what_is_not_json(door, url):
    for body in (b"", b"{", b"hello", b"\xff\xfe", b'{"entry": NaN}', b"[" * 200_000):
        assert await door.post(body) == 400, body[:20]
        assert rows(url) == 0, body[:20]


async def test_it_stores_json_that_other_programs_would_choke_on(door, url):
    # Half a pair, NUL, both, and more digits than a number holds.
    texts = (r"\ud83d", r"\u0000", r"a\ud83d\u0000b", "9" * 400)
    for number, text in enumerate(texts):
        body = json.dumps(one("utrecht", f"wamid.{number}", "TEXT")).encode()
        written = text if text.isdigit() else f'"{text}"'
        assert await door.post(body.replace(b'"TEXT"', written.encode())) == 200, text
    assert wamids(database_url=url, schema="utrecht") == [f"wamid.{number}" for number in range(len(texts))]


# --- What is stored


async def test_it_stores_every_element_of_every_change_of_every_entry_once(door, url):
    body = webhook(
        entry(
            "utrecht",
            change("utrecht", messages=[message("wamid.1"), message("wamid.2")], statuses=[status("wamid.3")]),
            change("utrecht", errors=[{"code": 131051, "title": "Unsupported"}]),
        ),
        entry("utrecht", change("utrecht", statuses=[status("wamid.3"), status("wamid.3", "read")])),
        entry("utrecht", {"field": "message_template_status_update", "value": {"event": "APPROVED"}}),
    )
    assert await door.post(body) == 200
    found = stored(database_url=url, schema="utrecht")
    with psycopg.connect(url) as connection:
        kinds = connection.execute("SELECT kind FROM utrecht.inbox_event ORDER BY 1").fetchall()
    assert [kind for (kind,) in kinds] == ["ACCOUNT", "ERROR", "MESSAGE", "MESSAGE", "STATUS", "STATUS"]
    assert rows(url) == len(found) == 6
    assert {"wamid.1", "wamid.2"} <= {payload["element"].get("id") for payload in found}


async def test_it_stores_each_municipality_in_its_own_schema(door, url):
    body = webhook(
        entry("utrecht", change("utrecht", messages=[message("wamid.u1")])),
        entry("delft", change("delft", messages=[message("wamid.d1")], statuses=[status("wamid.d2")])),
        entry("utrecht", change("utrecht", statuses=[status("wamid.u2")])),
    )
    assert await door.post(body) == 200
    assert wamids(database_url=url, schema="utrecht") == ["wamid.u1", "wamid.u2"]
    assert wamids(database_url=url, schema="delft") == ["wamid.d1", "wamid.d2"]
    assert sorted(door.wakes.names) == ["delft", "utrecht"]
    assert door.wakes.later == []


async def test_statuses_alone_wake_a_worker_later(door):
    later = webhook(entry("delft", change("delft", statuses=[status("wamid.d1"), status("wamid.d2")])))
    both = webhook(
        entry("utrecht", change("utrecht", messages=[message("wamid.u1")])),
        entry("utrecht", change("utrecht", statuses=[status("wamid.u2")])),
    )
    assert [await door.post(body) for body in (later, both)] == [200, 200]
    assert (door.wakes.later, door.wakes.names) == (["delft"], ["utrecht"])


async def test_it_adds_nothing_when_meta_sends_again_in_another_batch(door, url):
    first = [message("wamid.1"), message("wamid.2")]
    assert await door.post(webhook(entry("utrecht", change("utrecht", messages=first)))) == 200
    again = webhook(
        entry("utrecht", change("utrecht", messages=[message("wamid.2"), message("wamid.3")])),
        entry("utrecht", change("utrecht", messages=[message("wamid.1")])),
    )
    assert await door.post(again) == 200
    assert await door.post(again) == 200
    assert wamids(database_url=url, schema="utrecht") == ["wamid.1", "wamid.2", "wamid.3"]


async def test_it_stores_an_event_once_that_comes_over_many_connections_at_once(door, url):
    answers = await asyncio.gather(*(door.post(one("utrecht", f"wamid.{number % 5}")) for number in range(60)))
    assert answers == [200] * 60
    assert wamids(database_url=url, schema="utrecht") == [f"wamid.{number}" for number in range(5)]


async def test_it_keeps_what_is_nobodys_where_only_our_keys_read_it(door, url):
    assert await door.post(one("nobody", "wamid.1", "mijn vuilnis is niet opgehaald")) == 200
    with psycopg.connect(url) as connection:
        (whole,) = connection.execute("SELECT string_agg(event::text, '') FROM quarantine.inbox_event event").fetchone()
    assert "vuilnis" not in whole
    assert meta.CITIZEN not in whole
    assert "Sanne" not in whole
    (payload,) = stored(database_url=url, schema="quarantine")
    assert json.loads(decrypt(encrypted=payload["encrypted"].encode()))["element"]["id"] == "wamid.1"
    assert rows(url) == 1
    assert door.wakes.names == []


async def test_it_finds_a_number_that_was_opened_a_moment_ago(door, url):
    assert await door.post(one("utrecht", "wamid.1")) == 200
    with psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE public.tenants_number SET phone_number_id = %s WHERE phone_number_id = %s",
            [meta.NUMBERS["nobody"], meta.NUMBERS["delft"]],
        )
    assert await door.post(one("nobody", "wamid.2")) == 200
    assert wamids(database_url=url, schema="delft") == ["wamid.2"]


# --- When storing fails


async def test_it_answers_503_while_the_database_is_away_and_stores_the_same_post_afterwards(door, url, committing_db):
    assert await door.post(one("utrecht", "wamid.1")) == 200
    allow = f"ALTER DATABASE {committing_db.name} ALLOW_CONNECTIONS "
    with psycopg.connect(url.rpartition("/")[0] + "/postgres", autocommit=True) as server:
        server.execute(allow + "false")
        try:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [committing_db.name]
            )
            for _ in range(3):
                assert await door.post(one("utrecht", "wamid.2")) == 503
        finally:
            server.execute(allow + "true")
    deadline = time.monotonic() + 5
    while await door.post(one("utrecht", "wamid.2")) != 200:
        assert time.monotonic() < deadline
    assert wamids(database_url=url, schema="utrecht") == ["wamid.1", "wamid.2"]


async def test_it_lets_nobody_wait_for_a_schema_that_is_locked(door, url):
    assert await door.post(one("utrecht", "wamid.0")) == 200
    answers, waits = [], []
    with psycopg.connect(url) as locking:
        locking.execute("LOCK TABLE utrecht.inbox_event IN ACCESS EXCLUSIVE MODE")
        stuck = [asyncio.create_task(door.post(one("utrecht", f"wamid.u{number}"))) for number in range(8)]
        for number in range(40):
            begun = time.monotonic()
            answers.append(await door.post(one("delft", f"wamid.d{number}")))
            waits.append(time.monotonic() - begun)
        assert set(await asyncio.gather(*stuck)) == {503}
        assert answers == [200] * 40
        # Once, a batch with both has to find out; from then on they do not share one.
        assert max(waits) < 2.5
        assert statistics.median(waits) < intake.LOCK_MILLISECONDS / 1000
    assert len(wamids(database_url=url, schema="delft")) == 40
    assert await door.post(one("utrecht", "wamid.u0")) == 200
    assert wamids(database_url=url, schema="utrecht") == ["wamid.0", "wamid.u0"]


async def test_it_answers_503_at_once_when_too_much_waits_already(url, monkeypatch):
    monkeypatch.setattr(intake, "MOST_ROWS_WAITING", 2)
    async with open_door(database_url=url, started=False) as door:
        waiting = asyncio.create_task(
            door.post(webhook(entry("utrecht", change("utrecht", messages=[message("wamid.1"), message("wamid.2")]))))
        )
        await asyncio.sleep(0.3)
        begun = time.monotonic()
        assert await door.post(one("utrecht", "wamid.3")) == 503
        assert time.monotonic() - begun < 1
        door.writer.start()
        assert await waiting == 200
        assert await door.post(one("utrecht", "wamid.3")) == 200
    assert wamids(database_url=url, schema="utrecht") == ["wamid.1", "wamid.2", "wamid.3"]


async def test_it_wakes_nobody_for_what_is_not_stored(url, monkeypatch):
    monkeypatch.setattr(intake, "STORE_SECONDS", 0.2)
    async with open_door(database_url=url, started=False) as door:
        assert await door.post(one("utrecht", "wamid.1")) == 503
        assert door.wakes.names == []
    assert rows(url) == 0
