"""The step of provisioning that gives a number its lane."""

from datetime import UTC, datetime

from django.db.models import F

from messaging.core.models import Lane
from tenants.provisioning import NewTenant

NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # leases run on real time, which the domain's clock does not know


def open_lane(*, tenant: NewTenant) -> None:
    """Give a new number its lane, owned by nobody; a number that comes from another municipality brings its lane along.

    The raised fencing token keeps an owner that still has it from claiming anything there.
    """
    number, municipality_id = tenant.number.phone_number_id, tenant.municipality.id
    moved = Lane.objects.filter(phone_number_id=number).update(
        municipality_id=municipality_id, owner="", leased_until=NEVER, fencing_token=F("fencing_token") + 1
    )
    if not moved:
        Lane.objects.create(phone_number_id=number, municipality_id=municipality_id, leased_until=NEVER)
