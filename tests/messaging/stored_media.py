"""Media that are there already, as the fetching leaves them."""

import hashlib
import io
from datetime import datetime
from typing import Any

from messaging.media import blobs, thumbnails, types
from messaging.models import Blob, Medium, Message, Thread


def store(
    *, thread: Thread, content: bytes, at: datetime, kind: str = "image", filename: str = "", **more: Any
) -> Medium:
    """Put a citizen's file into a thread, in the schema that the connection is in."""
    found = types.judge(file=io.BytesIO(content), kind=kind, declared_type="", filename=filename)
    values = {
        "content_type": found.content_type,
        "caution": found.caution,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).digest(),
        "stored_at": at,
    }
    medium = Medium(kind=kind, state="STORED", filename=filename, created_at=at, **{**values, **more})
    sealed = io.BytesIO()
    sealer = blobs.sealing(medium_id=medium.id, part=Blob.Part.ORIGINAL).sealer(sealed)
    sealer.write(content)
    sealer.finish()
    written = [blobs.write(sealed=sealed, part=Blob.Part.ORIGINAL)]
    if kind == "image" and not found.caution:
        small = thumbnails.make(file=io.BytesIO(content), size_bytes=len(content))
        medium.thumbnail_width, medium.thumbnail_height = small.width, small.height
        written.append(blobs.write_thumbnail(medium=medium, thumbnail=small))
    medium.save(force_insert=True)
    blobs.keep(blobs=written, medium=medium)
    show(thread=thread, medium=medium, at=at)
    return medium


def show(*, thread: Thread, medium: Medium, at: datetime) -> Message:
    """Put a medium into a thread, as a citizen's message."""
    return Message.objects.create(
        thread=thread,
        medium=medium,
        direction="INBOUND",
        state="RECEIVED",
        kind=medium.kind,
        wamid=f"wamid.{medium.id}",
        stamped_at=at,
        created_at=at,
    )
