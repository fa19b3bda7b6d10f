"""Documents are made once from the frozen rows and kept; whoever asks for one that is not there yet has it made.

Both makers are pure, so two who make one at the same time make the same; the first stands.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import structlog
import typst

from billing.documents.content import read
from billing.documents.pdf import make_pdf
from billing.documents.ubl import make_ubl
from billing.models import Invoice, InvoiceDocument
from billing.models.invoices import FINAL_STATES

Kind = InvoiceDocument.Kind
SUFFIX = {Kind.UBL: "xml", Kind.PDF: "pdf"}
MEDIA_TYPE = {Kind.UBL: "application/xml", Kind.PDF: "application/pdf"}
MADE_AT_ONCE = 50  # by one sweep: some seconds of work
CANNOT = (KeyError, typst.TypstError)  # a copy of seller or buyer lacks something, or the layout cannot hold it

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Document:
    """One kept document."""

    name: str  # of its file
    media_type: str
    content: bytes
    sha256: str


def document(*, invoice_id: UUID, kind: InvoiceDocument.Kind, at: datetime) -> Document:
    """Return a document of an issued invoice, made now if it is not yet.  Raises NotIssued."""
    found = _find(invoice_id, kind)
    if found is None:
        make(invoice_id=invoice_id, at=at)
        found = _find(invoice_id, kind)
        assert found is not None
    return found


def make(*, invoice_id: UUID, at: datetime) -> None:
    """Make both documents of an issued invoice, as far as they are not there.  Raises NotIssued. Safe to repeat."""
    paper = read(invoice_id=invoice_id)
    ubl = _keep(invoice_id, Kind.UBL, make_ubl(paper=paper), at)
    _keep(invoice_id, Kind.PDF, make_pdf(paper=paper, ubl=ubl), at)


def make_missing(*, at: datetime) -> int:
    """Make the documents of issued invoices that have none; return of how many invoices."""
    issued = Invoice.objects.filter(status__in=FINAL_STATES)
    # The PDF is kept last. The newest come first, so that one that cannot be made stops no other.
    missing = issued.exclude(documents__kind=Kind.PDF).order_by("-finalised_at")
    made = 0
    for invoice_id in missing.values_list("id", flat=True)[:MADE_AT_ONCE]:
        try:
            make(invoice_id=invoice_id, at=at)
            made += 1
        except CANNOT as error:
            log.error("invoice_document_not_made", invoice_id=str(invoice_id), error=type(error).__name__)
    return made


def _keep(invoice_id: UUID, kind: InvoiceDocument.Kind, content: bytes, at: datetime) -> bytes:
    """Keep a document unless one is kept; return the one that is."""
    row = InvoiceDocument(
        invoice_id=invoice_id, kind=kind, content=content, sha256=sha256(content).hexdigest(), made_at=at
    )
    InvoiceDocument.objects.bulk_create([row], ignore_conflicts=True)
    kept = InvoiceDocument.objects.values_list("content", flat=True).get(invoice_id=invoice_id, kind=kind)
    return bytes(kept)


def _find(invoice_id: UUID, kind: InvoiceDocument.Kind) -> Document | None:
    row = InvoiceDocument.objects.select_related("invoice").filter(invoice_id=invoice_id, kind=kind).first()
    if row is None:
        return None
    return Document(f"{row.invoice.number}.{SUFFIX[kind]}", MEDIA_TYPE[kind], bytes(row.content), row.sha256)
