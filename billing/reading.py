"""What finance sees: the invoices of a month, one invoice, and the conversations behind a line. Nobody's identity.

A conversation is shown by its moment, category, purpose and template; of the contact there is nothing but a keyed hash,
and not even that leaves this room.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from billing.balances import Balance
from billing.behind import CorrectedNumber, corrections_of
from billing.models import Collection, Conversation, Invoice, InvoiceLine, InvoiceMail, RateCard
from billing.models.invoices import FINAL_STATES
from billing.months import day_of, previous_month
from billing.paying import Unpaid, owed_back, unpaid
from tenants.models import Municipality

CONVERSATIONS_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice in a month's list. before_cents: net of the municipality's invoice of the month before, or None."""

    invoice: Invoice
    municipality: str
    before_cents: int | None

    @property
    def difference_cents(self) -> int | None:
        """What it comes to more than the month before, or less."""
        return None if self.before_cents is None else self.invoice.net_cents - self.before_cents


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
class UnpaidRow:
    """One invoice of which something is owed, and by whom."""

    unpaid: Unpaid
    municipality: str


@dataclass(frozen=True, slots=True)
class OwedBackRow:
    """One invoice of which we owe something back, and to whom."""

    invoice: Invoice
    balance: Balance
    municipality: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """One issued document that a person has to look at. kind: the code word of what hinders it."""

    invoice: Invoice
    municipality: str
    kind: str


@dataclass(frozen=True, slots=True)
class Group:
    """So many conversations of a line with one day, purpose and template."""

    day: date
    purpose: str
    template: str
    count: int


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
    groups: tuple[Group, ...]
    counted: int
    page: int
    has_more: bool
    corrections: tuple[CorrectedNumber, ...]


def month_of_invoices(*, month: date | None = None) -> MonthOfInvoices:
    """Return the invoices of a month, by municipality's name; of the latest month that has some when None."""
    months = tuple(Invoice.objects.order_by("-period").values_list("period", flat=True).distinct())
    chosen = month if month is not None else (months[0] if months else None)
    names = dict(Municipality.objects.values_list("id", "name"))
    usage = Invoice.objects.filter(kind=Invoice.Kind.USAGE)
    earlier = usage.filter(period=previous_month(month=chosen)) if chosen else usage.none()
    before = dict(earlier.values_list("municipality_id", "net_cents"))
    rows = [
        InvoiceRow(invoice, names.get(invoice.municipality_id, ""), before.get(invoice.municipality_id))
        for invoice in (usage.filter(period=chosen) if chosen else ())
    ]
    return MonthOfInvoices(
        month=chosen,
        months=months,
        rows=tuple(sorted(rows, key=lambda row: (row.municipality, str(row.invoice.id)))),
        net_cents=sum(row.invoice.net_cents for row in rows),
        vat_cents=sum(row.invoice.vat_cents for row in rows),
        total_cents=sum(row.invoice.total_cents for row in rows),
    )


def lines_of(*, invoices: Iterable[Invoice]) -> dict[UUID, list[InvoiceLine]]:
    """Return the lines of many invoices in order, by the invoice's id."""
    found: dict[UUID, list[InvoiceLine]] = {}
    for each in InvoiceLine.objects.filter(invoice__in=list(invoices)).order_by("position"):
        found.setdefault(each.invoice_id, []).append(each)
    return found


def invoice(*, invoice_id: UUID) -> InvoiceView:
    """Return one invoice.  Raises Invoice.DoesNotExist."""
    found = Invoice.objects.get(id=invoice_id)
    name = Municipality.objects.filter(id=found.municipality_id).values_list("name", flat=True).first()
    lines = tuple(found.lines.select_related("card", "credited_by__invoice").order_by("position"))
    return InvoiceView(invoice=found, municipality=name or "", lines=lines)


def line(*, invoice_id: UUID, position: int, page: int = 1) -> LineView:
    """Return one line with a page of its conversations.  Raises Invoice.DoesNotExist, InvoiceLine.DoesNotExist."""
    of = invoice(invoice_id=invoice_id)
    found = next((each for each in of.lines if each.position == position), None)
    if found is None:
        raise InvoiceLine.DoesNotExist
    counted = _conversations(of, found)
    start = (max(page, 1) - 1) * CONVERSATIONS_A_PAGE
    rows = list(counted[start : start + CONVERSATIONS_A_PAGE + 1])
    return LineView(
        of=of,
        line=found,
        conversations=tuple(map(_metered, rows[:CONVERSATIONS_A_PAGE])),
        groups=_groups(counted),
        counted=counted.count(),
        page=max(page, 1),
        has_more=len(rows) > CONVERSATIONS_A_PAGE,
        corrections=corrections_of(invoice=of.invoice, line=found),
    )


