"""Reactions to what a citizen wrote: given, replaced, and taken away; each a message of its own to Meta.

Source: Meta, reaction messages, read 2026-11-22: only to a message received from the citizen, not older than 30 days,
not deleted, and not itself a reaction.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from audit.record import Actor
from messaging.models import Message
from messaging.replying import reply_with
from whatsapp import limits
from whatsapp.outgoing import Reaction

# Told by WhatsApp, or about another message: nothing of the citizen's own to react to.
_NOT_REACTED_TO = frozenset({"call", "edit", "reaction", "revoke", "system"})


class CannotReact(Exception):
    """The message takes no reaction; `code` says why.

    reaction_target_ours, reaction_target_kind, reaction_target_too_old, reaction_target_withdrawn,
    reaction_none_to_remove.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@transaction.atomic
def react(*, thread_id: UUID, message_id: UUID, emoji: str, actor: Actor, at: datetime) -> Message:
    """Queue a reaction to a message of a thread; an empty emoji takes ours away.

    Raises Message.DoesNotExist: it is not in this thread. CannotReact: it takes none. WindowClosed, ThreadClosed,
    InvalidContent (no single emoji): as every reply.
    """
    target = Message.objects.get(id=message_id, thread_id=thread_id)
    if target.direction != Message.Direction.INBOUND or target.wamid is None:
        raise CannotReact("reaction_target_ours")
    if target.kind in _NOT_REACTED_TO:
        raise CannotReact("reaction_target_kind")
    if target.stamped_at <= at - timedelta(days=limits.REACTION_DAYS):
        raise CannotReact("reaction_target_too_old")
    if target.revoked_at is not None:
        raise CannotReact("reaction_target_withdrawn")
    if not emoji and not _ours(target):
        raise CannotReact("reaction_none_to_remove")
    return reply_with(thread_id=thread_id, content=Reaction(wamid=target.wamid, emoji=emoji), actor=actor, at=at)


def _ours(target: Message) -> str:
    """Return the emoji that the citizen sees of us at a message, or nothing."""
    given = Message.objects.filter(
        thread_id=target.thread_id,
        replies_to_wamid=target.wamid,
        direction=Message.Direction.OUTBOUND,
        kind="reaction",
    )
    last = given.exclude(state=Message.State.FAILED).order_by("-stamped_at", "-created_at", "-id").first()
    return last.text if last else ""
