"""The durable write behind Meta's door: what one bad row, one lock or one lost connection costs the others."""

import asyncio
import itertools
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors

from messaging import intake
from messaging.core.partitions import UNOWNED
from messaging.inserting import InsertConnection, Row
from messaging.intake import OPTIONS, EventWriter, NotStored

AT = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
# Hypothesis adds the zone itself.
EARLIEST, LATEST = datetime(1990, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001
_numbers = itertools.count()


def row(municipality_id: UUID, **other) -> Row:
    key = sha256(str(next(_numbers)).encode()).digest()
    made = Row(
        municipality_id=municipality_id,
        dedup_key=key,
        kind="MESSAGE",
        field="messages",
        phone_number_id="1000000000344",
        payload=b'{"element": {}}',
        received_at=AT,
    )
    return replace(made, **other)


@pytest.fixture
async def writer(committing_db):
    made = EventWriter(conninfo=committing_db.url, connections=1)
    made.start()
    yield made
    await made.stop()


@pytest.fixture
async def connection(committing_db):
    made = await InsertConnection.connect(conninfo=committing_db.url, options=OPTIONS)
    yield made
    made.close()


def keys(url: str) -> set[bytes]:
    with psycopg.connect(url) as reading:
        return {key for (key,) in reading.execute("SELECT dedup_key FROM public.inbox")}


async def test_it_stores_each_value_as_it_came(writer, committing_db, utrecht):
    payload = {"text": "Dag 👋 \\ \" ' {} € \n", "number": 1.5, "nothing": None, "list": [{}, [], True]}
    given_row = row(utrecht.id, payload=orjson.dumps(payload), phone_number_id=None, kind="ACCOUNT", field="veld ë")
    await writer.store([given_row])
    with psycopg.connect(committing_db.url) as reading:
        found = reading.execute(
            "SELECT municipality_id, dedup_key, kind, field, phone_number_id, payload, received_at, state"
            " FROM public.inbox"
        ).fetchall()
    assert found == [(utrecht.id, given_row.dedup_key, "ACCOUNT", "veld ë", None, payload, AT, "OPEN")]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    texts=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=5),
    at=st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC)),
)
def test_it_writes_whatever_text_and_moment_as_the_database_reads_them(committing_db, utrecht, texts, at):
    rows = [row(utrecht.id, payload=orjson.dumps({"text": text}), field=text, received_at=at) for text in texts]

    async def store() -> None:
        opened = await InsertConnection.connect(conninfo=committing_db.url, options=OPTIONS)
        try:
            await opened.insert(rows)
        finally:
            opened.close()

    asyncio.run(store())
    with psycopg.connect(committing_db.url) as reading:
        found = reading.execute(
            "SELECT dedup_key, field, payload->>'text', received_at FROM public.inbox WHERE dedup_key = ANY(%s)",
            [[each.dedup_key for each in rows]],
        ).fetchall()
    assert {key: rest for key, *rest in found} == {each.dedup_key: [each.field, each.field, at] for each in rows}


