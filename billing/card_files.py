"""A rate card as a file of JSON, read and written (billing/rate_cards/README.md says what may stand in it). Pure."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from billing.cards import Card, Said, Terms, Tier
from billing.conversations import normal_category

KEYS = {"name", "valid_from", "currency", "vat_rate", "platform_fee", "prices"}
MAY_HOLD = {
    *("valid_until", "included", "volume", "message_prices", "fair_use", "onboarding_fee", "discount", "minimum"),
}
PLACES = 6
LARGEST = Decimal(100_000)
MOST_CONVERSATIONS = 100_000_000


class BadRateCard(Said, ValueError):
    """The file holds no rate card; the text says what is wrong with it."""


def parse_card(*, text: str) -> tuple[str, Card]:
    """Return a card and its name from its file's text.  Raises BadRateCard."""
    content = _content(text)
    name, prices = content["name"], content["prices"]
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise BadRateCard("name must be a text of 1 to 100 characters")
    if content["currency"] != "EUR":
        raise BadRateCard("currency must be EUR")
    if not isinstance(prices, dict) or not prices:
        raise BadRateCard("prices must hold a price for each category")
    tiers = {
        category: _tiers(category, given) for category, given in prices.items() if _is_category("prices", category)
    }
    valid_from = _day("valid_from", content["valid_from"])
    valid_until = _day("valid_until", content["valid_until"]) if content.get("valid_until") else None
    if valid_until is not None and valid_until <= valid_from:
        raise BadRateCard("valid_until must be a day after valid_from")
    return name, Card(
        valid_from=valid_from,
        valid_until=valid_until,
        vat_rate=_share("vat_rate", content["vat_rate"]),
        platform_fee=_amount("platform_fee", content["platform_fee"], places=PLACES),
        prices={category: of[0].price for category, of in tiers.items()},
        tiers={category: of[1:] for category, of in tiers.items() if len(of) > 1},
        terms=_terms(content, tiers),
    )


def as_file(*, name: str, card: Card) -> str:
    """Return a card as the text of its file: reading it gives the same card."""
    prices: dict[str, Any] = {}
    for category in sorted(card.prices):
        of = card.tiers_of(category)
        steps = [{"from": tier.first, "price": f"{tier.price:f}"} for tier in of]
        prices[category] = steps if len(of) > 1 else f"{of[0].price:f}"
    terms = card.terms
    content: dict[str, Any] = {
        "name": name,
        "valid_from": card.valid_from.isoformat(),
        "valid_until": card.valid_until.isoformat() if card.valid_until else None,
        "currency": "EUR",
        "vat_rate": f"{card.vat_rate:f}",
        "platform_fee": f"{card.platform_fee:f}",
        "prices": prices,
        "included": dict(terms.included),
        "volume": sorted(terms.volume),
        "message_prices": {category: f"{price:f}" for category, price in sorted(terms.message_prices.items())},
        "fair_use": dict(terms.fair_use),
        "onboarding_fee": f"{terms.onboarding_fee:f}" if terms.onboarding_fee else None,
        "discount": f"{terms.discount:f}" if terms.discount else None,
        "minimum": f"{terms.minimum:f}" if terms.minimum else None,
    }
    return json.dumps({key: value for key, value in content.items() if value}, indent=2, ensure_ascii=False)


def amount_of(name: str, value: Any) -> Decimal:
    """Return an amount in euros with at most 6 decimals, as files write it.  Raises BadRateCard."""
    return _amount(name, value, places=PLACES)


def day_in(name: str, value: Any) -> date:
    """Return a day, as files write it.  Raises BadRateCard."""
    return _day(name, value)


def _content(text: str) -> dict[str, Any]:
    try:
        # No number becomes a float: 0.1 has to stay what was written.
        content = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError) as error:
        raise BadRateCard("it is not JSON") from error
    if not isinstance(content, dict) or not KEYS <= set(content) <= KEYS | MAY_HOLD:
        raise BadRateCard(
            "it must hold exactly these keys: {keys}; and may hold: {others}",
            keys=", ".join(sorted(KEYS)),
            others=", ".join(sorted(MAY_HOLD)),
        )
    return content


