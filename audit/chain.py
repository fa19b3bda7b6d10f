"""The hash chain over a trail: pure, so that anyone can recompute it from an export."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC

from audit.models import Entry

FIRST_HASH = bytes(32)
FORM = 2  # of what is written now; entries of older forms are checked by their own


def hash_of(*, entry: Entry) -> bytes:
    """Return SHA-256 over the hash before and the entry's canonical JSON, by the form that the entry says it has.

    Form 1 has no origin; form 2 names itself and ends with the origin, so that no entry fits two forms.
    """
    return hashlib.sha256(
        bytes(entry.previous_hash) + f"[{entry.sequence},".encode() + after_place(entry=entry)
    ).digest()


def after_place(*, entry: Entry) -> bytes:
    """Return the canonical JSON of an entry after its number, all of it that is known before it has its place.

    Whoever writes an entry has the database put hash and number before it (audit/record.py).
    """
    content = [
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor_schema,
        entry.actor_id,
        entry.actor_name,
        entry.action,
        entry.subject,
        entry.outcome,
        entry.details,
    ]
    if entry.form != 1:
        content += [entry.form, entry.origin]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return canonical[1:].encode()


def first_break(*, entries: Iterable[Entry]) -> int | None:
    """Return the sequence number at which the chain breaks, or None when it holds; entries in order."""
    previous, expected = FIRST_HASH, 1
    for entry in entries:
        if (
            entry.sequence != expected
            or bytes(entry.previous_hash) != previous
            or (entry.form, entry.origin == "") not in {(1, True), (FORM, False)}
            or bytes(entry.hash) != hash_of(entry=entry)
        ):
            return expected
        previous, expected = bytes(entry.hash), expected + 1
    return None
