"""One act about an open thread: locked, noted in the thread, entered in the trail, told to the pages."""

from datetime import datetime
from uuid import UUID

from audit.record import Actor, record
from messaging.announcing import announce
from messaging.models import Thread, ThreadNote
from messaging.replying import ThreadClosed


def hold(*, thread_id: UUID) -> Thread:
    """Return an open thread, locked until the transaction ends.  Raises Thread.DoesNotExist, ThreadClosed."""
    thread = Thread.objects.select_for_update(no_key=True).get(id=thread_id)
    if thread.state != Thread.State.OPEN:
        raise ThreadClosed
    return thread


def note(
    *,
    thread: Thread,
    kind: ThreadNote.Kind,
    actor: Actor,
    at: datetime,
    text: str = "",
    about_id: UUID | None = None,
    details: dict[str, str] | None = None,
) -> ThreadNote:
    """Write one line in the thread; audited by its kind alone, never by its words."""
    made = ThreadNote.objects.create(
        thread=thread, kind=kind, text=text, author_id=person(actor=actor), about_id=about_id, at=at
    )
    record(action=f"thread.{kind.lower()}", actor=actor, at=at, subject=f"thread {thread.id}", details=details or {})
    announce(threads=[thread.id])
    return made


def person(*, actor: Actor) -> UUID | None:
    """Return the user's id, or None where the system acts."""
    return UUID(actor.id) if actor.id != "system" else None
