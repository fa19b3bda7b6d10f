"""Invoicing: a month's usage becomes a draft invoice for each municipality, and review closes the month.

A run's drafts are one transaction: it makes, follows up or leaves alone every one, so it may be repeated and broken off
at will. Where nothing changed, nothing is written. A review closes the month before, in a short transaction of its own,
because nobody's messages are recorded meanwhile; broken off between the two, the next run of that month finishes it.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from functools import partial

from django.db import connection, transaction
from django.db.models import Count
from django_tenants.utils import get_public_schema_name, schema_context

from audit.record import Actor, record
from billing.closing import EarlierMonthOpen, MonthNotOver, close_month, hold_off_runs, pending_corrections
from billing.models import Conversation, Correction, Invoice, InvoiceLine, Month, RateCard
from billing.months import end_of
from billing.prices import all_cards
from billing.rating import Bill, Card, CorrectedUsage, Usage, bill, card_on
from billing.recomputing import last_closed
from tenants.models import Municipality
from tenants.stages import Stage

PAYING = (Stage.LIVE, Stage.SUSPENDED)


def run(*, month: date, at: datetime, actor: Actor, review: bool = False) -> list[Invoice]:
    """Draft the invoices of a month that is over; return them in order of municipality.

    For each municipality that is live or suspended since before the month's end, and each that used something. A draft
    follows the usage; with `review` the month closes, and its invoices stand. Repeating it changes nothing. Audited.
    Raises MonthNotOver, EarlierMonthOpen (review only), NoRateCard, NoRate: nothing is changed then.
    Raises RuntimeError: called within a transaction, which would keep every inbox from working until its end.
    """
    with schema_context(get_public_schema_name()):
        if at < end_of(month=month):
            raise MonthNotOver(
                f"{month:%Y-%m} is not over yet: its invoices can be drafted from the first day after it"
            )
        if review:
            _close(month, at)
        return _draft(month, at, actor, review=review)


@transaction.atomic(durable=True)
def _close(month: date, at: datetime) -> None:
    """Close the month, unless it is closed; nobody records until this has committed."""
    hold_off_runs()
    closed = last_closed()
    if closed is not None and month <= closed:
        return
    _refuse_to_pass_over_drafts(month)
    cards = all_cards()
    card_on(cards=cards, day=month)
    # Whatever has no price refuses the month before it closes, and before anybody is held off.
    _bills(month, cards, closed=False)
    close_month(month=month, at=at, card_of=partial(_card_of_correction, cards))


@transaction.atomic
def _draft(month: date, at: datetime, actor: Actor, *, review: bool) -> list[Invoice]:
    """Make or follow up the month's drafts; those of a closed month stand from then on."""
    hold_off_runs()
    changed = 0
    last = last_closed()
    closed = last is not None and month <= last
    if not closed or _is_unfinished(month):
        cards = all_cards()
        card_on(cards=cards, day=month)
        changed = _store(month, _bills(month, cards, closed=closed), at)
        if closed:
            Invoice.objects.filter(period=month).update(status=Invoice.Status.REVIEW)
    invoices = invoices_of(month=month)
    details = {
        "invoices": len(invoices),
        "changed": changed,
        "review": review,
        "total_cents": sum(invoice.total_cents for invoice in invoices),
    }
    record(action="invoices.run", actor=actor, at=at, subject=f"invoices {month:%Y-%m}", details=details)
    return invoices


def _is_unfinished(month: date) -> bool:
    """Return whether a closed month's run was broken off before its invoices stood: they come to stand all at once."""
    is_closed = Month.objects.filter(month=month).exists()
    return is_closed and not Invoice.objects.filter(period=month).exclude(status=Invoice.Status.DRAFT).exists()


def invoices_of(*, month: date) -> list[Invoice]:
    """Return the month's invoices in order of municipality."""
    names = dict(Municipality.objects.values_list("id", "schema_name"))
    found = Invoice.objects.filter(period=month).prefetch_related("lines__card")
    return sorted(found, key=lambda invoice: (names.get(invoice.municipality_id, ""), str(invoice.municipality_id)))


def conversation_counts(*, month: date) -> dict[uuid.UUID, dict[str, int]]:
    """Return how many conversations opened in the month, by municipality and category."""
    counts: dict[uuid.UUID, dict[str, int]] = {}
    rows = Conversation.objects.filter(month=month).values_list("municipality_id", "category")
    for municipality_id, category, count in rows.annotate(count=Count("id")).order_by("municipality_id", "category"):
        counts.setdefault(municipality_id, {})[category] = count
    return counts


