"""Coming in by an invitation: its link, then name and password, and straight on to the second step where one is needed.

The token stays in the address no longer than it takes to look at it: the session keeps its digest, as forms do that
choose a new password.
"""

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.core.internal import ratelimit
from django.contrib.auth import logout
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import invitations
from accounts.models import Invitation
from tenants import clock

KEPT = "invitation"  # in the session: the digest of the token, as hexadecimal
LONGEST_NAME = 200


@require_safe
@never_cache
def follow(request: HttpRequest, token: str) -> HttpResponseBase:
    """Take the link of a mail: on to the form, or say that it works no longer. Limited by address."""
    if ratelimit.consume(request, app="allauth.account", action="invitation", limit_get=True) is None:
        return render(request, "429.html", status=429)
    digest = invitations.digest(token)
    if invitations.find(token_digest=digest) is None:
        return render(request, "web/join_failed.html", status=404)
    if request.user.is_authenticated:
        logout(request)  # who comes is somebody else, or comes anew
    request.session[KEPT] = digest.hex()
    return redirect("join")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def join(request: HttpRequest) -> HttpResponseBase:
    """Take name and password from who followed a link, and sign them in."""
    found = _invitation(request)
    if found is None:
        return render(request, "web/join_failed.html", status=404)
    if request.method != "POST":
        return _form(request, found, name=found.user.name, wrong=[])
    name = request.POST.get("name", "").strip().replace("\x00", "")
    password, again = request.POST.get("password1", ""), request.POST.get("password2", "")
    wrong = _wrong(found, name=name, password=password, again=again)
    if wrong:
        return _form(request, found, name=name, wrong=wrong)
    try:
        user = invitations.accept(
            token_digest=bytes(found.token_digest or b""), name=name, password=password, at=clock.now()
        )
    except invitations.NotInvited:
        return render(request, "web/join_failed.html", status=404)
    request.session.pop(KEPT, None)
    record_authentication(request, user, method="invitation")
    answer: HttpResponseBase = perform_login(request, Login(user=user, email=user.email))
    return answer


def _invitation(request: HttpRequest) -> Invitation | None:
    kept = request.session.get(KEPT, "")
    return invitations.find(token_digest=bytes.fromhex(kept)) if kept else None


def _wrong(found: Invitation, *, name: str, password: str, again: str) -> list[str]:
    wrong: list[str] = []
    if not name or len(name) > LONGEST_NAME:
        wrong.append(_("Give a name of at most 200 characters."))
    found.user.name = name
    try:
        validate_password(password, found.user)
    except ValidationError as error:
        wrong += error.messages
    if password != again:
        wrong.append(_("The two passwords are not the same."))
    return wrong


def _form(request: HttpRequest, found: Invitation, *, name: str, wrong: list[str]) -> HttpResponse:
    shown = {"invitation": found, "name": name, "wrong": wrong}
    return render(request, "web/join.html", shown, status=422 if wrong else 200)
