"""The pages of the BSP's finance: the invoices of a month, one of them, and what is behind a line. As CSV too."""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date
from io import StringIO
from urllib.parse import quote
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.permissions import Permission
from audit.record import record
from billing import balances, overview, reading
from billing.invoicing import WARN_FROM_DAY, issue_by
from billing.models import Collection, Invoice, InvoiceLine
from billing.models.invoices import FINAL_STATES, OPEN_STATES
from billing.months import day_of
from tenants import clock
from web.access import PageRequest, permissions, requires

CSV_COLUMNS = (
    *("municipality", "month", "status", "line", "kind", "category", "description", "line_quantity", "unit_price_eur"),
    *("line_net_eur", "conversation_opened_at", "conversation_ends_at", "purpose", "template"),
)
MONTH_COLUMNS = (
    *("municipality", "month", "number", "status", "line", "kind", "category", "description", "quantity"),
    *("unit_price_eur", "net_eur", "vat_rate"),
)


@require_safe
@requires(Permission.READ_INVOICES)
def invoices(request: PageRequest) -> HttpResponse:
    """Show the invoices of a month."""
    shown = reading.month_of_invoices(month=_month(request))
    states = Counter(row.invoice.status for row in shown.rows)
    notes = Invoice.objects.filter(kind=Invoice.Kind.CREDIT_NOTE, period__in=[shown.month] if shown.month else [])
    context: dict[str, object] = {
        "shown": shown,
        "in_review": states["REVIEW"],
        "approved": states["APPROVED"],
        "notes": notes.order_by("drafted_at"),
    }
    without_number = sum(states[state] for state in OPEN_STATES)
    if shown.month is not None and without_number:
        context |= _deadline(shown.month, without_number)
    return render(request, "web/invoices.html", context | {"may_manage": _may_manage(request)})


@require_safe
@requires(Permission.READ_INVOICES)
def month_csv(request: PageRequest) -> HttpResponse:
    """Give the invoices of a month as CSV: a row for each line of each."""
    shown = reading.month_of_invoices(month=_month(request))
    subject = f"invoices {shown.month:%Y-%m}" if shown.month else "invoices"
    record(action="invoice.export", actor=request.user.actor(), at=clock.now(), subject=subject)
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(MONTH_COLUMNS)
    lines = reading.lines_of(invoices=[row.invoice for row in shown.rows])
    for row in shown.rows:
        found = row.invoice
        for each in lines.get(found.id, ()):
            writer.writerow(
                [
                    *(row.municipality, f"{found.period:%Y-%m}", found.number or "", found.status, each.position),
                    *(each.kind, each.category, each.description, each.quantity, f"{each.unit_price:f}"),
                    *(f"{each.net_cents / 100:.2f}", each.vat_rate if each.vat_rate is not None else found.vat_rate),
                ]
            )
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="invoices-{shown.month or "none"}.csv"'
    return response


@require_safe
@requires(Permission.READ_INVOICES)
def invoice(request: PageRequest, invoice_id: UUID) -> HttpResponse:
    """Show one invoice with its lines, what changed since the month before, and what can be done with it."""
    view = _invoice(invoice_id)
    found = view.invoice
    context = {
        "view": view,
        "changes": overview.changes(invoice=found) if found.kind == Invoice.Kind.USAGE else (),
        "balance": balances.balance_of(invoice=found),
        "notes": found.credit_notes.order_by("drafted_at"),
        "collection": Collection.objects.filter(invoice=found).first(),
        "mails": found.mails.order_by("-id"),
        "payments": found.payments.order_by("paid_date", "id"),
        "may_manage": _may_manage(request),
        "is_final": found.status in FINAL_STATES,
    }
    return render(request, "web/invoice.html", context)


@require_safe
@requires(Permission.READ_INVOICES)
def line(request: PageRequest, invoice_id: UUID, position: int) -> HttpResponse:
    """Show the conversations that one line counts."""
    page = request.GET.get("page", "1")
    try:
        view = reading.line(
            invoice_id=invoice_id,
            position=position,
            page=int(page) if page.isdecimal() and len(page) < 7 else 1,
        )
    except (Invoice.DoesNotExist, InvoiceLine.DoesNotExist):
        raise Http404 from None
    return render(request, "web/invoice_line.html", {"view": view})


@require_safe
@requires(Permission.READ_INVOICES)
def invoice_csv(request: PageRequest, invoice_id: UUID) -> HttpResponse:
    """Give an invoice as CSV: a row for each conversation, and one for each line without any."""
    view = _invoice(invoice_id)
    record(action="invoice.export", actor=request.user.actor(), at=clock.now(), subject=f"invoice {invoice_id}")
    return csv_answer(view=view)


def csv_answer(*, view: reading.InvoiceView) -> HttpResponse:
    """Return an invoice as a file of CSV."""
    number = view.invoice.number or f"{view.invoice.period:%Y-%m}"
    name = f"{view.municipality or view.invoice.municipality_id}-{number}.csv".replace(" ", "-")
    response = HttpResponse("".join(_rows(view)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


class _Line:
    """A file for csv.writer that gives each line back."""

    def write(self, text: str) -> str:
        return text


def _rows(view: reading.InvoiceView) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(CSV_COLUMNS)
    found = view.invoice
    for each, conversation in reading.conversations_of(view=view):
        row = [
            *(view.municipality, f"{found.period:%Y-%m}", found.status, each.position, each.kind, each.category),
            *(each.description, each.quantity, f"{each.unit_price:f}", f"{each.net_cents / 100:.2f}"),
        ]
        if conversation is None:
            row += ["", "", "", ""]
        else:
            moments = (conversation.opened_at, conversation.ends_at)
            row += [timezone.localtime(at).isoformat() for at in moments]
            row += [conversation.purpose, conversation.template]
        yield writer.writerow(row)


def _invoice(invoice_id: UUID) -> reading.InvoiceView:
    try:
        return reading.invoice(invoice_id=invoice_id)
    except Invoice.DoesNotExist:
        raise Http404 from None


def _deadline(month: date, without_number: int) -> dict[str, object]:
    """Return until when the month's invoices must be issued, when that is near or over."""
    today, last = day_of(moment=clock.now()), issue_by(month=month)
    if today < last.replace(day=WARN_FROM_DAY):
        return {}
    return {"issue_by": last, "without_number": without_number, "is_too_late": today > last}


def _may_manage(request: HttpRequest) -> bool:
    return Permission.MANAGE_INVOICES in permissions(request)


def _month(request: HttpRequest) -> date | None:
    try:
        return date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        return None
