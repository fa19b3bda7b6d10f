"""How words are looked for in every municipality's schema: in Dutch, or as names; and without minding accents.

Two text search configurations in `public`. They use PostgreSQL's own extension `unaccent`, which the role makes that
may create in the database. Where it may not, or the server has none, the configurations are made without: all is found
but by accents, and the log says so; docs/inbox.md says how to mend it later.
"""

import structlog
from django.db import DatabaseError, migrations, transaction

CONFIGURATIONS = {"dutch_plain": ("dutch", "dutch_stem"), "names_plain": ("simple", "simple")}
WITH_ACCENTS = "hword, hword_part, word"  # kinds of words that may hold other letters than a to z
# insufficient_privilege, feature_not_supported, undefined_file
NOT_TO_BE_HAD = {"42501", "0A000", "58P01"}

log = structlog.get_logger()


def make(apps, schema_editor):
    """Make the configurations."""
    where = _extension(schema_editor.connection)
    with schema_editor.connection.cursor() as cursor:
        for name, (base, words) in CONFIGURATIONS.items():
            cursor.execute(f"CREATE TEXT SEARCH CONFIGURATION public.{name} (COPY = pg_catalog.{base})")
            if where is not None:
                cursor.execute(
                    f"ALTER TEXT SEARCH CONFIGURATION public.{name} ALTER MAPPING FOR {WITH_ACCENTS}"
                    f' WITH "{where}".unaccent, pg_catalog.{words}'
                )


def _extension(connection):
    """Return the schema in which the extension is, made now if it can be; None: there is none."""
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA public")
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) not in NOT_TO_BE_HAD:
            raise
        log.warning("search_minds_accents", reason=type(error.__cause__).__name__)
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'unaccent'"
        )
        return cursor.fetchone()[0]


def unmake(apps, schema_editor):
    """Take the configurations away; the extension may be used by others."""
    with schema_editor.connection.cursor() as cursor:
        for name in CONFIGURATIONS:
            cursor.execute(f"DROP TEXT SEARCH CONFIGURATION public.{name}")


class Migration(migrations.Migration):
    dependencies = [("tenants", "0011_break_glass_lapsed")]

    operations = [migrations.RunPython(make, unmake)]
