"""What Meta charges: dated rate data by market and category, loaded from files that name their source."""

from django.db import models
from django.db.models import Q


class MetaRateSheet(models.Model):
    """Meta's rates and rules from a day on, until the next sheet's. Loading its file again replaces it as a whole."""

    class Unit(models.TextChoices):
        """What Meta charges for."""

        CONVERSATION = "CONVERSATION", "24 uur"
        MESSAGE = "MESSAGE", "Bericht"

    valid_from = models.DateField(unique=True)
    name = models.CharField(max_length=100)
    source = models.CharField(max_length=500)  # where the figures were read
    read_date = models.DateField()
    is_example = models.BooleanField()  # made up: for demos and tests, never for a margin that anybody acts on
    unit = models.CharField(max_length=12, choices=Unit.choices)
    free_types = models.JSONField(default=list)  # Meta's pricing types that cost nothing, in lower case
    allowances = models.JSONField(default=dict)  # {category: messages a number and month that cost nothing}
    default_market = models.CharField(max_length=20)  # of recipients of whom no market is known

    class Meta:
        constraints = [
            models.CheckConstraint(name="meta_rate_sheet_unit", condition=Q(unit__in=["CONVERSATION", "MESSAGE"])),
            # A figure without a source cannot be checked.
            models.CheckConstraint(name="meta_rate_sheet_source", condition=~Q(source="")),
        ]

    def __str__(self) -> str:
        return self.name


class MetaRate(models.Model):
    """What Meta charges for one message or conversation of a category in a market, in euros."""

    sheet = models.ForeignKey(MetaRateSheet, on_delete=models.CASCADE, related_name="rates")
    market = models.CharField(max_length=20)
    category = models.CharField(max_length=40)
    unit_price = models.DecimalField(max_digits=12, decimal_places=6)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="meta_rate_once", fields=["sheet", "market", "category"]),
            models.CheckConstraint(name="meta_rate_not_negative", condition=Q(unit_price__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.market} {self.category} {self.unit_price}"
