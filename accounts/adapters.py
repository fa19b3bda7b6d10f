"""How allauth signs people in here: with e-mail and password, by accounts that others make for them.

Users come by invitation or by command; nobody signs up. Where somebody goes after signing in is the pages' affair.
"""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The choices in which we differ from allauth's own."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: an account is given, not taken."""
        return False
