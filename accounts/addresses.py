"""The address that somebody signs in with: given by who made the user, changed by who confirms another one."""

from allauth.account.models import EmailAddress

from accounts.models import User


def trust_given(*, user: User) -> None:
    """Have allauth know the address of a user as confirmed. Safe to repeat.

    Otherwise it would put a new address in its place at once, without waiting for anybody to confirm it.
    """
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
