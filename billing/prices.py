"""Loading rate cards, and reading them for rating. What an invoice used is never changed."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction

from audit.record import Actor, record
from billing.closing import hold_off_runs
from billing.conversations import normal_category
from billing.models import InvoiceLine, Rate, RateCard
from billing.months import day_of, end_of
from billing.rating import Card, NoRateCard, card_on
from billing.recomputing import last_closed

KEYS = {"name", "valid_from", "currency", "vat_rate", "platform_fee", "prices"}
PLACES = 6
LARGEST = Decimal(100_000)


class BadRateCard(ValueError):
    """The file holds no rate card; the text says what is wrong with it."""


class UsedRateCard(Exception):
    """The card would change what was billed already."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading did: CREATED, CHANGED, or UNCHANGED."""

    card: RateCard
    outcome: str


def all_cards() -> list[Card]:
    """Return all rate cards in order of their first day."""
    prices: dict[int, dict[str, Decimal]] = {}
    for rate in Rate.objects.all():
        prices.setdefault(rate.card_id, {})[rate.category] = rate.unit_price
    return [
        Card(card.valid_from, card.vat_rate, card.platform_fee, prices.get(card.id, {}))
        for card in RateCard.objects.order_by("valid_from")
    ]


def parse_card(*, text: str) -> tuple[str, Card]:
    """Return a card and its name from its file's text (billing/rate_cards/README.md).  Raises BadRateCard."""
    try:
        # No number becomes a float: 0.1 has to stay what was written.
        content = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError) as error:
        raise BadRateCard("it is not JSON") from error
    if not isinstance(content, dict) or set(content) != KEYS:
        raise BadRateCard(f"it must hold exactly these keys: {', '.join(sorted(KEYS))}")
    name, prices = content["name"], content["prices"]
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise BadRateCard("name must be a text of 1 to 100 characters")
    if content["currency"] != "EUR":
        raise BadRateCard("currency must be EUR")
    if not isinstance(prices, dict) or not prices:
        raise BadRateCard("prices must hold a price for each category")
    for category in prices:
        if category != normal_category(category=category) or not category.isidentifier():
            raise BadRateCard(f"prices: {category!r} is not written as a category, such as UTILITY")
    vat_rate = _amount("vat_rate", content["vat_rate"], places=4)
    if vat_rate >= 1:
        raise BadRateCard("vat_rate: write 21% as 0.21")
    return name, Card(
        valid_from=_day(content["valid_from"]),
        vat_rate=vat_rate,
        platform_fee=_amount("platform_fee", content["platform_fee"], places=PLACES),
        prices={category: _amount(category, price, places=PLACES) for category, price in prices.items()},
    )


@transaction.atomic
def load_card(*, text: str, actor: Actor, at: datetime) -> Loaded:
    """Store the card that a file holds, or change the unused one of the same first day; audited, safe to repeat.

    Raises BadRateCard: it is none, or would change VAT rate or platform fee within a month.
    Raises UsedRateCard: invoices used that card otherwise, or the months from its first day on are closed.
    """
    name, card = parse_card(text=text)
    hold_off_runs()
    stored = RateCard.objects.filter(valid_from=card.valid_from).first()
    before = next((known for known in all_cards() if known.valid_from == card.valid_from), None)
    outcome = "UNCHANGED"
    if stored is None:
        _refuse_closed(card)
        stored = RateCard.objects.create(
            name=name, valid_from=card.valid_from, vat_rate=card.vat_rate, platform_fee=card.platform_fee
        )
        outcome = "CREATED"
    elif before != card or stored.name != name:
        _refuse_used(stored, name, before, card)
        outcome = "CHANGED"
        if not InvoiceLine.objects.filter(card=stored).exists():
            stored.name, stored.vat_rate, stored.platform_fee = name, card.vat_rate, card.platform_fee
            stored.save()
            stored.rates.all().delete()
    known = set(stored.rates.values_list("category", flat=True))
    Rate.objects.bulk_create(
        Rate(card=stored, category=category, unit_price=price)
        for category, price in sorted(card.prices.items())
        if category not in known
    )
    _refuse_change_within_month()
    details = {"outcome": outcome, "categories": sorted(card.prices)}
    record(action="rate_card.load", actor=actor, at=at, subject=f"rate card {card.valid_from}", details=details)
    return Loaded(stored, outcome)


def _refuse_closed(card: Card) -> None:
    """Refuse a card that would have priced conversations of closed months."""
    closed = last_closed()
    if closed and card.valid_from < day_of(moment=end_of(month=closed)):
        raise UsedRateCard(f"{closed:%Y-%m} is closed: a new card begins after it")


def _refuse_used(stored: RateCard, name: str, before: Card | None, card: Card) -> None:
    """Refuse to change a used card, except by prices for categories that had none."""
    if before is None or not InvoiceLine.objects.filter(card=stored).exists():
        return
    kept = {category: card.prices.get(category) for category in before.prices}
    same = (before.vat_rate, before.platform_fee, stored.name) == (card.vat_rate, card.platform_fee, name)
    if not same or kept != before.prices:
        raise UsedRateCard(
            f"the rate card of {card.valid_from} was used in invoices: load another with a later first day; "
            "only a category without a price may still get one"
        )


def _refuse_change_within_month() -> None:
    """Refuse cards among which VAT rate or platform fee changes in the middle of a month."""
    cards = all_cards()
    for card in cards:
        try:
            base = card_on(cards=cards, day=card.valid_from.replace(day=1))
        except NoRateCard:
            continue
        if (base.vat_rate, base.platform_fee) != (card.vat_rate, card.platform_fee):
            raise BadRateCard(
                f"VAT rate or platform fee would change on {card.valid_from}: they change on the first of a month only"
            )


def _amount(name: str, value: Any, *, places: int) -> Decimal:
    try:
        amount = Decimal(value) if isinstance(value, str | Decimal) else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or not 0 <= amount < LARGEST:
        raise BadRateCard(f'{name} must be an amount of zero or more, such as "0.0625"')
    rounded = amount.quantize(Decimal(1).scaleb(-places))
    if rounded != amount:
        raise BadRateCard(f"{name} has more than {places} decimals")
    return rounded


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise BadRateCard("valid_from must be a day, such as 2026-01-01") from error
