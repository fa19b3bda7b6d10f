"""What people do and see on the pages is in the trail: who, what, from where, and how it ended."""

import csv
import json
import re
from datetime import datetime, timedelta
from html import unescape
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_tenants.utils import schema_context

from audit import searching
from audit.chain import hash_of
from audit.models import Entry
from audit.record import Actor, record
from tests.web.conftest import HOSTS, PASSWORD


def entries(schema, *actions):
    """Return what the trail has of some actions, oldest first."""
    with schema_context(schema):
        return list(Entry.objects.filter(action__in=actions).order_by("sequence"))


def test_opening_a_thread_is_kept_with_who_and_from_where(people, thread):
    client = people("utrecht", "AGENT")
    assert client.get(f"/threads/{thread.id}/", REMOTE_ADDR="2001:db8::7").status_code == 200
    (entry,) = entries("utrecht", "thread.read")
    assert (entry.actor_name, entry.subject, entry.outcome) == ("Agent van utrecht", f"thread {thread.id}", "OK")
    assert (entry.origin, entry.details) == ("2001:db8::7", {})


def test_a_page_that_brings_itself_up_to_date_is_no_new_opening(people, thread):
    client = people("utrecht", "AGENT")
    for headers in ({"HX-Request": "true"}, {"Accept": "text/event-stream"}):
        assert client.get(f"/threads/{thread.id}/", headers=headers).status_code == 200
    assert client.get(f"/live/threads/{thread.id}/").status_code == 204
    assert client.head(f"/threads/{thread.id}/").status_code == 200
    assert entries("utrecht", "thread.read") == []


def test_a_thread_that_is_not_there_was_not_read(people, thread, delft):
    client = people("delft", "AGENT")
    assert client.get(f"/threads/{thread.id}/").status_code == 404
    assert entries("delft", "thread.read") == []


@pytest.mark.parametrize(
    ("schema", "role", "path"), [("utrecht", "AGENT", "/users/"), ("public", "BSP_SUPPORT", "/invoices/")]
)
def test_what_was_denied_is_kept(people, schema, role, path):
    client = people(schema, role)
    assert client.get(f"{path}?naam=Fatima", REMOTE_ADDR="192.0.2.9").status_code == 403
    (entry,) = entries(schema, "page.open")
    assert (entry.outcome, entry.subject, entry.origin) == ("DENIED", f"page {path.strip('/')}", "192.0.2.9")
    assert "Fatima" not in f"{entry.subject}{entry.details}"


