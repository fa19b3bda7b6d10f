"""What an agent writes and has not sent yet: kept by user and thread, so that a lost session loses nothing.

No audit: nothing was done. It goes when the answer is sent, when it is emptied, and with the thread.
"""

from datetime import datetime
from uuid import UUID

from messaging.models import ReplyDraft, Thread
from messaging.seeing import may_see

MOST_CHARACTERS = 4096  # as many as a message has


def keep(*, thread_id: UUID, user_id: UUID, text: str, at: datetime) -> bool:
    """Keep what somebody is writing in a thread, or forget it when it is empty; return whether it is kept.

    Safe to repeat; of two at once the later one to be written stands.  Raises Thread.DoesNotExist.
    """
    if not Thread.objects.filter(id=thread_id).exists() or not may_see(thread_id=thread_id):
        raise Thread.DoesNotExist
    if not text.strip():
        forget(thread_id=thread_id, user_id=user_id)
        return False
    draft = ReplyDraft(thread_id=thread_id, user_id=user_id, text=text[:MOST_CHARACTERS], saved_at=at)
    ReplyDraft.objects.bulk_create(
        [draft], update_conflicts=True, unique_fields=["thread", "user_id"], update_fields=["text", "saved_at"]
    )
    return True


def kept(*, thread_id: UUID, user_id: UUID) -> ReplyDraft | None:
    """Return what somebody was writing in a thread."""
    return ReplyDraft.objects.filter(thread_id=thread_id, user_id=user_id).first()


def forget(*, thread_id: UUID, user_id: UUID) -> None:
    """Forget it. Safe to repeat."""
    ReplyDraft.objects.filter(thread_id=thread_id, user_id=user_id).delete()
