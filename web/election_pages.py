"""The pages of election periods, on both kinds of host: the BSP's of one municipality or all, an admin's of its own."""

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from django_tenants.utils import get_public_schema_name

from accounts.permissions import Permission
from tenants import clock, elections
from tenants.clock import AMSTERDAM
from tenants.models import ElectionPeriod, Municipality
from web.access import PageRequest, requires

BAD: dict[str, Promise] = {
    "name_missing": gettext_lazy("Say which election it is."),
    "name_too_long": gettext_lazy("The name has at most 100 characters."),
    "ends_before_begin": gettext_lazy("The last day is before the first."),
    "over_already": gettext_lazy("The last day is over already."),
    "too_long": gettext_lazy("A period lasts at most 120 days."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SET_ELECTIONS)
def elections_page(request: PageRequest) -> HttpResponse:
    """Show the periods, and set one."""
    own, given, refused = _own(request), request.POST, ""
    if request.method == "POST":
        try:
            begins, ends = date.fromisoformat(given.get("begins", "")), date.fromisoformat(given.get("ends", ""))
            chosen = own or _chosen(given.get("municipality", ""))
            elections.set_period(
                municipality=chosen,
                name=given.get("name", ""),
                begins_date=begins,
                ends_date=ends,
                actor=request.user.actor(),
                at=clock.now(),
            )
        except elections.BadPeriod as error:
            refused = str(BAD[error.code])
        except Municipality.DoesNotExist:
            refused = _("There is no such municipality.")
        except ValueError:
            refused = _("Give the first and the last day.")
        else:
            messages.success(request, _("The period is set."))
            return redirect("elections")
    context = {
        "periods": list(elections.periods(municipality=own)),
        "own": own,
        "municipalities": [] if own else list(Municipality.objects.order_by("name")),
        "given": given,
        "refused": refused,
        "today": clock.now().astimezone(AMSTERDAM).date(),
    }
    return render(request, "web/elections.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SET_ELECTIONS)
def lift(request: PageRequest, period_id: UUID) -> HttpResponse:
    """Ask whether a period may end now, then end it."""
    own = _own(request)
    if request.method != "POST":
        period = elections.periods(municipality=own).filter(id=period_id).first()
        if period is None or (own is not None and period.municipality is None):
            raise Http404
        return render(request, "web/lift_election.html", {"period": period})
    try:
        elections.lift(period_id=period_id, municipality=own, actor=request.user.actor(), at=clock.now())
    except ElectionPeriod.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("The period is over. What was held leaves now."))
    return redirect("elections")


def _own(request: PageRequest) -> Municipality | None:
    """Return the municipality of the host; None: the console."""
    return None if request.tenant.schema_name == get_public_schema_name() else request.tenant


def _chosen(schema_name: str) -> Municipality | None:
    """Return the municipality that the BSP chose; None: all.  Raises Municipality.DoesNotExist."""
    return Municipality.objects.get(schema_name=schema_name) if schema_name else None
