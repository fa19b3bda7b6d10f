"""What a citizen sees of an agent at work: blue ticks when a message was read, and that somebody is typing.

Neither is a message, and neither may delay one or cost more than it is worth. So they wait beside the outbox, one row a
thread, and the number's lane tells them with what its pace leaves over once no message can leave (messaging/lanes).
One that is lost does no harm: nothing is stored of it, and nobody is told twice.
Source: Meta, mark messages as read and typing indicators, read 2026-11-22: within 30 days; typing for 25 seconds.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from messaging import window
from messaging.core.models import OutboxWake
from messaging.models import Message, ReadReceipt, Thread
from whatsapp import limits


@transaction.atomic
def mark_read(*, thread_id: UUID, at: datetime) -> bool:
    """Have the contact see that all they wrote was read; return whether anything was new. Safe to repeat.

    Raises Thread.DoesNotExist.
    """
    thread = Thread.objects.only("id", "phone_number_id", "last_inbound_at", "read_until").get(id=thread_id)
    if thread.last_inbound_at is None or (thread.read_until and thread.read_until >= thread.last_inbound_at):
        return False  # as nearly always: a page asks again and again
    last = _last_message(thread_id, at)
    if last is None:
        return False
    fresh = Thread.objects.filter(Q(read_until=None) | Q(read_until__lt=last.stamped_at), id=thread_id)
    if not fresh.update(read_until=last.stamped_at):
        return False
    _leave(thread, last, typing=False)
    return True


@transaction.atomic
def show_typing(*, thread_id: UUID, at: datetime) -> bool:
    """Have the contact see for up to 25 seconds that somebody is typing, which also marks as read; return whether.

    Not when nobody could answer now, or the contact never wrote.  Raises Thread.DoesNotExist.
    """
    thread = Thread.objects.get(id=thread_id)
    last = _last_message(thread_id, at)
    is_open = thread.state == Thread.State.OPEN and window.is_open(last_inbound_at=thread.last_inbound_at, at=at)
    if last is None or not is_open:
        return False
    Thread.objects.filter(Q(read_until=None) | Q(read_until__lt=last.stamped_at), id=thread_id).update(
        read_until=last.stamped_at
    )
    _leave(thread, last, typing=True)
    return True


def _last_message(thread_id: UUID, at: datetime) -> Message | None:
    """Return the contact's last message that Meta still takes as read."""
    inbound = Message.objects.filter(thread_id=thread_id, direction=Message.Direction.INBOUND).exclude(kind="system")
    since = at - timedelta(days=limits.READ_RECEIPT_DAYS)
    recent = inbound.filter(stamped_at__gt=since).order_by("-stamped_at", "-created_at", "-id")
    return recent.only("wamid", "stamped_at").first()


def _leave(thread: Thread, last: Message, *, typing: bool) -> None:
    """Put it in the lane's way; what waits already is brought up to date, and typing stays typing."""
    receipt = ReadReceipt(
        thread=thread,
        phone_number_id=thread.phone_number_id,
        wamid=last.wamid or "",
        typing=typing,
        requested_at=Now(),
    )
    told = ["phone_number_id", "wamid", *(["typing", "requested_at"] if typing else [])]
    ReadReceipt.objects.bulk_create([receipt], update_conflicts=True, unique_fields=["thread"], update_fields=told)
    OutboxWake.objects.create(phone_number_id=thread.phone_number_id)
