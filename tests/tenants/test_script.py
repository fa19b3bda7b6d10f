"""Making a tenant's tables by the kept SQL of one migration: the same as migrating, and quicker."""

import time
from contextlib import nullcontext

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django_tenants.utils import schema_context

from accounts.models import User
from audit.record import Actor, record
from messaging.models import Contact, Template
from tenants import fingerprint, script
from tenants.models import TenantScript
from tenants.script import RECORDED
from tests.tenants.test_create_municipality import make


@pytest.fixture
def kept(utrecht) -> str:
    """Return the script that there is."""
    found = script.find()
    assert found is not None
    return found


class TestReplaying:
    def test_it_makes_what_migrating_makes_and_much_quicker(self, kept):
        took = []
        for name, way in (("migrated", None), ("replayed", kept)):
            begun = time.perf_counter()
            script.make_tables(schema_name=name, script=way)
            took.append(time.perf_counter() - begun)
        migrated, replayed = (fingerprint.of_schema(schema_name=name) for name in ("migrated", "replayed"))
        assert replayed == migrated
        found = {line.split()[0] for line in migrated}
        assert {"column", "relation", "index", "constraint", "trigger", "function", "sequence", "row"} <= found
        rows = {line.split()[1] for line in migrated if line.startswith("row ")}
        assert rows == {"django_migrations", "django_content_type", "auth_permission"}
        with connection.cursor() as cursor:
            for table in rows:
                cursor.execute(
                    f"SELECT (SELECT count(*) FROM migrated.{table}), (SELECT count(*) FROM replayed.{table})"
                )
                migrated_rows, replayed_rows = cursor.fetchone()
                assert migrated_rows == replayed_rows > 0
        migrating, replaying = took
        assert replaying * 4 < migrating

    def test_it_leaves_nothing_for_migrating_to_do_and_says_when_it_was_done(self, kept):
        script.make_tables(schema_name="replayed", script=kept)
        before = fingerprint.of_schema(schema_name="replayed")
        call_command("migrate_schemas", schema_name="replayed", interactive=False, verbosity=0)
        assert fingerprint.of_schema(schema_name="replayed") == before
        with connection.cursor() as cursor:
            cursor.execute("SELECT min(applied) > now() - interval '5 minutes' FROM replayed.django_migrations")
            assert cursor.fetchone() == (True,)

    def test_it_takes_rows_and_refuses_what_must_be_refused(self, kept, clock):
        script.make_tables(schema_name="replayed", script=kept)
        with schema_context("replayed"):
            user = User.objects.create_user(email="iemand@replayed.example", name="Iemand")
            assert Permission.objects.filter(content_type__model=user._meta.model_name).exists()
            content_type = ContentType.objects.create(app_label="later", model="later")
            assert content_type.id == ContentType.objects.count()
            Contact.objects.create(wa_id="31612345678", profile_name="A. Inwoner", created_at=clock.now())
            entry = record(action="a.test", actor=Actor.system("tests"), at=clock.now(), subject="replayed")
            with pytest.raises(DatabaseError), transaction.atomic():
                type(entry).objects.filter(id=entry.id).update(action="another")


class TestKeeping:
    def test_it_is_captured_once_for_the_code_as_it_is(self, utrecht):
        kept = TenantScript.objects.get()
        assert kept.migrations_hash == script.of_migrations()
        assert script.find() == kept.sql

    def test_one_of_other_migrations_is_not_used_and_capturing_leaves_nothing_behind(self, utrecht):
        TenantScript.objects.update(migrations_hash="0" * 64, sql="SELECT 1/0")
        found = script.find()
        assert found is not None
        assert "django_migrations" in found
        assert TenantScript.objects.count() == 2
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'zz%%'")
            assert cursor.fetchone() == (0,)
        assert connection.schema_name == "public"

    @pytest.fixture
    def recorded(self, kept, monkeypatch):
        """Return what chooses the statements that a capture writes down; what it migrates is made by the kept ones.

        That the two are the same is shown above, and migrating takes seconds.
        """
        make_tables = script.make_tables

        def quickly(*, schema_name: str, script: str | None) -> None:
            make_tables(schema_name=schema_name, script=kept if schema_name == RECORDED else script)

        def choose(statements: list[str]) -> None:
            monkeypatch.setattr(script, "make_tables", quickly)
            monkeypatch.setattr(script, "_recording", lambda: nullcontext(["CREATE SCHEMA", *statements]))
            TenantScript.objects.all().delete()

        return choose

    def test_one_that_makes_the_same_is_kept(self, kept, recorded):
        recorded(kept.split(";\n"))
        assert script.find() == kept
        assert TenantScript.objects.get().sql == kept

    @pytest.mark.parametrize(
        "spoiled",
        [
            pytest.param(lambda kept: [*kept, "CREATE TABLE too_much (id int)"], id="more"),
            pytest.param(lambda kept: [*kept, "SELECT 1/0"], id="failing"),
            pytest.param(lambda kept: [*kept, f"COMMENT ON SCHEMA {RECORDED} IS 'mine'"], id="naming"),
        ],
    )
    def test_one_that_does_not_make_the_same_is_not_kept(self, kept, recorded, spoiled):
        recorded(spoiled(kept.split(";\n")))
        assert script.find() is None
        assert not TenantScript.objects.exists()

    def test_without_one_the_tenant_is_migrated(self, kept, recorded):
        statements = kept.split(";\n")
        index = next(each for each in statements if each.startswith("CREATE INDEX"))
        recorded([each for each in statements if each != index])
        assert make()[1]["created"] is True
        assert not TenantScript.objects.exists()
        with schema_context("almelo"):
            assert Template.objects.exists()


def test_the_hash_follows_migrations_and_models(utrecht, monkeypatch):
    before = script.of_migrations.__wrapped__()
    assert script.of_migrations.__wrapped__() == before
    monkeypatch.setattr(User._meta, "permissions", [("may_more", "May do more")])
    assert script.of_migrations.__wrapped__() != before
