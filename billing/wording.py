"""What stands on an invoice, in Dutch whatever the reader's language: it is a document of record."""

from datetime import date

from billing.cards import Card

MONTHS_NL = (
    "januari februari maart april mei juni juli augustus september oktober november december".split()  # noqa: SIM905
)


def month_nl(month: date) -> str:
    """Return a month and its year."""
    return f"{MONTHS_NL[month.month - 1]} {month.year}"


def day_nl(day: date) -> str:
    """Return a day, month and year."""
    return f"{day.day} {month_nl(day)}"


def usage_nl(*, card: Card, month: date, category: str, tier: int) -> str:
    """Return the text of a line of conversations."""
    return f"Conversaties {_what(card, month, category)}{_tier(card, category, tier)}"


def included_nl(*, card: Card, month: date, category: str) -> str:
    """Return the text of a line of conversations that are part of the allowance."""
    return f"Inbegrepen conversaties {_what(card, month, category)}"


def correction_nl(*, card: Card, month: date, category: str, portion_tier: int) -> str:
    """Return the text of a line that corrects a closed month."""
    if portion_tier == 0:
        return f"Correctie inbegrepen conversaties {_what(card, month, category)}"
    return f"Correctie conversaties {_what(card, month, category)}{_tier(card, category, portion_tier)}"


def _what(card: Card, month: date, category: str) -> str:
    words = category.lower().replace("_", " ")
    return f"{words}, {month_nl(month)} (tarief vanaf {day_nl(card.valid_from)})"


def _tier(card: Card, category: str, first: int) -> str:
    if not card.tiers.get(category):
        return ""
    place = f"{first:,}".replace(",", ".")
    return f", staffel vanaf {place}"
