"""Rating: usage and rate cards become the lines and totals of an invoice.

Pure: no database, no clock. A conversation costs what the card of its opening day (in Amsterdam) says. Each line is
rounded to cents once, half up; VAT is taken once, on the sum. Platform fee and VAT rate are those of the card of the
month's first day: within a month neither changes (billing/rate_cards.py sees to it).
"""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256

MONTHS_NL = (
    "januari februari maart april mei juni juli augustus september oktober november december".split()  # noqa: SIM905
)
CENT = Decimal("0.01")


class NoRateCard(Exception):
    """No card covers a day on which something was used."""


class NoRate(Exception):
    """A card has no price for a category that was used."""


@dataclass(frozen=True, slots=True)
class Card:
    """The prices from `valid_from` on, in euros, by category."""

    valid_from: date
    vat_rate: Decimal
    platform_fee: Decimal
    prices: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Usage:
    """So many conversations of a category opened on a day."""

    day: date
    category: str
    quantity: int


@dataclass(frozen=True, slots=True)
class CorrectedUsage:
    """So many more or fewer conversations of a category in a closed month, at the prices of one card."""

    month: date
    card: date
    category: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line: quantity at a price. `card` is the rate card's first day."""

    kind: str
    month: date
    card: date
    category: str
    description: str
    quantity: int
    unit_price: Decimal
    net_cents: int


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines and totals of one invoice."""

    lines: tuple[Line, ...]
    vat_rate: Decimal
    net_cents: int
    vat_cents: int

    @property
    def total_cents(self) -> int:
        """Net and VAT together."""
        return self.net_cents + self.vat_cents

    @property
    def lines_hash(self) -> str:
        """SHA-256, as hex, over the canonical JSON of everything on the bill: equal bills have equal hashes."""
        content = {**asdict(self), "total_cents": self.total_cents}
        return sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()


def card_on(*, cards: Sequence[Card], day: date) -> Card:
    """Return the card that is valid on a day; cards in order of `valid_from`.  Raises NoRateCard: none is yet."""
    place = bisect_right(cards, day, key=lambda card: card.valid_from)
    if place == 0:
        raise NoRateCard(f"no rate card is valid on {day}: load one with `manage.py load_rate_card`")
    return cards[place - 1]


def bill(*, period: date, usage: Iterable[Usage], corrections: Iterable[CorrectedUsage], cards: Sequence[Card]) -> Bill:
    """Return the bill of one municipality for one month.

    Lines: conversations by card and category, corrections by closed month, card and category, the platform fee.
    Raises NoRateCard: a day is not covered. Raises NoRate: a category that was used has no price.
    """
    by_first_day = {card.valid_from: card for card in cards}
    used: Counter[tuple[date, str]] = Counter()
    for entry in usage:
        used[card_on(cards=cards, day=entry.day).valid_from, entry.category] += entry.quantity
    corrected: Counter[tuple[date, date, str]] = Counter()
    for change in corrections:
        corrected[change.month, change.card, change.category] += change.quantity
    base = card_on(cards=cards, day=period)
    lines = [
        _conversations(by_first_day[first_day], period, category, quantity)
        for (first_day, category), quantity in sorted(used.items())
        if quantity
    ]
    lines += [
        _correction(by_first_day[first_day], month, category, quantity)
        for (month, first_day, category), quantity in sorted(corrected.items())
        if quantity
    ]
    lines.append(_line("PLATFORM_FEE", period, base, "", f"Platform, {_month_nl(period)}", 1, base.platform_fee))
    net_cents = sum(line.net_cents for line in lines)
    return Bill(
        lines=tuple(lines),
        vat_rate=base.vat_rate,
        net_cents=net_cents,
        vat_cents=_cents(Decimal(net_cents) / 100 * base.vat_rate),
    )


def _conversations(card: Card, month: date, category: str, quantity: int) -> Line:
    text = f"Conversaties {_what_nl(card, month, category)}"
    return _line("CONVERSATIONS", month, card, category, text, quantity, _price(card, category))


def _correction(card: Card, month: date, category: str, quantity: int) -> Line:
    text = f"Correctie conversaties {_what_nl(card, month, category)}"
    return _line("CORRECTION", month, card, category, text, quantity, _price(card, category))


def _line(
    kind: str, month: date, card: Card, category: str, description: str, quantity: int, unit_price: Decimal
) -> Line:
    price = unit_price.quantize(Decimal("0.000001"))
    return Line(kind, month, card.valid_from, category, description, quantity, price, _cents(quantity * price))


def _price(card: Card, category: str) -> Decimal:
    try:
        return card.prices[category]
    except KeyError:
        raise NoRate(
            f"the rate card of {card.valid_from} has no price for {category}: add it to the card's file and load that"
        ) from None


def _cents(euros: Decimal) -> int:
    """Return an amount in cents, a half rounded away from zero."""
    return int(euros.quantize(CENT, rounding=ROUND_HALF_UP).scaleb(2))


def _what_nl(card: Card, month: date, category: str) -> str:
    words = category.lower().replace("_", " ")
    return f"{words}, {_month_nl(month)} (tarief vanaf {_day_nl(card.valid_from)})"


def _month_nl(month: date) -> str:
    return f"{MONTHS_NL[month.month - 1]} {month.year}"


def _day_nl(day: date) -> str:
    return f"{day.day} {_month_nl(day)}"
