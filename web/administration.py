"""The municipal admin's pages: its numbers. One domain call a view."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import Permission
from messaging import overview
from tenants import clock
from web.access import PageRequest, requires


@require_safe
@requires(Permission.READ_NUMBERS)
def numbers(request: PageRequest) -> HttpResponse:
    """Show the municipality's numbers."""
    at = clock.now()
    found = overview.numbers(municipality=request.tenant, at=at)
    written_first = overview.written_first(at=at)
    return render(request, "web/numbers.html", {"numbers": found, "now": at, "written_first": written_first})
