"""The municipality's side of break-glass: who of the BSP asks to come in, who is inside, and who ever was.

And the door by which they come in. One domain call a view.
"""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts import breakglass, entering, signed_in, strength
from accounts.permissions import Permission
from messaging import announcing
from tenants import clock
from tenants.models import BreakGlass
from web.access import PageRequest, permissions, requires
from web.words import ENTRY_REFUSALS


@require_safe
@requires(Permission.READ_ENTRIES)
def entries(request: PageRequest) -> HttpResponse:
    """Show every entry of the BSP's people here: who, why, from when till when, and what they did, by the trail."""
    shown = {
        "entries": breakglass.listed(municipality=request.tenant),
        "now": timezone.now(),
        "approves": request.tenant.approves_entries,
        "decides": Permission.DECIDE_ENTRIES in permissions(request),
        "reads_trail": Permission.READ_AUDIT in permissions(request),
    }
    return render(request, "web/entries.html", shown)


@require_POST
@requires(Permission.DECIDE_ENTRIES)
def choose(request: PageRequest) -> HttpResponse:
    """Choose whether the BSP's people come in only after an approval."""
    wanted = request.POST.get("approval") == "first"
    breakglass.choose_approval(municipality=request.tenant, wanted=wanted, actor=request.user.actor(), at=clock.now())
    messages.success(request, _("Saved. It counts for what is asked for from now on."))
    return redirect("entries")


@require_POST
@requires(Permission.DECIDE_ENTRIES)
def decide(request: PageRequest, entry_id: UUID) -> HttpResponse:
    """Approve or refuse a request."""
    answer = request.POST.get("answer")
    if answer not in ("approve", "refuse"):
        return HttpResponse(status=400)  # no form of ours sends this
    try:
        with transaction.atomic():
            breakglass.decide(
                entry_id=entry_id,
                approve=answer == "approve",
                user=request.user,
                municipality=request.tenant,
                at=clock.now(),
                now=timezone.now(),
            )
            announcing.announce_all(schema_name=request.tenant.schema_name)
    except BreakGlass.DoesNotExist:
        raise Http404 from None
    except breakglass.TooLate:
        messages.info(request, str(ENTRY_REFUSALS["too_late"]))
    return redirect("entries")


@require_POST
@requires(Permission.DECIDE_ENTRIES)
def end(request: PageRequest, entry_id: UUID) -> HttpResponse:
    """Put whoever is inside out, at once."""
    try:
        with transaction.atomic():
            breakglass.end(
                entry_id=entry_id, by=request.user, municipality=request.tenant, at=clock.now(), now=timezone.now()
            )
            announcing.announce_all(schema_name=request.tenant.schema_name)
        messages.success(request, _("Ended. Nobody of the BSP is inside by it any more."))
    except BreakGlass.DoesNotExist:
        raise Http404 from None
    except breakglass.TooLate:
        messages.info(request, str(ENTRY_REFUSALS["too_late"]))
    return redirect("entries")


# Without Django's token against forged requests: the form stands on another host, which cannot read this one's cookie.
# In its place stands the handover's own token, which works once, and the console as where the browser says it is from.
@csrf_exempt
@require_POST
def come_in(request: HttpRequest) -> HttpResponse:
    """Let in who brings what the console handed over; all or nothing of entry and session is written."""
    if request.headers.get("Origin") != _console(request):
        return render(request, "web/not_let_in.html", status=403)
    now, tenant = timezone.now(), request.tenant  # type: ignore[attr-defined]
    try:
        with transaction.atomic():
            token = request.POST.get("token", "")
            entry, user = entering.admit(token=token, municipality=tenant, at=clock.now(), now=now)
            login(request, user, backend=entering.BACKEND)
            strength.vouch(request=request, user=user)  # the console saw to it
            request.session.set_expiry(entry.ends_at)
            request.session.save()
            signed_in.begin(
                user=user,
                session=request.session,
                ip=str(request.META.get("REMOTE_ADDR") or "0.0.0.0"),  # noqa: S104 - no address is bound to
                user_agent=request.headers.get("User-Agent", ""),
            )
            announcing.announce_all(schema_name=tenant.schema_name)
    except entering.WrongToken:
        return render(request, "web/not_let_in.html", status=403)
    return redirect("home")


def _console(request: HttpRequest) -> str:
    port = f":{settings.PORT}" if settings.DEVELOPMENT else ""
    return f"{request.scheme}://{settings.CONSOLE_HOST}{port}"
