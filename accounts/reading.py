"""Who there is: the users of a schema, with their roles."""

from collections.abc import Collection
from dataclasses import dataclass

from allauth.socialaccount.models import SocialAccount

from accounts.models import User
from accounts.sign_on import gate


@dataclass(frozen=True, slots=True)
class UserView:
    """One user and their roles."""

    user: User
    roles: tuple[str, ...]
    can_sign_in: bool


def users() -> list[UserView]:
    """Return the users of the schema that the connection is in, by name; not who is inside by break-glass."""
    found = User.objects.filter(break_glass_id=None).order_by("name", "email").prefetch_related("role_grants")
    sign_on = gate.running()
    issuer = "" if sign_on is None else sign_on.issuer
    connected = set(SocialAccount.objects.filter(provider=issuer).values_list("user_id", flat=True))
    return [
        UserView(
            user=user,
            roles=tuple(sorted(grant.role for grant in user.role_grants.all())),
            can_sign_in=user.is_active and (user.has_usable_password() or user.id in connected),
        )
        for user in found
    ]


def addresses_with(*, roles: Collection[str]) -> list[str]:
    """Return the e-mail addresses of who has any of some roles in the schema that the connection is in."""
    found = User.objects.filter(is_active=True, role_grants__role__in=roles).distinct()
    return list(found.order_by("email").values_list("email", flat=True))