def final_invoices(*, municipality_id: UUID) -> list[Invoice]:
    """Return a municipality's finalised invoices and credit notes, the latest first."""
    found = Invoice.objects.filter(municipality_id=municipality_id, status__in=FINAL_STATES)
    return list(found.order_by("-issue_date", "-number"))


def final_invoice(*, invoice_id: UUID, municipality_id: UUID) -> InvoiceView:
    """Return one finalised document of a municipality.  Raises Invoice.DoesNotExist: it is another's, or not final."""
    Invoice.objects.get(id=invoice_id, municipality_id=municipality_id, status__in=FINAL_STATES)
    return invoice(invoice_id=invoice_id)


def unpaid_rows(*, at: datetime) -> list[UnpaidRow]:
    """Return what is owed at a moment, with the names of who owes it."""
    names = dict(Municipality.objects.values_list("id", "name"))
    rows = unpaid(day=day_of(moment=at))
    return [UnpaidRow(each, names.get(each.invoice.municipality_id, "")) for each in rows]


def owed_back_rows() -> list[OwedBackRow]:
    """Return the invoices of which we owe something back, with the names of those to whom."""
    names = dict(Municipality.objects.values_list("id", "name"))
    return [OwedBackRow(found, balance, names.get(found.municipality_id, "")) for found, balance in owed_back()]


def troubles() -> list[Trouble]:
    """Return the documents whose collection stopped or went wrong at Stripe, and those whose last mail was given up."""
    names = dict(Municipality.objects.values_list("id", "name"))
    stuck = Collection.objects.filter(step__in=[Collection.Step.STOPPED, Collection.Step.DONE]).exclude(trouble="")
    found = [(row.invoice, row.trouble_kind) for row in stuck.select_related("invoice").order_by("invoice__number")]
    last = InvoiceMail.objects.order_by("invoice_id", "-id").distinct("invoice_id").values("id")
    given_up = InvoiceMail.objects.filter(id__in=last, state=InvoiceMail.State.FAILED).select_related("invoice")
    found += [(mail.invoice, "NOT_MAILED") for mail in given_up.order_by("invoice__number")]
    return [Trouble(each, names.get(each.municipality_id, ""), kind) for each, kind in found]


def months_of_use(*, municipality_id: UUID, current: date, most: int) -> list[date]:
    """Return the months in which a municipality used something, and the running one, the latest first."""
    found = Conversation.objects.filter(municipality_id=municipality_id).values_list("month", flat=True).distinct()
    return sorted({*found, current}, reverse=True)[:most]


def conversations_of(*, view: InvoiceView) -> Iterator[tuple[InvoiceLine, MeteredConversation | None]]:
    """Return every line of an invoice with each of its conversations, and lines without any with None."""
    for each in view.lines:
        empty = True
        for row in _conversations(view, each).iterator(chunk_size=2000):
            empty = False
            yield each, _metered(row)
        if empty:
            yield each, None


def _conversations(of: InvoiceView, counted: InvoiceLine) -> QuerySet[Conversation]:
    """Return the conversations that a line counts, in the order in which they were opened.

    Those of the line's category that its municipality opened in its month on a day that the line's rate card prices;
    where an allowance or tiers part them, those in the line's places. A correction counts differences, which are
    nobody's conversations, and so does a credit note.
    """
    kinds = (InvoiceLine.Kind.CONVERSATIONS, InvoiceLine.Kind.INCLUDED)
    if counted.kind not in kinds or of.invoice.kind != Invoice.Kind.USAGE:
        return Conversation.objects.none()
    card = counted.card
    found = Conversation.objects.filter(
        month=counted.month,
        municipality_id=of.invoice.municipality_id,
        category=counted.category,
        opened_date__gte=card.valid_from,
    )
    if card.valid_until is not None:
        found = found.filter(opened_date__lt=card.valid_until)
    if card.municipality_id is None:
        for own in RateCard.objects.filter(municipality_id=of.invoice.municipality_id):
            days = Q(opened_date__gte=own.valid_from)
            if own.valid_until is not None:
                days &= Q(opened_date__lt=own.valid_until)
            found = found.exclude(days)
    found = found.order_by("opened_at", "id")
    beside = [each for each in of.lines if (each.card_id, each.category) == (counted.card_id, counted.category)]
    is_last = counted.skips == max((each.skips for each in beside if each.kind in kinds), default=0)
    return found[counted.skips :] if is_last else found[counted.skips : counted.skips + counted.quantity]


def _groups(counted: QuerySet[Conversation]) -> tuple[Group, ...]:
    """Return how many of a line's conversations have each day, purpose and template."""
    counts = Counter(counted.values_list("opened_date", "purpose", "template").iterator(chunk_size=5000))
    return tuple(Group(*key, count) for key, count in sorted(counts.items()))


def _metered(row: Conversation) -> MeteredConversation:
    return MeteredConversation(
        opened_at=row.opened_at,
        ends_at=row.ends_at,
        category=row.category,
        purpose=row.purpose,
        template=row.template,
    )
