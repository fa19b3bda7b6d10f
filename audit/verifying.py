"""Checking the trails: of each schema that has one, or should have, whether its chain holds from the first entry on.

What was cut off at the end leaves a shorter chain that holds: it is missed because `public` knows where each trail
ended (audit/anchor.py). Who alters both is found by comparing `entries` and `last_hash` with those printed earlier and
kept elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django_tenants.utils import get_public_schema_name, get_tenant_model, schema_context

from audit.anchor import Anchor, anchors
from audit.chain import first_break
from audit.models import Entry
from audit.record import Actor, record
from audit.searching import VERIFIED

WITH_TRAIL = "SELECT schemaname FROM pg_catalog.pg_tables WHERE tablename = %s"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in one schema. broken_at: sequence of the first entry that is altered or absent, 0: no trail."""

    schema: str
    entries: int
    last_hash: str
    broken_at: int | None


def verify_trails() -> Iterator[Verdict]:
    """Read every trail, `public` first; writes nothing."""
    public = get_public_schema_name()
    with connection.cursor() as cursor:
        cursor.execute(WITH_TRAIL, [Entry._meta.db_table])
        found = {row[0] for row in cursor.fetchall()}
    ended = anchors()  # before the trails are read: what is written meanwhile comes after it
    with schema_context(public):
        expected = set(get_tenant_model().objects.values_list("schema_name", flat=True))
    for schema in sorted(found | expected | set(ended) | {public}, key=lambda name: (name != public, name)):
        if schema in found:
            yield _verify(schema=schema, ended=ended.get(schema))
        else:
            yield Verdict(schema, entries=0, last_hash="", broken_at=0)


def record_verdict(*, verdict: Verdict, actor: Actor, at: datetime) -> None:
    """Append to a trail what was found of it, so that its page can say so; a schema without a trail gets nothing.

    The entry holds the count and last hash of before it: who cuts off what is older than it must cut it off too.
    """
    if verdict.broken_at == 0:
        return
    details = {"entries": verdict.entries, "last_hash": verdict.last_hash, "broken_at": verdict.broken_at}
    outcome = Entry.Outcome.OK if verdict.broken_at is None else Entry.Outcome.FAILED
    with schema_context(verdict.schema):
        record(action=VERIFIED, actor=actor, at=at, subject="trail", outcome=outcome, details=details)


def _verify(*, schema: str, ended: Anchor | None) -> Verdict:
    with schema_context(schema):
        broken_at = first_break(entries=Entry.objects.order_by("sequence").iterator(chunk_size=2000))
        if broken_at is None and ended is not None:
            broken_at = _cut_off(ended)
        last = Entry.objects.order_by("-sequence").only("hash").first()
        return Verdict(
            schema=schema,
            entries=Entry.objects.count(),
            last_hash=bytes(last.hash).hex() if last else "",
            broken_at=broken_at,
        )


def _cut_off(ended: Anchor) -> int | None:
    """Return the first entry that is not there any more of those that were, or None: all are."""
    if ended.is_held_by(Entry.objects.filter(sequence=ended.sequence).first()):
        return None
    return min(ended.sequence, Entry.objects.count() + 1)
