"""What a schema is made of, as lines that two schemas can be compared by: tenants/script.py keeps no script without it.

Names that hold the schema's own name are written without it. What only numbers the order of creation (oids) or the
moment (when a migration was applied) is left out.
"""

from django.db import connection
from psycopg import sql

from tenants.register import checked_schema_name

# Each query names its column with what it lists; %(schema)s is the schema.
CATALOGUE = {
    "column": """
        SELECT concat_ws(' ', class.relname, attribute.attnum, attribute.attname,
            format_type(attribute.atttypid, attribute.atttypmod), attribute.attnotnull, attribute.attidentity,
            attribute.attgenerated, attribute.attstorage, collation_.collname,
            pg_get_expr(default_.adbin, default_.adrelid))
        FROM pg_attribute AS attribute
        JOIN pg_class AS class ON class.oid = attribute.attrelid AND class.relkind IN ('r', 'p', 'v', 'm')
        LEFT JOIN pg_attrdef AS default_ ON default_.adrelid = class.oid AND default_.adnum = attribute.attnum
        LEFT JOIN pg_collation AS collation_ ON collation_.oid = attribute.attcollation
        WHERE class.relnamespace = %(schema)s::regnamespace AND attribute.attnum > 0 AND NOT attribute.attisdropped
    """,
    "relation": """
        SELECT concat_ws(' ', relname, relkind, relpersistence, relrowsecurity, relforcerowsecurity, reloptions,
            relreplident, relacl)
        FROM pg_class WHERE relnamespace = %(schema)s::regnamespace
    """,
    "index": "SELECT indexdef FROM pg_indexes WHERE schemaname = %(schema)s",
    "constraint": """
        SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid), condeferrable, condeferred,
            convalidated)
        FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace
    """,
    "trigger": """
        SELECT concat_ws(' ', pg_get_triggerdef(trigger_.oid), trigger_.tgenabled)
        FROM pg_trigger AS trigger_ JOIN pg_class AS class ON class.oid = trigger_.tgrelid
        WHERE class.relnamespace = %(schema)s::regnamespace AND NOT trigger_.tgisinternal
    """,
    "function": """
        SELECT concat_ws(' ', pg_get_functiondef(oid), proacl)
        FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace AND prokind IN ('f', 'p')
    """,
    "type": """
        SELECT concat_ws(' ', typname, typtype, typnotnull, typdefault)
        FROM pg_type WHERE typnamespace = %(schema)s::regnamespace AND typtype IN ('d', 'e', 'r')
    """,
    "sequence": """
        SELECT concat_ws(' ', sequencename, data_type, start_value, min_value, max_value, increment_by, cycle,
            cache_size, last_value)
        FROM pg_sequences WHERE schemaname = %(schema)s
    """,
    "schema": "SELECT concat_ws(' ', nspacl, nspowner::regrole) FROM pg_namespace WHERE nspname = %(schema)s",
}
# The order of rows is their own: two schemas that give the same row another id are not the same.
ROWS = {"django_migrations": "SELECT concat_ws(' ', id, app, name) FROM {}"}
ANY_ROWS = "SELECT row_::text FROM {} AS row_"


def of_schema(*, schema_name: str) -> list[str]:
    """Return the lines that say what a schema and its rows are, sorted; equal for schemas made in the same way."""
    name = checked_schema_name(name=schema_name)
    lines = []
    with connection.cursor() as cursor:
        for kind, query in CATALOGUE.items():
            cursor.execute(query, {"schema": name})
            lines += [f"{kind} {_without(name, row[0])}" for row in cursor.fetchall()]
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [name])
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL(ROWS.get(table, ANY_ROWS)).format(sql.Identifier(name, table)))
            lines += [f"row {table} {row[0]}" for row in cursor.fetchall()]
    return sorted(lines)


def _without(schema_name: str, line: str) -> str:
    return line.replace(f'"{schema_name}".', "").replace(f"{schema_name}.", "")
