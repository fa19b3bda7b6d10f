"""Rate cards: dated prices and terms, the standard ones and those agreed with one municipality."""

from decimal import Decimal
from uuid import UUID

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce

from billing.cards import Terms

EUR = "EUR"
NOBODY = UUID(int=0)  # stands for "all" where NULL would equal nothing
DAYS = Func("valid_from", "valid_until", function="DATERANGE", output_field=DateRangeField())


class RateCard(models.Model):
    """The prices from a day on, for all or for one municipality.

    Once an invoice used it, a trigger refuses any change, but that it ends where another begins in an open month.
    """

    municipality_id = models.UUIDField(null=True)  # whose own card it is; NULL: the standard one
    valid_from = models.DateField()  # a day of the calendar in Amsterdam
    valid_until = models.DateField(null=True)  # the first day on which it no longer holds
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, default=EUR)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4)  # 0.2100 is 21%
    platform_fee = models.DecimalField(max_digits=12, decimal_places=6)  # a month, for each municipality
    onboarding_fee = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)
    discount = models.DecimalField(max_digits=5, decimal_places=4, default=0, db_default=0)  # a share of what was used
    minimum = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)  # a month
    # {"included": {category: count}, "volume": [category], "message_prices": {category: "price"},
    # "fair_use": {category: count}}; what they mean: billing/cards.py
    terms = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))

    class Meta:
        constraints = [
            # On a day one card holds: for all, and for each municipality.
            ExclusionConstraint(
                name="rate_card_no_overlap",
                expressions=[
                    (Coalesce("municipality_id", Value(NOBODY, models.UUIDField())), RangeOperators.EQUAL),
                    (DAYS, RangeOperators.OVERLAPS),
                ],
            ),
            # It holds on one day at least.
            models.CheckConstraint(
                name="rate_card_days", condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from"))
            ),
            # Lines of two currencies cannot be added.
            models.CheckConstraint(name="rate_card_in_euro", condition=Q(currency=EUR)),
            # A rate of 21 would be 2100%.
            models.CheckConstraint(name="rate_card_vat_rate", condition=Q(vat_rate__gte=0, vat_rate__lt=1)),
            # What is owed back is a correction, not a price.
            models.CheckConstraint(name="rate_card_platform_fee", condition=Q(platform_fee__gte=0)),
            # Neither are these.
            models.CheckConstraint(
                name="rate_card_terms",
                condition=Q(onboarding_fee__gte=0, minimum__gte=0, discount__gte=0, discount__lt=1),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def as_terms(self) -> Terms:
        """Return the card's terms as rating takes them."""
        prices = self.terms.get("message_prices", {})
        return Terms(
            included=dict(self.terms.get("included", {})),
            volume=frozenset(self.terms.get("volume", ())),
            message_prices={category: Decimal(price) for category, price in prices.items()},
            fair_use=dict(self.terms.get("fair_use", {})),
            onboarding_fee=Decimal(self.onboarding_fee),
            discount=Decimal(self.discount),
            minimum=Decimal(self.minimum),
        )

    def set_terms(self, terms: Terms) -> None:
        """Take over terms; the caller saves."""
        self.onboarding_fee, self.discount, self.minimum = terms.onboarding_fee, terms.discount, terms.minimum
        self.terms = {
            "included": dict(terms.included),
            "volume": sorted(terms.volume),
            "message_prices": {category: f"{price:f}" for category, price in terms.message_prices.items()},
            "fair_use": dict(terms.fair_use),
        }


class Rate(models.Model):
    """The price of one conversation of a category, from the so many-th paid one of a month on."""

    card = models.ForeignKey(RateCard, on_delete=models.CASCADE, related_name="rates")
    category = models.TextField()
    from_quantity = models.PositiveIntegerField(default=1, db_default=1)
    unit_price = models.DecimalField(max_digits=12, decimal_places=6)

    class Meta:
        constraints = [
            # One price for each tier.
            models.UniqueConstraint(name="rate_once", fields=["card", "category", "from_quantity"]),
            # The first conversation is number one.
            models.CheckConstraint(name="rate_from_one", condition=Q(from_quantity__gte=1)),
            # What is owed back is a correction, not a price.
            models.CheckConstraint(name="rate_not_negative", condition=Q(unit_price__gte=0)),
            # As conversations write it, or it would never be found.
            models.CheckConstraint(name="rate_category_form", condition=Q(category__regex=r"^[A-Z][A-Z0-9_]*$")),
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.unit_price}"
