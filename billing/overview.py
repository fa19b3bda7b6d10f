"""What finance looks at beside invoices: the month so far, by day, what changed since the last, what prices would do.

Reads only. What a month comes to so far is made by the function that makes its invoices.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Count, Sum

from billing.cards import Card, NoRate, NoRateCard, cards_for
from billing.gathering import gather
from billing.models import Conversation, Invoice
from billing.months import month_of, next_month, previous_month
from billing.prices import all_cards
from billing.recomputing import last_closed
from tenants.models import Municipality


@dataclass(frozen=True, slots=True)
class SoFar:
    """One municipality's month until now; net_cents None: something that was used has no price."""

    municipality: Municipality
    conversations: int
    net_cents: int | None
    last_month_cents: int | None


@dataclass(frozen=True, slots=True)
class MonthSoFar:
    """A month until now, of all."""

    month: date
    rows: tuple[SoFar, ...]
    conversations: int
    net_cents: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many conversations opened on a day."""

    day: date
    count: int


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of line beside that of the month before; None: there was no such line."""

    kind: str
    category: str
    quantity: int | None
    net_cents: int | None
    before_quantity: int | None
    before_net_cents: int | None

    @property
    def difference_cents(self) -> int:
        """What it comes to more, or less."""
        return (self.net_cents or 0) - (self.before_net_cents or 0)


@dataclass(frozen=True, slots=True)
class Previewed:
    """What one municipality's month came to, and would have come to with another card."""

    municipality: str
    before_cents: int | None
    after_cents: int | None


def month_so_far(*, at: datetime) -> MonthSoFar:
    """Return what the running month comes to until now, by municipality."""
    month = month_of(moment=at)
    cards = all_cards()
    closed = last_closed()
    found = gather(month=month, cards=cards, closed=closed is not None and month <= closed)
    before = dict(
        Invoice.objects.filter(period=previous_month(month=month), kind=Invoice.Kind.USAGE).values_list(
            "municipality_id", "net_cents"
        )
    )
    rows = []
    for municipality in Municipality.objects.filter(id__in=found.keys()).order_by("name"):
        gathered = found[municipality.id]
        net_cents: int | None
        try:
            of = cards_for(cards=cards, municipality_id=municipality.id)
            net_cents = gathered.bill(period=month, cards=of).net_cents
        except (NoRateCard, NoRate):
            net_cents = None
        conversations = sum(entry.quantity for entry in gathered.usage)
        rows.append(SoFar(municipality, conversations, net_cents, before.get(municipality.id)))
    return MonthSoFar(
        month=month,
        rows=tuple(rows),
        conversations=sum(row.conversations for row in rows),
        net_cents=sum(row.net_cents or 0 for row in rows),
    )


def by_day(*, month: date, municipality_id: UUID | None = None) -> tuple[DayCount, ...]:
    """Return how many conversations opened on each day of a month, also where none did."""
    chosen = Conversation.objects.filter(month=month)
    if municipality_id is not None:
        chosen = chosen.filter(municipality_id=municipality_id)
    counts = dict(chosen.values_list("opened_date").annotate(Count("id")))
    days = (next_month(month=month) - month).days
    each = (month + timedelta(days=number) for number in range(days))
    return tuple(DayCount(day, counts.get(day, 0)) for day in each)


def changes(*, invoice: Invoice) -> tuple[Change, ...]:
    """Return an invoice's kinds of lines beside those of the municipality's invoice of the month before."""
    earlier = Invoice.objects.filter(
        municipality_id=invoice.municipality_id,
        kind=Invoice.Kind.USAGE,
        period=previous_month(month=invoice.period),
    ).first()
    now, before = _by_kind(invoice), _by_kind(earlier)
    found = []
    for kind, category in sorted(now.keys() | before.keys()):
        of_now, of_before = now.get((kind, category)), before.get((kind, category))
        found.append(
            Change(
                kind,
                category,
                of_now[0] if of_now else None,
                of_now[1] if of_now else None,
                of_before[0] if of_before else None,
                of_before[1] if of_before else None,
            )
        )
    return tuple(found) if earlier is not None else ()


def preview(*, card: Card, at: datetime) -> tuple[date, tuple[Previewed, ...]]:
    """Return what last month came to, and would have with this card on all its days, for those whose card it is.

    Nothing is stored.  Raises NoRateCard, NoRate: last month used what the card does not price.
    """
    month = previous_month(month=month_of(moment=at))
    cards = all_cards()
    trial = Card(
        valid_from=month,
        valid_until=next_month(month=month),
        municipality_id=card.municipality_id,
        vat_rate=card.vat_rate,
        platform_fee=card.platform_fee,
        prices=card.prices,
        tiers=card.tiers,
        terms=card.terms,
    )
    others = [each for each in cards if each.municipality_id != card.municipality_id]
    closed = last_closed()
    found = gather(month=month, cards=cards, closed=closed is not None and month <= closed)
    names = dict(Municipality.objects.values_list("id", "name"))
    rows = []
    for municipality_id, gathered in found.items():
        if card.municipality_id not in (None, municipality_id):
            continue
        gathered.corrections, gathered.billed = [], {}
        before: int | None
        try:
            of = cards_for(cards=cards, municipality_id=municipality_id)
            before = gathered.bill(period=month, cards=of).net_cents
        except (NoRateCard, NoRate):
            before = None
        of = cards_for(cards=[*others, trial], municipality_id=municipality_id)
        rows.append(Previewed(names.get(municipality_id, ""), before, gathered.bill(period=month, cards=of).net_cents))
    return month, tuple(sorted(rows, key=lambda row: row.municipality))


def _by_kind(invoice: Invoice | None) -> dict[tuple[str, str], tuple[int, int]]:
    if invoice is None:
        return {}
    sums = invoice.lines.values_list("kind", "category").annotate(Sum("quantity"), Sum("net_cents"))
    counted: Counter[tuple[str, str]] = Counter()
    net: Counter[tuple[str, str]] = Counter()
    for kind, category, quantity, net_cents in sums:
        counted[kind, category] += quantity
        net[kind, category] += net_cents
    return {key: (counted[key], net[key]) for key in counted}
