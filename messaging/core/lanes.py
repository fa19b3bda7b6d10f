"""The step of provisioning that gives a number its lane."""

from datetime import UTC, datetime

from messaging.core.models import Lane
from tenants.provisioning import NewTenant

NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # leases run on real time, which the domain's clock does not know


def open_lane(*, tenant: NewTenant) -> None:
    """Give a new number its lane, owned by nobody."""
    Lane.objects.create(
        phone_number_id=tenant.number.phone_number_id, municipality_id=tenant.municipality.id, leased_until=NEVER
    )
