"""What a person does with a medium: reads it, which the trail keeps; asks for it again; has it erased."""

from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models.functions import Now

from audit.record import Actor, record
from messaging.announcing import announce
from messaging.media import blobs
from messaging.media.sealing import Opener
from messaging.models import Blob, Medium, Message
from messaging.waking import FETCH, wake_after_commit

log = structlog.get_logger(__name__)


class NotThere(Exception):
    """There is nothing to show of the medium: it is still being fetched, was given up, or is erased."""


class StorageAway(Exception):
    """The storage, or the key, cannot be reached now."""


class CannotBeAskedFor(Exception):
    """Asking Meta again is of no use: the medium is there already, or Meta keeps it no longer."""


def read(*, medium: Medium, part: Blob.Part, actor: Actor, at: datetime, recorded: bool = True) -> Opener:
    """Open a medium for somebody who may see its thread; the caller closes it.

    recorded: whether the trail is to know, as it is of every original that is read from its beginning.
    Raises NotThere, StorageAway.
    """
    if medium.state != Medium.State.STORED:
        raise NotThere
    try:
        opened = blobs.read(medium=medium, part=part)
    except (Blob.DoesNotExist, FileNotFoundError):
        raise NotThere from None
    except Exception as error:  # noqa: BLE001 - a storage raises what it likes, and what it says may name the object
        log.error("media_not_read", medium=str(medium.id), error=type(error).__name__)
        raise StorageAway from None
    if recorded:
        record(action="media.read", actor=actor, at=at, subject=f"medium {medium.id}", details={"kind": medium.kind})
    return opened


@transaction.atomic
def ask_again(*, medium_id: UUID, actor: Actor, at: datetime) -> None:
    """Have a medium fetched now that was given up, or that waits for its next try.

    Raises CannotBeAskedFor; Medium.DoesNotExist. Safe to repeat.
    """
    medium = Medium.objects.select_for_update().get(id=medium_id)
    waits = medium.state in {Medium.State.PENDING, Medium.State.FAILED} and medium.reason != "BAD_REFERENCE"
    if not waits or medium.expires_at is None or medium.expires_at <= at:
        raise CannotBeAskedFor
    # A claim stands: one that is under way is left to its worker.
    Medium.objects.filter(id=medium_id).update(state=Medium.State.PENDING, attempts=0, due_at=Now())
    wake_after_commit(task=FETCH)
    announce(threads=threads_of(medium=medium))
    record(action="media.ask_again", actor=actor, at=at, subject=f"medium {medium_id}")


@transaction.atomic
def erase(*, medium_id: UUID, actor: Actor, at: datetime) -> None:
    """Erase a medium for good: its objects, what it was called, and where Meta has it. Its row says that it was.

    Safe to repeat. What is being fetched now is discarded when it comes.  Raises Medium.DoesNotExist.
    """
    medium = Medium.objects.select_for_update().get(id=medium_id)
    if medium.state == Medium.State.ERASED:
        return
    blobs.discard(blobs=Blob.objects.filter(medium=medium, state=Blob.State.KEPT))
    medium.uploads.all().delete()
    Medium.objects.filter(id=medium_id).update(
        state=Medium.State.ERASED,
        filename="",
        meta_id="",
        meta_url="",
        declared_sha256="",
        sha256=None,
        due_at=None,
        claimed_until=None,
    )
    announce(threads=threads_of(medium=medium))
    record(action="media.erase", actor=actor, at=at, subject=f"medium {medium_id}", details={"kind": medium.kind})


def may_be_asked_for(*, medium: Medium, at: datetime) -> bool:
    """Return whether asking Meta for a medium again, by hand, can help."""
    tried = medium.state == Medium.State.FAILED or (medium.state == Medium.State.PENDING and medium.reason != "")
    return tried and medium.reason != "BAD_REFERENCE" and medium.expires_at is not None and medium.expires_at > at


def threads_of(*, medium: Medium) -> list[UUID]:
    """Return the threads in which a medium is shown."""
    return list(Message.objects.filter(medium=medium).values_list("thread_id", flat=True).distinct())
