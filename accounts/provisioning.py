"""What provisioning has accounts do: invite a new tenant's first admin."""

from django.conf import settings

from accounts.invitations import invite
from accounts.models import RoleGrant
from accounts.roles import MunicipalRole
from tenants.provisioning import NewTenant


def invite_first_admin(*, tenant: NewTenant) -> None:
    """Invite the first admin by mail, when an address was given; runs inside the new schema and its transaction."""
    if tenant.admin_email is None:
        return
    invite(
        email=tenant.admin_email,
        name=tenant.admin_email.split("@")[0],
        roles=[MunicipalRole.ADMIN],
        actor=tenant.actor,
        language=settings.LANGUAGE_CODE,
        at=tenant.at,
    )


def other_first_admin(*, tenant: NewTenant) -> str | None:
    """Return the name of the argument if it names nobody who is an admin of the existing tenant; runs in its schema."""
    if tenant.admin_email is None:
        return None
    admins = RoleGrant.objects.filter(role=MunicipalRole.ADMIN, user__email=tenant.admin_email.strip().lower())
    return None if admins.exists() else "admin e-mail"
