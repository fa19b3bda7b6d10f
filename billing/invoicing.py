"""Invoicing: a month's usage becomes a draft invoice for each municipality, and review closes the month.

A run's drafts are one transaction: it makes, follows up or leaves alone every one, so it may be repeated and broken off
at will. Where nothing changed, nothing is written. A review closes the month before, in a short transaction of its own,
because nobody's messages are recorded meanwhile; broken off between the two, the next run of that month finishes it.
"""

import uuid
from collections import Counter
from datetime import UTC, date, datetime
from functools import partial

from django.db import transaction
from django.db.models import Count
from django_tenants.utils import get_public_schema_name, schema_context

from audit.record import Actor, record
from billing.cards import card_on
from billing.closing import EarlierMonthOpen, MonthNotOver, close_month, hold_off_runs
from billing.gathering import bills, card_of_correction
from billing.messages import messages_of, priced_municipalities, store_messages
from billing.models import Conversation, Invoice, InvoiceLine, Month, RateCard
from billing.months import AMSTERDAM, end_of, next_month
from billing.prices import all_cards
from billing.rating import Bill
from billing.recomputing import last_closed
from tenants.models import Municipality

ISSUE_BY_DAY = (
    15  # of the month after the supply (Wet op de omzetbelasting 1968, art. 34g; EU directive 2006/112, art. 222)
)
WARN_FROM_DAY = 12
GRACE_DAYS = 5  # what Meta reports of a month's last day may come days late


class StillClosing(Exception):
    """The days in which reports of the month may still come late are not over."""


def run(*, month: date, at: datetime, actor: Actor, review: bool = False, early: bool = False) -> list[Invoice]:
    """Draft the invoices of a month that is over; return them in order of municipality.

    For each municipality that is live or suspended since before the month's end, and each that used something. A draft
    follows the usage; with `review` the month closes, and its invoices stand, prepared by whoever runs it. Repeating it
    changes nothing. Audited. early: closes a month in its days of grace.
    Raises MonthNotOver, StillClosing and EarlierMonthOpen (review only), NoRateCard, NoRate: nothing is changed then.
    Raises RuntimeError: called within a transaction, which would keep every inbox from working until its end.
    """
    with schema_context(get_public_schema_name()):
        if at < end_of(month=month):
            raise MonthNotOver(
                f"{month:%Y-%m} is not over yet: its invoices can be drafted from the first day after it"
            )
        if review:
            if not early and at < grace_ends(month=month) and not Month.objects.filter(month__gte=month).exists():
                raise StillClosing(
                    f"{month:%Y-%m} can be reviewed from day {GRACE_DAYS} of the next month: reports come late"
                )
            _close(month, at, actor)
        return _draft(month, at, actor, review=review)


def grace_ends(*, month: date) -> datetime:
    """Return the moment from which a month may be reviewed."""
    after = next_month(month=month)
    return datetime(after.year, after.month, GRACE_DAYS, tzinfo=AMSTERDAM).astimezone(UTC)


def issue_by(*, month: date) -> date:
    """Return the last day on which a month's invoices may be issued."""
    return next_month(month=month).replace(day=ISSUE_BY_DAY)


@transaction.atomic(durable=True)
def _close(month: date, at: datetime, actor: Actor) -> None:
    """Close the month, unless it is closed; nobody records until this has committed."""
    hold_off_runs()
    closed = last_closed()
    if closed is not None and month <= closed:
        return
    _refuse_to_pass_over_drafts(month)
    cards = all_cards()
    card_on(cards=cards, day=month)
    # Whatever has no price refuses the month before it closes, and before anybody is held off.
    bills(month=month, cards=cards, closed=False)
    close_month(month=month, at=at, card_of=partial(card_of_correction, cards), by=actor.name)
    among = Municipality.objects.values_list("id", flat=True)
    priced = priced_municipalities(cards=cards, month=month, among=among)
    store_messages(month=month, counted=messages_of(month=month, municipalities=priced, closed=False))


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
        changed = _store(month, bills(month=month, cards=cards, closed=closed), at)
        if closed:
            Invoice.objects.filter(period=month, kind=Invoice.Kind.USAGE).update(
                status=Invoice.Status.REVIEW,
                prepared_by_schema=actor.schema,
                prepared_by_id=actor.id,
                prepared_by_name=actor.name,
            )
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
    standing = Invoice.objects.filter(period=month, kind=Invoice.Kind.USAGE).exclude(status=Invoice.Status.DRAFT)
    return is_closed and not standing.exists()


def invoices_of(*, month: date) -> list[Invoice]:
    """Return the month's invoices in order of municipality."""
    names = dict(Municipality.objects.values_list("id", "schema_name"))
    found = Invoice.objects.filter(period=month, kind=Invoice.Kind.USAGE).prefetch_related("lines__card")
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
    if (
        earliest is None
        and closed is not None
        and _is_unfinished(closed)
        and bills(month=closed, cards=all_cards(), closed=True)
    ):
        earliest = closed
    if earliest:
        raise EarlierMonthOpen(f"{earliest:%Y-%m} must be reviewed before {month:%Y-%m}")


def _store(month: date, bills: dict[uuid.UUID, Bill], at: datetime) -> int:
    """Make or follow up the drafts; return how many changed."""
    cards = {(row.municipality_id, row.valid_from.isoformat()): row.id for row in RateCard.objects.all()}
    of_month = Invoice.objects.filter(period=month, kind=Invoice.Kind.USAGE)
    known = {invoice.municipality_id: invoice for invoice in of_month}
    changed: Counter[str] = Counter()
    for municipality_id, made in bills.items():
        invoice = known.get(municipality_id)
        if invoice is not None and invoice.lines_hash == made.lines_hash:
            continue
        if invoice is None:
            invoice = Invoice(municipality_id=municipality_id, period=month)
        invoice.vat_rate = made.vat_rate
        invoice.net_cents, invoice.vat_cents, invoice.total_cents = made.net_cents, made.vat_cents, made.total_cents
        invoice.vat = [
            {"rate": f"{vat.rate:.4f}", "net_cents": vat.net_cents, "vat_cents": vat.vat_cents} for vat in made.vat
        ]
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
                card_id=cards[municipality_id if line.card.endswith(" own") else None, line.card[:10]],
                category=line.category,
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                net_cents=line.net_cents,
                vat_rate=line.vat_rate,
                skips=line.skips,
            )
            for position, line in enumerate(made.lines, start=1)
        )
        changed["invoices"] += 1
    return changed["invoices"]
