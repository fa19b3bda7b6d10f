"""Rating: usage and rate cards become the lines and totals of an invoice.

Pure: no database, no clock. The order is fixed: allowance, tiers, discount, minimum, rounding, VAT. A conversation
costs what the card of its opening day (in Amsterdam) says. Each line is rounded to cents once, half up; VAT is taken
once for each rate, on the sum. The discount is taken of amounts before rounding; the minimum is compared with the lines
as they are printed, so that an invoice at its minimum adds up to exactly that.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256

from billing.cards import Card, card_at_or_after, card_on
from billing.portions import Portion, split
from billing.wording import correction_nl, included_nl, month_nl, usage_nl

CENT = Decimal("0.01")
MICRO = Decimal("0.000001")
OF_USAGE = ("CONVERSATIONS", "INCLUDED", "MESSAGES")  # what a discount is taken of


@dataclass(frozen=True, slots=True)
class Usage:
    """So many conversations of a category opened on a day."""

    day: date
    category: str
    quantity: int


@dataclass(frozen=True, slots=True)
class CorrectedUsage:
    """So many more or fewer conversations of a category in a closed month, at the prices of one card, by its key."""

    month: date
    card: str
    category: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An amount that a person booked, with what it is for."""

    month: date
    description: str
    net_cents: int


@dataclass(frozen=True, slots=True)
class Extras:
    """What a bill may hold beside conversations.

    messages: by category, for the terms that price them. billed: what a corrected month and category had before, by
    card, so that its tiers are known. is_first: the month in which the municipality came.
    """

    messages: Mapping[str, int] = field(default_factory=dict)
    billed: Mapping[tuple[date, str], Mapping[str, int]] = field(default_factory=dict)
    adjustments: Sequence[Adjusted] = ()
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line: quantity at a price. `card` is the rate card's key; skips: see billing/portions.py."""

    kind: str
    month: date
    card: str
    category: str
    description: str
    quantity: int
    unit_price: Decimal
    net_cents: int
    vat_rate: Decimal
    skips: int = 0


