"""Corrections that finance books by hand: on whose next invoice, how much, what it is for, and why."""

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import Permission
from billing import adjusting
from billing.models import Adjustment
from billing.months import month_of, next_month
from billing.recomputing import last_closed
from tenants import clock
from tenants.models import Municipality
from web.access import PageRequest, requires
from web.invoice_steps import in_cents

MOST_SHOWN = 200


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_INVOICES)
def adjustments(request: PageRequest) -> HttpResponseBase:
    """Show what was booked by hand, and book another."""
    context: dict[str, object] = {"given": request.POST, "run": _open_run()}
    if request.method == "POST":
        refused = _book(request)
        if not refused:
            messages.success(request, _("The correction is booked."))
            return redirect("adjustments")
        context["refused"] = refused
    names = dict(Municipality.objects.values_list("id", "name"))
    booked = Adjustment.objects.select_related("reversed_by").order_by("-id")[:MOST_SHOWN]
    context["rows"] = [
        {
            "booked": each,
            "municipality": names.get(each.municipality_id, ""),
            "may_go_back": each.reverses_id is None and not hasattr(each, "reversed_by"),
        }
        for each in booked
    ]
    context["municipalities"] = Municipality.objects.exclude(schema_name="public").order_by("name")
    return render(request, "web/adjustments.html", context, status=422 if "refused" in context else 200)


@require_POST
@requires(Permission.MANAGE_INVOICES)
def take_back(request: PageRequest, adjustment_id: int) -> HttpResponse:
    """Book the opposite of one."""
    reason = _("Taken back")
    try:
        adjusting.take_back(
            adjustment_id=adjustment_id, run=_open_run(), reason=reason, actor=request.user.actor(), at=clock.now()
        )
    except Adjustment.DoesNotExist:
        raise Http404 from None
    except (adjusting.RunClosed, adjusting.ReversedAlready):
        messages.error(request, _("It was taken back already."))
    else:
        messages.success(request, _("The correction is taken back."))
    return redirect("adjustments")


def _open_run() -> date:
    """Return the month whose invoice carries what is booked now: the first open one, the running one at most."""
    closed = last_closed()
    current = month_of(moment=clock.now())
    return min(next_month(month=closed), current) if closed is not None and closed < current else current


def _book(request: PageRequest) -> str:
    """Book what the form says; return what is wrong with it, or ''."""
    found = Municipality.objects.exclude(schema_name="public").filter(schema_name=request.POST.get("municipality", ""))
    municipality = found.first()
    if municipality is None:
        return _("Choose a municipality.")
    amount = in_cents(request.POST.get("amount", ""))
    if not amount:
        return _("Fill in an amount in euros, such as 181,50.")
    run = _open_run()
    try:
        adjusting.adjust(
            municipality_id=municipality.id,
            run=run,
            month=run,
            description=request.POST.get("description", ""),
            reason=request.POST.get("reason", ""),
            net_cents=amount,
            actor=request.user.actor(),
            at=clock.now(),
        )
    except ValueError:
        return _("Fill in what stands on the invoice, and why.")
    except adjusting.RunClosed:
        return _("That month was just closed. Try again: it goes on the next invoice.")
    return ""
