"""What was used: the month so far for the BSP's finance; a municipality's own usage and invoices for its own."""

import csv
from datetime import date
from io import StringIO
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import Permission
from audit.record import record
from billing import balances, costs, overview, paying, reading
from billing.models import Invoice, InvoiceLine
from billing.months import month_of, previous_month
from billing.usage import usage
from tenants import clock
from web.access import PageRequest, requires
from web.charts import columns
from web.finance import csv_answer

MONTHS_BACK = 24


@require_safe
@requires(Permission.READ_INVOICES)
def month_so_far(request: PageRequest) -> HttpResponse:
    """Show what the running month comes to until now, by municipality, and by day in a chart."""
    at = clock.now()
    shown = overview.month_so_far(at=at)
    days = overview.by_day(month=shown.month)
    return render(request, "web/month_so_far.html", {"shown": shown, "days": days, "chart": columns(days=days)})


@require_safe
@requires(Permission.READ_INVOICES)
def margin(request: PageRequest) -> HttpResponse:
    """Show what each municipality's month brings, what Meta charges for it, and what is left."""
    current = month_of(moment=clock.now())
    month = _month(request) or previous_month(month=current)
    months = [current]
    while len(months) < MONTHS_BACK // 2:
        months.append(previous_month(month=months[-1]))
    context = {"month": month, "months": months, "rows": costs.margins(month=month)}
    return render(request, "web/margins.html", context | {"sheets": costs.sheets_of(month=month)})


@require_safe
@requires(Permission.READ_INVOICES)
def unpaid(request: PageRequest) -> HttpResponse:
    """Show what is still owed, the longest due first, how much of each age (as CSV too), and what we owe back."""
    rows = reading.unpaid_rows(at=clock.now())
    if request.GET.get("form") == "csv":
        record(action="invoice.export", actor=request.user.actor(), at=clock.now(), subject="unpaid invoices")
        return _unpaid_csv(rows)
    ages = dict.fromkeys((-1, *paying.AGES), 0)
    for row in rows:
        ages[paying.age_of(days=row.unpaid.days)] += row.unpaid.balance.open_cents
    back = reading.owed_back_rows()
    context = {"rows": rows, "ages": ages.items(), "total": sum(ages.values()), "back": back}
    context["troubles"] = reading.troubles()
    context["back_total"] = sum(row.balance.owed_back_cents for row in back)
    return render(request, "web/unpaid.html", context)


@require_safe
@requires(Permission.READ_USAGE)
def own_usage(request: PageRequest) -> HttpResponse:
    """Show a municipality what it used in a month: by category, and by day in a chart with its table."""
    current = month_of(moment=clock.now())
    month = _month(request) or current
    rows = usage(first=month, last=month, municipality_id=request.tenant.id)
    days = overview.by_day(month=month, municipality_id=request.tenant.id)
    months = reading.months_of_use(municipality_id=request.tenant.id, current=current, most=MONTHS_BACK)
    context = {"month": month, "months": months, "rows": rows, "days": days, "chart": columns(days=days)}
    context["total"] = sum(row.conversations for row in rows)
    return render(request, "web/own_usage.html", context)


@require_safe
@requires(Permission.READ_OWN_INVOICES)
def own_invoices(request: PageRequest) -> HttpResponse:
    """Show a municipality its invoices and credit notes, the latest first."""
    rows = reading.final_invoices(municipality_id=request.tenant.id)
    return render(request, "web/own_invoices.html", {"rows": rows})


@require_safe
@requires(Permission.READ_OWN_INVOICES)
def own_invoice(request: PageRequest, invoice_id: UUID) -> HttpResponse:
    """Show a municipality one of its invoices, line by line."""
    view = _own(request, invoice_id)
    return render(request, "web/own_invoice.html", {"view": view, "balance": balances.balance_of(invoice=view.invoice)})


@require_safe
@requires(Permission.READ_OWN_INVOICES)
def own_line(request: PageRequest, invoice_id: UUID, position: int) -> HttpResponse:
    """Show a municipality what one line of its invoice counts."""
    _own(request, invoice_id)
    page = request.GET.get("page", "1")
    try:
        number = int(page) if page.isdecimal() and len(page) < 7 else 1
        view = reading.line(invoice_id=invoice_id, position=position, page=number)
    except InvoiceLine.DoesNotExist:
        raise Http404 from None
    return render(request, "web/invoice_line.html", {"view": view, "is_own": True})


@require_safe
@requires(Permission.READ_OWN_INVOICES)
def own_invoice_csv(request: PageRequest, invoice_id: UUID) -> HttpResponse:
    """Give a municipality one of its invoices as CSV."""
    view = _own(request, invoice_id)
    record(action="invoice.export", actor=request.user.actor(), at=clock.now(), subject=f"invoice {invoice_id}")
    return csv_answer(view=view)


def _own(request: PageRequest, invoice_id: UUID) -> reading.InvoiceView:
    try:
        return reading.final_invoice(invoice_id=invoice_id, municipality_id=request.tenant.id)
    except Invoice.DoesNotExist:
        raise Http404 from None


def _unpaid_csv(rows: list[reading.UnpaidRow]) -> HttpResponse:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(("number", "municipality", "issue_date", "due_date", "days_overdue", "total_eur", "open_eur"))
    for row in rows:
        invoice, open_cents = row.unpaid.invoice, row.unpaid.balance.open_cents
        amounts = (f"{invoice.total_cents / 100:.2f}", f"{open_cents / 100:.2f}")
        dates = (invoice.issue_date, invoice.due_date)
        writer.writerow((invoice.number, row.municipality, *dates, max(0, row.unpaid.days), *amounts))
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="unpaid.csv"'
    return response


def _month(request: HttpRequest) -> date | None:
    try:
        return date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        return None
