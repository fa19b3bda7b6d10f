"""A masked number shown in full: by a deliberate click, and known to the trail before it is seen.

The window in which it was asked for may go on showing it (web/revealed.py): it then knows the text by its mark, so that
one which the citizen changed afterwards is masked again.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils.crypto import salted_hmac

from audit.record import Actor, record
from messaging.models import Message, ThreadNote
from messaging.sensitive import kinds


def reveal(*, thread_id: UUID, message_id: UUID, actor: Actor, at: datetime) -> Message:
    """Return a message to be shown in full; the trail keeps who asked and which kinds of numbers, never the numbers.

    Raises Message.DoesNotExist: it is not of this thread.
    """
    message = Message.objects.get(id=message_id, thread_id=thread_id)
    found = sorted(kinds(text=message.text))
    record(action="message.reveal", actor=actor, at=at, subject=f"message {message_id}", details={"kinds": found})
    return message


def reveal_note(*, thread_id: UUID, note_id: UUID, actor: Actor, at: datetime) -> ThreadNote:
    """Return an internal note to be shown in full; the trail keeps as much as of a message.

    Raises ThreadNote.DoesNotExist: it is not of this thread, or no note.
    """
    note = ThreadNote.objects.get(id=note_id, thread_id=thread_id, kind=ThreadNote.Kind.NOTE)
    found = sorted(kinds(text=note.text))
    record(action="note.reveal", actor=actor, at=at, subject=f"note {note_id}", details={"kinds": found})
    return note


def mark_of(*, text: str) -> str:
    """Return what tells whether a text is still the one that was shown; without our key it says nothing of it."""
    return salted_hmac("messaging.revealing", text, algorithm="sha256").hexdigest()[:16]


def is_revealed(*, id_: UUID, text: str, revealed: Mapping[UUID, str]) -> bool:
    """Return whether a message or note is to be shown in full: somebody asked for just this text."""
    return id_ in revealed and revealed[id_] == mark_of(text=text)
