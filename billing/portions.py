"""Portions: so many conversations of one category, split by what each costs. The order is allowance, then tiers.

Pure. Conversations count in the order of the cards under which they opened: the allowance takes the month's first, and
the tiers count on from card to card, so that a change of prices within a month begins no tier anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.cards import Card, Tier


@dataclass(frozen=True, slots=True)
class Portion:
    """So many conversations of one card at one price.

    skips: how many of the category and card come before these, in order of opening. tier: its first place.
    """

    card: Card
    is_included: bool
    tier: int
    skips: int
    quantity: int
    unit_price: Decimal

    @property
    def price_key(self) -> tuple[str, bool, int, Decimal]:
        """What two portions share that cost the same for the same reason."""
        return self.card.key, self.is_included, self.tier, self.unit_price


def split(*, category: str, used: Sequence[tuple[Card, int]], base: Card) -> list[Portion]:
    """Return the portions of a month's conversations of one category, as they were used card by card.

    base: the card of the month's first day, whose allowance holds.  Raises NoRate: a card has no price for it.
    """
    ordered = sorted(used, key=lambda pair: pair[0].valid_from)
    allowance = base.terms.included.get(category, 0)
    paid_in_all = max(0, sum(quantity for _, quantity in ordered) - allowance)
    portions: list[Portion] = []
    paid = 0
    for card, quantity in ordered:
        tiers = card.tiers_of(category)
        included = min(allowance, quantity)
        if included:
            portions.append(Portion(card, True, 0, 0, included, Decimal(0)))
            allowance -= included
        rest = quantity - included
        if category in card.terms.volume:
            tier = max((tier for tier in tiers if tier.first <= max(1, paid_in_all)), key=lambda tier: tier.first)
            pieces = [(tier, rest)]
        else:
            pieces = _graduated(tiers, paid, rest)
        skips = included
        for tier, count in pieces:
            if count:
                portions.append(Portion(card, False, tier.first, skips, count, tier.price))
                skips += count
        paid += rest
    return portions


def _graduated(tiers: Sequence[Tier], before: int, count: int) -> list[tuple[Tier, int]]:
    """Return how many of the places after `before` fall into each tier."""
    pieces = []
    for place, tier in enumerate(tiers):
        first = max(tier.first - 1, before)
        last = tiers[place + 1].first - 1 if place + 1 < len(tiers) else before + count
        pieces.append((tier, max(0, min(last, before + count) - first)))
    return pieces
