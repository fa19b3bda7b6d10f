"""The files that citizens send when nobody says what is in them: small, real ones of their kind."""

import struct
import zlib

WIDTH, HEIGHT = 320, 200


def sample_of(*, kind: str, number: str) -> bytes:
    """Make the file; another number gives another one. A picture comes as PNG, whatever it is called."""
    if kind in {"image", "sticker"}:
        return _picture(seed=int(number))
    if kind == "document":
        return _document(text=f"Document {number}")
    if kind == "audio":
        head = b"OggS\0\x02" + bytes(8) + struct.pack("<I", int(number) & 0xFFFFFFFF) + bytes(8) + b"\x01\x13"
        return head + b"OpusHead\x01\x01" + bytes(9)
    return struct.pack(">I", 24) + b"ftypisom\0\0\2\0isomiso2" + struct.pack(">I", 16) + b"free" + number[-8:].encode()


def _picture(*, seed: int) -> bytes:
    """Make a picture of an evening sky over a dike, in colours of its own."""
    red, blue = 120 + seed % 100, 90 + seed // 7 % 120
    rows = []
    for y in range(HEIGHT):
        share = y / HEIGHT
        sky = bytes((int(red + (255 - red) * share), int(140 + 60 * share), int(blue + 40 * (1 - share))))
        rows.append(b"\0" + (sky if y < HEIGHT * 0.7 else bytes((70, 105, 60))) * WIDTH)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _document(*, text: str) -> bytes:
    """Make a page with one line on it."""
    drawn = f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    written, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(written)
    head = b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
    return written + head + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
