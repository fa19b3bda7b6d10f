"""What a committing test finds is the template, whatever the one before it did: compared with a copy that is new."""

import os

import psycopg
import pytest
from psycopg import sql

from config.local import databases, testing
from tests.own_database import OwnDatabase

# Everything that is described, each as it is written out; numbers that differ from one database to the next left out.
DESCRIBED = {
    "schemas": "SELECT nspname, nspacl FROM pg_namespace",
    "relations": "SELECT oid::regclass, relkind, relacl, relrowsecurity, reloptions, relpersistence FROM pg_class",
    "columns": "SELECT attrelid::regclass, attnum, attname, atttypid, attnotnull, attgenerated FROM pg_attribute",
    "defaults": "SELECT adrelid::regclass, adnum, pg_get_expr(adbin, adrelid) FROM pg_attrdef",
    "constraints": "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint",
    "indexes": "SELECT indexrelid::regclass, pg_get_indexdef(indexrelid), indisvalid FROM pg_index",
    "triggers": "SELECT tgrelid::regclass, pg_get_triggerdef(oid), tgenabled FROM pg_trigger",
    "functions": "SELECT oid::regprocedure, prosrc, proacl FROM pg_proc",
    "types": "SELECT oid::regtype, typtype FROM pg_type",
    "partitions": "SELECT inhrelid::regclass, inhparent::regclass FROM pg_inherits",
    "sequences": "SELECT seqrelid::regclass, pg_sequence_last_value(seqrelid), seqincrement FROM pg_sequence",
    "rights by default": "SELECT * FROM pg_default_acl",
    "statistics": "SELECT starelid::regclass, staattnum, stadistinct, stanumbers1 FROM pg_statistic",
    "extensions": "SELECT extname, extversion FROM pg_extension",
    "large objects": "SELECT oid FROM pg_largeobject_metadata",
    "settings": "SELECT setconfig FROM pg_db_role_setting"
    " WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())",
}

ANOTHER_ENTRY = """
INSERT INTO public.audit_entry
SELECT (jsonb_populate_record(entry, jsonb_build_object('id', id + 100, 'sequence', sequence + 100))).*
FROM public.audit_entry AS entry LIMIT 1
"""


def everything(url):
    """Return all that is in a database: each row in the order in which it lies, and how everything is described."""
    with psycopg.connect(url, options="-c search_path= -c jit=off") as connection:
        found = {
            what: sorted(map(str, connection.execute(f"SELECT t::text FROM ({query}) AS t").fetchall()))
            for what, query in DESCRIBED.items()
        }
        names = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        one = "SELECT {what}, array(SELECT t::text FROM ONLY {table} AS t ORDER BY ctid)"
        tables = [sql.SQL(one).format(what=".".join(name), table=sql.Identifier(*name)) for name in names]
        found |= dict(connection.execute(sql.SQL(" UNION ALL ").join(tables)).fetchall())
    return found


def differing(before, after):
    return {what for what in before.keys() | after.keys() if before.get(what) != after.get(what)}


def run(url, *statements):
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def oid(own):
    with psycopg.connect(own.server) as connection:
        return connection.execute("SELECT oid FROM pg_database WHERE datname = %s", [own.name]).fetchone()[0]


@pytest.fixture(scope="module")
def own(template):
    """Return a database of our own; those of the tests that run here are another."""
    name = f"{os.environ[testing.TEMPLATE_PREFIX]}renewed_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    own = OwnDatabase(server=os.environ[testing.SERVER], template=template, name=name)
    yield own
    own.drop()


@pytest.fixture(scope="module")
def fresh(template, own):
    """Return everything that is in a new copy of the template."""
    name = f"{own.name}_fresh"
    databases.make(server=own.server, name=name, template=template)
    yield everything(databases.with_name(url=own.server, name=name))
    databases.drop(server=own.server, name=name)


