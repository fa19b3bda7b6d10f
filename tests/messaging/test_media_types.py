"""What a medium is, is known by its content; what it is called and said to be only adds suspicion."""

import io
import struct
import zlib

import pytest
from PIL import Image

from messaging.media import thumbnails, types
from messaging.models import Medium
from tests.messaging.media_files import HTML, OFFICE, PDF, TYPES, boxes, office, picture

DANGEROUS, DIFFERS = Medium.Caution.DANGEROUS, Medium.Caution.TYPE_DIFFERS


@pytest.mark.parametrize("name", TYPES)
def test_it_knows_a_file_by_its_content(name):
    content, wanted = TYPES[name]
    assert types.identify(file=io.BytesIO(content)) == wanted


@pytest.mark.parametrize(
    ("content", "kind", "declared", "filename", "caution"),
    [
        (picture(), "image", "image/jpeg", "", ""),
        (picture("PNG"), "image", "image/jpeg", "", ""),  # a picture all the same
        (HTML, "image", "image/jpeg", "", DANGEROUS),
        (HTML, "document", "text/plain", "brief.txt", DANGEROUS),
        (PDF, "image", "image/jpeg", "", DIFFERS),
        (PDF, "document", "application/pdf", "brief.pdf", ""),
        (PDF, "document", "application/pdf", "brief.exe", DANGEROUS),
        (b"WScript.Echo 1", "document", "text/plain", "brief.vbs", DANGEROUS),
        (office(), "document", OFFICE + "wordprocessingml.document", "b.docx", ""),
        (office("word", "word/vbaProject.bin"), "document", OFFICE + "wordprocessingml.document", "b.docx", DANGEROUS),
        (office("xl"), "document", "application/pdf", "b.pdf", DIFFERS),
        (b"a;b", "document", "text/csv", "b.csv", ""),
        (b"\0\x01", "document", "application/x-cad", "b.dwg", ""),  # nothing is known against it
        (TYPES["ogg"][0], "audio", "audio/ogg; codecs=opus", "", ""),
        (boxes(b"isom"), "audio", "audio/mp4", "", ""),  # sound alone in a video's wrapping
        (boxes(b"isom"), "video", "video/mp4", "", ""),
        (TYPES["webp"][0], "sticker", "image/webp", "", ""),
        (picture(), "sticker", "image/webp", "", DIFFERS),
    ],
)
def test_it_is_wary_of_what_is_not_what_it_says(content, kind, declared, filename, caution):
    found = types.judge(file=io.BytesIO(content), kind=kind, declared_type=declared, filename=filename)
    assert found.caution == caution


@pytest.mark.parametrize("found", sorted({wanted for _, wanted in TYPES.values()}))
def test_only_pictures_sound_and_video_are_ever_shown_in_a_page(found):
    shown = {"image/jpeg", "image/png", "image/webp", "video/mp4", "video/3gpp"}
    medium = Medium(state="STORED", content_type=found)
    assert types.is_inline(medium=medium) == (found in shown or found.startswith("audio/"))
    assert not types.is_inline(medium=Medium(state="STORED", content_type=found, caution=DIFFERS))


def test_a_thumbnail_is_small_upright_and_knows_nothing_of_the_camera():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter
    exif[0x010F] = "Camera van Piet"
    content = picture(size=(2000, 1000), exif=exif)
    assert b"Camera van Piet" in content
    made = thumbnails.make(file=io.BytesIO(content), size_bytes=len(content))
    assert (made.width, made.height) == (320, 640)
    assert b"Piet" not in made.content
    with Image.open(io.BytesIO(made.content)) as shown:
        assert not shown.getexif()
        assert shown.size == (320, 640)


@pytest.mark.parametrize("content", [HTML, PDF, picture()[:200], picture("GIF"), b"", b"\xff\xd8\xff" + b"\0" * 500])
def test_what_is_no_picture_has_no_thumbnail(content):
    with pytest.raises(thumbnails.NotAPicture):
        thumbnails.make(file=io.BytesIO(content), size_bytes=len(content))


def test_a_picture_that_would_fill_the_memory_is_left():
    small = picture("PNG")
    header = b"IHDR" + struct.pack(">II", 30_000, 30_000) + small[24:29]
    content = small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]
    with pytest.raises(thumbnails.NotAPicture):
        thumbnails.make(file=io.BytesIO(content), size_bytes=len(content))
