"""What finance sees: the invoices of a month, one invoice, and the conversations behind a line. Nobody's identity.

A conversation is shown by its moment, category, purpose and template; of the contact there is nothing but a keyed hash,
and not even that leaves this room.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import QuerySet

from billing.models import Conversation, Invoice, InvoiceLine, RateCard
from tenants.models import Municipality

CONVERSATIONS_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice in a month's list."""

    invoice: Invoice
    municipality: str


@dataclass(frozen=True, slots=True)
class MonthOfInvoices:
    """The invoices of one month, and which other months have some, latest first."""

    month: date | None
    months: tuple[date, ...]
    rows: tuple[InvoiceRow, ...]
    net_cents: int
    vat_cents: int
    total_cents: int


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """One invoice with its lines."""

    invoice: Invoice
    municipality: str
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class MeteredConversation:
    """One conversation as finance sees it."""

    opened_at: datetime
    ends_at: datetime
    category: str
    purpose: str
    template: str


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of an invoice, with a page of the conversations that it counts."""

    of: InvoiceView
    line: InvoiceLine
    conversations: tuple[MeteredConversation, ...]
    counted: int
    page: int
    has_more: bool


def month_of_invoices(*, month: date | None = None) -> MonthOfInvoices:
    """Return the invoices of a month, by municipality's name; of the latest month that has some when None."""
    months = tuple(Invoice.objects.order_by("-period").values_list("period", flat=True).distinct())
    chosen = month if month is not None else (months[0] if months else None)
    names = dict(Municipality.objects.values_list("id", "name"))
    rows = [
        InvoiceRow(invoice=invoice, municipality=names.get(invoice.municipality_id, ""))
        for invoice in (Invoice.objects.filter(period=chosen) if chosen else ())
    ]
    return MonthOfInvoices(
        month=chosen,
        months=months,
        rows=tuple(sorted(rows, key=lambda row: (row.municipality, str(row.invoice.id)))),
        net_cents=sum(row.invoice.net_cents for row in rows),
        vat_cents=sum(row.invoice.vat_cents for row in rows),
        total_cents=sum(row.invoice.total_cents for row in rows),
    )


def invoice(*, invoice_id: UUID) -> InvoiceView:
    """Return one invoice.  Raises Invoice.DoesNotExist."""
    found = Invoice.objects.get(id=invoice_id)
    name = Municipality.objects.filter(id=found.municipality_id).values_list("name", flat=True).first()
    lines = tuple(found.lines.select_related("card").order_by("position"))
    return InvoiceView(invoice=found, municipality=name or "", lines=lines)


def line(*, invoice_id: UUID, position: int, page: int = 1) -> LineView:
    """Return one line with a page of its conversations.  Raises Invoice.DoesNotExist, InvoiceLine.DoesNotExist."""
    of = invoice(invoice_id=invoice_id)
    found = next((each for each in of.lines if each.position == position), None)
    if found is None:
        raise InvoiceLine.DoesNotExist
    counted = _conversations(of.invoice, found)
    start = (max(page, 1) - 1) * CONVERSATIONS_A_PAGE
    rows = list(counted[start : start + CONVERSATIONS_A_PAGE + 1])
    return LineView(
        of=of,
        line=found,
        conversations=tuple(map(_metered, rows[:CONVERSATIONS_A_PAGE])),
        counted=counted.count(),
        page=max(page, 1),
        has_more=len(rows) > CONVERSATIONS_A_PAGE,
    )


def conversations_of(*, view: InvoiceView) -> Iterator[tuple[InvoiceLine, MeteredConversation | None]]:
    """Return every line of an invoice with each of its conversations, and lines without any with None."""
    for each in view.lines:
        empty = True
        for row in _conversations(view.invoice, each).iterator(chunk_size=2000):
            empty = False
            yield each, _metered(row)
        if empty:
            yield each, None


def _conversations(of: Invoice, counted: InvoiceLine) -> QuerySet[Conversation]:
    """Return the conversations that a line counts, in the order in which they were opened.

    Those of the line's category that its municipality opened in its month, on a day that the line's rate card prices.
    A correction counts differences, which are nobody's conversations.
    """
    if counted.kind != InvoiceLine.Kind.CONVERSATIONS:
        return Conversation.objects.none()
    following = RateCard.objects.filter(valid_from__gt=counted.card.valid_from).order_by("valid_from").first()
    found = Conversation.objects.filter(
        month=counted.month,
        municipality_id=of.municipality_id,
        category=counted.category,
        opened_date__gte=counted.card.valid_from,
    )
    if following is not None:
        found = found.filter(opened_date__lt=following.valid_from)
    return found.order_by("opened_at", "id")


def _metered(row: Conversation) -> MeteredConversation:
    return MeteredConversation(
        opened_at=row.opened_at,
        ends_at=row.ends_at,
        category=row.category,
        purpose=row.purpose,
        template=row.template,
    )
