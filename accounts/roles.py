"""The names of the roles. What each may do is one table, accounts/permissions.py."""

from django.db import models


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
