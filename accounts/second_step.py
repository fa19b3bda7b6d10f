"""The second step of signing in: a code of an app, a passkey or a recovery code, kept by allauth, encrypted here."""

from typing import Any

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_tenants.utils import get_public_schema_name

from accounts import strength
from accounts.models import User
from tenants import encryption


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """The choices in which we differ from allauth's own."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": _("You need a second step: set up another one before you remove this."),
        "cannot_generate_recovery_codes": _("Set up an app or a passkey first."),
        "incorrect_code": _("This code is not right. Codes of an app are valid for half a minute, and once."),
    }

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Return whether somebody may remove this: not the last step of who must have one."""
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=strength.STEPS)
        return others.exclude(pk=authenticator.pk).exists() or not strength.is_required(user=authenticator.user)

    def encrypt(self, text: str) -> str:
        """Return a secret as it is kept."""
        return encryption.encrypt(plain=text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret as it was.  Raises UnreadableSecret: no key opens it."""
        return encryption.decrypt(encrypted=encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        """Return what an app shows above the code."""
        return self._get_site_name()

    def build_totp_svg(self, url: str) -> str:
        """Return the picture as it stands in a page: without the first line of a file."""
        picture: str = super().build_totp_svg(url)
        return picture[picture.index("<svg") :]

    def generate_authenticator_name(self, user: User, type: Any) -> str:  # noqa: A002 - allauth's own name
        """Return what a passkey is called until somebody gives it a better name."""
        count = user.authenticator_set.filter(type=type).count()  # type: ignore[attr-defined]
        return gettext("Passkey {number}").format(number=count + 1)

    def _get_site_name(self) -> str:
        tenant = context.request.tenant
        return "WhatsApp BSP" if tenant.schema_name == get_public_schema_name() else f"WhatsApp {tenant.name}"
