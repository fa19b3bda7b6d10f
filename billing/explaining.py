"""Explaining: an invoice made again from the stored facts, beside what was issued, with the arithmetic.

Conversations are derived again from the reports and links that were known when the month was closed, priced by the rate
cards, and compared with the invoice line by line and hash by hash. Reads only.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection

from billing.canonical import NO_DOCUMENT, document_hash
from billing.cards import cards_for
from billing.conversations import ConversationView, FactView, Pricing, ReportView, Status, derive, fact_of
from billing.gathering import Gathered, gather
from billing.models import ContactLink, Conversation, Invoice, InvoiceLine, Month
from billing.months import day_of, end_of, start_of
from billing.prices import all_cards
from billing.rating import Usage

FACTS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Explained:
    """The arithmetic, line by line, and what does not come to the same; nothing when all does."""

    text: tuple[str, ...]
    differences: tuple[str, ...]


def explain(*, number: str) -> Explained:
    """Return how an invoice or credit note comes to its amounts.  Raises Invoice.DoesNotExist."""
    invoice = Invoice.objects.get(number=number)
    lines = list(invoice.lines.select_related("card").order_by("position"))
    text = list(_arithmetic(invoice, lines))
    differences = [*_sums(invoice, lines), *_chain(invoice, lines)]
    if invoice.kind == Invoice.Kind.USAGE:
        counted = rebuilt_usage(municipality_id=invoice.municipality_id, month=invoice.period)
        text += _counts(counted)
        differences += _usage(invoice, counted)
        differences += _rated(invoice, lines)
    else:
        differences += _credited(lines)
    return Explained(tuple(text), tuple(differences))


def rebuilt_usage(*, municipality_id: UUID, month: date) -> Counter[tuple[date, str]]:
    """Return a closed month's conversations of a municipality by day and category, derived again from the facts.

    Known are the reports and links up to those of the month's closing; the months closed before it stand as given.
    """
    closing = Month.objects.get(month=month)
    has_earlier = Month.objects.filter(month__lt=month).exists()
    opens = start_of(month=month) if has_earlier else None
    canonical = _canonical(_known(closing.last_link_id))
    counts: Counter[tuple[date, str]] = Counter()
    given = _frozen_before(municipality_id, month, canonical) if has_earlier else {}
    for contact, facts in _facts_of(municipality_id, month, _known(closing.last_report_id), canonical, opens is None):
        for view in derive(facts=facts, frozen=given.get(contact, ()), open_from=opens):
            if view.month == month:
                counts[day_of(moment=view.opened_at), view.category] += 1
    return counts


def _known(last_id: int | None) -> int:
    """Return the last row that was known; a month that was closed before this was kept knew all that there is."""
    return last_id if last_id is not None else 2**63 - 1


Contact = tuple[str, bytes]


def _canonical(last_link_id: int) -> dict[Contact, bytes]:
    """Return to whom each contact was linked when the month was closed."""
    rows = ContactLink.objects.filter(id__lte=last_link_id)
    return {(row.phone_number_id, bytes(row.from_contact_hash)): bytes(row.to_contact_hash) for row in rows}


def _end_of_chain(canonical: dict[Contact, bytes], number: str, contact: bytes) -> Contact:
    while (number, contact) in canonical:
        contact = canonical[number, contact]
    return number, contact


def _frozen_before(
    municipality_id: UUID, month: date, canonical: dict[Contact, bytes]
) -> dict[Contact, list[ConversationView]]:
    """Return the conversations of earlier months that reach into this one."""
    reaching = Conversation.objects.filter(
        municipality_id=municipality_id, month__lt=month, ends_at__gt=start_of(month=month)
    )
    given: dict[Contact, list[ConversationView]] = {}
    for row in reaching.iterator():
        contact = _end_of_chain(canonical, row.phone_number_id, bytes(row.contact_hash))
        view = ConversationView(row.opened_at, row.category, row.ends_at, row.purpose, row.template)
        given.setdefault(contact, []).append(view)
    return given


def _facts_of(
    municipality_id: UUID, month: date, last_report_id: int, canonical: dict[Contact, bytes], is_first: bool
) -> Iterator[tuple[Contact, list[FactView]]]:
    """Return each contact's facts: of the month, and where none was closed before it, of all that came before."""
    since = None if is_first else start_of(month=month)
    reports: dict[Contact, dict[bytes, list[ReportView]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT fact.phone_number_id, contact_hash, fact.wamid_hash, status, stamped_at, pricing_model,
                pricing_type, pricing_category, purpose, template_name, template_category
            FROM billing_fact AS fact JOIN billing_factreport AS report USING (phone_number_id, wamid_hash)
            WHERE municipality_id = %s AND report.id <= %s
                AND (%s::timestamptz IS NULL OR first_stamped_at >= %s)
            """,
            [municipality_id, last_report_id, since, since],
        )
        while rows := cursor.fetchmany(FACTS_AT_ONCE):
            for number, contact, message, status, stamped_at, *said in rows:
                key = _end_of_chain(canonical, number, bytes(contact))
                report = ReportView(Status(status), stamped_at, Pricing(*said[:3]), *said[3:])
                reports.setdefault(key, {}).setdefault(bytes(message), []).append(report)
    end = end_of(month=month)
    for contact, messages in reports.items():
        facts = [fact_of(key=message.hex(), reports=of) for message, of in messages.items()]
        yield contact, [fact for fact in facts if fact is not None and fact.moment < end]


def _arithmetic(invoice: Invoice, lines: list[InvoiceLine]) -> Iterator[str]:
    what = "credit note" if invoice.kind == Invoice.Kind.CREDIT_NOTE else "invoice"
    buyer = invoice.buyer or {}
    yield f"{what} {invoice.number} of {invoice.issue_date}, {buyer.get('name', '')}, {invoice.period:%Y-%m}"
    if invoice.credits is not None:
        yield f"credits {invoice.credits.number}: {invoice.reason}"
    for line in lines:
        rate = line.vat_rate if line.vat_rate is not None else invoice.vat_rate
        yield (
            f"{line.position:>3}. {line.description}: {line.quantity} x {line.unit_price:f} ="
            f" {line.quantity * line.unit_price:f} -> {line.net_cents / 100:.2f} (VAT {rate * 100:.2f}%)"
        )
    for vat in invoice.vat:
        yield f"     VAT {vat['rate']} x {vat['net_cents'] / 100:.2f} -> {vat['vat_cents'] / 100:.2f}"
    yield (
        f"     net {invoice.net_cents / 100:.2f} + VAT {invoice.vat_cents / 100:.2f}"
        f" = {invoice.total_cents / 100:.2f} {invoice.currency}"
    )


def _counts(counted: Counter[tuple[date, str]]) -> list[str]:
    by_category: Counter[str] = Counter()
    for (_, category), count in counted.items():
        by_category[category] += count
    said = ", ".join(f"{category} {count}" for category, count in sorted(by_category.items())) or "none"
    return [f"     conversations derived from the facts: {said}"]


def _sums(invoice: Invoice, lines: list[InvoiceLine]) -> Iterator[str]:
    net = sum(line.net_cents for line in lines)
    if net != invoice.net_cents:
        yield f"the lines come to {net} cents, not to {invoice.net_cents}"
    vat = sum(int(each["vat_cents"]) for each in invoice.vat)
    if vat != invoice.vat_cents:
        yield f"the VAT comes to {vat} cents, not to {invoice.vat_cents}"


def _chain(invoice: Invoice, lines: list[InvoiceLine]) -> Iterator[str]:
    """Say whether the document says what it said when it was finalised, and stands where it stood."""
    if document_hash(invoice=invoice, lines=lines) != invoice.document_hash:
        yield "the document is not what was finalised: its hash differs"
    before = NO_DOCUMENT
    if invoice.sequence and invoice.sequence > 1:
        place = Invoice.objects.filter(series=invoice.series, year=invoice.year, sequence=invoice.sequence - 1)
        before = place.values_list("document_hash", flat=True).first() or "nothing"
    if before != invoice.previous_hash:
        yield "the chain is broken: the document before it is another"


def _usage(invoice: Invoice, counted: Counter[tuple[date, str]]) -> Iterator[str]:
    """Say where the facts make other conversations than those that stand."""
    stored = gather_one(invoice=invoice).usage
    standing = Counter({(entry.day, entry.category): entry.quantity for entry in stored})
    for day, category in sorted(standing.keys() | counted.keys()):
        if standing[day, category] != counted[day, category]:
            yield (
                f"{day} {category}: the facts make {counted[day, category]} conversations,"
                f" billed were {standing[day, category]}"
            )


def _rated(invoice: Invoice, lines: list[InvoiceLine]) -> Iterator[str]:
    """Say whether rating again gives the same lines and the same hash."""
    cards = cards_for(cards=all_cards(), municipality_id=invoice.municipality_id)
    made = gather_one(invoice=invoice).bill(period=invoice.period, cards=cards)
    for line, again in zip(lines, made.lines, strict=False):
        if (line.quantity, line.unit_price, line.net_cents) != (again.quantity, again.unit_price, again.net_cents):
            yield f"line {line.position}: rated again {again.quantity} x {again.unit_price} -> {again.net_cents} cents"
    if len(lines) != len(made.lines):
        yield f"rated again there are {len(made.lines)} lines, not {len(lines)}"
    if made.lines_hash != invoice.lines_hash:
        yield "rated again, the hash over the lines differs"


def _credited(lines: list[InvoiceLine]) -> Iterator[str]:
    for line in lines:
        original = line.credits
        if original is None or original.net_cents != line.net_cents:
            yield f"line {line.position} is not a line of the invoice that it credits"


def gather_one(*, invoice: Invoice) -> Gathered:
    """Return what an invoice's month had to bill to its municipality, as it stands."""
    found = gather(month=invoice.period, cards=all_cards(), closed=True, only=invoice.municipality_id)
    return found.get(invoice.municipality_id, Gathered(usage=list[Usage]()))
