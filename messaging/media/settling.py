"""What became of fetching a medium, written to its row: stored, tried again later, or given up with the reason.

Every write holds only while the claim is ours: a worker that was thought dead and is not writes nothing, and what it
stored is discarded.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from messaging.announcing import announce
from messaging.figures import MEDIA
from messaging.media import blobs, thumbnails, types
from messaging.media.downloading import CannotWrite, DigestDiffers, Downloaded, NoToken
from messaging.models import Blob, Medium, Message
from whatsapp.errors import ErrorKind
from whatsapp.outcomes import MetaRefused, MetaUnreachable, Reason

# Seconds until the next attempt, after the first, the second …; after the last a person must ask. About a day in all,
# of the seven that Meta keeps a medium.
BACK_OFF_SECONDS = (5, 30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
JITTER = 0.2
THROTTLED_SECONDS = 60
# Attempts at what Meta says it does not know: it has been seen to say so of what it announced a moment ago.
REFUSED_ATTEMPTS = 3
NEVER_MIND = {Reason.UNTRUSTED_URL, Reason.INVALID_REQUEST}  # another attempt would end alike
_REASONS: dict[type[BaseException], str] = {
    NoToken: "NO_TOKEN",
    CannotWrite: "STORAGE",
    DigestDiffers: "DIGEST_DIFFERS",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is known of a medium that came, and its blobs, not kept yet."""

    values: dict[str, Any]
    written: list[Blob]


def expire(*, medium: Medium, at: datetime) -> bool:
    """Give up a claimed medium that Meta keeps no longer, or that was tried often enough; return whether it was so."""
    if medium.expires_at is not None and medium.expires_at <= at:
        _settle(medium, state=Medium.State.EXPIRED, reason="KEPT_NO_LONGER")
        return True
    if medium.attempts > len(BACK_OFF_SECONDS) + 1:
        # Its workers died of it, or its attempts were all cut off: no outcome was ever written.
        _settle(medium, state=Medium.State.FAILED, reason="CUT_OFF")
        return True
    return False


def store(*, medium: Medium, came: Downloaded) -> None:
    """Check and store what came; whatever goes wrong with that is written to the row, and stops nothing else."""
    try:
        stored = _write(medium, came)
    except Exception as error:  # noqa: BLE001 - any of them is this medium's alone
        # A storage raises what it likes; a file may be made to break what looks at it. Its text may hold its name.
        log.error("media_not_stored", medium=str(medium.id), error=type(error).__name__)
        fail(medium=medium, reason="STORAGE")
        return
    with transaction.atomic():
        values = {**stored.values, "state": Medium.State.STORED, "reason": "", "stored_at": Now()}
        if _ours(medium).update(**values, claimed_until=None, due_at=None):
            blobs.keep(blobs=stored.written, medium=medium)
            announce(threads=_threads(medium))
            MEDIA.labels(Medium.State.STORED).inc()
        else:
            blobs.discard(blobs=stored.written)


def refuse(*, medium: Medium, error: BaseException) -> None:
    """Write down why a medium was not fetched, and when it is tried again, if it is."""
    if isinstance(error, MetaUnreachable) and error.reason is Reason.ANSWER_TOO_LARGE:
        _settle(medium, state=Medium.State.REJECTED, reason="TOO_LARGE")
    elif isinstance(error, MetaUnreachable):
        fail(medium=medium, reason=error.reason, for_good=error.reason in NEVER_MIND)
    elif isinstance(error, MetaRefused) and error.error.kind is ErrorKind.THROTTLED:
        again = Now() + timedelta(seconds=THROTTLED_SECONDS)
        _again(medium, reason="THROTTLED", due_at=again, attempts=medium.attempts - 1)
    elif isinstance(error, MetaRefused):
        is_known = error.error.kind is not ErrorKind.PERMANENT
        fail(medium=medium, reason="REFUSED", for_good=not is_known and medium.attempts >= REFUSED_ATTEMPTS)
    else:
        reason = _REASONS.get(type(error), "FAULT")
        if reason == "FAULT":
            log.error("media_fetch_broke", medium=str(medium.id), error=type(error).__name__)
        fail(medium=medium, reason=reason)


def fail(*, medium: Medium, reason: str, for_good: bool = False) -> None:
    """Have a medium tried again later, or give it up when it was tried often enough or another try is of no use."""
    if for_good or medium.attempts > len(BACK_OFF_SECONDS):
        _settle(medium, state=Medium.State.FAILED, reason=reason)
        return
    _again(medium, reason=reason, due_at=Now() + back_off(attempts=medium.attempts))


def back_off(*, attempts: int) -> timedelta:
    """Return how long to wait after so many attempts."""
    seconds = BACK_OFF_SECONDS[min(attempts, len(BACK_OFF_SECONDS)) - 1]
    return timedelta(seconds=seconds * random.uniform(1, 1 + JITTER))  # noqa: S311 - spreads, no secret


def _write(medium: Medium, came: Downloaded) -> _Stored:
    opened = blobs.sealing(medium_id=medium.id, part=Blob.Part.ORIGINAL).opener(came.file)
    found = types.judge(file=opened, kind=medium.kind, declared_type=medium.declared_type, filename=medium.filename)
    values: dict[str, Any] = {
        "content_type": found.content_type,
        "caution": found.caution,
        "size_bytes": came.size_bytes,
        "sha256": came.sha256,
    }
    thumbnail = None
    if found.content_type in types.PICTURES and medium.kind in {"image", "sticker"} and not found.caution:
        try:
            thumbnail = thumbnails.make(file=opened, size_bytes=came.size_bytes)
        except thumbnails.NotAPicture:
            values["caution"] = Medium.Caution.TYPE_DIFFERS  # it begins as a picture and is none
    written = [blobs.write(sealed=came.file, part=Blob.Part.ORIGINAL)]
    if thumbnail is not None:
        values |= {"thumbnail_width": thumbnail.width, "thumbnail_height": thumbnail.height}
        written.append(blobs.write_thumbnail(medium=medium, thumbnail=thumbnail))
    return _Stored(values=values, written=written)


def _ours(medium: Medium) -> QuerySet[Medium]:
    return Medium.objects.filter(id=medium.id, state=Medium.State.PENDING, claim=medium.claim)


@transaction.atomic
def _settle(medium: Medium, *, state: Medium.State, reason: str) -> None:
    if _ours(medium).update(state=state, reason=reason, claimed_until=None, due_at=None):
        MEDIA.labels(state).inc()
        log.warning("media_given_up", medium=str(medium.id), state=state, reason=reason)
        announce(threads=_threads(medium))


@transaction.atomic
def _again(medium: Medium, *, reason: str, **values: Any) -> None:
    if _ours(medium).update(reason=reason, claimed_until=None, **values):
        MEDIA.labels("AGAIN").inc()
        log.info("media_tried_again_later", medium=str(medium.id), reason=reason, attempts=medium.attempts)
        announce(threads=_threads(medium))


def _threads(medium: Medium) -> list[UUID]:
    return list(Message.objects.filter(medium=medium).values_list("thread_id", flat=True).distinct())
