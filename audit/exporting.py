"""A trail as text for other systems: JSON lines for a SIEM, CSV for people. One entry a line, the oldest first.

JSON lines hold all that a hash covers, so that who has an export can recompute the chain (audit/chain.py).
"""

import csv
import json
from collections.abc import Callable, Mapping
from datetime import UTC
from io import StringIO

from audit.models import Entry

COLUMNS = (
    "sequence",
    "at",
    "actor_schema",
    "actor_id",
    "actor_name",
    "action",
    "subject",
    "outcome",
    "origin",
    "details",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def json_line(entry: Entry) -> str:
    """Return an entry as one line of JSON."""
    said = {
        "sequence": entry.sequence,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": {"schema": entry.actor_schema, "id": entry.actor_id, "name": entry.actor_name},
        "action": entry.action,
        "subject": entry.subject,
        "outcome": entry.outcome,
        "origin": entry.origin,
        "details": entry.details,
        "form": entry.form,
        "previousHash": bytes(entry.previous_hash).hex(),
        "hash": bytes(entry.hash).hex(),
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n"


def csv_line(entry: Entry) -> str:
    """Return an entry as one line of CSV; what a spreadsheet would take for a formula begins with an apostrophe."""
    values = [getattr(entry, name) for name in COLUMNS]
    values[COLUMNS.index("at")] = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    values[COLUMNS.index("details")] = json.dumps(entry.details, ensure_ascii=False, sort_keys=True)
    return _line([f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value for value in values])


def _line(values: object) -> str:
    written = StringIO()
    csv.writer(written).writerow(values)  # type: ignore[arg-type]
    return written.getvalue()


# By the name of the form: what it is, what comes before the first line, and a line.
FORMS: Mapping[str, tuple[str, str, Callable[[Entry], str]]] = {
    "jsonl": ("application/jsonl; charset=utf-8", "", json_line),
    "csv": ("text/csv; charset=utf-8", _line(COLUMNS), csv_line),
}
