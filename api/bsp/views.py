"""The addresses of the BSP's API: read the request, make one domain call, shape the answer. Nothing of citizens."""

from uuid import UUID

from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import BspScope
from api.bsp import shapes
from api.paging import older, page
from api.reading import checked, months_of
from api.views import READ_METHODS, ApiView, not_found
from billing.models import Invoice, InvoiceLine
from billing.usage import usage
from tenants.models import Municipality


class Municipalities(ApiView):
    """The municipalities that are served."""

    scope = BspScope.MUNICIPALITIES_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="listMunicipalities",
        tags=["municipalities"],
        summary="List municipalities, the newest first",
        parameters=[shapes.MunicipalityQuery],
        responses=shapes.MunicipalityPage,
    )
    def get(self, request: Request) -> Response:
        """Return a page of municipalities."""
        query = checked(shapes.MunicipalityQuery, request.query_params)
        limit, after = query.pop("limit"), query.pop("cursor")
        found = Municipality.objects.prefetch_related("declared_purposes", "numbers").filter(**query)
        rows = older(rows=found, moment="created_at", after=after)[: limit + 1]
        return Response(shapes.MunicipalityPage(page(rows=list(rows), limit=limit, moment="created_at")).data)


class OneMunicipality(ApiView):
    """One municipality."""

    scope = BspScope.MUNICIPALITIES_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="getMunicipality",
        tags=["municipalities"],
        summary="Read a municipality",
        responses=shapes.MunicipalityShape,
    )
    def get(self, request: Request, municipality_id: UUID) -> Response:
        """Return the municipality."""
        found = Municipality.objects.prefetch_related("declared_purposes", "numbers").filter(id=municipality_id).first()
        if found is None:
            raise not_found("municipality")
        return Response(shapes.MunicipalityShape(found).data)


class Usage(ApiView):
    """What was used."""

    scope = BspScope.USAGE_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="listUsage",
        tags=["usage"],
        summary="Count conversations by municipality, month and category",
        description=(
            "Conversations as they are metered and invoiced, by the month, in Europe/Amsterdam, in which each opened. "
            "The figures of a month may still change until its invoices are reviewed."
        ),
        parameters=[shapes.BspUsageQuery],
        responses=shapes.BspUsageList,
    )
    def get(self, request: Request) -> Response:
        """Return the counts."""
        query = checked(shapes.BspUsageQuery, request.query_params)
        first, last = months_of(query, at=self.now)
        rows = usage(first=first, last=last, municipality_id=query.get("municipality_id"))
        return Response(shapes.BspUsageList({"items": rows}).data)


class Invoices(ApiView):
    """Invoices of all municipalities."""

    scope = BspScope.INVOICES_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="listInvoices",
        tags=["invoices"],
        summary="List invoices, the last drafted first",
        parameters=[shapes.InvoiceQuery],
        responses=shapes.InvoicePage,
    )
    def get(self, request: Request) -> Response:
        """Return a page of invoices."""
        query = checked(shapes.InvoiceQuery, request.query_params)
        limit, after = query.pop("limit"), query.pop("cursor")
        rows = older(rows=Invoice.objects.filter(**query), moment="drafted_at", after=after)[: limit + 1]
        return Response(shapes.InvoicePage(page(rows=list(rows), limit=limit, moment="drafted_at")).data)


class OneInvoice(ApiView):
    """One invoice with its lines."""

    scope = BspScope.INVOICES_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="getInvoice",
        tags=["invoices"],
        summary="Read an invoice with its lines",
        responses=shapes.InvoiceWithLines,
    )
    def get(self, request: Request, invoice_id: UUID) -> Response:
        """Return the invoice."""
        lines = Prefetch("lines", InvoiceLine.objects.order_by("position"))
        invoice = Invoice.objects.prefetch_related(lines).filter(id=invoice_id).first()
        if invoice is None:
            raise not_found("invoice")
        return Response(shapes.InvoiceWithLines(invoice).data)
