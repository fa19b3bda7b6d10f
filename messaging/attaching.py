"""A stored medium made into a message: uploaded to Meta for the number that sends it, then sent by Meta's id of it.

The upload is a call to Meta and takes its time with a large file, so it comes before the transaction that queues the
message; made again only when Meta is about to forget it (messaging/media/uploading.py).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from messaging.media.uploading import NumberCannotUpload, ensure_uploaded
from messaging.models import Blob, Medium
from whatsapp import limits
from whatsapp.outcomes import MetaRefused, MetaUnreachable
from whatsapp.outgoing import MediaMessage


class CannotAttach(Exception):
    """The medium cannot be sent now; `code` says why.

    medium_not_stored, medium_unfit, medium_refused, number_cannot_upload; meta_unreachable may pass.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Attach:
    """A stored medium to be sent, by our id of it; as yet unknown to Meta."""

    medium_id: UUID
    caption: str | None = None
    filename: str | None = None
    voice: bool = False


@dataclass(frozen=True, slots=True)
class Attached:
    """A message of a medium that Meta knows; the row keeps which one it is."""

    medium: Medium
    message: MediaMessage

    @property
    def type(self) -> str:
        """Meta's name of the kind."""
        return self.message.type

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's media object.  Raises LimitExceeded, InvalidContent."""
        return self.message.as_meta()

    def readable(self) -> str:
        """Return the caption and the file's name."""
        return self.message.readable()


def upload(*, attach: Attach, kind: str | None, phone_number_id: str, at: datetime) -> Attached:
    """Return the message, its medium uploaded for the number. Calls Meta: not within a transaction. Safe to repeat.

    kind: what it is to be sent as, where the caller says so; the medium must be that.
    Raises Medium.DoesNotExist, CannotAttach. LimitExceeded, InvalidContent: before anything is uploaded.
    """
    medium = Medium.objects.get(id=attach.medium_id)
    if medium.state != Medium.State.STORED:
        raise CannotAttach("medium_not_stored")
    fits = medium.content_type in limits.MEDIA_TYPES.get(medium.kind, frozenset()) and not medium.caution
    if not fits or (medium.size_bytes or 0) > limits.MEDIA_BYTES[medium.kind] or kind not in {None, medium.kind}:
        raise CannotAttach("medium_unfit")
    _message(medium, attach, media_id="0").as_meta()
    try:
        media_id = ensure_uploaded(medium=medium, phone_number_id=phone_number_id, at=at)
    except NumberCannotUpload as error:
        raise CannotAttach("number_cannot_upload") from error
    except Blob.DoesNotExist as error:
        raise CannotAttach("medium_not_stored") from error
    except MetaRefused as error:
        raise CannotAttach("medium_refused") from error
    except MetaUnreachable as error:
        raise CannotAttach("meta_unreachable") from error
    return Attached(medium=medium, message=_message(medium, attach, media_id=media_id))


def _message(medium: Medium, attach: Attach, *, media_id: str) -> MediaMessage:
    # A document without a name is called "file" by WhatsApp.
    name = attach.filename or medium.filename[-limits.FILENAME_CHARACTERS :] or None
    return MediaMessage(
        kind=medium.kind,
        media_id=media_id,
        caption=attach.caption,
        filename=name if medium.kind == "document" else attach.filename,
        voice=attach.voice,
    )
