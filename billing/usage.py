"""Usage as people and systems read it: how many conversations opened, by municipality, month and category."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count

from billing.models import Conversation


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One month of one municipality in one category."""

    municipality_id: UUID
    month: date
    category: str
    conversations: int


def usage(*, first: date, last: date, municipality_id: UUID | None = None) -> list[UsageRow]:
    """Return what was used in the months from first to last, of one municipality or of all, in order."""
    chosen = Conversation.objects.filter(month__gte=first, month__lte=last)
    if municipality_id is not None:
        chosen = chosen.filter(municipality_id=municipality_id)
    counted = chosen.values_list("municipality_id", "month", "category").annotate(count=Count("id"))
    return [UsageRow(*row) for row in counted.order_by("month", "municipality_id", "category")]
