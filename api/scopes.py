"""What a key may do. Each address needs one scope; a key has one or more."""

from collections.abc import Mapping
from enum import StrEnum

from accounts.permissions import Permission


class Scope(StrEnum):
    """A municipality's own scopes."""

    MESSAGES_SEND = "messages:send"
    MESSAGES_READ = "messages:read"
    TEMPLATES_READ = "templates:read"
    USAGE_READ = "usage:read"


class BspScope(StrEnum):
    """The scopes of the BSP's own systems, on the console's host."""

    MUNICIPALITIES_READ = "municipalities:read"
    USAGE_READ = "usage:read"
    INVOICES_READ = "invoices:read"


TENANT_SCOPES = frozenset(scope.value for scope in Scope)
BSP_SCOPES = frozenset(scope.value for scope in BspScope)
SCOPES = TENANT_SCOPES | BSP_SCOPES

# What a scope lets a key do, in the words of the one table: what a person needs a role for, a key needs a scope for.
PERMISSIONS: Mapping[str, Permission] = {
    Scope.MESSAGES_SEND: Permission.ANSWER_THREADS,
    Scope.MESSAGES_READ: Permission.READ_THREADS,
    Scope.TEMPLATES_READ: Permission.READ_TEMPLATES,
    Scope.USAGE_READ: Permission.READ_USAGE,
    BspScope.MUNICIPALITIES_READ: Permission.READ_MUNICIPALITIES,
    BspScope.INVOICES_READ: Permission.READ_INVOICES,
}
