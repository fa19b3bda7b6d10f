"""The inbox as a table: one parent in `public`, one partition in each municipality's schema.

One insert through the parent serves all tenants, and citizens' words lie in their own schema. Rules that were measured:
insert only through the parent; claim only on a named partition; create, then attach as a transaction's last statement
(inserts of others go on, but no other tenant can be attached until it commits); never a default partition. Columns
change at the parent alone.
"""

from uuid import UUID

from django.db import connection
from psycopg import sql

from tenants.provisioning import NewTenant
from tenants.register import checked_schema_name

PARTITION = "inbox_event"
# What a rollback does not take back: so a try that killed its process is seen by the next one (messaging/inbox.py).
TRIES = "inbox_tries"
QUARANTINE_SCHEMA = "quarantine"
UNOWNED = UUID(int=0)  # the key under which events lie that are nobody's

CREATE_INTAKE_ROLE = """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'whatsapp_intake') THEN
            CREATE ROLE whatsapp_intake NOLOGIN;
        END IF;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server made it just now
        WHEN insufficient_privilege THEN
            RAISE EXCEPTION
                'make the role first: CREATE ROLE whatsapp_intake NOLOGIN; GRANT whatsapp_intake TO %;', current_user;
    END $$;
    DO $$
    BEGIN
        IF NOT pg_has_role(current_user, 'whatsapp_intake', 'SET') THEN
            EXECUTE format('GRANT whatsapp_intake TO %I WITH SET TRUE', current_user);
        END IF;
    END $$;
"""

CREATE_PARENT = """
    CREATE TABLE public.inbox (
        municipality_id uuid NOT NULL,
        id bigint GENERATED ALWAYS AS IDENTITY,
        dedup_key bytea NOT NULL CHECK (length(dedup_key) = 32),
        kind text NOT NULL,
        field text NOT NULL,
        phone_number_id text,
        payload jsonb NOT NULL,
        received_at timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'APPLIED', 'DEAD')),
        reason text NOT NULL DEFAULT '' CHECK (state <> 'DEAD' OR reason <> ''),
        applied_at timestamptz CHECK (state = 'OPEN' OR applied_at IS NOT NULL),
        PRIMARY KEY (municipality_id, id),
        CONSTRAINT inbox_event_once UNIQUE (municipality_id, dedup_key)
    ) PARTITION BY LIST (municipality_id);
    -- Draining claims the oldest open events; dead letters are listed.
    CREATE INDEX inbox_open ON public.inbox (id) WHERE state = 'OPEN';
    CREATE INDEX inbox_dead ON public.inbox (id) WHERE state = 'DEAD';
    REVOKE ALL ON public.inbox FROM whatsapp_intake;
    GRANT USAGE ON SCHEMA public TO whatsapp_intake;
    GRANT INSERT ON public.inbox TO whatsapp_intake;
"""

# attempts: how often it was tried with few others or alone, counted before each try. replays: how often it was put back
# after being dead.
ADD_ATTEMPTS = """
    ALTER TABLE public.inbox
        ADD COLUMN attempts smallint NOT NULL DEFAULT 0,
        ADD COLUMN replays smallint NOT NULL DEFAULT 0,
        ADD COLUMN replayed_at timestamptz CHECK ((replays = 0) = (replayed_at IS NULL));
"""


def create_tries(*, schema_name: str) -> None:
    """Give a schema the counter of its inbox's tries.  Safe to repeat."""
    name = sql.Identifier(checked_schema_name(name=schema_name), TRIES)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE SEQUENCE IF NOT EXISTS {} AS bigint").format(name))


def create_partition(*, schema_name: str, municipality_id: UUID) -> None:
    """Create a schema's partition and attach it, as the last thing that the caller's transaction does."""
    schema = schema_name if schema_name == QUARANTINE_SCHEMA else checked_schema_name(name=schema_name)
    names = {
        "parent": sql.Identifier("public", "inbox"),
        "partition": sql.Identifier(schema, PARTITION),
        "key": sql.Literal(str(municipality_id)),
    }
    create = sql.SQL(
        "CREATE TABLE {partition} (LIKE {parent} INCLUDING ALL EXCLUDING IDENTITY,"
        " CONSTRAINT of_this_municipality CHECK (municipality_id = {key}))"
    )
    attach = sql.SQL("ALTER TABLE {parent} ATTACH PARTITION {partition} FOR VALUES IN ({key})")
    with connection.cursor() as cursor:
        cursor.execute(create.format(**names))
        cursor.execute(attach.format(**names))


def attach_inbox(*, tenant: NewTenant) -> None:
    """Give a new tenant its inbox; the last of the provisioning steps."""
    create_tries(schema_name=tenant.municipality.schema_name)
    create_partition(schema_name=tenant.municipality.schema_name, municipality_id=tenant.municipality.id)
