"""How every inbox stands is kept by one sweep, without a citizen's word."""

import json

import psycopg
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from messaging import measuring
from messaging.core.models import InboxFigures
from messaging.models import InboxEvent
from tests.messaging import meta


def test_it_keeps_what_is_open_and_dead_by_reason(utrecht, delft, clock):
    with schema_context("utrecht"):
        meta.store(utrecht, *(meta.message(utrecht, wamid=f"wamid.{n}", text="geheim") for n in range(4)))
        ids = list(InboxEvent.objects.order_by("id").values_list("id", flat=True))
        InboxEvent.objects.filter(id__in=ids[:3]).update(state="DEAD", applied_at=clock.now(), reason="malformed: x")
    measured_at = clock.move(minutes=3)
    assert measuring.measure_inboxes(at=measured_at) == 2
    figures = InboxFigures.objects.get(municipality_id=utrecht.id)
    assert (figures.open, figures.oldest_open_at, figures.measured_at) == (1, meta.RECEIVED_AT, measured_at)
    (dead,) = figures.dead
    assert (dead["kind"], dead["field"], dead["reason"], dead["count"]) == ("MESSAGE", "messages", "malformed: x", 3)
    assert "geheim" not in json.dumps(figures.dead)
    quiet = InboxFigures.objects.get(municipality_id=delft.id)
    assert (quiet.open, quiet.oldest_open_at, quiet.dead) == (0, None, [])


def test_it_asks_once_for_many(utrecht, delft, clock):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        measuring.measure_inboxes(at=clock.now())
    assert len([query for query in asked if "inbox_event" in query["sql"]]) == 1


def test_a_locked_schema_keeps_its_old_figures_and_stops_nobody(committing_db, utrecht, delft, clock):
    first = clock.now()
    measuring.measure_inboxes(at=first)
    with psycopg.connect(committing_db.url) as locking:
        locking.execute("LOCK TABLE utrecht.inbox_event IN ACCESS EXCLUSIVE MODE")
        assert measuring.measure_inboxes(at=clock.move(minutes=1)) == 1
    assert InboxFigures.objects.get(municipality_id=utrecht.id).measured_at == first
    assert InboxFigures.objects.get(municipality_id=delft.id).measured_at == clock.now()
