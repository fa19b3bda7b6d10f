"""Threads and messages, page by page: by keys and not by numbers of pages, so that the last page costs as the first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

from messaging import uncertain
from messaging.models import Message, Thread


@dataclass(frozen=True, slots=True)
class Position:
    """Where the page before ended: the moment and id of its last row."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class ThreadFilter:
    """Which threads to list; None does not choose. waiting: whether somebody waits for an answer."""

    state: str | None = None
    waiting: bool | None = None
    phone_number_id: str | None = None
    wa_id: str | None = None
    bsuid: str | None = None


def list_threads(*, chosen: ThreadFilter, after: Position | None, most: int) -> list[Thread]:
    """Return threads with their contacts, the last spoken in first."""
    threads = Thread.objects.select_related("contact").order_by("-last_message_at", "-id")
    names = {"state": "state", "phone_number_id": "phone_number_id", "wa_id": "contact__wa_id"}
    names["bsuid"] = "contact__bsuid"
    wanted = {path: value for name, path in names.items() if (value := getattr(chosen, name)) is not None}
    threads = threads.filter(**wanted)
    if chosen.waiting is not None:
        threads = threads.filter(waiting_since__isnull=not chosen.waiting)
    if after is not None:
        threads = threads.filter(TupleLessThan(Tuple(F("last_message_at"), F("id")), (after.at, after.id)))
    return list(threads[:most])


def list_messages(*, thread_id: UUID, after: Position | None, most: int) -> list[Message]:
    """Return a thread's messages in the order in which it is shown, oldest first."""
    messages: QuerySet[Message] = Message.objects.filter(thread_id=thread_id)
    messages = messages.select_related("medium", "choice").order_by("stamped_at", "id")
    if after is not None:
        messages = messages.filter(TupleGreaterThan(Tuple(F("stamped_at"), F("id")), (after.at, after.id)))
    return list(messages[:most])


def list_unsettled(*, after: Position | None, most: int) -> list[Message]:
    """Return the messages about which nobody knows and nobody decided, the oldest first."""
    messages = uncertain.unsettled().select_related("medium", "choice")
    if after is not None:
        messages = messages.filter(TupleGreaterThan(Tuple(F("stamped_at"), F("id")), (after.at, after.id)))
    return list(messages[:most])
