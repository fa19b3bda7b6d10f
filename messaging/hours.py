"""Counts of what came in, by number and hour, and of what we do not know yet: nobody's words.

From them it is known whether a number that normally talks is silent (messaging/silence.py), how long updates were under
way, and how busy a day is, without looking into any inbox. Written in the transaction that deals with the events.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from messaging.models import InboxEvent
from tenants.models import Municipality, Trouble
from tenants.trouble import close_troubles
from whatsapp.payloads import EventKind

MOST_LAG_SECONDS = 7 * 86_400  # for so long Meta comes back; a longer one is a wrong stamp
KEPT_DAYS = 70

COUNT = """
    INSERT INTO public.messaging_core_numberhour AS known
        (phone_number_id, hour, municipality_id, messages, statuses, others, lag_seconds)
    SELECT number, hour, %s::uuid, messages, statuses, others, lag
    FROM unnest(%s::text[], %s::timestamptz[], %s::int[], %s::int[], %s::int[], %s::int[])
        AS counted (number, hour, messages, statuses, others, lag)
    ON CONFLICT (phone_number_id, hour) DO UPDATE SET
        municipality_id = excluded.municipality_id,
        messages = known.messages + excluded.messages,
        statuses = known.statuses + excluded.statuses,
        others = known.others + excluded.others,
        lag_seconds = greatest(known.lag_seconds, excluded.lag_seconds)
    RETURNING phone_number_id, xmax = 0
"""
FORGET = "DELETE FROM public.messaging_core_numberhour WHERE hour < %s"


@dataclass(slots=True)
class _Hour:
    messages: int = 0
    statuses: int = 0
    others: int = 0
    lag: int = 0


def count(*, municipality: Municipality, events: Iterable[InboxEvent], at: datetime) -> None:
    """Add events to the counts of their numbers and hours; the first one of an hour ends a number's silence.

    An event that was put back is not counted again.
    """
    hours: dict[tuple[str, datetime], _Hour] = {}
    for event in events:
        if event.phone_number_id is None or event.replays:
            continue
        hour = event.received_at.replace(minute=0, second=0, microsecond=0)
        counted = hours.setdefault((event.phone_number_id, hour), _Hour())
        if event.kind == EventKind.MESSAGE:
            counted.messages += 1
        elif event.kind == EventKind.STATUS:
            counted.statuses += 1
        else:
            counted.others += 1
            continue
        counted.lag = max(counted.lag, _lag_seconds(event.payload, event.received_at))
    if not hours:
        return
    keys = sorted(hours)  # in a fixed order: a number that moves is counted by two municipalities for a moment
    columns: list[list[Any]] = [[number for number, _ in keys], [hour for _, hour in keys]]
    columns += ([getattr(hours[key], name) for key in keys] for name in ("messages", "statuses", "others", "lag"))
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [municipality.id, *columns])
        heard = {number for number, is_first in cursor.fetchall() if is_first}
    for number in heard:
        close_troubles(phone_number_id=number, kinds=[Trouble.Kind.SILENT], at=at)


def forget(*, at: datetime) -> int:
    """Delete the counts that are too old to be compared with; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [at - timedelta(days=KEPT_DAYS)])
        deleted: int = cursor.rowcount
        return deleted


def _lag_seconds(payload: Any, received_at: datetime) -> int:
    """Return for how long an update was under way, by Meta's own stamp; 0 where it has none."""
    element = payload.get("element") if isinstance(payload, dict) else None
    stamp = element.get("timestamp") if isinstance(element, dict) else None
    if not isinstance(stamp, str | int) or not str(stamp).isdecimal() or len(str(stamp)) > 11:
        return 0
    return min(max(0, int(received_at.timestamp()) - int(stamp)), MOST_LAG_SECONDS)
