"""The pages of the BSP's support: the municipalities, and one of them. One domain call a view."""

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import Permission
from billing.overview import DayCount
from messaging import overview, portfolio
from tenants import clock
from tenants.models import Municipality
from tenants.trouble import open_troubles
from web.access import PageRequest, requires
from web.charts import columns

MOST_ASKED = 100


@require_safe
@requires(Permission.READ_MUNICIPALITIES)
def overview_page(request: PageRequest) -> HttpResponse:
    """Show what the BSP looks at first: stages, what waits for whom, numbers in trouble, traffic; and search."""
    at = clock.now()
    asked = _asked(request)
    shown = portfolio.portfolio(at=at)
    found = portfolio.search(words=asked) if asked else []
    context = {"shown": shown, "asked": asked, "found": found, "now": at}
    context["chart"] = columns(days=[DayCount(day=each.day, count=each.messages) for each in shown.traffic])
    return render(request, "web/overview.html", context)


@require_safe
@requires(Permission.READ_MUNICIPALITIES)
def municipalities(request: PageRequest) -> HttpResponse:
    """Show all municipalities with stage, numbers, their quality and traffic, or those that are looked for."""
    at, asked = clock.now(), _asked(request)
    context = {"municipalities": overview.municipalities(at=at, words=asked), "asked": asked, "now": at}
    return render(request, "web/municipalities.html", context)


@require_safe
@requires(Permission.READ_MUNICIPALITIES)
def municipality(request: PageRequest, schema_name: str) -> HttpResponse:
    """Show one municipality more closely."""
    at = clock.now()
    try:
        details = overview.municipality(schema_name=schema_name, at=at)
    except Municipality.DoesNotExist:
        raise Http404 from None
    address = f"{request.scheme}://{details.host}"
    if settings.DEVELOPMENT:
        address += f":{settings.PORT}"
    return render(request, "web/municipality.html", {"details": details, "address": address, "now": at})


@require_safe
@requires(Permission.READ_MUNICIPALITIES)
def troubles(request: PageRequest) -> HttpResponse:
    """Show every number that is in trouble, longest first."""
    return render(request, "web/troubles.html", {"troubles": list(open_troubles()), "now": clock.now()})


def _asked(request: PageRequest) -> str:
    return request.GET.get("q", "").replace("\0", "").strip()[:MOST_ASKED]
