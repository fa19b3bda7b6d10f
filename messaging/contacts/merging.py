"""Two contacts that turned out to be one person: the younger becomes part of the older, with all that hangs on it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from messaging import consent
from messaging.models import Alteration, Contact, FirstWrite, Message, OutboxItem, Thread, ThreadNote, WindowOpening


@dataclass(frozen=True, slots=True)
class Merge:
    """Two contacts turned out to be one person."""

    from_contact_id: UUID
    to_contact_id: UUID


def merge(*, gone: Contact, kept: Contact, at: datetime) -> Merge:
    """Make one contact part of another; its row keeps pointing there, because metered facts name it.

    Both must be rows, and locked. What ids the one that stays has is for the caller to write.
    """
    gone.wa_id = gone.bsuid = None
    gone.merged_into = kept
    gone.save(update_fields=["wa_id", "bsuid", "merged_into"])
    Contact.objects.filter(merged_into=gone).update(merged_into=kept)
    # Messages before their outbox rows, as lanes do.
    _move_threads(gone=gone, kept=kept, at=at)
    OutboxItem.objects.filter(contact=gone).update(contact=kept)
    consent.honour(contact=kept)  # what either said stands for both
    FirstWrite.objects.filter(contact=gone).update(contact=kept)
    Alteration.objects.filter(contact=gone).update(contact=kept)
    for opening in WindowOpening.objects.filter(contact=gone):
        note_window(contact_id=kept.id, number=opening.phone_number_id, at=opening.opened_at)
        opening.delete()
    return Merge(from_contact_id=gone.id, to_contact_id=kept.id)


def note_window(*, contact_id: UUID, number: str, at: datetime) -> None:
    """Note a reaction as the last one of a contact on a number, unless a later one is known."""
    opening, made = WindowOpening.objects.get_or_create(
        contact_id=contact_id, phone_number_id=number, defaults={"opened_at": at}
    )
    if not made and opening.opened_at < at:
        opening.opened_at = at
        opening.save(update_fields=["opened_at"])


def _move_threads(*, gone: Contact, kept: Contact, at: datetime) -> None:
    """Give one contact's threads to the other; of open ones on a number, and of imported ones, one is made."""
    for state in ({"state": Thread.State.OPEN}, {"imported": True}):
        theirs = {thread.phone_number_id: thread for thread in kept.threads.filter(**state)}
        for thread in gone.threads.filter(phone_number_id__in=theirs, **state):
            _join(thread, theirs[thread.phone_number_id], at)
    gone.threads.update(contact=kept)


def _join(thread: Thread, into: Thread, at: datetime) -> None:
    Message.objects.filter(thread=thread).update(thread=into)
    ThreadNote.objects.filter(thread=thread).update(thread=into)
    # Whoever had either has the one; it sleeps no longer than both did.
    into.assignee_id = into.assignee_id or thread.assignee_id
    into.case_number = into.case_number or thread.case_number
    both = (into.snoozed_until, thread.snoozed_until)
    into.snoozed_until = min(moment for moment in both if moment) if all(both) else None
    into.opened_at = min(into.opened_at, thread.opened_at)
    into.team_id = into.team_id or thread.team_id
    into.last_message_at = max(into.last_message_at, thread.last_message_at)
    into.last_inbound_at = max(filter(None, (into.last_inbound_at, thread.last_inbound_at)), default=None)
    into.waiting_since = min(filter(None, (into.waiting_since, thread.waiting_since)), default=None)
    answered = filter(None, (into.answered_on_phone_at, thread.answered_on_phone_at))
    into.answered_on_phone_at = max(answered, default=None)
    if into.imported:
        into.closed_at = max(filter(None, (into.closed_at, thread.closed_at)))
    into.save()
    emptied = {
        "state": Thread.State.CLOSED,
        "closed_at": thread.closed_at or at,
        "waiting_since": None,
        "snoozed_until": None,
    }
    Thread.objects.filter(id=thread.id).update(imported=False, **emptied)
