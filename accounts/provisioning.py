"""The step of provisioning that belongs to accounts: a new tenant's first admin."""

from accounts.models import RoleGrant, User
from accounts.roles import MunicipalRole
from tenants.provisioning import NewTenant


def make_first_admin(*, tenant: NewTenant) -> None:
    """Make the first admin, without a password, when an address was given; runs inside the new schema."""
    if tenant.admin_email is None:
        return
    user = User.objects.create_user(email=tenant.admin_email, name=tenant.admin_email.split("@")[0])
    RoleGrant.objects.create(user=user, role=MunicipalRole.ADMIN)
