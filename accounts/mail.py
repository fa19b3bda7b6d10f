"""The mails about somebody's account: what each says, and sending it. None holds more than a link that ends soon."""

import smtplib
from typing import Any

import structlog
from django.core.mail import EmailMessage
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# By the name that allauth has for it: subject, text, and which value of the context is the link below the text.
LINKS: dict[str, tuple[Promise, Promise, str]] = {
    "account/email/password_reset_key": (
        _("Choose a new password"),
        _("Somebody asked for a new password for your account. Was it you? Open this link within two hours:"),
        "password_reset_url",
    ),
    "account/email/email_confirmation": (
        _("Confirm your new e-mail address"),
        _("Somebody wants to sign in with this address from now on. Was it you? Open this link within a day:"),
        "activate_url",
    ),
    "account/email/account_already_exists": (
        _("Your e-mail address"),
        _("Somebody wanted to use this address for another account. It is yours already. Forgotten your password?"),
        "password_reset_url",
    ),
}
# What is told after a change, also to who did not make it.
CHANGES: dict[str, Promise] = {
    "account/email/password_changed": _("Your password was changed."),
    "account/email/password_reset": _("Your password was chosen anew, by a link that was mailed to you."),
    "account/email/password_set": _("Your account has a password now."),
    "account/email/email_changed": _("Your e-mail address was changed; this mail goes to the one from before."),
    "account/email/email_confirm": _("Your e-mail address was confirmed."),
    "account/email/email_deleted": _("An e-mail address was removed from your account."),
    "mfa/email/totp_activated": _("An app was set up as your second step."),
    "mfa/email/totp_deactivated": _("The app was removed as your second step."),
    "mfa/email/webauthn_added": _("A passkey was added to your account."),
    "mfa/email/webauthn_removed": _("A passkey was removed from your account."),
    "mfa/email/recovery_codes_generated": _("New recovery codes were made; the old ones no longer work."),
}

log = structlog.get_logger(__name__)


def send(*, what: str, to: str, context: dict[str, Any], host: str) -> bool:
    """Send one mail, in the language that is in use; return whether it left.  Raises KeyError: there is no such mail.

    That the mail server does not take it is logged, without the address, and stops nobody.
    """
    if what in LINKS:
        subject, text, link = LINKS[what]
        body = [text, context[link], gettext("Was it not you? Then you need not do anything.")]
    else:
        subject = _("Your account was changed")
        body = [CHANGES[what], gettext("Was it not you? Tell your administrator at once.")]
    message = EmailMessage(f"{subject} – {host}", "\n\n".join([*map(str, body), host]) + "\n", to=[to])
    try:
        return bool(message.send())
    except (smtplib.SMTPException, OSError) as error:
        log.warning("mail_not_sent", what=what, error=type(error).__name__)
        return False
