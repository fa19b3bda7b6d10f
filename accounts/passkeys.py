"""What a browser sends of a passkey, taken without trust: what cannot be read is a wrong answer, not an error of ours.

Allauth's own forms let whatever its parser raises through, so that anybody could make the pages fail.
"""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn import forms
from django.core.exceptions import ValidationError

from accounts import watching
from accounts.codes import LOCKED

UNREADABLE = (AttributeError, KeyError, IndexError, TypeError, ValueError)


class AddForm(forms.AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey."""

    def clean(self) -> dict[str, Any]:
        """Check what the browser made.  Raises ValidationError: it is no passkey that was asked for."""
        try:
            cleaned: dict[str, Any] = super().clean()
        except UNREADABLE:
            raise get_adapter().validation_error("incorrect_code") from None
        return cleaned


class _Readable:
    def clean_credential(self) -> Any:
        """Check what the passkey signed.  Raises ValidationError: it is not what was asked for."""
        try:
            return super().clean_credential()  # type: ignore[misc]
        except UNREADABLE:
            self._tell(is_locked=False)
            raise get_adapter().validation_error("incorrect_code") from None
        except ValidationError as error:
            self._tell(is_locked=error.code == LOCKED)
            raise

    def _tell(self, *, is_locked: bool) -> None:
        user = self.user  # type: ignore[attr-defined]
        if user is None:
            watching.refused()  # whose it is the passkey alone would say
        else:
            watching.second_step_refused(user=user, is_locked=is_locked)


class LoginForm(_Readable, forms.LoginWebAuthnForm):  # type: ignore[misc]
    """Signing in with a passkey alone."""


class AuthenticateForm(_Readable, forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey as the second step."""


class ReauthenticateForm(_Readable, forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey to confirm who somebody is."""
