"""Why a rate card is refused, in the reader's language: the texts are billing's own, with what goes into them."""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from billing.cards import Said

# Named here to be gathered for translation; tests/web/test_finance_pages.py holds that none is missing.
REFUSALS = (
    _("name must be a text of 1 to 100 characters"),
    _("currency must be EUR"),
    _("prices must hold a price for each category"),
    _("valid_until must be a day after valid_from"),
    _("it must hold exactly these keys: {keys}; and may hold: {others}"),
    _("volume must be a list of categories that have prices"),
    _("included: {category} has no price"),
    _("message_prices must hold a price for each category"),
    _("fair_use: {category} has no price in message_prices"),
    _("{category}: the tiers must begin at 1 and go up"),
    _("{where}: '{category}' is not written as a category, such as UTILITY"),
    _("{name} must hold a whole number for each category"),
    _("{name} must be a whole number of zero or more"),
    _("{name}: write 21% as 0.21"),
    _('{name} must be an amount of zero or more, such as "0.0625"'),
    _("{name} has more than {places} decimals"),
    _("it is not JSON"),
    _("{category}: each tier must hold from and price"),
    _("{name} must be a day, such as 2026-01-01"),
    _("prices change for the future only: choose a first day after today"),
    _("{month} is closed: a new card begins after it"),
    _(
        "the rate card of {day} was used in invoices: load another with a later first day; "
        "only a category without a price may still get one"
    ),
    _(
        "VAT rate, platform fee or other terms of a month would change on {day}: "
        "they change on the first of a month only"
    ),
    _("no rate card is valid on {day}: load one with `manage.py load_rate_card`"),
    _("the rate card of {day} has no price for {category}: add it to the card's file and load that"),
)


def refusal(refused: Said) -> str:
    """Return why a card is refused, in the reader's language."""
    return gettext(refused.said).format(**refused.values)
