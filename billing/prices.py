"""Loading rate cards, and reading them for rating. What an invoice used is never changed."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.record import Actor, record
from billing.card_files import BadRateCard, parse_card
from billing.cards import Card, NoRateCard, Said, Tier, card_on, cards_for
from billing.closing import hold_off_runs
from billing.models import InvoiceLine, Rate, RateCard
from billing.months import day_of, end_of
from billing.recomputing import last_closed


class UsedRateCard(Said):
    """The card would change what was billed already."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading did: CREATED, CHANGED, or UNCHANGED."""

    card: RateCard
    outcome: str


def all_cards() -> list[Card]:
    """Return all rate cards, the standard ones and municipalities' own, in order of their first day."""
    rates: dict[int, dict[str, list[Tier]]] = {}
    for rate in Rate.objects.order_by("card_id", "category", "from_quantity"):
        tiers = rates.setdefault(rate.card_id, {}).setdefault(rate.category, [])
        tiers.append(Tier(rate.from_quantity, rate.unit_price))
    return [as_value(row=row, rates=rates.get(row.id, {})) for row in RateCard.objects.order_by("valid_from", "id")]


def as_value(*, row: RateCard, rates: dict[str, list[Tier]]) -> Card:
    """Return a stored card, with its tiers by category, as rating takes it."""
    return Card(
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        municipality_id=row.municipality_id,
        vat_rate=row.vat_rate,
        platform_fee=row.platform_fee,
        prices={category: tiers[0].price for category, tiers in rates.items()},
        tiers={category: tuple(tiers[1:]) for category, tiers in rates.items() if len(tiers) > 1},
        terms=row.as_terms(),
    )


@transaction.atomic
def load_card(*, text: str, actor: Actor, at: datetime, municipality_id: UUID | None = None) -> Loaded:
    """Store the card that a file holds, or change the unused one of the same first day; audited, safe to repeat.

    municipality_id: whose own card it is; None: the standard one. It ends the card before it, and ends where the next
    begins.
    Raises BadRateCard: it is none, or would change the terms of a month within it.
    Raises UsedRateCard: invoices used that card otherwise, or the months from its first day on are closed.
    """
    name, card = parse_card(text=text)
    card = replace(card, municipality_id=municipality_id)
    hold_off_runs()
    scope = RateCard.objects.filter(municipality_id=municipality_id)
    stored = scope.filter(valid_from=card.valid_from).first()
    before = _known(card)
    outcome = "UNCHANGED"
    if stored is None:
        _refuse_closed(card)
        stored = _place(name, card)
        outcome = "CREATED"
    elif not _is_same(before, card) or stored.name != name:
        _refuse_used(stored, name, before, card)
        outcome = "CHANGED"
        if not InvoiceLine.objects.filter(card=stored).exists():
            _fill(stored, name, card).save()
            stored.rates.all().delete()
    known = set(stored.rates.values_list("category", flat=True))
    Rate.objects.bulk_create(
        Rate(card=stored, category=category, from_quantity=tier.first, unit_price=tier.price)
        for category in sorted(card.prices)
        if category not in known
        for tier in card.tiers_of(category)
    )
    _refuse_change_within_month()
    details = {"outcome": outcome, "categories": sorted(card.prices)}
    if municipality_id:
        details["municipality"] = str(municipality_id)
    record(action="rate_card.load", actor=actor, at=at, subject=f"rate card {card.valid_from}", details=details)
    return Loaded(stored, outcome)


def schedule_card(*, text: str, actor: Actor, at: datetime, municipality_id: UUID | None = None) -> Loaded:
    """Store a card as `load_card` does, of the future only: what people agree upon begins tomorrow at the earliest.

    Raises BadRateCard, UsedRateCard.
    """
    _, card = parse_card(text=text)
    if card.valid_from <= day_of(moment=at):
        raise UsedRateCard("prices change for the future only: choose a first day after today")
    return load_card(text=text, actor=actor, at=at, municipality_id=municipality_id)


def _known(card: Card) -> Card | None:
    """Return the card that is stored with the same first day for the same municipality."""
    same = (card.valid_from, card.municipality_id)
    return next((known for known in all_cards() if (known.valid_from, known.municipality_id) == same), None)


def _is_same(before: Card | None, card: Card) -> bool:
    """Return whether a file says what is stored; of its last day only where it names one."""
    return before is not None and (
        before == card or (card.valid_until is None and replace(before, valid_until=None) == card)
    )


def _fill(row: RateCard, name: str, card: Card) -> RateCard:
    row.name, row.vat_rate, row.platform_fee = name, card.vat_rate, card.platform_fee
    row.set_terms(card.terms)
    return row


def _place(name: str, card: Card) -> RateCard:
    """Put a card among those of its scope: it ends the one before it, and the next ends it."""
    scope = RateCard.objects.filter(municipality_id=card.municipality_id)
    following = scope.filter(valid_from__gt=card.valid_from).order_by("valid_from").first()
    ends = [day for day in (card.valid_until, following.valid_from if following else None) if day is not None]
    scope.filter(Q(valid_until=None) | Q(valid_until__gt=card.valid_from), valid_from__lt=card.valid_from).update(
        valid_until=card.valid_from
    )
    row = RateCard(
        municipality_id=card.municipality_id, valid_from=card.valid_from, valid_until=min(ends, default=None)
    )
    row = _fill(row, name, card)
    row.save()
    return row


def _refuse_closed(card: Card) -> None:
    """Refuse a card that would have priced conversations of closed months."""
    closed = last_closed()
    if closed and card.valid_from < day_of(moment=end_of(month=closed)):
        raise UsedRateCard("{month} is closed: a new card begins after it", month=f"{closed:%Y-%m}")


def _refuse_used(stored: RateCard, name: str, before: Card | None, card: Card) -> None:
    """Refuse to change a used card, except by prices for categories that had none."""
    if before is None or not InvoiceLine.objects.filter(card=stored).exists():
        return
    kept = {category: card.tiers_of(category) for category in before.prices if category in card.prices}
    same = (*before.of_the_month, stored.name) == (*card.of_the_month, name)
    if not same or kept != {category: before.tiers_of(category) for category in before.prices}:
        raise UsedRateCard(
            "the rate card of {day} was used in invoices: load another with a later first day; only a category"
            " without a price may still get one",
            day=card.valid_from,
        )


def _refuse_change_within_month() -> None:
    """Refuse cards among which the terms of a month change in the middle of it, for anybody."""
    cards = all_cards()
    owners = {card.municipality_id for card in cards}
    for owner in owners:
        of_owner = (
            cards_for(cards=cards, municipality_id=owner)
            if owner
            else [card for card in cards if card.municipality_id is None]
        )
        edges = {card.valid_from for card in of_owner} | {card.valid_until for card in of_owner if card.valid_until}
        for day in sorted(edges):
            try:
                base, now = card_on(cards=of_owner, day=day.replace(day=1)), card_on(cards=of_owner, day=day)
            except NoRateCard:
                continue
            if base.of_the_month != now.of_the_month:
                raise BadRateCard(
                    "VAT rate, platform fee or other terms of a month would change on {day}: they change on the"
                    " first of a month only",
                    day=day,
                )