def _terms(content: Mapping[str, Any], tiers: Mapping[str, tuple[Tier, ...]]) -> Terms:
    volume = content.get("volume") or []
    if not isinstance(volume, list) or not all(isinstance(each, str) and each in tiers for each in volume):
        raise BadRateCard("volume must be a list of categories that have prices")
    included = _counts("included", content)
    if unknown := set(included) - set(tiers):
        raise BadRateCard("included: {category} has no price", category=min(unknown))
    prices = content.get("message_prices") or {}
    if not isinstance(prices, dict):
        raise BadRateCard("message_prices must hold a price for each category")
    fair_use = _counts("fair_use", content)
    if unknown := set(fair_use) - set(prices):
        raise BadRateCard("fair_use: {category} has no price in message_prices", category=min(unknown))
    return Terms(
        included=included,
        volume=frozenset(volume),
        message_prices={
            category: _amount(f"message_prices: {category}", price, places=PLACES)
            for category, price in prices.items()
            if _is_category("message_prices", category)
        },
        fair_use=fair_use,
        onboarding_fee=_amount("onboarding_fee", content.get("onboarding_fee") or "0", places=2),
        discount=_share("discount", content.get("discount") or "0"),
        minimum=_amount("minimum", content.get("minimum") or "0", places=2),
    )


def _tiers(category: str, given: Any) -> tuple[Tier, ...]:
    """Return a category's tiers from a price, or from a list of {from, price} that begins at 1 and goes up."""
    if not isinstance(given, list):
        return (Tier(1, _amount(category, given, places=PLACES)),)
    tiers = []
    for step in given:
        if not isinstance(step, dict) or set(step) != {"from", "price"}:
            raise BadRateCard("{category}: each tier must hold from and price", category=category)
        tiers.append(Tier(_count(f"{category}: from", step["from"]), _amount(category, step["price"], places=PLACES)))
    firsts = [tier.first for tier in tiers]
    if not tiers or firsts[0] != 1 or firsts != sorted(set(firsts)):
        raise BadRateCard("{category}: the tiers must begin at 1 and go up", category=category)
    return tuple(tiers)


def _is_category(where: str, category: str) -> bool:
    if category != normal_category(category=category) or not category.isidentifier() or not category.isascii():
        raise BadRateCard(
            "{where}: '{category}' is not written as a category, such as UTILITY", where=where, category=category
        )
    return True


def _counts(name: str, content: Mapping[str, Any]) -> dict[str, int]:
    given = content.get(name) or {}
    if not isinstance(given, dict):
        raise BadRateCard("{name} must hold a whole number for each category", name=name)
    counts = {category: _count(f"{name}: {category}", count) for category, count in given.items()}
    return {category: count for category, count in sorted(counts.items()) if count and _is_category(name, category)}


def _count(name: str, value: Any) -> int:
    is_whole = isinstance(value, Decimal) and value == value.to_integral_value() and 0 <= value <= MOST_CONVERSATIONS
    if not is_whole:
        raise BadRateCard("{name} must be a whole number of zero or more", name=name)
    return int(value)


def _share(name: str, value: Any) -> Decimal:
    share = _amount(name, value, places=4)
    if share >= 1:
        raise BadRateCard("{name}: write 21% as 0.21", name=name)
    return share


def _amount(name: str, value: Any, *, places: int) -> Decimal:
    try:
        amount = Decimal(value) if isinstance(value, str | Decimal) else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or not 0 <= amount < LARGEST:
        raise BadRateCard('{name} must be an amount of zero or more, such as "0.0625"', name=name)
    rounded = amount.quantize(Decimal(1).scaleb(-places))
    if rounded != amount:
        raise BadRateCard("{name} has more than {places} decimals", name=name, places=places)
    return rounded


def _day(name: str, value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise BadRateCard("{name} must be a day, such as 2026-01-01", name=name) from error
