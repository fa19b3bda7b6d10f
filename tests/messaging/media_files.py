"""Files of every type, made small and by hand, as citizens and attackers send them."""

import io
import zipfile

from PIL import Image

OFFICE = "application/vnd.openxmlformats-officedocument."


def picture(form: str = "JPEG", *, size: tuple[int, int] = (40, 20), colour: str = "red", **options) -> bytes:
    """Return a picture."""
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, form, **options)
    return written.getvalue()


def moving_sticker() -> bytes:
    """Return a sticker of two pictures."""
    written = io.BytesIO()
    first, second = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    first.save(written, "WEBP", save_all=True, append_images=[second], duration=100)
    return written.getvalue()


def archive(*names: str, **contents: bytes) -> bytes:
    """Return a ZIP file with these entries."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        for name in names:
            made.writestr(name, contents.get(name, b"x"))
    return written.getvalue()


def office(folder: str = "word", *more: str) -> bytes:
    """Return a document of Office."""
    return archive("[Content_Types].xml", "_rels/.rels", f"{folder}/document.xml", *more)


def compound(part: str) -> bytes:
    """Return a document of Office before 2007."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 70_000 + part.encode("utf-16-le") + b"\0" * 600


def boxes(brand: bytes) -> bytes:
    """Return the beginning of an MPEG-4 file."""
    return b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0" + brand + b"isom" + b"\0" * 64


PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
OGG = b"OggS\0\x02" + b"\0" * 22 + b"\x01\x13OpusHead" + b"\0" * 40
HTML = b"<!DOCTYPE html><html><script>alert(document.cookie)</script></html>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'

TYPES: dict[str, tuple[bytes, str]] = {
    "jpeg": (picture(), "image/jpeg"),
    "png": (picture("PNG"), "image/png"),
    "webp": (picture("WEBP"), "image/webp"),
    "gif": (picture("GIF"), "image/gif"),
    "heic": (boxes(b"heic"), "image/heif"),
    "mp4": (boxes(b"isom"), "video/mp4"),
    "3gp": (boxes(b"3gp4"), "video/3gpp"),
    "m4a": (boxes(b"M4A "), "audio/mp4"),
    "mov": (boxes(b"qt  "), "video/quicktime"),
    "ogg": (OGG, "audio/ogg"),
    "amr": (b"#!AMR\n" + b"\0" * 32, "audio/amr"),
    "mp3 with a label": (b"ID3\x03\0" + b"\0" * 64, "audio/mpeg"),
    "mp3": (b"\xff\xfb\x90\x64" + b"\0" * 64, "audio/mpeg"),
    "aac": (b"\xff\xf1\x50\x80" + b"\0" * 64, "audio/aac"),
    "pdf": (PDF, "application/pdf"),
    "rtf": (b"{\\rtf1 hallo}", "application/rtf"),
    "docx": (office(), OFFICE + "wordprocessingml.document"),
    "xlsx": (office("xl"), OFFICE + "spreadsheetml.sheet"),
    "pptx": (office("ppt"), OFFICE + "presentationml.presentation"),
    "docm": (office("word", "word/vbaProject.bin"), "application/vnd.ms-office.macro-enabled"),
    "xlsm of 1992": (office("xl", "xl/macrosheets/sheet1.xml"), "application/vnd.ms-office.macro-enabled"),
    "doc": (compound("WordDocument"), "application/msword"),
    "xls": (compound("Workbook"), "application/vnd.ms-excel"),
    "doc with macros": (compound("_VBA_PROJECT"), "application/vnd.ms-office.macro-enabled"),
    "msi": (compound("Property"), "application/x-executable"),
    "zip": (archive("a.txt"), "application/zip"),
    "jar": (archive("META-INF/MANIFEST.MF"), "application/java-archive"),
    "broken zip": (b"PK\x03\x04" + b"\0" * 100, "application/octet-stream"),
    "exe": (b"MZ\x90\0" + b"\0" * 64, "application/x-executable"),
    "elf": (b"\x7fELF\x02" + b"\0" * 64, "application/x-executable"),
    "shortcut": (b"L\0\0\0\x01\x14\x02\0" + b"\0" * 64, "application/x-executable"),
    "script": (b"#!/bin/sh\nrm -rf /\n", "application/x-script"),
    "html": (HTML, "text/html"),
    "html after a comment": (b"\xef\xbb\xbf <!-- x -->\n<ScRiPt>alert(1)</sCrIpT>", "text/html"),
    "html in UTF-16": ("<html>".encode("utf-16"), "text/html"),
    "svg": (SVG, "image/svg+xml"),
    "text": ("Goedemorgen, één vraag".encode(), "text/plain"),
    "bytes": (b"\0\x01\x02\x03" * 20, "application/octet-stream"),
    "nothing": (b"", "application/octet-stream"),
}
