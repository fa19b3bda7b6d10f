"""One look at an account at a time: by a lease on its row, which ends by itself when whoever looked was killed."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Now

from messaging.models import TemplateSync

LEASE = timedelta(minutes=5)  # a page with its calls takes seconds; each page prolongs it


def acquire(*, waba_id: str, at: datetime) -> bool:
    """Begin a look at the account, and take away the request for one; return False when another is under way.

    at: domain time; the lease itself runs on the database's.
    """
    TemplateSync.objects.bulk_create([TemplateSync(waba_id=waba_id)], ignore_conflicts=True)
    free = TemplateSync.objects.filter(Q(leased_until=None) | Q(leased_until__lt=Now()), waba_id=waba_id)
    return bool(free.update(leased_until=Now() + LEASE, attempted_at=at, requested_at=None, seen=0))


def prolong(*, waba_id: str) -> None:
    """Keep the lease while the look goes on."""
    TemplateSync.objects.filter(waba_id=waba_id).update(leased_until=Now() + LEASE)
