"""What we send: a file of an agent or a system, checked and stored, and made known to Meta when it is to be sent."""

import asyncio
import hashlib
import tempfile
import uuid
from datetime import datetime, timedelta
from typing import IO

from django.conf import settings
from django.db import connection, transaction

from audit.record import Actor, record
from messaging.media import blobs, thumbnails, types
from messaging.models import Blob, Medium, MetaUpload
from tenants.models import Number
from whatsapp import limits
from whatsapp.client import CloudAPI, open_session

# Days after which an upload is made again: Meta keeps it 30, and a message may wait for its lane.
UPLOAD_DAYS = limits.UPLOADED_MEDIA_DAYS - 2
READ_BYTES = 256 * 1024


class UnfitUpload(ValueError):
    """The file cannot be sent by WhatsApp. `code` is stable: higher rooms translate it.

    media_empty, media_too_large, media_type_not_allowed, media_type_differs, media_dangerous. limit: bytes, of
    media_too_large.
    """

    def __init__(self, code: str, *, limit: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.limit = limit


class NumberCannotUpload(Exception):
    """The number is not this municipality's, or has no token with which it may upload."""


def store_upload(
    *, content: IO[bytes], filename: str, declared_type: str, actor: Actor, at: datetime, kind: str | None = None
) -> Medium:
    """Check and store a file that is to be sent; nothing is sent. Not within a transaction.

    content: read once, from where it stands. kind: Meta's (audio, document, image, sticker, video), or None to have it
    follow from what the file is.
    Raises UnfitUpload: WhatsApp would not take it. Two calls store two media.
    """
    medium = Medium(id=uuid.uuid4(), state=Medium.State.STORED, filename=filename, created_at=at, stored_at=at)
    sealing = blobs.sealing(medium_id=medium.id, part=Blob.Part.ORIGINAL)
    with tempfile.TemporaryFile() as file:
        digest = hashlib.sha256()
        sealer = sealing.sealer(file)
        medium.size_bytes = 0
        while part := content.read(READ_BYTES):
            medium.size_bytes += len(part)
            if medium.size_bytes > max(limits.MEDIA_BYTES.values()):
                raise UnfitUpload("media_too_large", limit=max(limits.MEDIA_BYTES.values()))
            digest.update(part)
            sealer.write(part)
        sealer.finish()
        medium.sha256, medium.declared_type = digest.digest(), declared_type[:200]
        thumbnail = _check(medium, sealing.opener(file), kind)
        written = [blobs.write(sealed=file, part=Blob.Part.ORIGINAL)]
    if thumbnail is not None:
        written.append(blobs.write_thumbnail(medium=medium, thumbnail=thumbnail))
    with transaction.atomic():
        medium.save(force_insert=True)
        blobs.keep(blobs=written, medium=medium)
        details = {"kind": medium.kind, "bytes": medium.size_bytes}
        record(action="media.upload", actor=actor, at=at, subject=f"medium {medium.id}", details=details)
    return medium


def ensure_uploaded(*, medium: Medium, phone_number_id: str, at: datetime) -> str:
    """Return the id by which Meta knows a stored medium, for messages of one number; uploaded when it is not, or no
    longer. Calls Meta: not within a transaction. Safe to repeat: at worst Meta has it twice, and forgets both.

    Raises MetaRefused, MetaUnreachable: it could not be uploaded. NumberCannotUpload. Blob.DoesNotExist: it is erased.
    """
    known = MetaUpload.objects.filter(medium=medium, phone_number_id=phone_number_id).first()
    if known is not None and known.uploaded_at > at - timedelta(days=UPLOAD_DAYS):
        return known.meta_id
    schema_name: str = connection.schema_name  # type: ignore[attr-defined]
    ours = Number.objects.filter(municipality__schema_name=schema_name, closed_at=None)
    number = ours.filter(phone_number_id=phone_number_id).first()
    token = number.access_token() if number is not None else None
    if token is None:
        raise NumberCannotUpload(f"medium {medium.id} cannot be uploaded")
    with blobs.read(medium=medium, part=Blob.Part.ORIGINAL) as file:
        content = file.readall()
    meta_id = asyncio.run(_upload(content or b"", medium.content_type, phone_number_id, token))
    MetaUpload.objects.update_or_create(
        medium=medium, phone_number_id=phone_number_id, defaults={"meta_id": meta_id, "uploaded_at": at}
    )
    return meta_id


async def _upload(content: bytes, content_type: str, phone_number_id: str, token: str) -> str:
    async with open_session(connections=1) as session:
        api = CloudAPI(session=session, base_url=settings.META_GRAPH_URL, version=settings.META_GRAPH_VERSION)
        # The name goes with the message, where one is shown.
        return await api.upload_media(
            phone_number_id=phone_number_id, access_token=token, content=content, mime_type=content_type
        )


def _check(medium: Medium, file: IO[bytes], kind: str | None) -> thumbnails.Thumbnail | None:
    """Say what the medium is, and make its small picture.  Raises UnfitUpload."""
    if not medium.size_bytes:
        raise UnfitUpload("media_empty")
    medium.kind = kind or _kind_of(types.identify(file=file))
    found = types.judge(file=file, kind=medium.kind, declared_type=medium.declared_type, filename=medium.filename)
    if found.caution == Medium.Caution.DANGEROUS:
        raise UnfitUpload("media_dangerous")
    if found.content_type not in limits.MEDIA_TYPES.get(medium.kind, frozenset()):
        raise UnfitUpload("media_type_not_allowed")
    if found.caution:
        raise UnfitUpload("media_type_differs")
    medium.content_type = found.content_type
    most = limits.MEDIA_BYTES[medium.kind]
    if medium.size_bytes > most:
        raise UnfitUpload("media_too_large", limit=most)
    if medium.kind not in {"image", "sticker"}:
        return None
    try:
        thumbnail = thumbnails.make(file=file, size_bytes=medium.size_bytes)
    except thumbnails.NotAPicture:
        raise UnfitUpload("media_type_differs") from None
    if medium.kind == "sticker" and not thumbnail.moves and medium.size_bytes > limits.STATIC_STICKER_BYTES:
        raise UnfitUpload("media_too_large", limit=limits.STATIC_STICKER_BYTES)
    medium.thumbnail_width, medium.thumbnail_height = thumbnail.width, thumbnail.height
    return thumbnail


def _kind_of(content_type: str) -> str:
    for kind, allowed in limits.MEDIA_TYPES.items():
        if content_type in allowed:
            return kind
    raise UnfitUpload("media_dangerous" if content_type in types.DANGEROUS_TYPES else "media_type_not_allowed")
