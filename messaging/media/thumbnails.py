"""Small pictures of pictures: turned upright, and without what the camera wrote into them.

Decoding is where a picture attacks: only three formats are tried, the size that it claims is looked at before a pixel
is made, and whatever goes wrong says that it is no picture.
"""

import io
import struct
import warnings
from dataclasses import dataclass
from typing import IO

from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_BYTES = 20 * 1024 * 1024  # of the file; WhatsApp's own pictures have 5 MB at most
MOST_PIXELS = 50_000_000  # three bytes of memory each
SIDE = 640  # pixels of the longest side: sharp at half that in the page
QUALITY = 80
CONTENT_TYPE = "image/webp"


class NotAPicture(Exception):
    """It is no picture that can be shown: broken, too large, or of another format."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture, as CONTENT_TYPE. moves: whether the picture is a moving one."""

    content: bytes
    width: int
    height: int
    moves: bool


def make(*, file: IO[bytes], size_bytes: int) -> Thumbnail:
    """Return the small picture of a picture; of a moving one, its first.  Raises NotAPicture."""
    if size_bytes > MOST_BYTES:
        raise NotAPicture("too large a file")
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow only warns of a picture that is large beyond reason
            return _make(file)
    except NotAPicture:
        raise
    # All that Pillow and the libraries beneath it raise for what is broken on purpose.
    except (OSError, ValueError, SyntaxError, struct.error, IndexError, KeyError, TypeError, OverflowError) as error:
        raise NotAPicture(type(error).__name__) from None
    except (MemoryError, EOFError, ZeroDivisionError, Image.DecompressionBombError, Warning) as error:
        raise NotAPicture(type(error).__name__) from None


def _make(file: IO[bytes]) -> Thumbnail:
    with Image.open(file, formats=FORMATS) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise NotAPicture("too many pixels")
        moves = getattr(opened, "is_animated", False)
        opened.draft("RGB", (SIDE, SIDE))  # a JPEG is decoded at a fraction of its size
        picture = ImageOps.exif_transpose(opened)
        picture.thumbnail((SIDE, SIDE))
        # A picture made anew carries nothing of the old one's metadata.
        clean = picture.convert("RGBA" if picture.mode in {"RGBA", "LA", "P", "PA"} else "RGB")
    clean.info.clear()
    written = io.BytesIO()
    clean.save(written, "WEBP", quality=QUALITY, exif=b"", icc_profile=b"", xmp=b"")
    return Thumbnail(content=written.getvalue(), width=clean.width, height=clean.height, moves=moves)
