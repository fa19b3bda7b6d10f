"""The page on which a municipality is connected to Meta: Embedded Signup in a pop-up, the way by hand, and each step.

Facebook's SDK may run on this one page alone: its policy allows the SDK's host, and nobody else's does.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Permission
from tenants import clock
from tenants.models import ConnectionStep, Onboarding
from tenants.onboarding.connecting import take_step
from tenants.onboarding.showing import connection_of, steps_of
from tenants.onboarding.signup import confirm_again, connect_by_hand, connect_by_signup, make_tenant
from tenants.onboarding.steps import STAGE_OF, StepRefused
from web.access import PageRequest, permissions, requires
from web.onboarding_words import said

FACEBOOK = "connect.facebook.net"
GIVEN_LETTERS = 300


def _sdk_origin() -> str:
    parts = urlsplit(settings.META_SDK_URL)
    return f"{parts.scheme}://{parts.netloc}"


def _with_sdk(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let the SDK's host run and be called on this page; and let its pop-up speak to the page that opened it."""

    @wraps(view)
    def allowed(*args: Any, **kwargs: Any) -> HttpResponseBase:
        origin = _sdk_origin()
        called = [origin, "https://*.facebook.com"] if urlsplit(origin).hostname == FACEBOOK else [origin]
        policy = {"script-src": [origin], "connect-src": called, "frame-src": called}
        answer: HttpResponseBase = csp_update(policy)(view)(*args, **kwargs)
        answer.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
        return answer

    return allowed


@require_safe
@_with_sdk
@requires(Permission.READ_ONBOARDING)
def connect(request: PageRequest, onboarding_id: UUID) -> HttpResponse:
    """Show the steps at Meta with what came of each."""
    return _show(request, _onboarding(onboarding_id))


@require_POST
@_with_sdk
@requires(Permission.ONBOARD)
def signup(request: PageRequest, onboarding_id: UUID) -> HttpResponse:
    """Take over what a finished pop-up brought, within the 30 seconds that its code lives."""
    found = _onboarding(onboarding_id)
    code, event = request.POST.get("code", ""), request.POST.get("event", "")
    return _taken(
        request,
        found,
        lambda: connect_by_signup(
            onboarding_id=found.id, code=code, said=event, actor=request.user.actor(), at=clock.now()
        ),
    )


@require_POST
@_with_sdk
@requires(Permission.ONBOARD)
def by_hand(request: PageRequest, onboarding_id: UUID) -> HttpResponse:
    """Take over an account that was shared with the BSP at Meta."""
    found = _onboarding(onboarding_id)
    return _taken(
        request,
        found,
        lambda: connect_by_hand(
            onboarding_id=found.id,
            waba_id=request.POST.get("waba_id", "").strip()[:GIVEN_LETTERS],
            phone_number_id=request.POST.get("phone_number_id", "").strip()[:GIVEN_LETTERS],
            token=request.POST.get("token", "").strip(),
            actor=request.user.actor(),
            at=clock.now(),
        ),
    )


@require_POST
@_with_sdk
@requires(Permission.ONBOARD)
def step(request: PageRequest, onboarding_id: UUID, step: str) -> HttpResponse:
    """Take one step, or take it again."""
    found, wanted = _onboarding(onboarding_id), step.upper().replace("-", "_")
    if wanted not in STAGE_OF:
        raise Http404
    given = {name: request.POST.get(name, "")[:GIVEN_LETTERS] for name in ("pin", "code", "method", "day", "reference")}
    actor, at = request.user.actor(), clock.now()
    if wanted == "SIGNUP":
        return _taken(request, found, lambda: confirm_again(onboarding_id=found.id, actor=actor, at=at))
    if wanted == "TENANT":
        return _taken(request, found, lambda: make_tenant(onboarding_id=found.id, actor=actor, at=at))
    return _taken(
        request,
        found,
        lambda: take_step(onboarding_id=found.id, step=wanted, given=given, actor=actor, at=at),
    )


def _taken(request: PageRequest, found: Onboarding, take: Callable[[], ConnectionStep]) -> HttpResponse:
    try:
        take()
    except StepRefused as refused:
        messages.error(request, said(table="refusal", code=refused.code, language=get_language()))
    return redirect("connect", found.id)


def _show(request: PageRequest, found: Onboarding) -> HttpResponse:
    may_onboard = Permission.ONBOARD in permissions(request)
    shown = {
        "onboarding": found,
        "steps": steps_of(onboarding=found),
        "connection": connection_of(onboarding=found),
        "now": clock.now(),
        "may_onboard": may_onboard,
        "sdk": settings.META_SDK_URL,
        "app_id": settings.META_APP_ID,
        "config_id": settings.META_CONFIG_ID or "",
        "version": settings.META_GRAPH_VERSION,
    }
    return render(request, "web/connect.html", shown)


def _onboarding(onboarding_id: UUID) -> Onboarding:
    found = Onboarding.objects.select_related("municipality").filter(id=onboarding_id).first()
    if found is None:
        raise Http404
    return found