@pytest.mark.parametrize(
    "bad",
    [
        {"payload": b"{not json"},
        {"dedup_key": b"short"},
        {"municipality_id": uuid4()},
        {"field": "nul \0 in text"},
        {"payload": b'{"nul": "\\u0000"}'},
    ],
    ids=["payload", "key", "municipality without inbox", "NUL", "escaped NUL"],
)
async def test_a_row_that_cannot_be_stored_does_not_take_its_batch_along(writer, committing_db, utrecht, delft, bad):
    await writer.store([row(utrecht.id)])
    good = [row(utrecht.id), row(delft.id), row(utrecht.id), row(UNOWNED)]
    wrong = replace(row(utrecht.id), **bad)
    answers = await asyncio.gather(
        *(writer.store([each]) for each in (good[0], good[1], wrong, good[2], good[3])), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [type(None), type(None), NotStored, type(None), type(None)]
    assert {each.dedup_key for each in good} <= keys(committing_db.url)


async def test_it_says_not_stored_when_one_row_of_a_post_is_not(writer, committing_db, utrecht):
    good, wrong = row(utrecht.id), row(utrecht.id, payload=b"{")
    with pytest.raises(NotStored):
        await writer.store([good, wrong])
    # Meta sends all of it again: what was stored the first time is then a repetition.
    await writer.store([good])
    assert keys(committing_db.url) == {good.dedup_key}


async def test_its_errors_hold_nothing_of_what_was_written(connection, utrecht):
    with pytest.raises(psycopg.Error) as caught:
        await connection.insert([row(utrecht.id, payload=b'{"text": "mijn geheim')])
    assert "geheim" not in str(caught.value)
    assert "geheim" not in repr(caught.value.__cause__)
    await connection.insert([row(utrecht.id)])


async def test_it_stores_a_large_batch_in_one_flush(connection, committing_db, utrecht, delft):
    payload = orjson.dumps({"text": "x" * 60_000})
    rows = [row(owner, payload=payload) for owner in (utrecht.id, delft.id) for _ in range(100)]
    await connection.insert(rows)
    assert keys(committing_db.url) == {each.dedup_key for each in rows}
    with psycopg.connect(committing_db.url) as reading:
        assert reading.execute("SELECT count(DISTINCT xmin::text) FROM public.inbox").fetchone() == (1,)


async def test_two_writers_with_the_same_rows_in_another_order_both_succeed(committing_db, utrecht, delft):
    writers = [EventWriter(conninfo=committing_db.url, connections=2) for _ in range(2)]
    for each in writers:
        each.start()
    rows = [row(owner) for owner in (utrecht.id, delft.id) for _ in range(50)]
    try:
        for _ in range(10):
            await asyncio.gather(writers[0].store(rows), writers[1].store(rows[::-1]), writers[0].store(rows[50:]))
    finally:
        await asyncio.gather(*(each.stop() for each in writers))
    assert keys(committing_db.url) == {each.dedup_key for each in rows}


async def test_it_connects_again_when_its_connection_was_ended(writer, committing_db, utrecht):
    await writer.store([row(utrecht.id)])
    with psycopg.connect(committing_db.url, autocommit=True) as other:
        # Of this database: other tests store into others at the same time.
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'intake' AND datname = current_database()"
        )
    last = row(utrecht.id)
    deadline = time.monotonic() + 5
    while True:
        try:
            await writer.store([last])
            break
        except NotStored:
            assert time.monotonic() < deadline
    assert last.dedup_key in keys(committing_db.url)


async def test_it_answers_everyone_when_it_stops(committing_db, utrecht):
    made = EventWriter(conninfo=committing_db.url, connections=1)
    waiting = [asyncio.create_task(made.store([row(utrecht.id)])) for _ in range(3)]
    await asyncio.sleep(0)
    await made.stop()
    assert {type(answer) for answer in await asyncio.gather(*waiting, return_exceptions=True)} == {NotStored}


