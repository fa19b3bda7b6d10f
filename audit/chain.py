"""The hash chain over a trail: pure, so that anyone can recompute it from an export."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC

from audit.models import Entry

FIRST_HASH = bytes(32)


def hash_of(*, entry: Entry) -> bytes:
    """Return SHA-256 over the hash before and the entry's canonical JSON."""
    content = [
        entry.sequence,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor_schema,
        entry.actor_id,
        entry.actor_name,
        entry.action,
        entry.subject,
        entry.outcome,
        entry.details,
    ]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(bytes(entry.previous_hash) + canonical.encode()).digest()


def first_break(*, entries: Iterable[Entry]) -> int | None:
    """Return the sequence number at which the chain breaks, or None when it holds; entries in order."""
    previous, expected = FIRST_HASH, 1
    for entry in entries:
        if (
            entry.sequence != expected
            or bytes(entry.previous_hash) != previous
            or bytes(entry.hash) != hash_of(entry=entry)
        ):
            return expected
        previous, expected = bytes(entry.hash), expected + 1
    return None
