"""Rate cards as values: prices by category and tier, the terms of a month, and which card holds on a day.

Pure. A municipality's own card comes before the standard one on the days that it covers. Prices may change on any day;
the terms of a month (VAT rate, fees, allowance, discount, minimum, message prices) on the first of a month only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID


class Said(Exception):
    """An error that is a text and what goes into it, so that a page says it in its reader's language."""

    def __init__(self, said: str, **values: object) -> None:
        """Keep both; as text it is English."""
        super().__init__(said.format(**values))
        self.said, self.values = said, values


class NoRateCard(Said):
    """No card covers a day on which something was used."""


class NoRate(Said):
    """A card has no price for a category that was used."""


@dataclass(frozen=True, slots=True)
class Tier:
    """A price, and from which paid conversation of a category in a month on it holds."""

    first: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """What a card says beside its prices, in euros or counts, by category where it is a mapping.

    included: conversations a month that cost nothing. volume: categories in which the month's quantity chooses one
    tier for all; in the others each conversation costs what its own tier says. message_prices: for each message that
    reached its contact; with fair_use only for those above so many times the month's conversations.
    discount: a share of what conversations and messages cost. minimum: of a month's own lines together.
    """

    included: Mapping[str, int] = field(default_factory=dict)
    volume: frozenset[str] = frozenset()
    message_prices: Mapping[str, Decimal] = field(default_factory=dict)
    fair_use: Mapping[str, int] = field(default_factory=dict)
    onboarding_fee: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Card:
    """The prices from `valid_from` on, before `valid_until`, in euros, by category; `tiers`: those above the first."""

    valid_from: date
    vat_rate: Decimal
    platform_fee: Decimal
    prices: Mapping[str, Decimal]
    tiers: Mapping[str, tuple[Tier, ...]] = field(default_factory=dict)
    terms: Terms = Terms()
    valid_until: date | None = None
    municipality_id: UUID | None = None

    @property
    def key(self) -> str:
        """What tells a card apart among those that may price one municipality."""
        return self.valid_from.isoformat() + (" own" if self.municipality_id else "")

    @property
    def of_the_month(self) -> tuple[Decimal, Decimal, Terms]:
        """What may not change within a month."""
        return self.vat_rate, self.platform_fee, self.terms

    def holds_on(self, day: date) -> bool:
        """Return whether the card holds on a day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)

    def tiers_of(self, category: str) -> tuple[Tier, ...]:
        """Return all tiers of a category, the first at 1.  Raises NoRate."""
        if category not in self.prices:
            raise NoRate(
                "the rate card of {day} has no price for {category}: add it to the card's file and load that",
                day=self.valid_from,
                category=category,
            )
        return (Tier(1, self.prices[category]), *self.tiers.get(category, ()))


def cards_for(*, cards: Iterable[Card], municipality_id: UUID) -> list[Card]:
    """Return the cards that may price a municipality: the standard ones and its own."""
    return [card for card in cards if card.municipality_id in (None, municipality_id)]


def card_on(*, cards: Sequence[Card], day: date) -> Card:
    """Return the card that holds on a day: of its own cards, else of the standard ones.  Raises NoRateCard."""
    holding = [card for card in cards if card.holds_on(day)]
    if not holding:
        raise NoRateCard("no rate card is valid on {day}: load one with `manage.py load_rate_card`", day=day)
    return max(holding, key=lambda card: (card.municipality_id is not None, card.valid_from))


def card_at_or_after(*, cards: Sequence[Card], day: date) -> Card:
    """Return the card of a day, or the first one there was where none was yet.

    What came late from before the first card must not hold up every later run.  Raises NoRateCard: a day between two.
    """
    first = min((card.valid_from for card in cards), default=day)
    return card_on(cards=cards, day=max(day, first))
