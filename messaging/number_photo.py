"""The photo of a number's profile: checked by its content, made square and plain, and put up at Meta, who keeps it.

It is shown from here: who looks at the page asks nothing of Meta's hosts. Called outside any transaction.
"""

import asyncio
import io
import warnings
from datetime import datetime

from django.conf import settings
from PIL import Image, ImageOps

from audit.record import Actor, record
from messaging.media import thumbnails
from messaging.number_profile import call, token_of
from tenants.models import Number
from whatsapp.business import BusinessAPI
from whatsapp.outcomes import MetaRefused, MetaUnreachable

# Source: Meta, profile photo and resumable upload pages (read 2026-11-26): JPEG or PNG, square, 192 to 640 pixels.
MOST_BYTES = 5 * 1024 * 1024
FORMATS = ("JPEG", "PNG")
LEAST_SIDE, SIDE = 192, 640  # pixels
MOST_PIXELS = 50_000_000
QUALITY = 90
CONTENT_TYPE = "image/jpeg"


class UnfitPhoto(Exception):
    """It cannot be one; `code`: empty, too_large, no_picture, too_small, too_many_pixels."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def prepare(*, content: bytes) -> bytes:
    """Return a picture as it is put up: a square JPEG from its middle, without what the camera wrote into it.

    Raises UnfitPhoto.
    """
    if not content:
        raise UnfitPhoto("empty")
    if len(content) > MOST_BYTES:
        raise UnfitPhoto("too_large")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return _square(content)
    except UnfitPhoto:
        raise
    # All that Pillow and the libraries beneath it raise for what is broken on purpose.
    except (Exception, Warning):  # noqa: BLE001
        raise UnfitPhoto("no_picture") from None


def has_one(*, number: Number) -> bool:
    """Return whether Meta has a photo of it.  Raises NoAccess, MetaRefused, MetaUnreachable."""
    return bool(_address(number))


def read(*, number: Number) -> bytes | None:
    """Return the photo that Meta has, made anew as a small WEBP, or None.

    Raises NoAccess, MetaRefused, MetaUnreachable; thumbnails.NotAPicture: what Meta gives is none.
    """
    address = _address(number)
    if not address:
        return None
    found: bytes = asyncio.run(call(lambda api: api.picture(url=address, most_bytes=MOST_BYTES)))
    return thumbnails.make(file=io.BytesIO(found), size_bytes=len(found)).content


def change(*, number: Number, content: bytes, actor: Actor, at: datetime) -> None:
    """Put a photo in place of the one there is. Safe to repeat.

    Raises UnfitPhoto, NoAccess: Meta was not asked. MetaRefused: nothing was changed. MetaUnreachable: nobody knows.
    """
    prepared, token, subject = prepare(content=content), token_of(number), f"number {number.phone_number_id}"
    record(action="number.photo", actor=actor, at=at, subject=subject, details={"bytes": len(prepared)})

    async def put(api: BusinessAPI) -> None:
        handle = await api.upload(app_id=settings.META_APP_ID, token=token, content=prepared, content_type=CONTENT_TYPE)
        profile = {"profile_picture_handle": handle}
        await api.set_profile(phone_number_id=number.phone_number_id, token=token, profile=profile)

    try:
        asyncio.run(call(put))
    except (MetaRefused, MetaUnreachable):
        record(action="number.photo", actor=actor, at=at, subject=subject, outcome="FAILED")
        raise


def _square(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise UnfitPhoto("too_many_pixels")
        if min(opened.width, opened.height) < LEAST_SIDE:
            raise UnfitPhoto("too_small")
        upright = ImageOps.exif_transpose(opened).convert("RGBA")
    side = min(SIDE, *upright.size)
    square = ImageOps.fit(upright, (side, side))
    plain = Image.new("RGB", square.size, "white")
    plain.paste(square, mask=square)
    written = io.BytesIO()
    plain.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()


def _address(number: Number) -> str:
    token = token_of(number)
    found = asyncio.run(call(lambda api: api.profile(phone_number_id=number.phone_number_id, token=token)))
    return str(found.get("profile_picture_url") or "")
