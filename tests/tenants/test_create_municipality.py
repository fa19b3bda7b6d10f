"""`manage.py create_municipality`: makes a tenant whole, finds it again, and leaves nothing when it cannot."""

import io
import json
import os
import signal
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django_tenants.utils import schema_context

from accounts.models import Invitation, Mail, RoleGrant, User
from audit.models import Entry
from messaging.core.models import Lane
from messaging.models import InboxEvent, Office, PrivacyNotice, Template
from tenants.models import DeclaredPurpose, Domain, Municipality, Number

ALMELO = {
    "name": "Almelo",
    "cbs_code": "GM0141",
    "waba_id": "444000111222333",
    "phone_number_id": "333000111222333",
    "display_phone_number": "+31546123456",
    "access_token": "teken-van-almelo",
    "admin_email": "Beheer@almelo.example",
    "privacy_page": "https://www.almelo.example/privacy",
}


def make(schema="almelo", **changes):
    """Run the command; return its exit code and what it printed or said."""
    out = io.StringIO()
    given = {name: value for name, value in {**ALMELO, **changes}.items() if value is not None}
    try:
        call_command("create_municipality", schema, stdout=out, **given)
    except CommandError as error:
        return error.returncode, str(error)
    return 0, json.loads(out.getvalue())


def die(**_):
    """Be killed, as a step of making a tenant."""
    os.kill(os.getpid(), signal.SIGKILL)


def signal_of_maker(settings, steps):
    """Make it by these steps in a process of its own; return the signal by which that ended, or None."""
    connection.close()
    child = os.fork()
    if child == 0:
        try:
            settings.PROVISIONING_STEPS = steps
            make()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    connection.set_schema_to_public()
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else None


