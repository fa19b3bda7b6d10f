"""A bundle: all documents of some months in one ZIP file, with a list of them and of their lines as CSV."""

import csv
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from io import BytesIO, StringIO

from django.db.models import QuerySet

from billing.balances import balance_of
from billing.documents.keeping import Kind, document
from billing.models import Invoice
from billing.models.invoices import FINAL_STATES
from tenants.models import Municipality

MOST_MONTHS = 3  # a quarter, as a VAT return covers: of 342 municipalities some 45 MB
LIST_COLUMNS = (
    *("number", "kind", "credits", "municipality", "month", "issue_date", "due_date", "status", "order_reference"),
    *("net_eur", "vat_eur", "total_eur", "open_eur", "pdf_sha256", "ubl_sha256"),
)
LINE_COLUMNS = (
    *("number", "municipality", "month", "line", "kind", "category", "description", "quantity", "unit_price_eur"),
    *("net_eur", "vat_rate"),
)


class TooLong(Exception):
    """The period ends before it begins, or is longer than MOST_MONTHS."""


def bundle(*, first: date, last: date, at: datetime) -> bytes:
    """Return a ZIP file with every issued invoice and credit note of some months.

    first, last: the first days of the months. In it: invoices.csv, lines.csv, and of each a PDF and a UBL.
    Raises TooLong.
    """
    if not 0 <= (last.year - first.year) * 12 + last.month - first.month < MOST_MONTHS:
        raise TooLong(f"choose 1 to {MOST_MONTHS} months")
    chosen = Invoice.objects.filter(period__range=(first, last), status__in=FINAL_STATES).order_by("series", "number")
    names = dict(Municipality.objects.values_list("id", "name"))
    listed, lines = StringIO(), StringIO()
    of_list, of_lines = csv.writer(listed), csv.writer(lines)
    of_list.writerow(LIST_COLUMNS)
    of_lines.writerow(LINE_COLUMNS)
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for invoice in _some_at_once(chosen):
            name = names.get(invoice.municipality_id, "")
            pdf, ubl = (document(invoice_id=invoice.id, kind=kind, at=at) for kind in (Kind.PDF, Kind.UBL))
            for each in (pdf, ubl):
                archive.writestr(f"{'pdf' if each is pdf else 'ubl'}/{each.name}", each.content)
            of_list.writerow([*_listed(invoice, name), pdf.sha256, ubl.sha256])
            of_lines.writerows(_lines(invoice, name))
        archive.writestr("invoices.csv", listed.getvalue())
        archive.writestr("lines.csv", lines.getvalue())
    return made.getvalue()


def _some_at_once(chosen: QuerySet[Invoice]) -> Iterator[Invoice]:
    return chosen.select_related("credits").iterator(chunk_size=100)


def _listed(invoice: Invoice, municipality: str) -> list[object]:
    is_owed = invoice.kind == Invoice.Kind.USAGE
    return [
        *(invoice.number, invoice.kind, invoice.credits.number if invoice.credits else "", municipality),
        *(f"{invoice.period:%Y-%m}", invoice.issue_date, invoice.due_date or "", invoice.status),
        (invoice.buyer or {}).get("order_reference", ""),
        *(f"{cents / 100:.2f}" for cents in (invoice.net_cents, invoice.vat_cents, invoice.total_cents)),
        f"{balance_of(invoice=invoice).open_cents / 100:.2f}" if is_owed else "",
    ]


def _lines(invoice: Invoice, municipality: str) -> Iterator[list[object]]:
    for each in invoice.lines.order_by("position"):
        yield [
            *(invoice.number, municipality, f"{invoice.period:%Y-%m}", each.position, each.kind, each.category),
            *(each.description, each.quantity, f"{each.unit_price:f}", f"{each.net_cents / 100:.2f}"),
            each.vat_rate if each.vat_rate is not None else invoice.vat_rate,
        ]
