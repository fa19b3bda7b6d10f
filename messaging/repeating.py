"""A message once more: what it said, as content for a new one; and the new one withdrawn when the first did arrive.

For messages of which nobody knows whether they were sent (messaging/uncertain.py).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from messaging.announcing import announce
from messaging.failures import FIRST_ARRIVED
from messaging.models import Message, OutboxItem, UncertainChoice
from whatsapp.outgoing import Content, Reaction


@dataclass(frozen=True, slots=True)
class Repeated:
    """What an earlier message said, as Meta took it before: its row keeps the very object that was sent."""

    type: str
    content: dict[str, Any] | list[Any]
    text: str

    def as_meta(self) -> Any:
        """Return Meta's object of this kind."""
        return self.content

    def readable(self) -> str:
        """Return what people read of it."""
        return self.text


def content_of(*, message: Message) -> Content:
    """Return what a message said, to be said by another one."""
    if message.kind == "reaction":
        return Reaction(wamid=message.replies_to_wamid, emoji=message.content.get("emoji", ""))
    content = message.content
    # A list is kept under one name (messaging/replying.py).
    as_sent = content["items"] if message.kind == "contacts" else content
    return Repeated(type=message.kind, content=as_sent, text=message.text)


def withdraw_repeats(*, message_ids: Collection[UUID]) -> int:
    """Fail what repeats these messages and did not leave yet, for they arrived after all; return how many.

    What a lane has in its hands is left alone: that citizen gets it twice, and the thread shows it.
    """
    choices = UncertainChoice.objects.filter(message__in=message_ids, repeated_by__isnull=False)
    repeats = list(choices.values_list("repeated_by", flat=True))
    if not repeats:
        return 0
    waiting = Message.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    found = dict(waiting.filter(id__in=repeats, state=Message.State.QUEUED).values_list("id", "thread_id"))
    if found:
        Message.objects.filter(id__in=found).update(state=Message.State.FAILED, failed_reason=FIRST_ARRIVED)
        OutboxItem.objects.filter(message__in=found).delete()
        announce(threads=set(found.values()))
    return len(found)
