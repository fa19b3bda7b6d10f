"""Who is not reached now: numbers in trouble, and the citizens who wait for an answer that cannot leave.

For people who then phone or write by other means. Read from the rows themselves, so that nobody is forgotten.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q

from messaging import uncertain
from messaging.failures import WINDOW_CLOSED
from messaging.models import Message, OutboxItem, Thread
from messaging.reading import blocking, name_of
from messaging.seeing import seen
from tenants.models import Trouble

TOO_LATE_DAYS = 7  # how long somebody is listed whose answer came too late, unless something reached them since
MOST_CITIZENS = 500


@dataclass(frozen=True, slots=True)
class Unreached:
    """One citizen who waits. answers: written and not sent; too_late: an answer expired before it could leave."""

    thread: Thread
    name: str
    phone: str
    since: datetime
    answers: int
    too_late: bool
    window_ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unsettled:
    """One message of which nobody knows whether it was sent, and about which nobody decided."""

    message: Message
    name: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """What is wrong with a municipality's numbers, and whom that leaves waiting, longest first."""

    troubles: tuple[Trouble, ...]
    citizens: tuple[Unreached, ...]
    more: int  # citizens that are not listed, because there are so many
    uncertain: tuple[Unsettled, ...]
    more_uncertain: int


def unreachable(*, at: datetime) -> Unreachable:
    """Return who waits in vain now, in the schema that the connection is in."""
    troubles = blocking()
    numbers = {trouble.number.phone_number_id for trouble in troubles}
    late = Message.objects.filter(
        thread=OuterRef("pk"), failed_reason=WINDOW_CLOSED, stamped_at__gt=at - timedelta(days=TOO_LATE_DAYS)
    ).exclude(Exists(_reached_after()))
    queued = OutboxItem.objects.filter(message__thread=OuterRef("pk"), claimed_by=None)
    threads = (
        Thread.objects.filter(seen())
        .annotate(too_late=Exists(late), stuck=Exists(queued))
        .filter(
            Q(too_late=True)
            | Q(phone_number_id__in=numbers) & (Q(stuck=True) | Q(state=Thread.State.OPEN, waiting_since__isnull=False))
        )
    )
    found: list[Any] = list(
        threads.select_related("contact")
        .annotate(
            answers=Count("messages", filter=Q(messages__state=Message.State.QUEUED)),
            first=Min("messages__stamped_at", filter=Q(messages__state=Message.State.QUEUED)),
            missed=Max("messages__stamped_at", filter=Q(messages__failed_reason=WINDOW_CLOSED)),
        )
        .order_by(F("waiting_since").asc(nulls_last=True), "last_message_at", "id")[: MOST_CITIZENS + 1]
    )
    citizens = tuple(_unreached(thread) for thread in found[:MOST_CITIZENS])
    undecided = uncertain.unsettled().filter(seen("thread__"))
    shown = list(undecided.select_related("thread__contact")[: MOST_CITIZENS + 1])
    return Unreachable(
        troubles=tuple(troubles),
        citizens=citizens,
        more=threads.count() - len(citizens) if len(found) > len(citizens) else 0,
        uncertain=tuple(
            Unsettled(message=each, name=name_of(contact=each.thread.contact)) for each in shown[:MOST_CITIZENS]
        ),
        more_uncertain=undecided.count() - MOST_CITIZENS if len(shown) > MOST_CITIZENS else 0,
    )


def _reached_after() -> Any:
    """Return what reached the citizen of a thread after one of its messages."""
    reached = [Message.State.ACCEPTED, Message.State.SENT, Message.State.DELIVERED, Message.State.READ]
    return Message.objects.filter(
        thread=OuterRef("thread"),
        direction=Message.Direction.OUTBOUND,
        state__in=reached,
        stamped_at__gt=OuterRef("stamped_at"),
    )


def _unreached(thread: Any) -> Unreached:
    return Unreached(
        thread=thread,
        name=name_of(contact=thread.contact),
        phone=f"+{thread.contact.wa_id}" if thread.contact.wa_id else "",
        since=thread.waiting_since or thread.first or thread.missed or thread.last_message_at,
        answers=thread.answers,
        too_late=thread.too_late,
        window_ends_at=thread.window_ends_at(),
    )