@dataclass(frozen=True, slots=True)
class Vat:
    """The VAT of all lines of one rate."""

    rate: Decimal
    net_cents: int
    vat_cents: int


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines and totals of one invoice. vat_rate: that of its own month."""

    lines: tuple[Line, ...]
    vat_rate: Decimal
    vat: tuple[Vat, ...]

    @property
    def net_cents(self) -> int:
        """All lines together."""
        return sum(line.net_cents for line in self.lines)

    @property
    def vat_cents(self) -> int:
        """The VAT of all rates."""
        return sum(each.vat_cents for each in self.vat)

    @property
    def total_cents(self) -> int:
        """Net and VAT together."""
        return self.net_cents + self.vat_cents

    @property
    def lines_hash(self) -> str:
        """SHA-256, as hex, over the canonical JSON of everything on the bill: equal bills have equal hashes."""
        content = {**asdict(self), "total_cents": self.total_cents}
        return sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()


def bill(
    *,
    period: date,
    usage: Iterable[Usage],
    corrections: Iterable[CorrectedUsage],
    cards: Sequence[Card],
    extras: Extras | None = None,
) -> Bill:
    """Return the bill of one municipality for one month; cards: those that may price it.

    Lines: conversations by card, category and tier; messages; corrections of closed months; platform and onboarding
    fee; discount; minimum; what people booked.
    Raises NoRateCard: a day is not covered. Raises NoRate: a category that was used has no price.
    """
    extras = extras or Extras()
    base = card_on(cards=cards, day=period)
    used = _by_category(usage, cards)
    own = [*_conversations(period, used, base), *_messages(period, used, base, extras.messages)]
    own += [_line("PLATFORM_FEE", period, base, f"Platform, {month_nl(period)}", base.platform_fee)]
    if extras.is_first and base.terms.onboarding_fee:
        own.append(_line("ONBOARDING_FEE", period, base, "Aansluiting, eenmalig", base.terms.onboarding_fee))
    own += _discount(period, own, base)
    own += _minimum(period, own, base)
    corrected = list(_corrections(corrections, cards, extras.billed))
    usage_lines = [line for line in own if line.kind in OF_USAGE]
    others = [line for line in own if line.kind not in OF_USAGE]
    booked = [
        _line("ADJUSTMENT", each.month, base, each.description, Decimal(each.net_cents) / 100)
        for each in extras.adjustments
    ]
    lines = (*usage_lines, *corrected, *others, *booked)
    return Bill(lines=lines, vat_rate=base.vat_rate, vat=vat_of(lines=lines))


def vat_of(*, lines: Iterable[Line]) -> tuple[Vat, ...]:
    """Return the VAT of lines: once for each rate, on the sum, in order of rate."""
    sums: Counter[Decimal] = Counter()
    for line in lines:
        sums[line.vat_rate] += line.net_cents
    return tuple(Vat(rate, sums[rate], in_cents(euros=Decimal(sums[rate]) / 100 * rate)) for rate in sorted(sums))


def in_cents(*, euros: Decimal) -> int:
    """Return an amount in cents, a half rounded away from zero."""
    return int(euros.quantize(CENT, rounding=ROUND_HALF_UP).scaleb(2))


def _by_category(usage: Iterable[Usage], cards: Sequence[Card]) -> dict[str, dict[str, tuple[Card, int]]]:
    """Return what was used, by category and the key of the card of its day."""
    of_day: dict[date, Card] = {}
    used: dict[str, dict[str, tuple[Card, int]]] = {}
    for entry in usage:
        if entry.day not in of_day:
            of_day[entry.day] = card_on(cards=cards, day=entry.day)
        card = of_day[entry.day]
        by_card = used.setdefault(entry.category, {})
        by_card[card.key] = (card, by_card.get(card.key, (card, 0))[1] + entry.quantity)
    return used


def _conversations(period: date, used: Mapping[str, Mapping[str, tuple[Card, int]]], base: Card) -> list[Line]:
    """Return a line for each portion, in order of card, category and tier."""
    found = [
        (category, portion)
        for category, by_card in used.items()
        for portion in split(category=category, used=list(by_card.values()), base=base)
    ]
    found.sort(key=lambda pair: (pair[1].card.valid_from, pair[0], pair[1].skips))
    lines = []
    for category, portion in found:
        if portion.is_included:
            kind, text = "INCLUDED", included_nl(card=portion.card, month=period, category=category)
        else:
            text = usage_nl(card=portion.card, month=period, category=category, tier=portion.tier)
            kind = "CONVERSATIONS"
        lines.append(_priced(kind, period, portion, category, text, portion.quantity, base.vat_rate, portion.skips))
    return lines


def _messages(
    period: date, used: Mapping[str, Mapping[str, tuple[Card, int]]], base: Card, messages: Mapping[str, int]
) -> list[Line]:
    """Return a line for each category whose messages cost something, above what is fair use."""
    lines = []
    for category, price in sorted(base.terms.message_prices.items()):
        conversations = sum(quantity for _, quantity in used.get(category, {}).values())
        counted = messages.get(category, 0) - base.terms.fair_use.get(category, 0) * conversations
        if counted > 0:
            words = category.lower().replace("_", " ")
            text = f"Berichten {words}, {month_nl(period)}"
            if category in base.terms.fair_use:
                text += f" (boven {base.terms.fair_use[category]} per conversatie)"
            lines.append(_line("MESSAGES", period, base, text, price, quantity=counted, category=category))
    return lines


def _corrections(
    corrections: Iterable[CorrectedUsage],
    cards: Sequence[Card],
    billed: Mapping[tuple[date, str], Mapping[str, int]],
) -> Iterable[Line]:
    """Return what changes in the prices of closed months: their portions with the change, less those without it."""
    changes: dict[tuple[date, str], Counter[str]] = {}
    for change in corrections:
        changes.setdefault((change.month, change.category), Counter())[change.card] += change.quantity
    by_key = {card.key: card for card in cards}
    lines: list[tuple[tuple[date, date, str, bool, int], Line]] = []
    for (month, category), by_card in changes.items():
        base = card_at_or_after(cards=cards, day=month)
        before = Counter(billed.get((month, category), {}))
        for key, quantity in by_card.items():
            # No more is taken back than was billed.
            before[key] = max(before[key], -quantity)
        after = Counter({key: before[key] + by_card[key] for key in before.keys() | by_card.keys()})
        moved: Counter[tuple[str, bool, int, Decimal]] = Counter()
        portions: dict[tuple[str, bool, int, Decimal], Portion] = {}
        for sign, counts in ((1, after), (-1, before)):
            pairs = [(by_key[key], quantity) for key, quantity in counts.items() if quantity]
            for portion in split(category=category, used=pairs, base=base):
                moved[portion.price_key] += sign * portion.quantity
                portions[portion.price_key] = portion
        for price_key, quantity in moved.items():
            if quantity:
                portion = portions[price_key]
                text = correction_nl(card=portion.card, month=month, category=category, portion_tier=portion.tier)
                line = _priced("CORRECTION", month, portion, category, text, quantity, base.vat_rate, 0)
                order = (month, portion.card.valid_from, category, not portion.is_included, portion.tier)
                lines.append((order, line))
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])]


def _discount(period: date, own: Iterable[Line], base: Card) -> list[Line]:
    """Return the discount on what was used, of the amounts before rounding."""
    used = sum((line.quantity * line.unit_price for line in own if line.kind in OF_USAGE), Decimal(0))
    amount = -(used * base.terms.discount).quantize(MICRO, rounding=ROUND_HALF_UP)
    if not amount:
        return []
    share = f"{(base.terms.discount * 100).normalize():f}".replace(".", ",")
    return [_line("DISCOUNT", period, base, f"Korting op verbruik, {share}%", amount)]


def _minimum(period: date, own: Iterable[Line], base: Card) -> list[Line]:
    """Return what lacks of the minimum of a month; a one-off fee does not count towards it."""
    charged = Decimal(sum(line.net_cents for line in own if line.kind != "ONBOARDING_FEE")) / 100
    lacking = base.terms.minimum - charged
    if in_cents(euros=lacking) <= 0:
        return []
    return [_line("MINIMUM", period, base, f"Aanvulling tot het minimum, {month_nl(period)}", lacking)]


def _priced(
    kind: str, month: date, portion: Portion, category: str, text: str, quantity: int, vat_rate: Decimal, skips: int
) -> Line:
    price = portion.unit_price.quantize(MICRO)
    net_cents = in_cents(euros=quantity * price)
    return Line(kind, month, portion.card.key, category, text, quantity, price, net_cents, vat_rate, skips)


def _line(
    kind: str, month: date, card: Card, text: str, price: Decimal, *, quantity: int = 1, category: str = ""
) -> Line:
    price = price.quantize(MICRO)
    return Line(kind, month, card.key, category, text, quantity, price, in_cents(euros=quantity * price), card.vat_rate)
