"""What a finalised document says, as canonical JSON, and its place in the chain of its series."""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from billing.models import Invoice, InvoiceLine

NO_DOCUMENT = "0" * 64  # before the first of a series and year
SAID = (
    *("kind", "reason", "number", "currency", "net_cents", "vat_cents", "total_cents", "vat", "lines_hash"),
    *("series", "year", "sequence", "seller", "buyer", "previous_hash"),
)
SAID_OF_LINE = ("position", "kind", "category", "description", "quantity", "net_cents", "skips")


def document_hash(*, invoice: Invoice, lines: Iterable[InvoiceLine]) -> str:
    """Return SHA-256, as hex, over all that a document says, and the hash of the document before it."""
    content: dict[str, Any] = {name: getattr(invoice, name) for name in SAID}
    content |= {
        "id": str(invoice.id),
        "municipality_id": str(invoice.municipality_id),
        "credits_id": str(invoice.credits_id) if invoice.credits_id else None,
        "vat_rate": f"{invoice.vat_rate:.4f}",
        **{name: _day(getattr(invoice, name)) for name in ("period", "issue_date", "due_date")},
        "lines": [_line(line) for line in sorted(lines, key=lambda line: line.position)],
    }
    return sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _line(line: InvoiceLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in SAID_OF_LINE} | {
        "month": _day(line.month),
        "unit_price": f"{line.unit_price:.6f}",
        "vat_rate": f"{line.vat_rate:.4f}" if line.vat_rate is not None else None,
    }


def _day(value: Any) -> str | None:
    return value.isoformat() if value is not None else None
