"""Codes of an app and recovery codes, as allauth takes them; the trail is told when one is wrong."""

from allauth.mfa.base import forms
from django.core.exceptions import ValidationError

from accounts import watching

LOCKED = "too_many_login_attempts"  # allauth's code of the error


class _Watched:
    def clean_code(self) -> str:
        """Check the code.  Raises ValidationError: it is wrong, or no more attempts are looked at."""
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError as error:
            watching.second_step_refused(user=self.user, is_locked=error.code == LOCKED)  # type: ignore[attr-defined]
            raise
        return code


class AuthenticateForm(_Watched, forms.AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class ReauthenticateForm(_Watched, forms.ReauthenticateForm):  # type: ignore[misc]
    """A code to confirm who somebody is."""
