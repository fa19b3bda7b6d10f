"""What stands between the messages of a thread: internal notes, and what was done to it, in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from messaging.models import Message, Thread, ThreadNote
from messaging.revealing import is_revealed
from messaging.sensitive import Kind, masked


@dataclass(frozen=True, slots=True)
class ShownNote:
    """One internal note, or one thing that was done to the thread, as the page shows it between the messages.

    text: of a note; numbers are masked as in a message, unless this one was asked for in full.
    """

    note: ThreadNote
    text: str
    hides: frozenset[Kind]
    in_full: bool
    author: str  # '' for the system
    about: str  # who it was given to


def between(*, thread: Thread, since: Message | None, until: Message | None, most: int) -> list[ThreadNote]:
    """Return the latest notes that stand between two messages, the oldest first, by one query. None: no bound."""
    notes = ThreadNote.objects.filter(thread=thread)
    if since is not None:
        notes = notes.filter(at__gte=since.stamped_at)
    if until is not None:
        notes = notes.filter(at__lt=until.stamped_at)
    return list(notes.order_by("-at", "-id")[:most])[::-1]


def shown(*, notes: Sequence[ThreadNote], names: Mapping[UUID, str], revealed: Mapping[UUID, str]) -> list[ShownNote]:
    """Return notes as a page shows them."""
    made = []
    for note in notes:
        said, in_full = masked(text=note.text), is_revealed(id_=note.id, text=note.text, revealed=revealed)
        made.append(
            ShownNote(
                note=note,
                text=note.text if in_full else said.text,
                hides=said.kinds,
                in_full=in_full,
                author=names.get(note.author_id, "") if note.author_id else "",
                about=names.get(note.about_id, "") if note.about_id else "",
            )
        )
    return made
