"""What follows here when a municipality declares other purposes: a step of tenants/onboarding/redeclaring.py."""

from messaging.templates import defaults, holding
from tenants.models import Number
from tenants.onboarding.redeclaring import Followed


def follow(*, followed: Followed) -> None:
    """Give the new purposes their default templates, as drafts, and fail what is queued for those that are gone.

    Runs in the tenant's schema, in the transaction that approves. Templates of a purpose that is gone stay, and are not
    sent: sending.py asks what is declared each time.
    """
    open_numbers = Number.objects.filter(municipality=followed.municipality, closed_at=None)
    for waba_id in sorted(set(open_numbers.values_list("waba_id", flat=True))):
        defaults.install(waba_id=waba_id, purposes=followed.added, at=followed.at)
    holding.fail_undeclared(purposes=followed.withdrawn)
