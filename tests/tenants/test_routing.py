"""From Meta's ids to a municipality: cached, asked again on a miss, and never two owners at once."""

import asyncio
import uuid
from datetime import UTC, datetime

import psycopg
import pytest

from tenants.models import Number
from tenants.routing import LIFETIME_SECONDS, QUERY, Route, RoutingMap

A, B = Route(uuid.UUID(int=1), "utrecht"), Route(uuid.UUID(int=2), "delft")


class Database:
    """What a map reads: rows that a test changes, and how often they were asked for."""

    def __init__(self):
        self.rows = {}
        self.readings = 0
        self.now = 1000.0
        self.broken = False

    def open(self, number, waba, route):
        self.rows[number] = (number, waba, route.municipality_id, route.schema_name)

    async def read(self):
        self.readings += 1
        if self.broken:
            raise ConnectionError
        rows = list(self.rows.values())
        await asyncio.sleep(0.01)  # what is committed meanwhile is not seen
        return rows


@pytest.fixture
def database():
    made = Database()
    made.open("1", "w1", A)
    made.open("2", "w2", B)
    return made


@pytest.fixture
def routes(database):
    return RoutingMap(read=database.read, clock=lambda: database.now)


def find(routes, number=None, waba=None):
    return routes.find(phone_number_id=number, waba_id=waba)


async def test_it_finds_by_number_and_by_account(routes):
    assert await find(routes, "1") == A
    assert await find(routes, "2", "w2") == B
    assert await find(routes, waba="w1") == A
    assert await find(routes) is None


async def test_it_goes_by_the_number_where_both_are_known(routes):
    assert await find(routes, "9", "w1") is None
    assert await find(routes, "1", "w2") == A


async def test_it_keeps_the_map_for_its_lifetime(routes, database):
    await find(routes, "1")
    database.now += LIFETIME_SECONDS
    await find(routes, "1")
    assert database.readings == 1
    database.now += 0.1
    await find(routes, "1")
    assert database.readings == 2


async def test_it_asks_the_database_before_an_update_is_nobodys(routes, database):
    await find(routes, "1")
    database.now += 1
    database.open("3", "w3", A)
    assert await find(routes, "3") == A
    database.now += 1
    assert await find(routes, "4") is None
    assert database.readings == 3


async def test_it_shares_one_reading_among_all_who_miss_at_once(routes, database):
    await find(routes, "1")
    database.now += 1
    assert await asyncio.gather(*(find(routes, str(number)) for number in range(100, 600))) == [None] * 500
    assert database.readings == 2


async def test_it_sends_a_number_that_moved_to_nobody_wrong(routes, database):
    """Closed at the one, a lifetime passes, opened at the other: at no moment both maps hold it."""
    assert await find(routes, "1") == A
    del database.rows["1"]
    database.now += LIFETIME_SECONDS + 1
    assert await find(routes, "1") is None
    database.open("1", "w1", B)
    database.now += 0.1
    assert await find(routes, "1") == B
    assert await find(routes, waba="w1") == B


async def test_it_gives_an_account_with_two_owners_to_nobody(routes, database):
    database.open("3", "w1", B)
    assert await find(routes, waba="w1") is None
    assert await find(routes, "1") == A
    assert await find(routes, "3") == B


async def test_it_recovers_from_a_reading_that_failed(routes, database):
    database.broken = True
    with pytest.raises(ConnectionError):
        await find(routes, "1")
    database.broken = False
    assert await find(routes, "1") == A


def test_it_reads_open_numbers_alone_from_the_database(committing_db, delft):
    number = Number.objects.get(municipality=delft)
    number.closed_at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    number.save()
    with psycopg.connect(committing_db.url, options="-c search_path=") as plain:
        rows = plain.execute(QUERY).fetchall()
    assert [(row[0], row[3]) for row in rows] == [("1000000000344", "utrecht")]
