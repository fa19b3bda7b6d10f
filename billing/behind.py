"""What is behind a line that corrects a closed month: by number how many more or fewer, why, and when.

A correction is a difference of counts, so it has no conversations of its own to show.
"""

from dataclasses import dataclass
from datetime import datetime

from billing.models import Correction, Invoice, InvoiceLine
from tenants.models import Number


@dataclass(frozen=True, slots=True)
class CorrectedNumber:
    """One booked correction. quantity: over all of the month's rate cards and tiers."""

    number: str
    quantity: int
    reason: str
    recorded_at: datetime


def corrections_of(*, invoice: Invoice, line: InvoiceLine) -> tuple[CorrectedNumber, ...]:
    """Return the corrections that a line bills, of this price and any other; none before its run's month is closed."""
    if line.kind != InvoiceLine.Kind.CORRECTION or invoice.kind != Invoice.Kind.USAGE:
        return ()
    rows = Correction.objects.filter(
        run=invoice.period, month=line.month, category=line.category, municipality_id=invoice.municipality_id
    ).order_by("phone_number_id")
    ids = [row.phone_number_id for row in rows]
    shown = dict(Number.objects.filter(phone_number_id__in=ids).values_list("phone_number_id", "display_phone_number"))
    return tuple(
        CorrectedNumber(
            shown.get(row.phone_number_id, row.phone_number_id),
            row.quantity,
            row.reason,
            row.recorded_at,
        )
        for row in rows
    )