def test_what_somebody_changes_of_their_own_account_is_kept(people):
    agent = people("utrecht", "AGENT")
    new = "een-heel-ander-wachtwoord-2"
    agent.post("/account/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    agent.post("/account/sessions/end/", {"place": "others"})
    (changed,), (ended,) = entries("utrecht", "account.change"), entries("utrecht", "session.end")
    assert (changed.actor_name, changed.details) == ("Agent van utrecht", {"what": "password_changed"})
    assert ended.details == {"which": "others", "ended": 0}
    assert new not in str(changed.__dict__)


def test_asking_for_a_look_at_metas_templates_is_kept(people):
    people("utrecht", "ADMIN").post("/templates/sync/")
    (entry,) = entries("utrecht", "template.sync")
    assert entry.actor_name == "Admin van utrecht"


def test_who_is_not_signed_in_leaves_no_entry(utrecht):
    before = len(entries("utrecht", "page.open"))
    Client(headers={"host": HOSTS["utrecht"]}).get("/users/")
    assert len(entries("utrecht", "page.open")) == before


def test_a_header_of_the_callers_is_no_origin(people, thread):
    client = people("utrecht", "AGENT")
    client.get(f"/threads/{thread.id}/", headers={"X-Forwarded-For": "203.0.113.5", "Forwarded": "for=203.0.113.5"})
    assert [entry.origin for entry in entries("utrecht", "thread.read")] == ["127.0.0.1"]


class TestTrail:
    """The pages on which a trail is searched, and taken elsewhere."""

    @pytest.fixture
    def written(self, people, thread, clock):
        """Return the privacy officer's browser, with something in Utrecht's trail and in Delft's."""
        for schema, name in (("utrecht", "=Ada"), ("delft", "Merk van Delft")):
            with schema_context(schema):
                for number in range(60):
                    record(
                        action="thing.do",
                        actor=Actor(schema=schema, id=f"id-{number % 2}", name=name if number % 2 else "Bram"),
                        at=clock.now() - timedelta(days=number),
                        subject=f"thing {number}",
                        outcome="FAILED" if number == 3 else "OK",
                        details={"n": number},
                    )
        return people("utrecht", "PRIVACY_OFFICER")

    def exported(self, client, query="since=", form="jsonl"):
        answer = client.get(f"/trail/export.{form}?{query}")
        assert answer.status_code == 200
        with pytest.warns(Warning, match="asynchronous iterators"):  # this client is not the web process
            return b"".join(answer).decode().splitlines()

    def subjects(self, client, query):
        return re.findall(r"<td>(thing \d+)</td>", client.get(f"/trail/?{query}").content.decode())

    def test_it_shows_the_last_month_of_its_own_schema_newest_first(self, written):
        found = self.subjects(written, "what=thing.do")
        assert found == [f"thing {number}" for number in reversed(range(31))]
        assert "Delft" not in written.get("/trail/?since=").content.decode()

    def test_it_finds_by_who_what_outcome_origin_and_day(self, written, clock):
        day = timezone.localdate(clock.now()) - timedelta(days=5)
        assert self.subjects(written, "who=ada&since=&what=thing 7") == ["thing 7"]
        assert self.subjects(written, "who=bram&since=&what=thing 7") == []
        assert self.subjects(written, "outcome=FAILED") == ["thing 3"]
        assert self.subjects(written, f"since={day}&until={day}") == ["thing 5"]
        assert self.subjects(written, "since=&origin=192.0.2.1") == []

    def test_older_pages_go_on_where_the_page_before_ended(self, written):
        first = written.get("/trail/?since=&what=thing.do").content.decode()
        older = unescape(re.search(r'href="\?([^"]*before=\d+)"', first)[1])
        found = self.subjects(written, "since=&what=thing.do") + self.subjects(written, older)
        assert sorted(found) == sorted(f"thing {number}" for number in range(60))
        assert not re.search(r'href="[^"]*before=', written.get(f"/trail/?{older}").content.decode())

    @pytest.mark.parametrize(
        "query", ["before=x", "since=gisteren&until=9999-12-31", "who=%00", "what=%25", "since=0001-01-01"]
    )
    def test_odd_searches_do_no_harm(self, written, query):
        assert written.get(f"/trail/?{query}").status_code == 200

    def test_the_export_is_the_trail_and_can_be_recomputed(self, written):
        with schema_context("utrecht"):
            there = list(Entry.objects.order_by("sequence"))
        lines = [json.loads(line) for line in self.exported(written)]
        assert [line["hash"] for line in lines] == [bytes(entry.hash).hex() for entry in there]
        for line in lines:
            again = Entry(
                sequence=line["sequence"],
                at=datetime.fromisoformat(line["at"]),
                actor_schema=line["actor"]["schema"],
                actor_id=line["actor"]["id"],
                actor_name=line["actor"]["name"],
                previous_hash=bytes.fromhex(line["previousHash"]),
                **{name: line[name] for name in ("action", "subject", "outcome", "origin", "details", "form")},
            )
            assert hash_of(entry=again).hex() == line["hash"]

    def test_the_export_goes_on_over_portions(self, written, monkeypatch):
        monkeypatch.setattr(searching, "PORTION", 7)
        assert len(self.exported(written, "since=&what=thing.do")) == 60

    def test_an_export_is_itself_in_the_trail(self, written):
        self.exported(written, "since=&who=Fatima")
        (entry,) = entries("utrecht", "audit.export")
        assert (entry.actor_name, entry.details["limited_by"]) == ("Privacy_Officer van utrecht", ["who"])
        assert "Fatima" not in str(entry.details)

    def test_a_spreadsheet_takes_no_name_for_a_formula(self, written):
        rows = list(csv.DictReader(self.exported(written, "since=&what=thing.do", form="csv")))
        assert len(rows) == 60
        assert {row["actor_name"] for row in rows} == {"'=Ada", "Bram"}

    def test_another_form_is_not_there(self, written):
        assert written.get("/trail/export.xml").status_code == 404

    def test_it_says_how_it_was_last_verified(self, written):
        assert "nog niet geverifieerd" in written.get("/trail/").content.decode()
        call_command("verify_audit", stdout=StringIO())
        assert re.search(r"Geverifieerd op .*: \d+ regels kloppen", written.get("/trail/").content.decode())
        with schema_context("utrecht"), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_append_only")
            cursor.execute("UPDATE audit_entry SET subject = 'x' WHERE sequence = 2")
        with pytest.raises(CommandError):
            call_command("verify_audit", stdout=StringIO())
        assert "onvolledig vanaf regel 2." in written.get("/trail/").content.decode()

    def test_the_operator_sees_the_bsps_trail_and_nobody_elses(self, people, written):
        page = people("public", "BSP_OPERATOR").get("/trail/?since=").content.decode()
        assert "Gebruiker gemaakt of gewijzigd" in page
        assert "thing 1" not in page
