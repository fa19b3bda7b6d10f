"""The names of what a key may do. Each operation needs one scope, a key has one or more.

Which permission each is says the one table, accounts/permissions.py.
"""

from enum import StrEnum


class Scope(StrEnum):
    """A municipality's own scopes."""

    MESSAGES_SEND = "messages:send"
    MESSAGES_READ = "messages:read"
    # Opens nothing by itself: what is read comes with BSNs, card numbers and IBANs in full (messaging/sensitive.py).
    MESSAGES_UNMASK = "messages:unmask"
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
