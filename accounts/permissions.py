"""Who may do what: the one table of roles and permissions, which every page and door reads.

A page asks for a permission, never for a role. Roles of the BSP and of a municipality do not mix: a schema holds only
users of its own kind, and a session of one schema is nothing in another.
"""

from collections.abc import Mapping
from enum import StrEnum

from accounts.models import User
from accounts.roles import BspRole, MunicipalRole


class Permission(StrEnum):
    """What may be done, in the words of the pages."""

    READ_THREADS = "READ_THREADS"
    ANSWER_THREADS = "ANSWER_THREADS"
    READ_NUMBERS = "READ_NUMBERS"
    READ_TEMPLATES = "READ_TEMPLATES"
    MANAGE_TEMPLATES = "MANAGE_TEMPLATES"
    READ_USERS = "READ_USERS"
    READ_MUNICIPALITIES = "READ_MUNICIPALITIES"
    READ_INVOICES = "READ_INVOICES"


ROLES_WITH: Mapping[Permission, frozenset[str]] = {
    Permission.READ_THREADS: frozenset({MunicipalRole.AGENT, MunicipalRole.SUPERVISOR}),
    Permission.ANSWER_THREADS: frozenset({MunicipalRole.AGENT, MunicipalRole.SUPERVISOR}),
    Permission.READ_NUMBERS: frozenset({MunicipalRole.ADMIN, MunicipalRole.SUPERVISOR}),
    Permission.READ_TEMPLATES: frozenset({MunicipalRole.ADMIN, MunicipalRole.SUPERVISOR}),
    Permission.MANAGE_TEMPLATES: frozenset({MunicipalRole.ADMIN}),
    Permission.READ_USERS: frozenset({MunicipalRole.ADMIN}),
    Permission.READ_MUNICIPALITIES: frozenset({BspRole.BSP_SUPPORT, BspRole.BSP_ONBOARDING, BspRole.BSP_OPERATOR}),
    Permission.READ_INVOICES: frozenset({BspRole.BSP_FINANCE}),
}


def permissions_of(*, user: User) -> frozenset[Permission]:
    """Return what a user may do, by one query; none for a user who is not active."""
    if not user.is_active:
        return frozenset()
    roles = set(user.role_grants.values_list("role", flat=True))
    return frozenset(permission for permission, allowed in ROLES_WITH.items() if roles & allowed)
