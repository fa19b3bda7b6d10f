"""Where each trail ended, kept outside it: so that entries cut off at the end are missed, or a trail that was dropped.

One row of `public` for each schema, written by the statement that writes an entry (audit/record.py). It tells how many
entries there were and the hash of the last; nothing of what they say. Who alters a trail behind the database's back
must know of it, and of what `verify_audit` printed elsewhere.
"""

from dataclasses import dataclass

from django.db import connection

from audit.models import Entry


@dataclass(frozen=True, slots=True)
class Anchor:
    """The last entry of a trail, as it was written."""

    sequence: int
    hash: bytes

    def is_held_by(self, entry: Entry | None) -> bool:
        """Return whether the entry that stands there now is the one that was written."""
        return entry is not None and bytes(entry.hash) == self.hash


def anchors() -> dict[str, Anchor]:
    """Return where each trail ended, by schema."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT schema_name, sequence, hash FROM public.audit_anchor")
        return {schema: Anchor(sequence, bytes(digest)) for schema, sequence, digest in cursor.fetchall()}
