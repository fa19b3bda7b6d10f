"""Numbers in trouble: opened by the room that notices, closed by the one that sees it is over, shown and mailed.

A lane that Meta stops, an account update and a silence are all told here: people find one list of what is wrong.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from tenants.models import Number, Trouble

# With these nothing leaves from the number or nothing comes in: citizens would wait for an answer in vain.
BLOCKING = frozenset(
    {
        Trouble.Kind.TOKEN,
        Trouble.Kind.LOCKED,
        Trouble.Kind.PAYMENT,
        Trouble.Kind.UNREGISTERED,
        Trouble.Kind.STANDBY,
        Trouble.Kind.DISCONNECTED,
        Trouble.Kind.UNREACHABLE,
        Trouble.Kind.STALLED,
    }
)


def open_trouble(*, phone_number_id: str, kind: Trouble.Kind, at: datetime, detail: str = "") -> bool:
    """Record that a number in use is in trouble; return whether that is news.

    detail: Meta's code and title, or a figure; never a citizen's word; cut after 200 characters. Safe to repeat: an
    open trouble of the kind stays as it was. Nothing happens for a number that nobody has open.
    """
    number = Number.objects.filter(phone_number_id=phone_number_id, closed_at=None).first()
    if number is None:
        return False
    trouble = Trouble(number=number, kind=kind, detail=detail[:200], opened_at=at)
    Trouble.objects.bulk_create([trouble], ignore_conflicts=True)
    return Trouble.objects.filter(id=trouble.id).exists()


def close_troubles(*, phone_number_id: str, kinds: Collection[Trouble.Kind], at: datetime) -> int:
    """Record that a number's troubles of these kinds are over; return how many were open.  Safe to repeat."""
    troubles = Trouble.objects.filter(number__phone_number_id=phone_number_id, kind__in=kinds, closed_at=None)
    return troubles.update(closed_at=at)


def open_troubles(*, municipality_id: UUID | None = None) -> QuerySet[Trouble]:
    """Return what is wrong now, longest first; of one municipality, or of all for the BSP's own people."""
    troubles = Trouble.objects.filter(closed_at=None, number__closed_at=None).select_related("number__municipality")
    if municipality_id is not None:
        troubles = troubles.filter(number__municipality_id=municipality_id)
    return troubles.order_by("opened_at", "id")
