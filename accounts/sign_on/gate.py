"""Who may sign in with what this platform itself keeps, a password or a passkey, while the provider is on."""

from allauth.socialaccount.models import SocialAccount

from accounts.models import User
from accounts.sign_on.models import SignOn


def running() -> SignOn | None:
    """Return how this municipality signs in by its provider, or None: it does not."""
    return SignOn.objects.filter(is_on=True).select_related("local_admin").first()


def is_local_admin(*, user: User) -> bool:
    """Return whether somebody is kept for the day that the provider fails."""
    return SignOn.objects.filter(is_on=True, local_admin=user).exists()


def comes_by_provider(*, user: User) -> bool:
    """Return whether somebody signs in by the provider that the municipality has now."""
    found = running()
    return found is not None and SocialAccount.objects.filter(user=user, provider=found.issuer).exists()


def may_sign_in_here(*, user: User) -> bool:
    """Return whether somebody may sign in without the provider.

    The local admin always may. Others, as long as the municipality leaves it open to them; but never who comes by the
    provider: leaving there must end it here too.
    """
    found = running()
    if found is None or found.local_admin_id == user.id:
        return True
    return found.passwords_open and not SocialAccount.objects.filter(user=user).exists()
