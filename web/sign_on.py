"""Signing in by the municipality's provider, and the page on which its admin sets that up. One domain call a view."""

import structlog
from allauth.account.decorators import reauthentication_required
from allauth.account.utils import get_next_redirect_url
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission
from accounts.sign_on import configuring, flow, gate
from accounts.sign_on.trouble import NotAdmitted, ProviderTrouble, SignOnTrouble
from tenants import clock
from web.access import PageRequest, requires
from web.sign_on_form import SignOnForm
from web.sign_on_words import refusal

# From where a browser says that somebody came who did not press our own link.
ELSEWHERE = {"cross-site", "same-site"}

log = structlog.get_logger(__name__)


@require_safe
def begin(request: HttpRequest) -> HttpResponseBase:
    """Send somebody to the provider who pressed the link for it.

    By a link and not by a form: a browser would refuse to follow a form to another host (form-action). So that no
    other page can have somebody signed in unasked, who comes from elsewhere is shown the sign-in page first.
    """
    sign_on = gate.running()
    if sign_on is None:
        return redirect("home")
    if request.headers.get("Sec-Fetch-Site") in ELSEWHERE:
        return redirect("account_login")
    try:
        return flow.begin(request=request, sign_on=sign_on, next_url=get_next_redirect_url(request), linking=False)
    except ProviderTrouble as trouble:
        return _refuse(request, trouble)


@require_safe
@requires(None)
@reauthentication_required  # type: ignore[untyped-decorator]
def connect(request: PageRequest) -> HttpResponseBase:
    """Have somebody who signs in with a password come by the provider from now on."""
    sign_on = gate.running()
    if sign_on is None or request.headers.get("Sec-Fetch-Site") in ELSEWHERE:
        return redirect("mfa_index")
    try:
        return flow.begin(request=request, sign_on=sign_on, next_url=None, linking=True)
    except ProviderTrouble as trouble:
        return _refuse(request, trouble)


@require_safe
def come_back(request: HttpRequest) -> HttpResponseBase:
    """Take in who comes back from the provider, or say why not."""
    sign_on = gate.running()
    if sign_on is None:
        return redirect("home")
    try:
        return flow.complete(request=request, sign_on=sign_on)
    except SignOnTrouble as trouble:
        return _refuse(request, trouble)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_SIGN_ON)
def settings(request: PageRequest) -> HttpResponse:
    """Show how the municipality signs in by its provider; try it, or change it."""
    found = configuring.current()
    if request.method != "POST":
        return _show(request, SignOnForm.of_settings(found))
    form = SignOnForm.of_post(request.POST, has_secret=found is not None)
    if request.POST.get("step") == "test":
        return _try_out(request, form)
    wish = form.wish(client_secret=request.POST.get("client_secret", ""))
    try:
        saved = configuring.save(wish=wish, actor=request.user.actor(), at=clock.now())
    except configuring.Unacceptable as problem:
        form.say(problem.problems)
        return _show(request, form, status=422)
    if saved.is_on:
        messages.success(request, _("Saved. People can sign in with your municipality's account."))
    else:
        messages.success(request, _("Saved. Signing in with your municipality's account is turned off."))
    return redirect("sign-on")


def _try_out(request: PageRequest, form: SignOnForm) -> HttpResponse:
    try:
        configuring.try_out(issuer=form.values["issuer"])
    except ProviderTrouble as trouble:
        form.say({"issuer": trouble.code})
        return _show(request, form, status=422)
    return _show(request, form, tried=True)


def _show(request: PageRequest, form: SignOnForm, *, tried: bool = False, status: int = 200) -> HttpResponse:
    shown = {
        "form": form,
        "fields": form.fields(),
        "found": configuring.current(),
        "candidates": configuring.candidates(),
        "callback": flow.callback_url(request=request),
        "tried": tried,
    }
    return render(request, "web/sign_on.html", shown, status=status)


def _refuse(request: HttpRequest, trouble: SignOnTrouble) -> HttpResponse:
    """Say why somebody was not let in."""
    log.warning("sign_on_refused", reason=trouble.code)
    status = 403 if isinstance(trouble, NotAdmitted) else 503
    answer = render(request, "web/sign_on_refused.html", {"why": refusal(trouble.code)}, status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
