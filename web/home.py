"""The first address of each host, and the pages that say that something went wrong."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from web.access import PageRequest, requires
from web.frame import first_door


@require_safe
@requires(None, also_inside=True)
def home(request: PageRequest) -> HttpResponse:
    """Send somebody to the first page that they may see; who may see none is told so."""
    address = first_door(request)
    return redirect(address) if address else render(request, "web/nothing_yet.html")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    """Say that this page is not for this person."""
    return render(request, "web/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    """Say that nothing is here."""
    return render(request, "web/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Say that it is our fault; uses nothing that may be what is broken: no session, no database."""
    return render(request, "web/500.html", status=500)
