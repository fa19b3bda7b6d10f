"""What people do and see on the pages is in the trail: who, what, from where, and how it ended."""

import pytest
from django.test import Client
from django_tenants.utils import schema_context

from audit.models import Entry
from tests.web.conftest import HOSTS


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


def test_who_is_not_signed_in_leaves_no_entry(utrecht):
    before = len(entries("utrecht", "page.open"))
    Client(headers={"host": HOSTS["utrecht"]}).get("/users/")
    assert len(entries("utrecht", "page.open")) == before


def test_a_header_of_the_callers_is_no_origin(people, thread):
    client = people("utrecht", "AGENT")
    client.get(f"/threads/{thread.id}/", headers={"X-Forwarded-For": "203.0.113.5", "Forwarded": "for=203.0.113.5"})
    assert [entry.origin for entry in entries("utrecht", "thread.read")] == ["127.0.0.1"]
