"""How allauth signs people in here: with e-mail and password, by accounts that others make for them.

Users come by invitation or by command; nobody signs up. Where somebody goes after signing in is the pages' affair.
"""

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import mail, signed_in
from accounts.models import User

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

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: an account is given, not taken."""
        return False

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign somebody in, and remember where."""
        super().login(request, user)
        signed_in.begin(
            user=user,
            session=request.session,
            ip=self.get_client_ip(request),
            user_agent=self.get_http_user_agent(request),
        )

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
