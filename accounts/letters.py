"""What the mails say that a worker sends (accounts/posting.py): made when sent, in the language they are for."""

from collections.abc import Callable

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext
from django_tenants.utils import get_public_schema_name

from accounts import declaration_mail, invitations, suspension_mail
from accounts.models import Mail
from tenants.models import Municipality

# What admins are told: subject and paragraphs, and the page that its last one leads to.
_TO_ADMINS: dict[str, tuple[Callable[..., tuple[str, list[str]] | None], str]] = {
    Mail.What.DECLARATION_DECIDED: (declaration_mail.texts, "declaration"),
    Mail.What.SUSPENSION: (suspension_mail.texts, "home"),
}


def write(mail: Mail) -> EmailMessage | None:
    """Return a mail as it is sent; None: there is nothing to say any more. Within a transaction.

    Of an invitation it makes the link anew, so that only this mail's works.
    """
    with translation.override(mail.language):
        if mail.what == Mail.What.INVITATION:
            return _invitation(mail)
        if mail.what in _TO_ADMINS:
            return _to_admin(mail)
        text = gettext(
            "An administrator removed your second step. Sign in with your password; you are then asked to set up a"
            " new one."
        )
        warning = gettext("Was this not agreed with you? Tell your administrator at once.")
        return _message(mail, subject=gettext("Your second step was removed"), parts=[text, warning])


def _invitation(mail: Mail) -> EmailMessage | None:
    invitation = mail.user.invitations.filter(invitations.OPEN, expires_at__gt=timezone.now()).first()
    if invitation is None or not mail.user.is_active:
        return None
    token = invitations.make_token(invitation=invitation)
    path = reverse("invitation", kwargs={"token": token}, urlconf=_urlconf())
    text = gettext("{name} invites you to work here: {place}.").format(name=invitation.invited_by_name, place=_place())
    how = gettext("Open this link, and choose a password. It works once, until {day}:").format(
        day=date_format(timezone.localtime(invitation.expires_at), "j F Y H:i")
    )
    link = f"{_base()}{path}"
    end = gettext("Did you not expect this? Then you need not do anything.")
    return _message(mail, subject=gettext("You are invited"), parts=[text, how, link, end])


def _to_admin(mail: Mail) -> EmailMessage | None:
    texts, page = _TO_ADMINS[mail.what]
    found = texts(user=mail.user)
    if found is None:
        return None
    subject, parts = found
    return _message(mail, subject=subject, parts=[*parts, f"{_base()}{reverse(page, urlconf=_urlconf())}"])


def _message(mail: Mail, *, subject: str, parts: list[str]) -> EmailMessage:
    body = "\n\n".join([*parts, _host()]) + "\n"
    return EmailMessage(f"{subject} – {_place()}", body, to=[mail.user.email])


def _is_console() -> bool:
    return bool(connection.schema_name == get_public_schema_name())  # type: ignore[attr-defined]


def _place() -> str:
    if _is_console():
        return gettext("BSP console")
    name = Municipality.objects.values_list("name", flat=True).get(schema_name=connection.schema_name)  # type: ignore[attr-defined]
    return gettext("WhatsApp of the municipality of {name}").format(name=name)


def _host() -> str:
    return settings.CONSOLE_HOST if _is_console() else f"{connection.schema_name}.{settings.BASE_DOMAIN}"  # type: ignore[attr-defined]


def _base() -> str:
    return f"http://{_host()}:{settings.PORT}" if settings.DEVELOPMENT else f"https://{_host()}"


def _urlconf() -> str:
    return settings.PUBLIC_SCHEMA_URLCONF if _is_console() else settings.ROOT_URLCONF
