"""Writing the trail: one entry for each thing done, in the same transaction as the thing itself.

Who writes an entry holds the chain until the transaction ends, and everybody else who does something in the schema
waits for that. So an entry is one round trip, and may be kept for the end of a longer transaction (`written_last`).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django_tenants.utils import get_public_schema_name, schema_context

from audit.chain import FIRST_HASH, FORM, after_place
from audit.models import Entry
from audit.origin import origin_now

# Two statements, so that the second sees what whoever held the chain before has written; one round trip. The hash is
# that of audit/chain.py; public.audit_anchor is told where the trail ends now (audit/anchor.py).
APPEND = """
    SELECT pg_advisory_xact_lock(hashtext('audit'), hashtext(current_schema()));
    WITH last AS (
        SELECT sequence, hash FROM audit_entry ORDER BY sequence DESC LIMIT 1
    ), place AS (
        SELECT coalesce((SELECT sequence FROM last), 0) + 1 AS sequence,
            coalesce((SELECT hash FROM last), %(first_hash)s::bytea) AS previous_hash
    ), written AS (
        INSERT INTO audit_entry (sequence, at, actor_schema, actor_id, actor_name, action, subject, outcome, origin,
            details, form, previous_hash, hash)
        SELECT sequence, %(at)s, %(actor_schema)s, %(actor_id)s, %(actor_name)s, %(action)s, %(subject)s, %(outcome)s,
            %(origin)s, %(details)s::jsonb, %(form)s, previous_hash,
            sha256(previous_hash || convert_to('[' || sequence || ',', 'UTF8') || %(after_place)s::bytea)
        FROM place
        RETURNING id, sequence, previous_hash, hash
    ), kept AS (
        INSERT INTO public.audit_anchor (schema_name, sequence, hash)
        SELECT current_schema(), sequence, hash FROM written
        ON CONFLICT (schema_name) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash
    )
    SELECT id, sequence, previous_hash, hash FROM written
"""
_SAID = ("at", "actor_schema", "actor_id", "actor_name", "action", "subject", "outcome", "origin", "form")


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


@dataclass(frozen=True, slots=True)
class _Kept:
    """An entry that waits for the end of its transaction, and the schema in whose trail it belongs."""

    entry: Entry
    schema: str

    def __call__(self) -> None:
        """Do nothing: among what is done after the commit it tells only that its savepoint was not rolled back."""


_waiting: ContextVar[list[_Kept] | None] = ContextVar("audit_waiting", default=None)


@contextmanager
def written_last() -> Iterator[None]:
    """Have what is recorded in the block written at its end, so that the chain is held for as short as can be.

    Within a transaction, as the last thing before its end. It stands or falls with the transaction all the same, and
    with the savepoint in which it was recorded.
    """
    assert connection.in_atomic_block, "what is recorded belongs to a transaction"
    if _waiting.get() is not None:  # within another such block, whose end comes later
        yield
        return
    waiting: list[_Kept] = []
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    standing = {id(each[1]) for each in connection.run_on_commit}
    for kept in waiting:
        if id(kept) in standing:
            _write_in(kept.schema, kept.entry)


def record(
    *, action: str, actor: Actor, at: datetime, subject: str, outcome: str = "OK", details: dict[str, Any] | None = None
) -> Entry:
    """Append one entry to the trail of the schema that the connection is in.

    The chain is serialised until the caller's transaction ends: record as its last statement, or within
    `written_last`; then the entry has no place yet when it is returned.
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
        entry = _append(schema, action, actor, at, subject, outcome, said)
        if actor.break_glass and schema != get_public_schema_name():
            said = {**said, "municipality": schema}
            _append(get_public_schema_name(), action, actor, at, subject, outcome, said)
    return entry


def _append(
    schema: str, action: str, actor: Actor, at: datetime, subject: str, outcome: str, details: dict[str, Any]
) -> Entry:
    """Write an entry, or keep it for the end of the transaction."""
    entry = Entry(
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
    )
    waiting = _waiting.get()
    if waiting is None:
        _write_in(schema, entry)
    else:
        kept = _Kept(entry, schema)
        transaction.on_commit(kept)
        waiting.append(kept)
    return entry


def _write_in(schema: str, entry: Entry) -> None:
    if connection.schema_name == schema:  # type: ignore[attr-defined]
        _write(entry)
    else:
        with schema_context(schema):
            _write(entry)


def _write(entry: Entry) -> None:
    """Give an entry its place at the end of the chain, and hold the chain until the transaction ends."""
    values = {name: getattr(entry, name) for name in _SAID}
    values |= {"details": json.dumps(entry.details), "after_place": after_place(entry=entry), "first_hash": FIRST_HASH}
    with connection.cursor() as cursor:
        cursor.execute(APPEND, values)
        cursor.nextset()
        entry.id, entry.sequence, entry.previous_hash, entry.hash = cursor.fetchone()
    entry._state.adding, entry._state.db = False, connection.alias


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
