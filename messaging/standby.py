"""Numbers where another application of Meta's answers in our place (standby): noticed, shown, and over when it is over.

While Meta's own agent handles a thread, webhooks come under another field, and whoever waits for messages hears
nothing and sees no error. The next ordinary message of a citizen says that the number is ours again; of the same
second, whose order nobody knows, the ordinary one counts.
"""

from collections.abc import Iterable
from datetime import datetime

from messaging.account_updates import Update
from messaging.altering import is_alteration
from messaging.incoming import Arrived
from messaging.models import Message
from tenants import health
from tenants.models import Municipality, Number, NumberHealth

# They come under other fields, or from WhatsApp itself: neither says who answers messages.
_SAYS_NOTHING = frozenset({"call", "system"})


def notice(*, municipality: Municipality, arrived: Iterable[Arrived], told: Iterable[tuple[Update, datetime]]) -> None:
    """Note on which numbers somebody else answers, and on which nobody else does any more; by Meta's moments."""
    for update, at in told:
        named = update.number()
        for number in [named] if named else update.numbers():
            health.tell(number=number, aspect="standby", values={"standby_at": at}, at=at)
            _end(number, _heard_since(number, at))
    heard: dict[str, datetime] = {}
    for each in arrived:
        is_line = each.message.type not in _SAYS_NOTHING and not is_alteration(each.message)
        if is_line and each.by_contact and each.past is None and not each.standby:
            number_id, at = each.message.phone_number_id, each.message.stamped_at
            heard[number_id] = max(heard.get(number_id, at), at)
    silent = NumberHealth.objects.filter(
        number__municipality=municipality, number__phone_number_id__in=heard, standby_at__isnull=False
    )
    for found in silent.select_related("number") if heard else ():
        at = heard[found.number.phone_number_id]
        if found.standby_at is not None and at >= found.standby_at:
            _end(found.number, at)


def _end(number: Number, at: datetime | None) -> None:
    if at is not None:
        health.tell(number=number, aspect="standby", values={"standby_at": None}, at=at)


def _heard_since(number: Number, at: datetime) -> datetime | None:
    """Return when a citizen last wrote to us there, if that was at the moment or after it."""
    heard = Message.objects.filter(
        thread__phone_number_id=number.phone_number_id,
        thread__imported=False,
        direction=Message.Direction.INBOUND,
        stamped_at__gte=at,
    )
    heard = heard.exclude(content__has_key="standby").exclude(kind__in=_SAYS_NOTHING)
    return heard.order_by("-stamped_at").values_list("stamped_at", flat=True).first()
