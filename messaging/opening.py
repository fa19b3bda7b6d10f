"""What the trail keeps of reading: that somebody opened a thread, or looked for a citizen's. Never what stood there.

An entry for each opening, written and committed before the page leaves, so that nothing is seen without it; a page that
brings itself up to date is no new opening. It is a transaction of its own, so it holds the chain for the time of one
insert, and agents who read wait for each other no longer.
"""

from datetime import datetime
from uuid import UUID

from audit.record import Actor, record


def record_reading(*, thread_id: UUID, actor: Actor, at: datetime) -> None:
    """Keep that somebody opened a thread."""
    record(action="thread.read", actor=actor, at=at, subject=f"thread {thread_id}")


def record_search(*, found: int, actor: Actor, at: datetime) -> None:
    """Keep that somebody searched the threads, and how many there were; not for what."""
    record(action="thread.search", actor=actor, at=at, subject="threads", details={"found": found})
