"""What the house promises of itself: its walls, its migrations, its constraints, and tenancy that fails closed."""

import ast
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.utils import ProgrammingError
from django_tenants.utils import schema_context

from tests import refused_rows

ROOMS = ("tenants", "accounts", "billing", "messaging", "messaging_core", "audit", "api")
CONSTRAINTS = {
    constraint.name: (model, constraint)
    for model in apps.get_models()
    if model._meta.app_label in ROOMS and model._meta.managed
    for constraint in model._meta.constraints
}
UNIQUE_FIELDS = [
    (model, field)
    for model in apps.get_models()
    if model._meta.app_label in ROOMS and model._meta.managed
    for field in model._meta.local_fields
    if field.unique and not field.primary_key
]


def schema_of(model):
    return "utrecht" if model._meta.app_label in {"messaging", "accounts", "api"} else "public"


def insert(row):
    """Insert a row by SQL alone, so that nothing but the database can refuse it; return the SQL's error or None."""
    fields = [
        field
        for field in row._meta.local_concrete_fields
        if not field.generated and not (field.primary_key and row.pk is None)
    ]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = [field.get_db_prep_save(field.value_from_object(row), connection) for field in fields]
    places = ", ".join(["%s"] * len(values))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f'INSERT INTO "{row._meta.db_table}" ({columns}) VALUES ({places})', values)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as error:
        return error
    return None


class TestWalls:
    def test_it_imports_in_one_direction(self):
        done = subprocess.run(
            [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
            cwd=settings.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert " 0 broken" in done.stdout

    def test_it_lists_every_room_in_the_contract_of_layers(self):
        import tomllib

        contracts = tomllib.loads((settings.ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
        layered = {room for layer in contracts["contracts"][0]["layers"] for room in layer.split(" | ")}
        rooms = {path.parent.name for path in settings.ROOT.glob("*/__init__.py")} - {"benchmarks", "tests", "sandbox"}
        assert rooms == layered

    def test_it_has_no_rooms_for_everything(self):
        forbidden = {"services.py", "utils.py", "helpers.py", "managers.py"}
        here = [folder for folder in settings.ROOT.iterdir() if folder.is_dir() and folder.name not in {"var", "tests"}]
        named = [path for folder in here if not folder.name.startswith(".") for path in folder.rglob("*.py")]
        assert len(named) > 50
        assert [path for path in named if path.name in forbidden] == []

    def test_it_lacks_no_migration(self, db):
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)


class TestConstraints:
    @pytest.mark.parametrize("name", sorted(CONSTRAINTS))
    def test_it_is_refused_by_the_database_itself(self, utrecht, name):
        assert name in refused_rows.ROWS, f"{name}: add to tests/refused_rows.py a row that it refuses"
        model, constraint = CONSTRAINTS[name]
        with schema_context(schema_of(model)):
            good, bad = refused_rows.pair(name=name, model=model)
            if isinstance(constraint, models.CheckConstraint):
                assert insert(bad).__cause__.diag.constraint_name == name
                assert insert(good) is None
            else:
                assert isinstance(constraint, models.UniqueConstraint | ExclusionConstraint)
                assert insert(good) is None
                assert insert(bad).__cause__.diag.constraint_name == name

    def test_it_has_no_row_for_a_constraint_that_is_gone(self):
        assert set(refused_rows.ROWS) - set(CONSTRAINTS) == set()

    @pytest.mark.parametrize(
        ("model", "field"), UNIQUE_FIELDS, ids=lambda part: getattr(part, "name", None) or part.__name__
    )
    def test_it_refuses_a_second_row_of_a_unique_field(self, utrecht, model, field):
        with schema_context(schema_of(model)):
            first, second = refused_rows.twins(model=model, field=field)
            assert insert(first) is None
            error = insert(second)
            assert isinstance(error.__cause__, psycopg.errors.UniqueViolation)
            assert field.column in error.__cause__.diag.constraint_name


CROSSING_KEYS = """
    SELECT conrelid::regclass::text, confrelid::regclass::text
    FROM pg_constraint AS key
    JOIN pg_class AS here ON here.oid = key.conrelid
    JOIN pg_class AS there ON there.oid = key.confrelid
    WHERE key.contype = 'f' AND here.relnamespace <> there.relnamespace
"""


class TestSchemas:
    def test_it_has_no_foreign_key_that_crosses_a_schema(self, utrecht):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_constraint WHERE contype = 'f'")
            assert cursor.fetchone()[0] > 20
            cursor.execute(CROSSING_KEYS)
            assert cursor.fetchall() == []

    def test_it_keeps_what_citizens_wrote_out_of_public(self, utrecht):
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            public = {row[0] for row in cursor.fetchall()}
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'utrecht'")
            of_utrecht = {row[0] for row in cursor.fetchall()}
            cursor.execute("SELECT count(*) FROM ONLY public.inbox")
            assert cursor.fetchone() == (0,)
        assert {name for name in public if name.startswith("messaging_")} == {
            "messaging_core_draftreview",
            "messaging_core_inboxfigures",
            "messaging_core_lane",
            "messaging_core_numberhour",
            "messaging_core_outboxwake",
            "messaging_core_replay",
            "messaging_core_unknownupdate",
        }
        assert {"messaging_message", "messaging_contact", "inbox_event", "accounts_user", "audit_entry"} <= of_utrecht
        assert not {name for name in of_utrecht if name.startswith(("tenants_", "billing_"))}


class TestForgottenTenancy:
    def test_it_finds_no_tenants_table_from_public(self, utrecht):
        from messaging.models import Message

        connection.set_schema_to_public()
        with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
            Message.objects.count()

    def test_it_finds_no_other_tenants_rows_from_one(self, utrecht, delft):
        from accounts.models import User

        with schema_context("utrecht"):
            User.objects.create_user(email="a@utrecht.example", name="A")
        with schema_context("delft"):
            assert not User.objects.filter(email="a@utrecht.example").exists()
        connection.set_schema_to_public()
        assert not User.objects.filter(email="a@utrecht.example").exists()

    def test_it_begins_every_connection_with_an_empty_search_path(self, db):
        parameters = connection.get_connection_params()
        raw = {
            name: parameters[name]
            for name in ("dbname", "user", "password", "host", "port", "options")
            if parameters.get(name)
        }
        with psycopg.connect(**raw) as plain:
            assert plain.execute("SHOW search_path").fetchone() in {("",), ('""',)}
            with pytest.raises(psycopg.errors.UndefinedTable):
                plain.execute("SELECT 1 FROM tenants_municipality")

    def test_it_lets_the_intakes_role_insert_into_the_inbox_and_nothing_else(self, utrecht):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT table_schema, table_name, privilege_type FROM information_schema.role_table_grants"
                " WHERE grantee = 'whatsapp_intake'"
            )
            assert cursor.fetchall() == [("public", "inbox", "INSERT")]


class TestQueues:
    def test_no_task_is_due_later_by_the_broker(self):
        # Redis gives a task again that is due later than its visibility time-out: due times live in rows.
        found = []
        for room in ("accounts", "api", "audit", "billing", "config", "messaging", "tenants", "web"):
            for file in (settings.ROOT / room).rglob("*.py"):
                calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
                late = {"countdown", "eta", "retry_backoff", "autoretry_for"}
                found += [file for call in calls if late & {keyword.arg for keyword in call.keywords}]
        assert found == []
