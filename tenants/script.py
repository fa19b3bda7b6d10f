"""Making a tenant's tables in a fraction of the time that migrating takes: the SQL of one migration, run again.

The SQL is written down while Django migrates a schema that is rolled back afterwards, run again in a second such
schema, and kept only when the two are the same by their fingerprints. It is kept in `public` beside the hash of all
that it came from: another migration, model or version of Django means another script. Without one a tenant is migrated
as django-tenants does it. Needs no program of PostgreSQL's. What a migration of ours writes into rows is written for
every tenant alike, so a migration must not make up secrets.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog
from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django_tenants.utils import get_public_schema_name, schema_context

from tenants import fingerprint
from tenants.models import TenantScript

log = structlog.get_logger()

# Two schemas that exist only until the end of a capture; no municipality's name can be made of these.
RECORDED, REPLAYED = "zzrecordedtemplate", "zzreplayedtemplate"
# What Django asks while it migrates changes nothing, and savepoints and paths belong to the connection of then.
NOT_KEPT = ("SELECT", "SHOW", "SAVEPOINT", "RELEASE", "ROLLBACK", "SET SEARCH_PATH")
KEPT_SELECTS = ("SETVAL(", "NEXTVAL(")


def find() -> str | None:
    """Return the script for the code as it is, captured now when there is none; None when migrating is the only way.

    Takes seconds the first time after a release, and one lock for all processes that would capture at once.
    """
    migrations_hash = of_migrations()
    with schema_context(get_public_schema_name()):
        kept = TenantScript.objects.filter(migrations_hash=migrations_hash).first()
        if kept is not None:
            return kept.sql
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext('tenants.script'))")
            kept = TenantScript.objects.filter(migrations_hash=migrations_hash).first()
            if kept is not None:
                return kept.sql
            captured = capture()
            if captured is not None:
                TenantScript.objects.create(migrations_hash=migrations_hash, sql=captured, made_at=timezone.now())
            return captured


def make_tables(*, schema_name: str, script: str | None) -> None:
    """Make a schema and all that the migrations make in it, inside the caller's transaction.

    script: what find() returned.
    """
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{schema_name}"')
    if script is None:
        call_command("migrate_schemas", schema_name=schema_name, interactive=False, verbosity=0)
        return
    with schema_context(schema_name), connection.cursor() as cursor:
        # Without parameters it goes as it is, in one message.
        cursor.execute(script)
        cursor.execute("UPDATE django_migrations SET applied = clock_timestamp()")


def capture() -> str | None:
    """Return the SQL of a migration, tried; None when it did not come to the same. Leaves nothing behind."""
    with _undone():
        with _recording() as statements:
            make_tables(schema_name=RECORDED, script=None)
        script = ";\n".join(statements[1:])  # the first makes the schema
        if RECORDED in script:
            log.error("tenant_script_refused", why="it names the schema that it was made in")
            return None
        try:
            with transaction.atomic():
                make_tables(schema_name=REPLAYED, script=script)
        except DatabaseError as error:
            log.error("tenant_script_refused", why="it does not run", error=type(error).__name__)
            return None
        migrated = fingerprint.of_schema(schema_name=RECORDED)
        differing = {*migrated} ^ {*fingerprint.of_schema(schema_name=REPLAYED)}
        if differing:
            log.error("tenant_script_refused", why="it does not make the same", lines=len(differing))
            return None
    return script


@cache
def of_migrations() -> str:
    """Return the hash of all that decides what migrating a tenant comes to."""
    server = connection.pg_version // 10000  # type: ignore[attr-defined]  # of the PostgreSQL backend
    digest = hashlib.sha256(f"{version('django')} {version('django-tenants')} {server}".encode())
    digest.update(Path(__file__).read_bytes())
    configs = [_config(name) for name in settings.TENANT_APPS]
    for config in configs:
        for path in sorted(Path(config.path).glob("migrations/*.py")):
            digest.update(f"{config.label} {path.name}".encode() + b"\0" + path.read_bytes())
    # Content types and permissions are made of models as they are now, of every app.
    for model in sorted(apps.get_models(include_auto_created=True), key=lambda each: each._meta.label):
        meta = model._meta
        digest.update(repr((meta.label, meta.default_permissions, meta.permissions, meta.verbose_name_raw)).encode())
    return digest.hexdigest()


def _config(name: str) -> AppConfig:
    return next(
        each for each in apps.get_app_configs() if name in {each.name, f"{type(each).__module__}.{type(each).__name__}"}
    )


@contextmanager
def _undone() -> Iterator[None]:
    """Take back all that is done inside, of the database's and of what Django remembers of it."""
    savepoint = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(savepoint)
        ContentType.objects.clear_cache()


@contextmanager
def _recording() -> Iterator[list[str]]:
    """Write down, with their parameters in place, the statements that change something."""
    statements: list[str] = []

    def note(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        for each in params if many else [params]:
            composed = connection.ops.compose_sql(str(sql), each)  # type: ignore[attr-defined]  # the same
            written = str(composed).strip().rstrip(";")
            if _is_kept(written.upper()):
                statements.append(written)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements


def _is_kept(statement: str) -> bool:
    if statement.startswith("SELECT"):
        return any(each in statement for each in KEPT_SELECTS)
    return not statement.startswith(NOT_KEPT)