ROWS_AND_SEQUENCES = {
    "a row that is new, with the sequence that numbered it": (
        {"utrecht.django_content_type", "sequences"},
        "INSERT INTO utrecht.django_content_type (app_label, model) VALUES ('more', 'more')",
    ),
    "one in a table that is guarded against every other change": ({"public.audit_entry"}, ANOTHER_ENTRY),
    "one that is changed, to which everything refers": (
        {"public.tenants_municipality"},
        "UPDATE public.tenants_municipality SET name = 'Elders' WHERE schema_name = 'delft'",
    ),
    "one that is changed and changed back": (
        {"public.tenants_number"},  # it lies elsewhere
        *["UPDATE public.tenants_number SET waba_id = reverse(waba_id) WHERE phone_number_id ~ '344$'"] * 2,
    ),
    "rows that are gone": ({"delft.auth_permission"}, "DELETE FROM delft.auth_permission"),
}
NEXT = "SELECT nextval(pg_get_serial_sequence('utrecht.django_content_type', 'id'))"


def test_rows_and_sequences_are_put_back_without_a_new_copy(own, fresh):
    own.ready()
    made = oid(own)
    assert differing(fresh, everything(own.url)) == set()
    for _ in range(2):  # what was put back is as good to start from
        for _, *statements in ROWS_AND_SEQUENCES.values():
            run(own.url, *statements)
        changed = {each for tables, *_ in ROWS_AND_SEQUENCES.values() for each in tables}
        assert differing(fresh, everything(own.url)) == changed
        own.ready()
        assert differing(fresh, everything(own.url)) == set()
    run(own.url, NEXT)
    own.ready()
    assert differing(fresh, everything(own.url)) == set()
    assert oid(own) == made


OTHER_CHANGES = [
    "CREATE SCHEMA more",
    "CREATE TABLE utrecht.more ()",
    "ALTER TABLE utrecht.audit_entry ADD CONSTRAINT more CHECK (action <> 'x')",
    "ALTER TABLE utrecht.audit_entry DISABLE TRIGGER audit_append_only",
    "ALTER TABLE delft.django_content_type ALTER COLUMN id RESTART WITH 7",
    "ALTER TABLE delft.django_content_type ALTER COLUMN id SET CACHE 7",
    "CREATE FUNCTION public.more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE INDEX ON utrecht.audit_entry (at)",
    "ALTER TABLE utrecht.django_content_type DROP CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq",
    "GRANT SELECT ON utrecht.audit_entry TO PUBLIC",
    "ANALYZE public.tenants_municipality",
    "COMMENT ON TABLE utrecht.audit_entry IS 'more'",
    "SELECT lo_create(0)",
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET lock_timeout = 7', current_database()); END $$",
    "DO $$ BEGIN EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database()); END $$",
]


def test_any_other_change_is_seen_and_it_is_made_anew(own, fresh):
    own.ready()
    made = oid(own)
    with psycopg.connect(own.url) as connection:
        assert own.look(connection) is not None
        for statement in OTHER_CHANGES:
            connection.execute(statement)
            assert own.look(connection) is None, statement
            connection.rollback()
    run(own.url, "CREATE SCHEMA more")
    own.ready()
    assert oid(own) != made
    assert differing(fresh, everything(own.url)) == set()


def test_what_is_still_connected_to_it_is_ended(own):
    own.ready()
    with psycopg.connect(own.url) as connection:
        connection.execute("UPDATE public.tenants_municipality SET name = 'Elders' WHERE schema_name = 'delft'")
        own.end_connections()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_row_that_was_never_committed_leaves_nothing_either(own, fresh):
    own.ready()
    made = oid(own)
    with psycopg.connect(own.url) as connection:
        connection.execute("UPDATE public.tenants_municipality SET name = repeat('x', 90)")
        connection.rollback()
    own.ready()
    assert differing(fresh, everything(own.url)) == set()
    assert oid(own) == made
