"""An invoice as its documents: PDF and e-invoice to download, all of some months in a bundle, and mailed again."""

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Permission
from audit.record import record
from billing import reading
from billing.documents import mailing
from billing.documents.bundling import MOST_MONTHS, TooLong, bundle
from billing.documents.content import NotIssued
from billing.documents.keeping import Kind, document
from billing.models import Invoice
from billing.models.invoices import FINAL_STATES
from tenants import clock
from web.access import PageRequest, requires

FORMS = {"pdf": Kind.PDF, "xml": Kind.UBL}


@require_safe
@requires(Permission.READ_INVOICES)
def invoice_document(request: PageRequest, invoice_id: UUID, form: str) -> HttpResponse:
    """Give an issued invoice as PDF or as e-invoice."""
    return _document(request, invoice_id, form)


@require_safe
@requires(Permission.READ_OWN_INVOICES)
def own_document(request: PageRequest, invoice_id: UUID, form: str) -> HttpResponse:
    """Give a municipality one of its invoices as PDF or as e-invoice."""
    try:
        reading.final_invoice(invoice_id=invoice_id, municipality_id=request.tenant.id)
    except Invoice.DoesNotExist:
        raise Http404 from None
    return _document(request, invoice_id, form)


@require_safe
@requires(Permission.READ_INVOICES)
def invoice_bundle(request: PageRequest) -> HttpResponse:
    """Ask for which months, and give all their documents in one file."""
    months = sorted(set(Invoice.objects.filter(status__in=FINAL_STATES).values_list("period", flat=True)), reverse=True)
    first, last = _month(request, "from"), _month(request, "until")
    context: dict[str, object] = {"months": months, "most": MOST_MONTHS, "first": first, "last": last}
    if first is None or last is None:
        return render(request, "web/invoices_bundle.html", context)
    try:
        made = bundle(first=first, last=last, at=clock.now())
    except TooLong:
        context["refused"] = _("Choose a last month that is not before the first, at most %(most)s months.") % {
            "most": MOST_MONTHS
        }
        return render(request, "web/invoices_bundle.html", context, status=422)
    subject = f"documents {first:%Y-%m} to {last:%Y-%m}"
    record(action="invoice.export", actor=request.user.actor(), at=clock.now(), subject=subject)
    response = HttpResponse(made, content_type="application/zip")
    name = f"invoices-{first:%Y-%m}-{last:%Y-%m}.zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@requires(Permission.MANAGE_INVOICES)
def mail_again(request: PageRequest, invoice_id: UUID) -> HttpResponse:
    """Have an issued invoice mailed once more."""
    found = Invoice.objects.filter(id=invoice_id, status__in=FINAL_STATES).first()
    if found is None:
        raise Http404
    actor, at = request.user.actor(), clock.now()
    try:
        is_queued = mailing.queue(invoice=found, actor=actor, at=at)
    except mailing.NoAddress:
        messages.error(
            request,
            _("There is no address for invoices on this invoice, or no mail is sent from here. Download it instead."),
        )
    else:
        if is_queued:
            record(action="invoice.mail", actor=actor, at=at, subject=f"invoice {invoice_id}")
        messages.success(request, _("The invoice is mailed within a minute."))
    return redirect("invoice", invoice_id)


def _document(request: PageRequest, invoice_id: UUID, form: str) -> HttpResponse:
    at = clock.now()
    try:
        made = document(invoice_id=invoice_id, kind=FORMS[form], at=at)
    except NotIssued:
        raise Http404 from None
    details = {"form": form, "sha256": made.sha256}
    record(action="invoice.export", actor=request.user.actor(), at=at, subject=f"invoice {invoice_id}", details=details)
    response = HttpResponse(made.content, content_type=made.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return response


def _month(request: HttpRequest, name: str) -> date | None:
    try:
        return date.fromisoformat(f"{request.GET.get(name, '')}-01")
    except ValueError:
        return None
