"""Verifying: all issued documents of a year, as an accountant asks: no number is missing, none was altered. Reads only.

Each document's hash is made again from what it says and holds that of the one before it. So who wrote the last hash
of a year down sees later that nothing up to there was changed, also by whoever holds the database. That a kept PDF and
UBL are those that were made is held by a constraint, on their digest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Prefetch

from billing.canonical import NO_DOCUMENT, document_hash
from billing.models import Invoice, InvoiceCounter, InvoiceLine
from billing.models.invoices import FINAL_STATES

AT_ONCE = 500  # documents in memory


@dataclass(slots=True)
class Series:
    """What was issued in a series and year. differences: what is not as it must be; nothing, as a rule."""

    series: str
    year: int
    documents: int = 0
    net_cents: int = 0
    vat_cents: int = 0
    last_hash: str = NO_DOCUMENT
    differences: list[str] = field(default_factory=list)


def verify(*, year: int | None = None) -> Iterator[Series]:
    """Return each series of a year, or of all, looked at document by document."""
    counters = InvoiceCounter.objects.order_by("year", "series")
    for counter in counters.filter(year=year) if year is not None else counters:
        yield _verified(counter)


def _verified(counter: InvoiceCounter) -> Series:
    made = Series(counter.series, counter.year)
    lines = Prefetch("lines", InvoiceLine.objects.order_by("position"))
    issued = Invoice.objects.filter(series=counter.series, year=counter.year).prefetch_related(lines)
    day = date(counter.year, 1, 1)
    for invoice in issued.order_by("sequence").iterator(chunk_size=AT_ONCE):
        made.documents += 1
        made.net_cents += invoice.net_cents
        made.vat_cents += invoice.vat_cents
        made.differences += _of_document(invoice, made, day)
        made.last_hash, day = invoice.document_hash, invoice.issue_date or day
    if made.documents != counter.last:
        made.differences.append(f"{counter.last} numbers were given, and there are {made.documents} documents")
    return made


def _of_document(invoice: Invoice, before: Series, day: date) -> Iterator[str]:
    """Yield what is wrong with the next document of a series, of which `before` says what came before."""
    wanted = f"{before.series}{before.year}-{before.documents:05d}"
    if invoice.number != wanted or invoice.sequence != before.documents:
        yield f"{wanted} is missing: {invoice.number} stands in its place"
    if invoice.status not in FINAL_STATES or invoice.issue_date is None or invoice.issue_date.year != before.year:
        yield f"{invoice.number}: it is not issued in its year"
    elif invoice.issue_date < day:
        yield f"{invoice.number}: it is dated before the one before it"
    own = list(invoice.lines.all())
    if sum(line.net_cents for line in own) != invoice.net_cents:
        yield f"{invoice.number}: its lines do not come to its net amount"
    if invoice.previous_hash != before.last_hash:
        yield f"{invoice.number}: the chain is broken, the document before it is another"
    if document_hash(invoice=invoice, lines=own) != invoice.document_hash:
        yield f"{invoice.number}: its hash differs, so it was altered"
