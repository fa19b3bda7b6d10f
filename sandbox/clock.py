"""The sandbox's clock: real time plus an offset that can be moved, forward while anything has happened.

Owns the clock file, 8 bytes (little-endian float64: seconds to add to real time), which other processes read through
mmap. All of the sandbox's domain time comes from here; delays, retries and rate limits run on real time.
"""

import mmap
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

FILE_FORMAT = struct.Struct("<d")


class Clock:
    """Real time plus an offset, shared with other processes through a file when a path is given."""

    def __init__(self, *, path: Path | None = None) -> None:
        self._offset = 0.0
        self._file: mmap.mmap | None = None
        if path is not None:
            self._file = _open_clock_file(path=path)
            self._offset = FILE_FORMAT.unpack(self._file[: FILE_FORMAT.size])[0]

    @property
    def offset_seconds(self) -> float:
        """Tell the seconds added to real time."""
        return self._offset

    def now(self) -> float:
        """Tell the sandbox's time, in seconds since the epoch."""
        return time.time() + self._offset

    def now_datetime(self) -> datetime:
        """Tell the sandbox's time as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.now(), tz=UTC)

    def set_offset(self, *, offset_seconds: float) -> None:
        """Move the clock to real time plus the offset, for every process that reads the file."""
        self._offset = offset_seconds
        if self._file is not None:
            # One copy of eight aligned bytes: a reader sees the old number or the new one.
            self._file[: FILE_FORMAT.size] = FILE_FORMAT.pack(offset_seconds)

    def move_to(self, *, moment: float) -> None:
        """Move the clock to the moment (seconds since the epoch); it runs on from there at normal speed."""
        self.set_offset(offset_seconds=moment - time.time())

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _open_clock_file(*, path: Path) -> mmap.mmap:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        size = file.seek(0, 2)
        if size < FILE_FORMAT.size:
            file.write(bytes(FILE_FORMAT.size - size))
            file.flush()
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), FILE_FORMAT.size)
