"""Writing the trail: one entry for each thing done, in the same transaction as the thing itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django_tenants.utils import get_public_schema_name, schema_context

from audit import anchor
from audit.chain import FIRST_HASH, FORM, hash_of
from audit.models import Entry
from audit.origin import origin_now

HOLD_LAST = """
    SELECT pg_advisory_xact_lock(hashtext('audit'), hashtext(current_schema()));
    SELECT sequence, hash FROM audit_entry ORDER BY sequence DESC LIMIT 1
"""


class UnwritableDetails(Exception):
    """The details hold what JSON in the database gives back in another form, so that the chain would not hold."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user of a schema, or the system itself.

    break_glass: the id of the entry by which an employee of the BSP is in a municipality's workspace, or empty.
    """

    schema: str
    id: str
    name: str
    break_glass: str = ""

    @classmethod
    def system(cls, name: str) -> "Actor":
        """Return the actor of what no person does: a command or a process, by its name."""
        return cls(schema="public", id="system", name=name)


def record(
    *, action: str, actor: Actor, at: datetime, subject: str, outcome: str = "OK", details: dict[str, Any] | None = None
) -> Entry:
    """Append one entry to the trail of the schema that the connection is in.

    The chain is serialised until the caller's transaction ends: record as its last statement.
    From where it is done audit/origin.py knows: the request's address, or this program.
    outcome: one of Entry.Outcome.
    details: JSON-able keys and counts; never content of messages, phone numbers or tokens.
    What is done by break-glass says so in its details, and stands in the BSP's own trail too.
    Raises UnwritableDetails: they would not be read back as they were written.
    """
    said = {**(details or {}), "break_glass": actor.break_glass} if actor.break_glass else details or {}
    _check_details(said)
    schema: str = connection.schema_name  # type: ignore[attr-defined]
    with transaction.atomic(savepoint=False):  # what it is part of stands or falls with it
        entry = _append(action, actor, at, subject, outcome, said)
        if actor.break_glass and schema != get_public_schema_name():
            with schema_context(get_public_schema_name()):
                _append(action, actor, at, subject, outcome, {**said, "municipality": schema})
    return entry


def _append(action: str, actor: Actor, at: datetime, subject: str, outcome: str, details: dict[str, Any]) -> Entry:
    sequence, previous_hash = _hold_last()
    entry = Entry(
        sequence=sequence + 1,
        at=at,
        actor_schema=actor.schema,
        actor_id=actor.id,
        actor_name=actor.name,
        action=action,
        subject=subject,
        outcome=outcome,
        origin=origin_now(),
        details=details,
        form=FORM,
        previous_hash=previous_hash,
    )
    entry.hash = hash_of(entry=entry)
    entry.save(force_insert=True)
    anchor.keep(entry=entry)
    return entry


def _hold_last() -> tuple[int, bytes]:
    """Hold the chain until the transaction ends; return number and hash of its last entry."""
    with connection.cursor() as cursor:
        # Two statements, so that the second sees what whoever held it before has written; one round trip.
        cursor.execute(HOLD_LAST)
        cursor.nextset()
        last = cursor.fetchone()
    return (last[0], bytes(last[1])) if last else (0, FIRST_HASH)


def _check_details(value: Any) -> None:
    """Accept what jsonb keeps exactly: objects with text keys, lists, texts, whole numbers, true, false and null."""
    if isinstance(value, dict):
        if not all(type(key) is str for key in value):
            raise UnwritableDetails("a key of the details is no text")
        for item in value.values():
            _check_details(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_details(item)
    elif not (value is None or isinstance(value, str | int)):
        raise UnwritableDetails(f"the details hold a {type(value).__name__}: write it as text")
