"""Domain time: the one place where windows, stamps, months and rate dates get their `now`.

In development the clock may run ahead of or behind real time by a number of seconds that the sandbox keeps in
`CLOCK_FILE` (8 bytes, little-endian float64). The file is mapped, so a moved clock is seen by every process with
its next call. Leases, pacing, back-off and time-outs run on real time and do not call this.
"""

import mmap
import struct
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def now() -> datetime:
    """Return the domain's present moment, aware, in UTC."""
    moment = datetime.now(UTC)
    offset = _offset_file()
    if offset is None:
        return moment
    (seconds,) = struct.unpack_from("<d", offset)
    return moment + timedelta(seconds=seconds)


@cache
def _offset_file() -> mmap.mmap | None:
    if settings.CLOCK_FILE is None:
        return None
    path = Path(settings.CLOCK_FILE)
    if not path.exists():
        path.write_bytes(struct.pack("<d", 0.0))
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
