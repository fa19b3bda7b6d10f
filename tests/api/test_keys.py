"""Keys: shown once, kept as a hash, worth something on their own host alone, and ended at once."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django_tenants.utils import schema_context

from accounts.keys import NameTaken, UnknownKey, UnknownScope, create_key, find_key, find_named, revoke_key
from accounts.models import ApiKey
from audit.models import Entry
from tests.api.calling import Caller, make_key
from tests.conftest import MADE_AT
from tests.messaging import meta


def command(*arguments: str) -> str:
    printed = StringIO()
    call_command(*arguments, stdout=printed)
    return printed.getvalue().strip()


class TestMaking:
    def test_the_command_prints_a_key_that_works_and_keeps_only_its_hash(self, utrecht, clock):
        secret = command("create_api_key", "utrecht", "--name", "Zaaksysteem", "--scopes", "usage:read")
        assert Caller("utrecht.localhost", secret).get("/usage").status_code == 200
        with schema_context("utrecht"):
            row = ApiKey.objects.values().get()
        assert secret.split("_", 2)[2] not in str(row)
        assert (row["name"], row["scopes"]) == ("Zaaksysteem", ["usage:read"])

    def test_the_console_gets_a_key_of_the_bsps(self, db, clock):
        made = json.loads(
            command("create_api_key", "console", "--name", "ERP", "--scopes", "invoices:read,usage:read", "--json")
        )
        assert made["scopes"] == ["invoices:read", "usage:read"]
        assert Caller("console.localhost", made["key"]).get("/invoices").status_code == 200

    def test_it_is_in_the_trail_without_its_secret(self, utrecht, clock):
        secret = make_key("utrecht", name="Zaaksysteem")
        with schema_context("utrecht"):
            entry = Entry.objects.get(action="api_key.create")
        assert entry.details["name"] == "Zaaksysteem"
        assert secret.split("_", 2)[2] not in json.dumps(entry.details)

    @pytest.mark.parametrize(
        "arguments",
        [
            ("create_api_key", "elders", "--name", "A", "--scopes", "usage:read"),
            ("create_api_key", "utrecht", "--name", "A", "--scopes", "invoices:read"),
            ("create_api_key", "console", "--name", "A", "--scopes", "messages:send"),
            ("create_api_key", "utrecht", "--name", " ", "--scopes", "usage:read"),
            ("create_api_key", "utrecht", "--name", "A", "--scopes", "usage:read", "--days", "0"),
            ("revoke_api_key", "utrecht", "--name", "A"),
            ("revoke_api_key", "elders", "--name", "A"),
        ],
    )
    def test_it_refuses_with_exit_2_what_cannot_be(self, utrecht, clock, arguments):
        with pytest.raises(CommandError) as refusal:
            command(*arguments)
        assert refusal.value.returncode == 2
        with schema_context("utrecht"):
            assert not ApiKey.objects.exists()

    def test_a_name_is_given_once(self, utrecht, here, actor):
        make_key("utrecht", name="A")
        with pytest.raises(NameTaken):
            create_key(name="A", scopes=["usage:read"], actor=actor, at=MADE_AT)
        revoke_key(key_id=find_named(name="A").id, actor=actor, at=MADE_AT)
        assert create_key(name="A", scopes=["usage:read"], actor=actor, at=MADE_AT)

    def test_it_knows_no_scope_of_the_other_side(self, utrecht, here, actor):
        with pytest.raises(UnknownScope, match="choose from"):
            create_key(name="A", scopes=["municipalities:read"], actor=actor, at=MADE_AT)

    def test_nobody_revokes_what_is_not_there(self, utrecht, here, actor):
        with pytest.raises(UnknownKey):
            revoke_key(key_id=find_named(name="A").id, actor=actor, at=MADE_AT)


class TestConstraints:
    GOOD = {"name": "A", "scopes": ["usage:read"], "prefix": "aaaaaaaaaa", "secret_hash": b"1" * 32}

    @pytest.mark.parametrize(
        ("change", "constraint"),
        [
            ({"scopes": ["everything"]}, "api_key_scopes_known"),
            ({"scopes": []}, "api_key_has_a_scope"),
            ({"prefix": "bbbbbbbbbb"}, "api_key_name_once"),
            ({"name": "B"}, "api_apikey_prefix"),
        ],
    )
    def test_the_database_refuses_it_itself(self, utrecht, here, change, constraint):
        first = ApiKey.objects.create(**self.GOOD, created_at=MADE_AT)
        if "scopes" in change:
            first.delete()
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            ApiKey.objects.create(**{**self.GOOD, **change}, created_at=MADE_AT)


class TestUsing:
    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Bearer",
            "Bearer ",
            "Basic {key}",
            "{key}",
            "Bearer {key} more",
            "Bearer {key}x",
            "Bearer wak_aaaaaaaaaa_" + "a" * 43,
            "Bearer wak__",
            "Bearer é",
        ],
    )
    def test_it_asks_for_a_key_that_is_right(self, api, header):
        wrong = Caller(api.host).get("/threads", Authorization=header.format(key=api.key))
        assert (wrong.status_code, wrong.headers["WWW-Authenticate"]) == (401, "Bearer")

    def test_a_key_with_the_prefix_of_another_and_a_wrong_secret_opens_nothing(self, api):
        assert Caller(api.host, api.key[:-4] + "AAAA").get("/threads").status_code == 401

    def test_it_opens_nothing_after_it_is_revoked(self, api, clock):
        command("revoke_api_key", "utrecht", "--name", "Zaaksysteem")
        assert api.get("/threads").status_code == 401

    def test_it_opens_nothing_from_the_moment_it_expires(self, utrecht, clock):
        secret = make_key("utrecht", expires_at=clock.now() + timedelta(hours=1))
        caller = Caller("utrecht.localhost", secret)
        assert caller.get("/threads").status_code == 200
        clock.move(hours=1)
        assert caller.get("/threads").status_code == 401

    def test_it_remembers_its_use_at_most_once_a_minute(self, api, clock):
        def used():
            with schema_context("utrecht"):
                return ApiKey.objects.get().last_used_at

        assert used() is None
        first = clock.now()
        api.get("/threads")
        clock.move(seconds=59)
        api.get("/threads")
        assert used() == first
        api.get("/threads") if clock.move(seconds=1) else None
        assert used() == clock.now()

    def test_it_takes_the_same_queries_whether_its_prefix_exists_or_not(
        self, api, here, clock, django_assert_num_queries
    ):
        assert find_key(secret=api.key, at=clock.now()) is not None
        for secret in (api.key[:-4] + "AAAA", "wak_aaaaaaaaaa_" + "a" * 43, "anything"):
            with django_assert_num_queries(1):
                assert find_key(secret=secret, at=clock.now()) is None


class TestElsewhere:
    """A key of one host is nothing on another: it reads nothing, and changes nothing."""

    PATHS = ("/threads", "/templates", "/usage", "/municipalities", "/invoices")

    @pytest.mark.parametrize(
        ("schema", "host"),
        [("delft", "utrecht.localhost"), ("public", "utrecht.localhost"), ("utrecht", "console.localhost")],
    )
    def test_it_reads_nothing(self, utrecht, delft, thread, clock, schema, host):
        caller = Caller(host, make_key(schema, name="Elders"))
        for path in (*self.PATHS, f"/threads/{thread.id}", f"/threads/{thread.id}/messages"):
            assert caller.get(path).status_code in {401, 404}
        answer = caller.post("/messages", {"threadId": str(thread.id), "text": "Dag."})
        assert answer.status_code in {401, 404}
        assert "31697000001" not in caller.post("/threads/_search", {"phoneNumber": "+31697000001"}).content.decode()

    def test_its_own_host_shows_nothing_of_another(self, utrecht, delft, thread, clock):
        meta.receive(delft, meta.message(delft, wamid="wamid.D", wa_id="31697000002", at=clock.now()))
        caller = Caller("delft.localhost", make_key("delft"))
        (own,) = caller.get("/threads").json()["items"]
        assert own["contact"]["phoneNumber"] == "+31697000002"
        assert caller.get(f"/threads/{thread.id}").status_code == 404
        assert caller.post("/threads/_search", {"phoneNumber": "+31697000001"}).json()["items"] == []
        assert caller.post("/messages", {"threadId": str(thread.id), "text": "Dag."}).status_code == 404

    def test_a_session_cookie_opens_nothing(self, utrecht, clock):
        from django.test import Client

        from accounts.models import User

        with schema_context("utrecht"):
            user = User.objects.create_user(email="a@utrecht.example", name="A", password="x")
        client = Client(headers={"Host": "utrecht.localhost"})
        with schema_context("utrecht"):
            client.force_login(user)
        assert client.get("/api/v1/threads", headers={"Host": "utrecht.localhost"}).status_code == 401