async def test_it_gives_up_on_a_database_that_does_not_answer(committing_db, utrecht, monkeypatch):
    silent = await asyncio.start_server(lambda reader, writer: asyncio.sleep(30), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    monkeypatch.setattr(intake, "STORE_SECONDS", 0.5)
    made = EventWriter(conninfo=f"host=127.0.0.1 port={port} dbname=x user=x sslmode=disable", connections=1)
    made.start()
    begun = time.monotonic()
    with pytest.raises(NotStored):
        await made.store([row(utrecht.id)])
    assert time.monotonic() - begun < 3
    await made.stop()
    silent.close()


async def test_a_locked_inbox_is_tried_again_apart_from_the_others(writer, committing_db, utrecht, delft, monkeypatch):
    # Long enough to be told from a machine that has much else to do.
    monkeypatch.setattr(intake, "OPTIONS", OPTIONS.replace(str(intake.LOCK_MILLISECONDS), "1500"))
    await writer.store([row(utrecht.id), row(delft.id)])
    with psycopg.connect(committing_db.url) as locking:
        locking.execute("LOCK TABLE utrecht.inbox_event IN ACCESS EXCLUSIVE MODE")
        answers = await asyncio.gather(
            writer.store([row(utrecht.id)]), writer.store([row(delft.id)]), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [NotStored, type(None)]
        # Utrecht's have a flusher of their own now, so that Delft's do not even wait for its time-out.
        slow = asyncio.create_task(writer.store([row(utrecht.id)]))
        await writer.store([row(delft.id)])
        assert not slow.done()
        with pytest.raises(NotStored):
            await slow
    await writer.store([row(utrecht.id)])


def test_its_role_can_do_nothing_but_insert(committing_db):
    for statement in (
        "SELECT * FROM public.inbox",
        "SELECT * FROM utrecht.inbox_event",
        "UPDATE public.inbox SET reason = 'x'",
        "DELETE FROM public.inbox",
        "TRUNCATE public.inbox",
        "INSERT INTO utrecht.inbox_event SELECT * FROM utrecht.inbox_event",
        "SELECT * FROM public.tenants_number",
        "SELECT * FROM utrecht.messaging_message",
        "CREATE TABLE public.more (id int)",
        "CREATE SCHEMA more",
        "INSERT INTO public.inbox (municipality_id, dedup_key) VALUES (gen_random_uuid(), '') RETURNING payload",
    ):
        with psycopg.connect(committing_db.url, options=OPTIONS) as connection:
            try:
                connection.execute(statement)
            except errors.InsufficientPrivilege:
                continue
        pytest.fail(f"it may: {statement}")


async def test_it_keeps_the_moment_of_another_zone(writer, committing_db, utrecht):
    at = AT.astimezone(tz=None) + timedelta(microseconds=1)
    await writer.store([row(utrecht.id, received_at=at)])
    with psycopg.connect(committing_db.url) as reading:
        assert reading.execute("SELECT received_at FROM public.inbox").fetchone() == (at,)


async def test_an_error_that_nobody_foresaw_ends_no_flusher(writer, committing_db, utrecht, monkeypatch):
    with monkeypatch.context() as broken:

        async def fails(connection, rows):
            raise RuntimeError("nobody foresaw this")

        broken.setattr(intake, "_insert", fails)
        with pytest.raises(NotStored):
            await writer.store([row(utrecht.id)])
    last = row(utrecht.id)
    await writer.store([last])
    assert keys(committing_db.url) == {last.dedup_key}


async def test_a_send_that_fails_is_told_at_once(connection, utrecht, monkeypatch):
    class Broken:
        """A connection over which nothing leaves."""

        def __init__(self, pgconn):
            self._pgconn = pgconn

        def __getattr__(self, name):
            return getattr(self._pgconn, name)

        def flush(self):
            raise psycopg.OperationalError("the socket is closed")

        def is_busy(self):
            return True

    monkeypatch.setattr(connection, "_pgconn", Broken(connection._pgconn))
    with pytest.raises(psycopg.OperationalError):
        async with asyncio.timeout(2):
            await connection.insert([row(utrecht.id)])


async def test_what_waits_is_bounded_in_bytes(committing_db, utrecht, monkeypatch):
    queue = intake._Queue(most_rows=100, most_bytes=1_000)
    large = [row(utrecht.id, payload=b"x" * 600)]
    queue.put(large)
    with pytest.raises(NotStored):
        queue.put(large)
    queue.put([row(utrecht.id, payload=b"x" * 300)])
    monkeypatch.setattr(intake, "MOST_BYTES_A_FLUSH", 700)
    assert [each.size for each in queue.take()] == [600]
    assert (queue.rows, queue.size) == (1, 300)
    assert [each.size for each in queue.take()] == [300]
    assert (queue.rows, queue.size, queue.filled.is_set()) == (0, 0, False)
