"""How allauth signs people in here: with e-mail and password, by accounts that others make for them.

Users come by invitation or by command; nobody signs up. Where somebody goes after signing in is the pages' affair.
"""

import time
from contextlib import suppress
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import breakglass, mail, signed_in, strength, watching
from accounts.breakglass import TooLate
from accounts.languages import written_for
from accounts.models import User
from accounts.sign_on import flow, gate
from audit.record import record
from tenants import clock
from tenants.models import BreakGlass

# What is said on the next page about what was done, by the name of the template that allauth would use. All else, such
# as who signed in, is said by the page itself.
SAID: dict[str, Promise] = {
    "mfa/messages/totp_activated.txt": _("The app is set up. From now on signing in asks for a code."),
    "mfa/messages/totp_deactivated.txt": _("The app is no longer asked for."),
    "mfa/messages/webauthn_added.txt": _("The passkey was added."),
    "account/messages/password_changed.txt": _("Your password was changed. Other sessions have ended."),
    "account/messages/email_confirmation_sent.txt": _("A mail is under way to the new address: open its link."),
    "account/messages/email_confirmed.txt": _("Your new e-mail address was confirmed. Sign in with it from now on."),
    "account/messages/email_confirmation_failed.txt": _("This address cannot be used."),
    "account/messages/email_deleted.txt": _("The new address was dropped."),
    "mfa/messages/webauthn_removed.txt": _("The passkey was removed."),
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The choices in which we differ from allauth's own."""

    # In the form of address that all pages have.
    error_messages: dict[str, Promise] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The e-mail address or the password is not right."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: an account is given, not taken."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return whose password it is; nobody, where people come by their municipality's provider.

        Answered as a wrong password is, so that nobody learns which it was; the page says what to do.
        """
        user: User | None = super().authenticate(request, **credentials)
        if user is not None and not gate.may_sign_in_here(user=user):
            watching.refused(user=user, is_blocked=True)
            return None
        return user

    def pre_login(self, request: HttpRequest, user: User, **how: Any) -> HttpResponseBase | None:
        """Stop who may not sign in this way, such as with a passkey where the provider must be used."""
        answer: HttpResponseBase | None = super().pre_login(request, user, **how)
        login = (how["signal_kwargs"] or {}).get("sociallogin")
        request.session.pop(flow.STRONG, None)  # of a way in that was not gone to its end
        if answer is None and login is not None:
            sign_on = gate.running()
            request.session[flow.STRONG] = sign_on is not None and flow.is_strong(sign_on=sign_on, login=login)
        elif answer is None and not gate.may_sign_in_here(user=user):
            messages.error(request, str(_("Sign in with your municipality's account.")))
            return redirect("account_login")
        return answer

    def get_login_stages(self) -> list[str]:
        """Return the steps of signing in; the second one is ours, because a provider may have asked for it."""
        stages: list[str] = super().get_login_stages()
        ours = "accounts.sign_on.stages.SecondStepStage"
        return [ours if stage == "allauth.mfa.stages.AuthenticateStage" else stage for stage in stages]

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign somebody in, and remember where, and whether their provider has seen to a second step."""
        super().login(request, user)
        if request.session.pop(flow.STRONG, False):
            strength.vouch(request=request, user=user)
        signed_in.begin(
            user=user,
            session=request.session,
            ip=self.get_client_ip(request),
            user_agent=self.get_http_user_agent(request),
        )
        watching.began(request=request, user=user)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count an attempt.  Raises ValidationError: there were too many; no more are looked at for a while."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            watching.locked(address=str(credentials.get("email", "")))
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Note that address and password do not belong together."""
        watching.refused(address=str(credentials.get("email", "")))

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Tell somebody who is blocked so: they gave the right password."""
        watching.refused(user=user, is_blocked=True)
        messages.error(request, str(_("Your account is blocked. Ask your administrator.")))
        return redirect("account_login")

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Mail a link to choose a new password; not to who never had one: an invitation alone gives the first."""
        may = user.has_usable_password()
        watching.asked_for_reset(user=user, is_sent=may)
        if may:
            with written_for(user=user):
                super().send_password_reset_mail(user, email, context)

    def logout(self, request: HttpRequest) -> None:
        """Sign somebody out; who is inside by break-glass ends the entry with it."""
        user = request.user
        if isinstance(user, User) and user.break_glass_id is not None:
            with suppress(BreakGlass.DoesNotExist, TooLate):  # it is over already
                breakglass.end(
                    entry_id=user.break_glass_id,
                    by=user,
                    municipality=request.tenant,  # type: ignore[attr-defined]
                    at=clock.now(),
                    now=timezone.now(),
                )
        elif isinstance(user, User):
            watching.ended(user=user, which="this")
        super().logout(request)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Return whether somebody must prove again who they are: not shortly after they signed in."""
        records = get_authentication_records(context.request, context.request.user)
        since = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
        return not any(record["at"] > since for record in records)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return where somebody chooses a new password."""
        user, _separator, token = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": user, "key": token})
        return str(self.request.build_absolute_uri(path))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Return where somebody goes who has changed their password."""
        return reverse("mfa_index")

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tell somebody that what protects their account was changed, and tell it to the trail."""
        what = template_prefix.rpartition("/")[2]
        actor, at = user.actor(), clock.now()
        record(action="account.change", actor=actor, at=at, subject=f"user {user.id}", details={"what": what})
        with written_for(user=user):
            super().send_notification_mail(template_prefix, user, context=context, email=email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send one of our mails; that it could not leave is noted, and stops nobody.  Raises KeyError: it is none."""
        mail.send(what=template_prefix, to=email, context=context, host=str(self.request.get_host()))

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Say on the next page what was done, in our words, or nothing."""
        said = message or SAID.get(message_template or "")
        if said:
            messages.add_message(request, level, str(said), extra_tags=extra_tags)
