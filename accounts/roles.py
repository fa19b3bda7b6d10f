"""The names of the roles. What each may do is one table, accounts/permissions.py."""

from collections.abc import Collection

from django.db import connection, models
from django_tenants.utils import get_public_schema_name


class MunicipalRole(models.TextChoices):
    """Roles of a municipality's users, in its own schema."""

    ADMIN = "ADMIN", "Beheerder"
    SUPERVISOR = "SUPERVISOR", "Supervisor"
    AGENT = "AGENT", "Medewerker"
    FINANCE = "FINANCE", "Financiën"
    PRIVACY_OFFICER = "PRIVACY_OFFICER", "Privacy officer"


class BspRole(models.TextChoices):
    """Roles of the BSP's staff, in the schema `public`."""

    BSP_ONBOARDING = "BSP_ONBOARDING", "Onboarding"
    BSP_SUPPORT = "BSP_SUPPORT", "Support"
    BSP_FINANCE = "BSP_FINANCE", "Finance"
    BSP_OPERATOR = "BSP_OPERATOR", "Operator"


ROLES = [*MunicipalRole.choices, *BspRole.choices]


class UnknownRole(Exception):
    """A role is none of those that people of this schema can have; the text names those."""


def roles_here() -> list[tuple[str, str]]:
    """Return code and Dutch word of each role that people of the schema can have that the connection is in."""
    is_bsp = connection.schema_name == get_public_schema_name()  # type: ignore[attr-defined]
    return [(role.value, str(role.label)) for role in (BspRole if is_bsp else MunicipalRole)]


def check_roles(*, roles: Collection[str]) -> None:
    """Accept at least one role, all of this schema's kind.  Raises UnknownRole."""
    known = {code for code, _word in roles_here()}
    if not roles or not set(roles) <= known:
        raise UnknownRole(f"roles here are: {', '.join(sorted(role.lower() for role in known))}")
