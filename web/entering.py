"""The BSP's side of break-glass, on the console: an employee asks to enter a municipality, goes in, and ends it.

The handover is a form that the browser posts to the municipality's host: the token stands in no address, so in no log,
history or Referer. The policy of that one page lets a form go there, and its referrer policy has the browser say that
the form came from the console, which the other side checks (web/entries.py). One domain call a view.
"""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import breakglass, entering
from accounts.permissions import Permission
from messaging import announcing
from tenants import clock
from tenants.break_glass import LONGEST_MINUTES, SHORTEST_MINUTES
from tenants.models import BreakGlass, Municipality
from web.access import PageRequest, requires
from web.words import ENTRY_REFUSALS

MINUTES = (SHORTEST_MINUTES, 30, 60, 120, LONGEST_MINUTES)


@require_safe
@requires(Permission.ENTER_MUNICIPALITIES)
def entries(request: PageRequest) -> HttpResponse:
    """Show every entry of the BSP's people, with what somebody can do about their own."""
    shown = {"entries": breakglass.listed_all(), "now": timezone.now(), "own_id": request.user.pk}
    return render(request, "web/entering.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ENTER_MUNICIPALITIES)
def ask(request: PageRequest, schema_name: str) -> HttpResponse:
    """Ask to enter a municipality."""
    municipality = get_object_or_404(Municipality, schema_name=schema_name)
    refused = None
    given = {"reason": request.POST.get("reason", ""), "minutes": request.POST.get("minutes", str(SHORTEST_MINUTES))}
    roles = request.POST.getlist("roles")
    if request.method == "POST":
        try:
            minutes = given["minutes"]
            with transaction.atomic():
                breakglass.ask(
                    municipality=municipality,
                    employee=request.user,
                    roles=roles,
                    reason=given["reason"],
                    minutes=int(minutes) if minutes.isascii() and minutes.isdecimal() and len(minutes) < 5 else 0,
                    at=clock.now(),
                    now=timezone.now(),
                )
                announcing.announce_all(schema_name=municipality.schema_name)
            return redirect("entering")
        except breakglass.InvalidRequest as error:
            refused = ENTRY_REFUSALS[error.code]
        except breakglass.AlreadyAsked:
            refused = ENTRY_REFUSALS["already_asked"]
    shown = {
        "municipality": municipality,
        "given": given,
        "roles": roles,
        "minutes": [(str(each), _duration(each)) for each in MINUTES],
        "refused": refused,
    }
    return render(request, "web/enter.html", shown, status=422 if refused else 200)


@require_POST
@requires(Permission.ENTER_MUNICIPALITIES)
def hand_over(request: PageRequest, entry_id: UUID) -> HttpResponse:
    """Give the browser what lets it in, to be posted to the municipality's host; this session gave a second step."""
    try:
        entry, token = entering.hand_over(entry_id=entry_id, employee=request.user, at=clock.now(), now=timezone.now())
    except BreakGlass.DoesNotExist:
        raise Http404 from None
    except (breakglass.TooLate, entering.NoSecondStep) as error:
        code = "too_late" if isinstance(error, breakglass.TooLate) else "no_second_step"
        messages.error(request, str(ENTRY_REFUSALS[code]))
        return redirect("entering")
    origin = _origin_of(entry.municipality, request)
    answer = render(request, "web/hand_over.html", {"entry": entry, "token": token, "origin": origin})
    answer._csp_update = {"form-action": [origin]}  # type: ignore[attr-defined]
    answer.headers["Referrer-Policy"] = "strict-origin"
    return answer


@require_POST
@requires(Permission.ENTER_MUNICIPALITIES)
def end(request: PageRequest, entry_id: UUID) -> HttpResponse:
    """Withdraw what was asked for, or end being inside."""
    try:
        with transaction.atomic():
            ended = breakglass.end_own(entry_id=entry_id, employee=request.user, at=clock.now(), now=timezone.now())
            announcing.announce_all(schema_name=ended.municipality.schema_name)
        messages.success(request, _("Ended. The municipality sees that too."))
    except BreakGlass.DoesNotExist:
        raise Http404 from None
    except breakglass.TooLate:
        messages.info(request, str(ENTRY_REFUSALS["too_late"]))
    return redirect("entering")


def _duration(minutes: int) -> str:
    if minutes < 60:
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    return ngettext("%(count)s hour", "%(count)s hours", minutes // 60) % {"count": minutes // 60}


def _origin_of(municipality: Municipality, request: HttpRequest) -> str:
    host = municipality.domains.get(is_primary=True).domain
    port = f":{settings.PORT}" if settings.DEVELOPMENT else ""
    return f"{request.scheme}://{host}{port}"
