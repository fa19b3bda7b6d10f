"""Below the doors: the intake's role in the database, tasks, the cache and Redis."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from celery import current_app
from django.conf import settings
from django.core.cache import caches
from django_tenants.utils import schema_context
from psycopg import errors, sql

from accounts.models import Mail
from config import celery
from messaging import announcing, waking
from messaging.broker import client
from messaging.core.models import Replay
from messaging.intake import OPTIONS
from tests.conftest import FROZEN_AT
from tests.isolation.rows import Party
from tests.isolation.world import World, changed, fingerprint

DENIED = (errors.InsufficientPrivilege, errors.UndefinedTable)
DONE_TO_A_TABLE = (
    "SELECT 1 FROM {}",
    "DELETE FROM {}",
    "UPDATE {} SET {}={}",
    "INSERT INTO {} DEFAULT VALUES",
    "TRUNCATE {}",
)


# --- The intake's role


@pytest.fixture
def tables(world: World, world_url) -> list[tuple[str, str, str]]:
    """Return each table of ours with its first column."""
    with psycopg.connect(world_url) as plain:
        return plain.execute(
            "SELECT table_schema, table_name, min(column_name) FROM information_schema.columns"
            " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') GROUP BY 1, 2 ORDER BY 1, 2"
        ).fetchall()


@pytest.fixture
def intake(world: World, world_url) -> Iterator[psycopg.Connection]:
    """Return a connection as the intake has it."""
    with psycopg.connect(world_url, autocommit=True, options=OPTIONS) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("whatsapp_intake",)
        yield connection


def test_the_intake_may_do_nothing_to_any_table_but_insert_into_the_inbox(intake, tables):
    assert {("utrecht", "inbox_event"), ("delft", "messaging_message"), ("public", "inbox")} <= {
        (schema, table) for schema, table, _ in tables
    }
    allowed = []
    for schema, table, column in tables:
        name, place = sql.Identifier(schema, table), sql.Identifier(column)
        for statement in DONE_TO_A_TABLE:
            try:
                intake.execute(sql.SQL(statement).format(name, place, place))
            except DENIED:
                continue
            except psycopg.Error:
                pass  # allowed, and failed for another reason
            allowed.append(f"{statement.split()[0]} {schema}.{table}")
    assert allowed == ["INSERT public.inbox"]


def test_the_intake_reads_nothing_back_of_what_it_inserts(intake, world: World):
    insert = (
        "INSERT INTO public.inbox (municipality_id, dedup_key, kind, field, payload, received_at)"
        " VALUES (%s, %s, 'message', 'messages', %s, %s)"
    )
    values = [world.owner.municipality.id, b"i" * 32, json.dumps({}), FROZEN_AT]
    with pytest.raises(errors.InsufficientPrivilege):
        intake.execute(f"{insert} RETURNING id", values)
    with pytest.raises(errors.InsufficientPrivilege):
        intake.execute(f"{insert} ON CONFLICT (municipality_id, dedup_key) DO UPDATE SET payload = '{{}}'", values)
    with intake.transaction(force_rollback=True):
        assert intake.execute(insert, values).rowcount == 1


def test_the_intake_cannot_put_a_row_in_a_partition_that_is_not_its_municipalitys(world: World, world_url):
    with psycopg.connect(world_url, options="-c search_path=") as plain, pytest.raises(errors.CheckViolation):
        plain.execute(
            "INSERT INTO utrecht.inbox_event (municipality_id, id, dedup_key, kind, field, payload, received_at)"
            " OVERRIDING SYSTEM VALUE VALUES (%s, 1, %s, 'message', 'messages', '{}', %s)",
            [world.other.municipality.id, b"p" * 32, FROZEN_AT],
        )


# --- Tasks: what a worker does for one municipality leaves the others alone.
TASKS: dict[str, Callable[[Party], dict[str, Any]] | str] = {
    "messaging.tasks.drain_inbox": lambda party: {"schema_name": party.schema},
    "messaging.tasks.replay_dead_letters": lambda party: {"replay_id": str(party.rows[Replay].id)},
    "messaging.tasks.fetch_media": lambda party: {"schema_name": party.schema},
    "messaging.templates.tasks.sync_templates": lambda party: {"schema_name": party.schema},
    "messaging.templates.tasks.sweep_templates": "names no municipality: has each that is due looked at",
    "accounts.tasks.send_mail": lambda party: {"schema_name": party.schema, "mail_id": str(party.rows[Mail].id)},
    "accounts.tasks.sweep_mail": "names no municipality: sends what is due, in each alike",
    "messaging.tasks.sweep_media": "names no municipality: wakes each that has media to fetch",
    "messaging.tasks.sweep_blobs": "names no municipality: removes what nothing refers to, in each alike",
    "messaging.tasks.sweep_inboxes": "names no municipality: wakes each that has open events",
    "messaging.tasks.continue_replays": "names no municipality: goes on with what was asked for, in each alike",
    "messaging.tasks.claim_unowned": "names no municipality: gives each what was unowned and is now its own",
    "messaging.tasks.erase_unowned": "names no municipality: what is nobody's and old goes",
    "messaging.tasks.measure_inboxes": "names no municipality: counts what is open, in each alike",
    "messaging.templates.tasks.mail_template_alerts": "names no municipality: mails each one's own admins",
    "messaging.tasks.read_numbers": "names no municipality: asks of each number by its own token",
    "messaging.tasks.end_restrictions": "names no municipality: ends what Meta restricted until now",
    "messaging.tasks.mail_troubles": "names no municipality: mails each one's own admins, and the BSP's support",
    "accounts.tasks.tell_entries": "names no municipality: tells each one's own people of entries into it",
    "messaging.tasks.find_silences": "names no municipality: looks at each number alike",
    "messaging.tasks.find_stalls": "names no municipality: looks at each number alike",
    "messaging.tasks.forget_hours": "names no municipality: what is old goes, in each alike",
    "billing.tasks.collect_invoices": "names no municipality: hands over what is due, of each alike",
    "billing.tasks.send_documents": "names no municipality: makes and mails what is due, of each alike",
    "api.tasks.forget_answers": "names no municipality: what is old goes, in each alike",
}


def our_tasks() -> set[str]:
    """Return the tasks of ours that Celery knows."""
    celery.app.loader.import_default_modules()
    return {name for name in current_app.tasks if not name.startswith("celery.")}


def test_it_knows_every_task():
    assert our_tasks() == set(TASKS), (
        "a task is new or gone: enter it in TASKS, with what it is given for a municipality"
    )


@pytest.mark.parametrize("name", [name for name, sent in TASKS.items() if callable(sent)])
def test_a_task_for_another_municipality_changes_nothing_of_the_owners(world: World, name):
    our_tasks()
    before = fingerprint(world.owner)
    current_app.tasks[name](**TASKS[name](world.other))
    assert changed(before, fingerprint(world.owner)) == []


# --- What is kept outside the database


def test_every_cache_keeps_a_value_for_its_own_schema_alone(world: World):
    assert {name: each["KEY_FUNCTION"] for name, each in settings.CACHES.items()} == dict.fromkeys(
        settings.CACHES, "django_tenants.cache.make_key"
    )
    for name in settings.CACHES:
        with schema_context("utrecht"):
            caches[name].set("key", world.owner.text("cached"), 60)
            assert caches[name].get("key") == world.owner.text("cached")
        for schema in ("delft", "public"):
            with schema_context(schema):
                assert caches[name].get("key") is None


def test_what_goes_over_redis_names_its_schema(world: World):
    redis = client()
    redis.flushdb()
    with redis.pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe(announcing.CHANNEL)
        heard.get_message(timeout=2)
        waking.send_wakes(schema_names=["utrecht"])
        announcing._publish(announcing._announcement("utrecht", {"1"}))
        told = heard.get_message(timeout=2)
    assert told is not None
    assert json.loads(told["data"])["schema"] == "utrecht"
    ours = {key.decode() for key in redis.scan_iter() if not key.startswith(b"_kombu")} - {"inbox", "maintenance"}
    assert ours == {"inbox-wake:utrecht"}
    assert announcing.Announcement.decode('{"threads": []}') is None, "an announcement of no schema is nobody's"
    redis.flushdb()
