"""What provisioning has accounts do: a new tenant's first admin."""

from accounts.models import RoleGrant, User
from accounts.roles import MunicipalRole
from tenants.provisioning import NewTenant


def make_first_admin(*, tenant: NewTenant) -> None:
    """Make the first admin, without a password, when an address was given; runs inside the new schema."""
    if tenant.admin_email is None:
        return
    user = User.objects.create_user(email=tenant.admin_email, name=tenant.admin_email.split("@")[0])
    RoleGrant.objects.create(user=user, role=MunicipalRole.ADMIN)


def other_first_admin(*, tenant: NewTenant) -> str | None:
    """Return the name of the argument if it names nobody who is an admin of the existing tenant; runs in its schema."""
    if tenant.admin_email is None:
        return None
    admins = RoleGrant.objects.filter(role=MunicipalRole.ADMIN, user__email=tenant.admin_email.strip().lower())
    return None if admins.exists() else "admin e-mail"
