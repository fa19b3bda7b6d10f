"""What the BSP's API gives, as JSON; the OpenAPI document is made from these."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.fields import CamelCase, Choice, Id, Moment, Month
from api.paging import PageQuery, PageShape
from api.tenant.shapes import UsageQuery
from billing.models import Invoice, InvoiceLine
from tenants.declaration import Purpose
from tenants.models import Municipality
from tenants.stages import Stage


class NumberShape(CamelCase):
    """A number of a municipality's."""

    phone_number_id = serializers.CharField(help_text="Meta's id of it.")
    waba_id = serializers.CharField()
    display_phone_number = serializers.CharField()
    opened_at = Moment()


class MunicipalityShape(CamelCase):
    """One municipality."""

    id = Id()
    schema = serializers.CharField(source="schema_name", help_text="The name in its host.")
    name = serializers.CharField()
    cbs_code = serializers.CharField()
    stage = Choice(choices=Stage.values)
    created_at = Moment()
    purposes = serializers.SerializerMethodField(help_text="What it declared to use WhatsApp for.")
    numbers = serializers.SerializerMethodField(help_text="Its open numbers.")

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=Purpose.values)))
    def get_purposes(self, municipality: Municipality) -> list[str]:
        """Return the declared purposes."""
        return sorted(row.purpose for row in municipality.declared_purposes.all())

    @extend_schema_field(NumberShape(many=True))
    def get_numbers(self, municipality: Municipality) -> Any:
        """Return the open numbers."""
        return NumberShape(
            [number for number in municipality.numbers.all() if number.closed_at is None], many=True
        ).data


class BspUsageShape(CamelCase):
    """What one municipality used in one month in one category."""

    municipality_id = Id()
    month = Month()
    category = serializers.CharField()
    conversations = serializers.IntegerField(min_value=0)


class InvoiceShape(CamelCase):
    """What one municipality owes for one month. Amounts are in cents."""

    id = Id()
    municipality_id = Id()
    period = Month()
    kind = Choice(choices=Invoice.Kind.values)
    status = Choice(choices=Invoice.Status.values)
    number = serializers.CharField(allow_null=True, help_text="Null until it is final.")
    currency = serializers.CharField()
    vat_rate = serializers.DecimalField(max_digits=5, decimal_places=4, help_text="0.2100 is 21%.")
    net_cents = serializers.IntegerField()
    vat_cents = serializers.IntegerField()
    total_cents = serializers.IntegerField()
    drafted_at = Moment()


class InvoiceLineShape(CamelCase):
    """One line of an invoice."""

    position = serializers.IntegerField()
    kind = Choice(choices=InvoiceLine.Kind.values)
    month = Month(help_text="The month of use; for a correction the closed month.")
    category = serializers.CharField(help_text="Empty for the platform fee.")
    description = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = serializers.DecimalField(max_digits=12, decimal_places=6, help_text="In euros.")
    net_cents = serializers.IntegerField()


class InvoiceWithLines(InvoiceShape):
    """One invoice with its lines."""

    lines = InvoiceLineShape(many=True)


class MunicipalityPage(PageShape):
    """A page of municipalities."""

    items = MunicipalityShape(many=True)


class InvoicePage(PageShape):
    """A page of invoices."""

    items = InvoiceShape(many=True)


class BspUsageList(CamelCase):
    """Usage by municipality, month and category."""

    items = BspUsageShape(many=True)


class MunicipalityQuery(PageQuery):
    """Which municipalities to list."""

    stage = Choice(choices=Stage.values, required=False)


class BspUsageQuery(UsageQuery):
    """Which months, and whose."""

    municipality_id = Id(required=False)


class InvoiceQuery(PageQuery):
    """Which invoices to list."""

    period = Month(required=False)
    municipality_id = Id(required=False)
    status = Choice(choices=Invoice.Status.values, required=False)