def _refuse_to_pass_over_drafts(month: date) -> None:
    """Refuse to close a month while drafts of an earlier one would stay drafts for good."""
    drafts = Invoice.objects.filter(period__lt=month, status=Invoice.Status.DRAFT)
    earliest = drafts.order_by("period").values_list("period", flat=True).first()
    closed = last_closed()
    if earliest is None and closed is not None and _is_unfinished(closed) and _bills(closed, all_cards(), closed=True):
        earliest = closed
    if earliest:
        raise EarlierMonthOpen(f"{earliest:%Y-%m} must be reviewed before {month:%Y-%m}")


def _bills(month: date, cards: Sequence[Card], *, closed: bool) -> dict[uuid.UUID, Bill]:
    """Rate everything that the month's run has to bill."""
    usage: dict[uuid.UUID, list[Usage]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT municipality_id, opened_date, category, count(*) FROM billing_conversation"
            " WHERE month = %s GROUP BY 1, 2, 3",
            [month],
        )
        for municipality_id, day, category, count in cursor.fetchall():
            usage.setdefault(municipality_id, []).append(Usage(day, category, count))
    corrections = _corrections(month, cards, closed=closed)
    paying = Municipality.objects.filter(stage__in=PAYING, created_at__lt=end_of(month=month))
    drafted = Invoice.objects.filter(period=month).values_list("municipality_id", flat=True)
    billed = {*paying.values_list("id", flat=True), *drafted, *usage, *corrections}
    return {
        municipality_id: bill(
            period=month,
            usage=usage.get(municipality_id, ()),
            corrections=corrections.get(municipality_id, ()),
            cards=cards,
        )
        for municipality_id in sorted(billed)
    }


def _corrections(month: date, cards: Sequence[Card], *, closed: bool) -> dict[uuid.UUID, list[CorrectedUsage]]:
    """Return what the run corrects of earlier months: as stored when its own was closed, else as it stands now."""
    found: list[tuple[uuid.UUID, CorrectedUsage]] = []
    if closed:
        for row in Correction.objects.filter(run=month):
            for card, quantity in row.by_card.items():
                change = CorrectedUsage(row.month, date.fromisoformat(card), row.category, quantity)
                found.append((row.municipality_id, change))
    else:
        pending = pending_corrections(run=month, card_of=partial(_card_of_correction, cards))
        for about, by_card in pending.items():
            for first_day, quantity in by_card.items():
                change = CorrectedUsage(about.month, first_day, about.category, quantity)
                found.append((about.municipality_id, change))
    corrections: dict[uuid.UUID, list[CorrectedUsage]] = {}
    for municipality_id, change in found:
        corrections.setdefault(municipality_id, []).append(change)
    return corrections


def _card_of_correction(cards: Sequence[Card], day: date) -> date:
    """Return the first day of the card that prices a correction: the day's, or the first card where none was yet.

    What came late from before the first card must not hold up every later run.
    """
    return card_on(cards=cards, day=max(day, cards[0].valid_from)).valid_from


def _store(month: date, bills: dict[uuid.UUID, Bill], at: datetime) -> int:
    """Make or follow up the drafts; return how many changed."""
    cards = dict(RateCard.objects.values_list("valid_from", "id"))
    known = {invoice.municipality_id: invoice for invoice in Invoice.objects.filter(period=month)}
    changed: Counter[str] = Counter()
    for municipality_id, made in bills.items():
        invoice = known.get(municipality_id)
        if invoice is not None and invoice.lines_hash == made.lines_hash:
            continue
        if invoice is None:
            invoice = Invoice(municipality_id=municipality_id, period=month)
        invoice.vat_rate = made.vat_rate
        invoice.net_cents, invoice.vat_cents, invoice.total_cents = made.net_cents, made.vat_cents, made.total_cents
        invoice.lines_hash = made.lines_hash
        invoice.drafted_at = at
        invoice.save()
        invoice.lines.all().delete()
        InvoiceLine.objects.bulk_create(
            InvoiceLine(
                invoice=invoice,
                position=position,
                kind=line.kind,
                month=line.month,
                card_id=cards[line.card],
                category=line.category,
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                net_cents=line.net_cents,
            )
            for position, line in enumerate(made.lines, start=1)
        )
        changed["invoices"] += 1
    return changed["invoices"]
