"""What a medium is, by its content; what it is called and said to be only adds suspicion.

A closed list, because WhatsApp carries a closed list: what is not recognised is bytes, to be downloaded and never
shown. Only what is on INLINE_TYPES and nothing is wrong with may be shown in a page.
Source: Meta, Cloud API media reference (read 2026-11-22); the formats' own signatures.
"""

import codecs
import zipfile
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO

from messaging.models import Medium

UNKNOWN = "application/octet-stream"
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
INLINE_TYPES = PICTURES | {
    *("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/3gpp"),
    *("video/mp4", "video/3gpp"),
}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_MACROS = "application/vnd.ms-office.macro-enabled"
# Run, or run scripts, where they are opened.
DANGEROUS_TYPES = frozenset(
    {"text/html", "image/svg+xml", "application/x-executable", "application/x-script", "application/java-archive"}
) | {_MACROS}
# The same where only the name tells the program that opens it: to us they are text or bytes.
DANGEROUS_ENDINGS = frozenset(
    {
        *("apk", "app", "bat", "chm", "cmd", "com", "cpl", "dll", "docm", "dotm", "exe", "gadget"),
        *("hta", "htm", "html", "img", "iso", "jar", "js", "jse", "lnk", "msi", "msp", "pif"),
        *("potm", "ppam", "ppsm", "pptm", "ps1", "reg", "scr", "scf", "settingcontent-ms", "sh", "shtml", "svg"),
        *("url", "vb", "vbe", "vbs", "vhd", "wsf", "wsh", "xbap", "xht", "xhtml", "xlam", "xlsm"),
        *("xltm"),
    }
)
# Bytes from the beginning in which a page's first tag is looked for, and in which text must be text.
HEAD_BYTES = 64 * 1024

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"OggS", "audio/ogg"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    *((b"\xff" + bytes([second]), "audio/mpeg") for second in (0xFB, 0xFA, 0xF3, 0xF2)),
    *((b"\xff" + bytes([second]), "audio/aac") for second in (0xF1, 0xF9)),
    (b"%PDF-", "application/pdf"),
    (b"{\\rtf", "application/rtf"),
    *(
        (start, "application/x-executable")
        for start in (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"L\0\0\0\x01\x14\x02\0")
    ),
    *((start, "application/x-executable") for start in (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe")),
    (b"#!", "application/x-script"),
)
_BRANDS = {b"M4A": "audio/mp4", b"M4B": "audio/mp4", b"3g": "video/3gpp", b"qt": "video/quicktime"}
_PICTURE_BRANDS = (b"hei", b"hev", b"mif1", b"msf1", b"avi")
_TAGS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<iframe", b"<svg", b"<!entity", b"<xsl:")
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # documents of Office before 2007, and installers
_COMPOUND_PARTS = (
    ("WordDocument", "application/msword"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
)
# What else a sender's program may call the same thing.
_SAME = {
    "application/ogg": "audio/ogg",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/aacp": "audio/aac",
    "audio/amr-nb": "audio/amr",
    "image/jpg": "image/jpeg",
    "text/csv": "text/plain",
    "text/rtf": "application/rtf",
    "application/x-zip-compressed": "application/zip",
}
_SOUND_IN = {"video/mp4": "audio/mp4", "video/3gpp": "audio/3gpp", "video/quicktime": "audio/mp4"}
_EXPECTED = {
    "image": PICTURES,
    "sticker": frozenset({"image/webp"}),
    "video": frozenset({"video/mp4", "video/3gpp"}),
    "audio": frozenset(each for each in INLINE_TYPES if each.startswith("audio/")),
}
_RECOGNISED = (
    frozenset(found for _, found in _STARTS)
    | frozenset(found for _, found in _COMPOUND_PARTS)
    | INLINE_TYPES
    | {"text/plain", "application/zip"}
    | {_OFFICE + name for name in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")}
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a medium is, and what is wrong with it, if anything (Medium.Caution)."""

    content_type: str
    caution: str


def judge(*, file: IO[bytes], kind: str, declared_type: str, filename: str) -> Judgement:
    """Return what a medium is by its content, compared with what it was said to be. Reads from the beginning."""
    found = identify(file=file)
    if kind == "audio":
        found = _SOUND_IN.get(found, found)  # these hold sound alone just as well
    ending = PurePath(filename).suffix.lower().removeprefix(".")
    if found in DANGEROUS_TYPES or ending in DANGEROUS_ENDINGS:
        return Judgement(found, Medium.Caution.DANGEROUS)
    declared = declared_type.partition(";")[0].strip().lower()
    declared = _SAME.get(declared, declared)
    differs = found not in _EXPECTED[kind] if kind in _EXPECTED else declared in _RECOGNISED and found != declared
    return Judgement(found, Medium.Caution.TYPE_DIFFERS if differs else "")


def is_inline(*, medium: Medium) -> bool:
    """Return whether a medium may be shown in a page; everything else may only be downloaded."""
    return medium.state == Medium.State.STORED and not medium.caution and medium.content_type in INLINE_TYPES


def identify(*, file: IO[bytes]) -> str:
    """Return the type of a file by its content, read from the beginning; UNKNOWN when it is none we recognise."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _of_brand(head[8:12])
    if head.startswith(b"PK\x03\x04"):
        return _of_archive(file)
    if head.startswith(_COMPOUND):
        return _of_compound(file)
    if head[:3] == codecs.BOM_UTF8:
        return _of_text(head[3:])
    return next((found for start, found in _STARTS if head.startswith(start)), None) or _of_text(head)


def _of_brand(brand: bytes) -> str:
    if brand.startswith(_PICTURE_BRANDS):
        return "image/heif"
    return next((found for start, found in _BRANDS.items() if brand.startswith(start)), "video/mp4")


def _of_archive(file: IO[bytes]) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            declared = b""
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                declared = archive.read("mimetype")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError):
        return UNKNOWN  # broken, or made to break what reads it
    if any(name.lower().endswith("vbaproject.bin") or "/macrosheets/" in name.lower() for name in names):
        return _MACROS
    if "META-INF/MANIFEST.MF" in names or "AndroidManifest.xml" in names:
        return "application/java-archive"
    if declared.startswith(b"application/vnd.oasis.opendocument."):
        macros = any(name.startswith(("Basic/", "Scripts/")) for name in names)
        return _MACROS if macros else declared.decode("ascii", "replace").strip()
    if "[Content_Types].xml" in names:
        for folder, name in (("word/", "wordprocessingml.document"), ("xl/", "spreadsheetml.sheet")):
            if any(each.startswith(folder) for each in names):
                return _OFFICE + name
        if any(each.startswith("ppt/") for each in names):
            return _OFFICE + "presentationml.presentation"
    return "application/zip"


def _of_compound(file: IO[bytes]) -> str:
    """Look for the names of parts, which lie anywhere in the file, in UTF-16."""
    parts = {name: name.encode("utf-16-le") for name, _ in _COMPOUND_PARTS}
    macros = "_VBA_PROJECT".encode("utf-16-le")
    longest = max(map(len, [macros, *parts.values()]))
    seen: set[str] = set()
    file.seek(0)
    tail = b""
    while block := file.read(HEAD_BYTES):
        window = tail + block
        if macros in window:
            return _MACROS
        seen |= {name for name, sought in parts.items() if sought in window}
        tail = window[-longest:]
    return next((found for name, found in _COMPOUND_PARTS if name in seen), "application/x-executable")


def _of_text(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = head.decode("utf-16", "ignore").encode()
    lower = head.lower()
    if b"<svg" in lower:
        return "image/svg+xml"
    if any(tag in lower for tag in _TAGS):
        return "text/html"
    if not head or b"\0" in head:
        return UNKNOWN
    try:
        # The head may end within a character.
        codecs.getincrementaldecoder("utf-8")().decode(head, len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return UNKNOWN
    return "text/plain"