def everything():
    """Return what there is of tenants in the database: rows of each table, schemas, partitions."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1")
        schemas = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'public.inbox'::regclass")
        partitions = sorted(row[0] for row in cursor.fetchall())
    tables = (Municipality, Domain, Number, DeclaredPurpose, Lane, Entry)
    return schemas, partitions, [(model.__name__, list(model.objects.order_by("pk").values())) for model in tables]


class TestMaking:
    def test_it_makes_a_tenant_whole_and_finds_it_again(self, utrecht):
        code, printed = make()
        assert (code, printed) == (
            0,
            {"schema": "almelo", "host": "almelo.localhost", "stage": "LIVE", "created": True},
        )
        municipality = Municipality.objects.get(schema_name="almelo")
        number = municipality.numbers.get()
        assert number.access_token() == "teken-van-almelo"
        assert b"teken" not in bytes(number.access_token_encrypted)
        assert len(number.pseudonym_key()) == 32
        assert municipality.declared_purposes.count() == 5
        assert Lane.objects.get(phone_number_id=number.phone_number_id).municipality_id == municipality.id
        assert Entry.objects.filter(action="municipality.create", subject="municipality almelo").count() == 1
        with schema_context("almelo"):
            admin = User.objects.get()
            assert admin.email == "beheer@almelo.example"
            assert not admin.has_usable_password()
            assert Invitation.objects.get().user == Mail.objects.get(state="QUEUED").user == admin
            assert RoleGrant.objects.get().role == "ADMIN"
            assert Template.objects.exists()
            notice = PrivacyNotice.objects.get()
            assert (notice.url, notice.form_of_address) == ("https://www.almelo.example/privacy", "FORMAL")
            assert not InboxEvent.objects.exists()
        before = everything()
        assert make() == (0, {**printed, "created": False})
        assert make(display_phone_number="+31 546 123 456") == (0, {**printed, "created": False})
        assert everything() == before

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"name": "Almelo (O)"}, "name"),
            ({"cbs_code": "GM0147"}, "CBS code"),
            ({"waba_id": "444000111222334"}, "WABA id"),
            ({"phone_number_id": "333000111222334"}, "phone number id"),
            ({"display_phone_number": "+31546123457"}, "display phone number"),
            ({"access_token": "ander-teken"}, "access token"),
            ({"access_token": None}, "access token"),
            ({"purposes": ["crisis"]}, "purposes"),
            ({"privacy_page": "https://www.utrecht.example/avg"}, "privacy page"),
        ],
    )
    def test_it_changes_nothing_for_other_arguments(self, utrecht, changes, named):
        particulars = {**ALMELO, "name": "Utrecht", "cbs_code": "GM0344", "waba_id": "2000000000344"}
        particulars |= {"phone_number_id": "1000000000344", "display_phone_number": "+3197010034400"}
        particulars |= {"access_token": "token-of-utrecht", "admin_email": None, "privacy_page": None}
        assert make("utrecht", **particulars)[0] == 0
        before = everything()
        code, said = make("utrecht", **{**particulars, **changes})
        assert code == 2
        assert named in said
        assert "nothing was changed" in said
        assert "teken" not in said
        assert everything() == before

    def test_it_declares_only_the_purposes_given(self, utrecht):
        assert make(purposes=["crisis", "permits"])[0] == 0
        declared = Municipality.objects.get(schema_name="almelo").declared_purposes
        assert set(declared.values_list("purpose", flat=True)) == {"CRISIS", "PERMITS"}

    def test_it_reads_the_token_from_standard_input(self, utrecht, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.StringIO("teken-van-de-lijn\nrest\n"))
        assert make(access_token="-")[0] == 0
        assert Number.objects.get(municipality__schema_name="almelo").access_token() == "teken-van-de-lijn"

    def test_it_refuses_an_empty_token_on_standard_input(self, utrecht, monkeypatch):
        before = everything()
        monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
        code, said = make(access_token="-")
        assert code == 2
        assert "token" in said
        assert everything() == before

    @pytest.mark.parametrize(
        ("schema", "code", "name"),
        [
            ("shertogenbosch", "GM0796", "'s-Hertogenbosch"),
            ("bergennh", "GM0373", "Bergen (NH)"),
            ("bergenl", "GM0893", "Bergen (L)"),
            ("sudwestfryslan", "GM1900", "Súdwest-Fryslân"),
        ],
    )
    def test_it_makes_tenants_with_odd_names(self, utrecht, schema, code, name):
        status, printed = make(schema, name=name, cbs_code=code)
        assert status == 0
        assert printed["host"] == f"{schema}.localhost"
        assert Municipality.objects.get(schema_name=schema).name == name


REFUSED = {
    "a CBS code of nobody": {"cbs_code": "GM9999"},
    "a CBS code badly written": {"cbs_code": "141"},
    "a number without a plus": {"display_phone_number": "0546123456"},
    "a number of letters": {"display_phone_number": "+31CALLNOW"},
    "no e-mail address": {"admin_email": "beheer"},
    "a page on privacy that is not secure": {"privacy_page": "http://www.almelo.example/privacy"},
    "a WABA id of letters": {"waba_id": "waba"},
    "a phone number id of letters": {"phone_number_id": "number"},
    "a name that is too long": {"name": "x" * 101},
    "an empty name": {"name": ""},
    "an id that is too long": {"phone_number_id": "1" * 41},
    "a number that is too long": {"display_phone_number": "+31" + "1" * 30},
    "a CBS code of another": {"cbs_code": "GM0344"},
    "the number of another": {"phone_number_id": "1000000000344"},
    "a purpose that nobody may declare": {"purposes": ["promotion"]},
}


class TestRefusing:
    @pytest.mark.parametrize("name", sorted(REFUSED))
    def test_it_refuses_and_leaves_nothing(self, utrecht, name):
        before = everything()
        code, said = make(**REFUSED[name])
        assert code == 2 or "invalid choice" in said
        assert "546" not in said.replace("GM0", "")
        assert everything() == before

    @pytest.mark.parametrize("schema", ["public", "console", "quarantine", "Almelo", "al-melo", "pgalmelo", "a"])
    def test_it_refuses_a_schema_name_that_cannot_be(self, utrecht, schema):
        before = everything()
        assert make(schema)[0] == 2
        assert everything() == before

    @pytest.mark.parametrize("step", ["invite_first_admin", "install_defaults", "open_lane", "attach_inbox"])
    def test_it_leaves_nothing_when_a_step_fails(self, committing_db, monkeypatch, settings, step):
        path = next(path for path in settings.PROVISIONING_STEPS if path.endswith(step))

        def fail(**_):
            raise ZeroDivisionError

        before = everything()
        with monkeypatch.context() as patch:
            patch.setattr(path, fail)
            with pytest.raises(ZeroDivisionError):
                make()
        assert everything() == before
        assert connection.schema_name == "public"
        assert make()[1]["created"] is True

    def test_killed_before_or_after_any_step_and_begun_again_it_is_one_complete_tenant(self, committing_db, settings):
        steps, before = list(settings.PROVISIONING_STEPS), everything()
        for place in range(len(steps) + 1):
            killing = [*steps[:place], "tests.tenants.test_create_municipality.die", *steps[place:]]
            assert signal_of_maker(settings, killing) == signal.SIGKILL
            assert everything() == before, f"killed after {place} steps"
        assert [make()[1]["created"] for _ in range(2)] == [True, False]
        assert Municipality.objects.filter(schema_name="almelo").count() == 1
        with schema_context("almelo"):
            made = [each.objects.count() for each in (Office, PrivacyNotice, Template, Invitation)]
            assert made == [1, 1, 10, 1]

    def test_it_is_made_once_by_two_at_the_same_moment(self, committing_db):
        answers, both = [], threading.Barrier(2)

        def run():
            try:
                both.wait()
                answers.append(make())
            finally:
                connection.close()

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [code for code, _ in answers] == [0, 0]
        assert sorted(printed["created"] for _, printed in answers) == [False, True]
        assert Municipality.objects.filter(schema_name="almelo").count() == 1
        assert Entry.objects.filter(subject="municipality almelo").count() == 1
