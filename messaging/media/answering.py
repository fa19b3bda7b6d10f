"""A medium as an HTTP answer: streamed as it is decrypted, with the headers that keep it from running anywhere.

In one place for the people's door and the machines' door, because what is missing here is a hole. A medium is shown in
a page only when its content is a picture, sound or video that nothing is wrong with; all else is a download, as bytes.
"""

import asyncio
import mimetypes
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from datetime import datetime

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from audit.record import Actor
from messaging.media import showing, thumbnails, types
from messaging.media.sealing import Opener
from messaging.models import Blob, Medium

LONGEST_NAME = 150
# What a browser may do with it where it is opened by itself: nothing.
POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")
_ENDINGS = {"image/jpeg": ".jpg", "audio/ogg": ".ogg", "audio/mpeg": ".mp3", "audio/mp4": ".m4a", "video/3gpp": ".3gp"}


def original(
    *, request: HttpRequest, medium: Medium, actor: Actor, at: datetime, as_download: bool = False
) -> HttpResponseBase:
    """Answer with a medium, or the part of it that a player asks for; noted in the trail when it begins at the start.

    Raises showing.NotThere, showing.StorageAway.
    """
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    begins = asked is None or asked[1].strip("0") == ""
    recorded = begins and request.method != "HEAD"
    opened = showing.read(medium=medium, part=Blob.Part.ORIGINAL, actor=actor, at=at, recorded=recorded)
    inline = types.is_inline(medium=medium) and not as_download
    content_type = medium.content_type if inline else types.UNKNOWN
    start, end = 0, opened.size
    if asked is not None:
        start, end = int(asked[1]), min(int(asked[2] or opened.size) + (asked[2] != ""), opened.size)
        if start >= end:
            opened.close()
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{medium.size_bytes}"})
    answer = _streamed(request, opened, start, end, content_type)
    answer.headers["Accept-Ranges"] = "bytes"
    if asked is not None:
        answer.status_code = 206
        answer.headers["Content-Range"] = f"bytes {start}-{end - 1}/{opened.size}"
    disposition = content_disposition_header(as_attachment=not inline, filename=name_of(medium=medium))
    answer.headers["Content-Disposition"] = disposition or "attachment"
    return answer


def thumbnail(*, request: HttpRequest, medium: Medium, actor: Actor, at: datetime) -> HttpResponseBase:
    """Answer with the small picture of a medium.  Raises showing.NotThere, showing.StorageAway."""
    opened = showing.read(medium=medium, part=Blob.Part.THUMBNAIL, actor=actor, at=at, recorded=False)
    return _streamed(request, opened, 0, opened.size, thumbnails.CONTENT_TYPE)


def name_of(*, medium: Medium) -> str:
    """Return what a medium is called where it is saved: its own name without what could deceive, or one of its kind."""
    # Nothing that is not seen (control, or right-to-left, which hides an ending), and no folder.
    seen = "".join(each for each in medium.filename if unicodedata.category(each)[0] != "C")
    name = re.sub(r'[\\/:*?"<>|]+', " ", seen).strip(" .")[-LONGEST_NAME:]
    if name:
        return name
    ending = _ENDINGS.get(medium.content_type) or mimetypes.guess_extension(medium.content_type or "") or ""
    return f"whatsapp-{medium.kind}-{str(medium.id)[:8]}{ending}"


def _streamed(request: HttpRequest, opened: Opener, start: int, end: int, content_type: str) -> HttpResponseBase:
    parts = opened.parts(start=start, end=end)
    answer = StreamingHttpResponse(
        _later(parts, opened) if isinstance(request, ASGIRequest) else _now(parts, opened), content_type=content_type
    )
    answer.headers["Content-Length"] = str(end - start)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def _later(parts: Iterator[bytes], opened: Opener) -> AsyncIterator[bytes]:
    """Yield the parts from a thread, so that neither the storage nor the decryption holds up anybody else."""
    try:
        while part := await asyncio.to_thread(next, parts, b""):
            yield part
    finally:
        opened.close()


def _now(parts: Iterator[bytes], opened: Opener) -> Iterator[bytes]:
    with opened:
        yield from parts
