"""Who may do what: the one table of roles and permissions, which pages, API, tests and docs/permissions.md read.

A page asks for a permission, never for a role; an operation of the API asks for a scope, and each scope is a
permission of this table. Roles of the BSP and of a municipality do not mix: a role counts only in a
schema of its own kind, and a session of one schema is nothing in another.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from django.db import connection
from django_tenants.utils import get_public_schema_name

from accounts.models import User
from accounts.roles import BspRole, MunicipalRole
from accounts.scopes import BspScope, Scope


class Permission(StrEnum):
    """What may be done, in the words of the pages."""

    READ_THREADS = "READ_THREADS"
    ANSWER_THREADS = "ANSWER_THREADS"
    READ_ALL_TEAMS = "READ_ALL_TEAMS"
    REVEAL_NUMBERS = "REVEAL_NUMBERS"
    READ_NUMBERS = "READ_NUMBERS"
    MANAGE_NUMBERS = "MANAGE_NUMBERS"
    READ_TEMPLATES = "READ_TEMPLATES"
    MANAGE_TEMPLATES = "MANAGE_TEMPLATES"
    CHANGE_DECLARATION = "CHANGE_DECLARATION"
    READ_USERS = "READ_USERS"
    MANAGE_USERS = "MANAGE_USERS"
    MANAGE_SIGN_ON = "MANAGE_SIGN_ON"
    MANAGE_TEAMS = "MANAGE_TEAMS"
    MANAGE_OFFICE = "MANAGE_OFFICE"
    MANAGE_LABELS = "MANAGE_LABELS"
    MANAGE_CANNED = "MANAGE_CANNED"
    JUDGE_DRAFTS = "JUDGE_DRAFTS"
    SET_ELECTIONS = "SET_ELECTIONS"
    MANAGE_KEYS = "MANAGE_KEYS"
    READ_ENTRIES = "READ_ENTRIES"
    DECIDE_ENTRIES = "DECIDE_ENTRIES"
    ENTER_MUNICIPALITIES = "ENTER_MUNICIPALITIES"
    READ_MUNICIPALITIES = "READ_MUNICIPALITIES"
    READ_USAGE = "READ_USAGE"
    READ_INVOICES = "READ_INVOICES"
    MANAGE_INVOICES = "MANAGE_INVOICES"
    READ_OWN_INVOICES = "READ_OWN_INVOICES"
    READ_AUDIT = "READ_AUDIT"
    READ_FLOW = "READ_FLOW"
    REPLAY_EVENTS = "REPLAY_EVENTS"
    READ_ONBOARDING = "READ_ONBOARDING"
    ONBOARD = "ONBOARD"
    DECIDE_ONBOARDING = "DECIDE_ONBOARDING"


ROLES_WITH: Mapping[Permission, frozenset[str]] = {
    Permission.READ_THREADS: frozenset({MunicipalRole.AGENT, MunicipalRole.SUPERVISOR}),
    Permission.ANSWER_THREADS: frozenset({MunicipalRole.AGENT, MunicipalRole.SUPERVISOR}),
    Permission.READ_ALL_TEAMS: frozenset({MunicipalRole.SUPERVISOR}),
    Permission.REVEAL_NUMBERS: frozenset({MunicipalRole.AGENT, MunicipalRole.SUPERVISOR}),
    Permission.READ_NUMBERS: frozenset({MunicipalRole.ADMIN, MunicipalRole.SUPERVISOR}),
    Permission.MANAGE_NUMBERS: frozenset({MunicipalRole.ADMIN}),
    Permission.READ_TEMPLATES: frozenset({MunicipalRole.ADMIN, MunicipalRole.SUPERVISOR}),
    Permission.MANAGE_TEMPLATES: frozenset({MunicipalRole.ADMIN}),
    Permission.CHANGE_DECLARATION: frozenset({MunicipalRole.ADMIN}),
    Permission.READ_USERS: frozenset({MunicipalRole.ADMIN, BspRole.BSP_OPERATOR}),
    Permission.MANAGE_USERS: frozenset({MunicipalRole.ADMIN, BspRole.BSP_OPERATOR}),
    Permission.MANAGE_SIGN_ON: frozenset({MunicipalRole.ADMIN}),
    Permission.MANAGE_TEAMS: frozenset({MunicipalRole.ADMIN}),
    Permission.MANAGE_OFFICE: frozenset({MunicipalRole.ADMIN}),
    Permission.MANAGE_LABELS: frozenset({MunicipalRole.ADMIN}),
    Permission.MANAGE_CANNED: frozenset({MunicipalRole.ADMIN, MunicipalRole.SUPERVISOR}),
    Permission.JUDGE_DRAFTS: frozenset({BspRole.BSP_ONBOARDING}),
    Permission.SET_ELECTIONS: frozenset({MunicipalRole.ADMIN, BspRole.BSP_ONBOARDING}),
    Permission.MANAGE_KEYS: frozenset({MunicipalRole.ADMIN, BspRole.BSP_OPERATOR}),
    Permission.READ_ENTRIES: frozenset({MunicipalRole.ADMIN, MunicipalRole.PRIVACY_OFFICER}),
    Permission.DECIDE_ENTRIES: frozenset({MunicipalRole.ADMIN}),
    Permission.ENTER_MUNICIPALITIES: frozenset({BspRole.BSP_SUPPORT, BspRole.BSP_OPERATOR}),
    Permission.READ_MUNICIPALITIES: frozenset({BspRole.BSP_SUPPORT, BspRole.BSP_ONBOARDING, BspRole.BSP_OPERATOR}),
    Permission.READ_USAGE: frozenset({MunicipalRole.ADMIN, MunicipalRole.FINANCE, BspRole.BSP_FINANCE}),
    Permission.READ_INVOICES: frozenset({BspRole.BSP_FINANCE}),
    Permission.MANAGE_INVOICES: frozenset({BspRole.BSP_FINANCE}),
    Permission.READ_OWN_INVOICES: frozenset({MunicipalRole.FINANCE}),
    Permission.READ_AUDIT: frozenset({MunicipalRole.PRIVACY_OFFICER, BspRole.BSP_OPERATOR}),
    Permission.READ_FLOW: frozenset({BspRole.BSP_SUPPORT, BspRole.BSP_OPERATOR}),
    Permission.REPLAY_EVENTS: frozenset({BspRole.BSP_OPERATOR}),
    Permission.READ_ONBOARDING: frozenset({BspRole.BSP_ONBOARDING, BspRole.BSP_OPERATOR}),
    Permission.ONBOARD: frozenset({BspRole.BSP_ONBOARDING}),
    # Never of one's own work: who had a hand in an application does not decide on it (tenants/onboarding/moves.py).
    Permission.DECIDE_ONBOARDING: frozenset({BspRole.BSP_ONBOARDING, BspRole.BSP_OPERATOR}),
}

# What an employee of the BSP who is inside by break-glass may do, if the roles of the entry let them too. Never more
# than is written here, and only to read: no word to a citizen or to Meta in the municipality's name, and nothing that
# changes who may come in.
OF_ENTRIES = frozenset(
    {
        Permission.READ_THREADS,
        Permission.READ_NUMBERS,
        Permission.READ_TEMPLATES,
        Permission.READ_USERS,
    }
)

# What a scope lets a key do: what a person needs a role for, a key needs a scope for.
OF_SCOPES: Mapping[str, Permission] = {
    Scope.MESSAGES_SEND: Permission.ANSWER_THREADS,
    Scope.MESSAGES_READ: Permission.READ_THREADS,
    Scope.MESSAGES_UNMASK: Permission.REVEAL_NUMBERS,
    Scope.TEMPLATES_READ: Permission.READ_TEMPLATES,
    Scope.USAGE_READ: Permission.READ_USAGE,
    BspScope.MUNICIPALITIES_READ: Permission.READ_MUNICIPALITIES,
    BspScope.INVOICES_READ: Permission.READ_INVOICES,
}


def permissions_of(*, user: User) -> frozenset[Permission]:
    """Return what a user of the schema that the connection is in may do, by one query; none if it is not active."""
    if not user.is_active:
        return frozenset()
    is_bsp = connection.schema_name == get_public_schema_name()  # type: ignore[attr-defined]
    found = permissions_with(roles=user.role_grants.values_list("role", flat=True), is_bsp=is_bsp)
    return found if user.break_glass_id is None else found & OF_ENTRIES


def permissions_with(*, roles: Iterable[str], is_bsp: bool) -> frozenset[Permission]:
    """Return what some roles may do together; a role of the other kind may do nothing, however it was granted."""
    counted = set(roles) & set((BspRole if is_bsp else MunicipalRole).values)
    return frozenset(permission for permission, allowed in ROLES_WITH.items() if counted & allowed)
