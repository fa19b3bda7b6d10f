"""One's own account: how one signs in, and where one is signed in. One domain call a view."""

from uuid import UUID

from allauth.account.views import confirm_email, email
from allauth.mfa.base.views import authenticate
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView
from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import addresses, signed_in, strength, watching
from accounts.second_step import SecondStepAdapter
from accounts.sign_on import gate
from accounts.strength import Owed
from web.access import PageRequest, owed, requires


def second_step(request: HttpRequest) -> HttpResponseBase:
    """Ask for the second step, while somebody is signing in; send on who is signed in already."""
    if request.user.is_authenticated:
        return redirect("home")
    answer: HttpResponseBase = authenticate(request)
    return answer


@require_safe
@requires(None, also_owing=[Owed.SET_UP, Owed.PROOF])
def owed_second_step(request: PageRequest) -> HttpResponse:
    """Say that a second step is needed, and lead to setting one up; who has one is asked for it."""
    if owed(request) is Owed.NOTHING:
        return redirect("home")
    if owed(request) is Owed.SET_UP:
        return render(request, "web/second_step.html")
    types = set(Authenticator.objects.filter(user_id=request.user.pk).values_list("type", flat=True))
    by_code = Authenticator.Type.TOTP in types
    return redirect("mfa_reauthenticate" if by_code else "mfa_reauthenticate_webauthn")


class SetUpApp(ActivateTOTPView):  # type: ignore[misc]
    """Set up an app; this session has given its code by that."""

    def form_valid(self, form: Form) -> HttpResponseBase:
        """Keep it."""
        answer: HttpResponseBase = super().form_valid(form)
        strength.gave(request=self.request, user=self.request.user, how=Authenticator.Type.TOTP)
        return answer


class AddPasskey(AddWebAuthnView):  # type: ignore[misc]
    """Add a passkey; this session has given it by that."""

    def form_valid(self, form: Form) -> HttpResponseBase:
        """Keep it."""
        answer: HttpResponseBase = super().form_valid(form)
        strength.gave(request=self.request, user=self.request.user, how=Authenticator.Type.WEBAUTHN)
        return answer


@require_safe
@requires(None)
def overview(request: PageRequest) -> HttpResponse:
    """Show somebody what protects their account, and where they are signed in."""
    found = Authenticator.objects.filter(user_id=request.user.pk).order_by("created_at", "pk")
    shown = {
        "app": next((each for each in found if each.type == Authenticator.Type.TOTP), None),
        "passkeys": [each for each in found if each.type == Authenticator.Type.WEBAUTHN],
        "codes": next((each.wrap() for each in found if each.type == Authenticator.Type.RECOVERY_CODES), None),
        "places": signed_in.places(user=request.user),
        "current": signed_in.current(session=request.session),
        "connected": gate.comes_by_provider(user=request.user),
    }
    return render(request, "web/account.html", shown)


@require_POST
@requires(None)
def end_sessions(request: PageRequest) -> HttpResponse:
    """End one of somebody's sessions, all but this one, or all."""
    if request.POST.get("place") == "all":
        count = signed_in.end_all(user=request.user)
        watching.ended(user=request.user, which="all", count=count)
        request.session.flush()
        return redirect("account_login")
    if request.POST.get("place") == "others":
        count = signed_in.end_others(user=request.user, session=request.session)
        watching.ended(user=request.user, which="others", count=count)
        said = ngettext("%(count)s other session was ended.", "%(count)s other sessions were ended.", count)
        messages.success(request, said % {"count": count})
        return redirect("mfa_index")
    try:
        ended = signed_in.end(user=request.user, place_id=UUID(request.POST.get("place", "")))
    except ValueError:
        ended = False
    if ended:
        watching.ended(user=request.user, which="another")
        messages.success(request, _("The session was ended."))
    else:
        messages.error(request, _("That session had ended already."))
    return redirect("mfa_index")


class ConfirmByPasskey(ReauthenticateWebAuthnView):  # type: ignore[misc]
    """Ask for a passkey again; a wrong answer leads back to the question, and not to the sign-in."""

    def form_invalid(self, form: Form) -> HttpResponseBase:
        """Say that it was wrong."""
        messages.error(self.request, str(SecondStepAdapter.error_messages["incorrect_code"]))
        return redirect(self.passthrough_next_url(self.request.path))


@requires(None)
def change_address(request: PageRequest) -> HttpResponseBase:
    """Take a new address to sign in with, which counts once it was confirmed."""
    addresses.trust_given(user=request.user)
    answer: HttpResponseBase = email(request)
    return answer


def confirm_address(request: HttpRequest, key: str) -> HttpResponseBase:
    """Have a new address count, by who has the link that was mailed to it."""
    try:
        answer: HttpResponseBase = confirm_email(request, key=key)
    except Http404:
        return redirect("account_confirm_email", key=key)  # which says that the link works no longer
    return answer
