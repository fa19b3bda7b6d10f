"""Encryption of one object as a stream: chunks, each sealed for its place, so that nothing is held whole in memory.

Form: magic, salt, then chunks of 64 KiB, each AES-256-GCM with its tag. The object's own key is derived from the
municipality's data key and the random salt, so a chunk's number can be its nonce. Each chunk is bound to the object it
belongs to, to its number, and to whether it is the last: one that was altered, moved, cut off or put under another
name does not open. Knows nothing of media, municipalities or storages.
"""

import io
import secrets
from collections.abc import Iterator
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"WBS1"
SALT_BYTES = 32
CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16
_HEADER_BYTES = len(MAGIC) + SALT_BYTES
_SEALED_BYTES = CHUNK_BYTES + TAG_BYTES


class Unopenable(Exception):
    """The object does not open: another key, another object, or its bytes were altered or cut off."""


class Sealer:
    """Writes an object encrypted to a file. `finish` must be called, or what was written does not open."""

    def __init__(self, *, key: bytes, name: str, file: IO[bytes]) -> None:
        """key: the municipality's; name: what the object is bound to."""
        salt = secrets.token_bytes(SALT_BYTES)
        self._file = file
        self._name = name.encode()
        self._cipher = _cipher(key, salt)
        self._waiting = bytearray()
        self._number = 0
        file.write(MAGIC + salt)

    def write(self, data: bytes) -> None:
        """Add bytes to the object."""
        self._waiting += data
        # The last chunk is kept until `finish`, which alone knows that it is the last.
        while len(self._waiting) > CHUNK_BYTES:
            self._seal(bytes(self._waiting[:CHUNK_BYTES]), last=False)
            del self._waiting[:CHUNK_BYTES]

    def finish(self) -> None:
        """Write the last chunk."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, plain: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), plain, self._name))
        self._number += 1


class Opener(io.RawIOBase):
    """Reads an encrypted object as a file that can be read from any place, up to a chunk at a time."""

    def __init__(self, *, key: bytes, name: str, file: IO[bytes], owned: bool) -> None:
        """owned: whether closing it closes the file beneath.  Raises Unopenable: that holds no encrypted object."""
        super().__init__()
        self._owned = owned
        body = file.seek(0, io.SEEK_END) - _HEADER_BYTES
        file.seek(0)
        header = _read_whole(file, _HEADER_BYTES)
        self._chunks = -(-body // _SEALED_BYTES)
        if not header.startswith(MAGIC) or len(header) != _HEADER_BYTES or self._chunks < 1:
            raise Unopenable("not an encrypted object")
        self._file = file
        self._name = name.encode()
        self._cipher = _cipher(key, header[len(MAGIC) :])
        self.size: int = body - self._chunks * TAG_BYTES
        self._position = 0
        self._place = 0  # of the file beneath, in chunks
        self._at: int | None = None  # which chunk is in hand
        self._chunk = b""

    def readable(self) -> bool:
        """Return that it is."""
        return True

    def seekable(self) -> bool:
        """Return that it is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        """Return the place."""
        return self._position

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Read what is left of one chunk, at most.  Raises Unopenable."""
        if self._position >= self.size:
            return 0
        number, offset = divmod(self._position, CHUNK_BYTES)
        self._load(number)
        part = self._chunk[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    def parts(self, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from start up to end, a chunk at a time.  Raises Unopenable."""
        self.seek(start)
        left = (self.size if end is None else min(end, self.size)) - start
        while left > 0 and (part := self.read(min(left, CHUNK_BYTES))):
            left -= len(part)
            yield part

    def close(self) -> None:
        """Close it, and the file beneath if that is its own."""
        if not self.closed and self._owned:
            self._file.close()
        super().close()

    def _load(self, number: int) -> None:
        if self._at == number:
            return
        if self._place != number:
            self._file.seek(_HEADER_BYTES + number * _SEALED_BYTES)
        sealed = _read_whole(self._file, _SEALED_BYTES)
        self._place = number + 1
        try:
            self._chunk = self._cipher.decrypt(_nonce(number, number == self._chunks - 1), sealed, self._name)
        except InvalidTag:
            raise Unopenable("an encrypted object does not open") from None
        self._at = number


def _read_whole(file: IO[bytes], size: int) -> bytes:
    """Read so many bytes, or what is left: a storage may give them in pieces."""
    parts = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=b"medium").derive(key)
    return AESGCM(derived)


def _nonce(number: int, last: bool) -> bytes:
    """Return a chunk's nonce: unique under the object's own key, and another one for the last chunk."""
    return bytes([last]) + number.to_bytes(11, "big")
