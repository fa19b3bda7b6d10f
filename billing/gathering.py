"""Gathering: everything that a month's run has to bill, for every municipality, rated by the cards it is given.

One function for drafts, for preview and for evidence, so that what is shown is what is billed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from uuid import UUID

from django.db import connection

from billing.cards import Card, card_at_or_after, cards_for
from billing.closing import pending_corrections
from billing.messages import messages_of, priced_municipalities
from billing.models import Adjustment, Correction, Invoice
from billing.months import end_of, month_of
from billing.rating import Adjusted, Bill, CorrectedUsage, Extras, Usage, bill
from tenants.models import Municipality
from tenants.stages import Stage

PAYING = (Stage.LIVE, Stage.SUSPENDED)


@dataclass(slots=True)
class Gathered:
    """What one municipality's bill of a month is made of."""

    usage: list[Usage] = field(default_factory=list)
    corrections: list[CorrectedUsage] = field(default_factory=list)
    billed: dict[tuple[date, str], Counter[str]] = field(default_factory=dict)
    messages: Mapping[str, int] = field(default_factory=dict)
    adjustments: list[Adjusted] = field(default_factory=list)
    is_first: bool = False

    def bill(self, *, period: date, cards: Sequence[Card]) -> Bill:
        """Return the bill that the cards make of it.  Raises NoRateCard, NoRate."""
        extras = Extras(self.messages, self.billed, self.adjustments, self.is_first)
        return bill(period=period, usage=self.usage, corrections=self.corrections, cards=cards, extras=extras)


def bills(*, month: date, cards: Sequence[Card], closed: bool) -> dict[UUID, Bill]:
    """Rate everything that the month's run has to bill, by municipality.  Raises NoRateCard, NoRate."""
    found = gather(month=month, cards=cards, closed=closed)
    return {
        municipality_id: found[municipality_id].bill(
            period=month, cards=cards_for(cards=cards, municipality_id=municipality_id)
        )
        for municipality_id in sorted(found)
    }


def gather(*, month: date, cards: Sequence[Card], closed: bool, only: UUID | None = None) -> dict[UUID, Gathered]:
    """Return what the month's run has to bill; closed: as stored when the month was closed, else as it stands now."""
    found: dict[UUID, Gathered] = {}
    _add_conversations(found, month, only)
    _add_corrections(found, month, cards, closed=closed)
    for row in Adjustment.objects.filter(run=month).order_by("id"):
        entry = found.setdefault(row.municipality_id, Gathered())
        entry.adjustments.append(Adjusted(row.month, row.description, row.net_cents))
    drafted = Invoice.objects.filter(period=month, kind=Invoice.Kind.USAGE)
    for municipality_id in drafted.values_list("municipality_id", flat=True):
        found.setdefault(municipality_id, Gathered())
    for municipality in Municipality.objects.filter(created_at__lt=end_of(month=month)):
        if municipality.stage in PAYING:
            found.setdefault(municipality.id, Gathered())
        if municipality.id in found:
            found[municipality.id].is_first = month_of(moment=municipality.created_at) == month
    if only is not None:
        found = {key: value for key, value in found.items() if key == only}
    priced = priced_municipalities(cards=cards, month=month, among=found)
    for municipality_id, counted in messages_of(month=month, municipalities=priced, closed=closed).items():
        found[municipality_id].messages = counted
    return found


def card_of_correction(cards: Sequence[Card], municipality_id: UUID, day: date) -> str:
    """Return the key of the card that prices a correction: the day's, or the first card where none was yet."""
    return card_at_or_after(cards=cards_for(cards=cards, municipality_id=municipality_id), day=day).key


def _add_conversations(found: dict[UUID, Gathered], month: date, only: UUID | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT municipality_id, opened_date, category, count(*) FROM billing_conversation"
            " WHERE month = %s AND (%s::uuid IS NULL OR municipality_id = %s) GROUP BY 1, 2, 3",
            [month, only, only],
        )
        for municipality_id, day, category, count in cursor.fetchall():
            found.setdefault(municipality_id, Gathered()).usage.append(Usage(day, category, count))


def _add_corrections(found: dict[UUID, Gathered], month: date, cards: Sequence[Card], *, closed: bool) -> None:
    """Add what the run corrects of earlier months, and what was billed of these before."""
    changes: list[tuple[UUID, CorrectedUsage]] = []
    if closed:
        for row in Correction.objects.filter(run=month):
            for card, quantity in row.by_card.items():
                changes.append((row.municipality_id, CorrectedUsage(row.month, card, row.category, quantity)))
    else:
        pending = pending_corrections(run=month, card_of=partial(card_of_correction, cards))
        for about, by_card in pending.items():
            for card, quantity in by_card.items():
                changes.append((about.municipality_id, CorrectedUsage(about.month, card, about.category, quantity)))
    for municipality_id, change in changes:
        entry = found.setdefault(municipality_id, Gathered())
        entry.corrections.append(change)
        key = (change.month, change.category)
        if key not in entry.billed:
            entry.billed[key] = _billed_before(municipality_id, change.month, change.category, month, cards)


def _billed_before(municipality_id: UUID, month: date, category: str, run: date, cards: Sequence[Card]) -> Counter[str]:
    """Return, by card, what was billed of a closed month and category before a run: its own and earlier corrections."""
    counts: Counter[str] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT opened_date, count(*) FROM billing_conversation"
            " WHERE month = %s AND municipality_id = %s AND category = %s GROUP BY 1",
            [month, municipality_id, category],
        )
        for day, count in cursor.fetchall():
            counts[card_of_correction(cards, municipality_id, day)] += count
    earlier = Correction.objects.filter(municipality_id=municipality_id, month=month, category=category, run__lt=run)
    for row in earlier:
        counts.update(row.by_card)
    return counts
