"""Meta's ids, imitated: unique, and as honest about what they hold (a wamid contains the phone number).

Counters begin at the moment of starting, because the platform keeps ids longer than the sandbox lives: a wamid that
came back after a restart would look like a duplicate.
"""

import base64
import hashlib

# An odd multiplier maps the counter one-to-one onto 72 bits, so ids look random and never collide.
_SPREAD = 0x9E3779B97F4A7C15F3
_MASK = (1 << 72) - 1


class Ids:
    """Makes wamids, media ids and trace ids from one counter."""

    def __init__(self, *, started_ns: int) -> None:
        self._counter = started_ns << 8
        self._media = started_ns // 1000

    def next_wamid(self, *, digits: str, outgoing: bool) -> str:
        """Make a wamid around the citizen's digits, in the shape that Meta's have."""
        self._counter += 1
        mixed = self._counter * _SPREAD & _MASK
        kind = b"\x11\x18\x12" if outgoing else b"\x12\x18\x12"
        inner = digits.encode()[:60]
        raw = b"\x1c\x18%c%b\x15\x02\x00%b%018X\x00" % (len(inner), inner, kind, mixed)
        return "wamid." + base64.b64encode(raw).decode()

    def next_number(self) -> str:
        """Make a numeric id such as those of media and templates."""
        self._media += 7
        return str(self._media)

    def next_trace(self) -> str:
        """Make an `fbtrace_id`."""
        self._counter += 1
        mixed = self._counter * _SPREAD & _MASK
        return "A" + base64.urlsafe_b64encode(mixed.to_bytes(9, "big")).decode().rstrip("=")


def derived_bsuid(*, waba_id: str, phone: str) -> str:
    """Derive the business-scoped user id that a citizen has at one business; another business sees another id."""
    number = int.from_bytes(hashlib.sha256(f"{waba_id}:{phone}".encode()).digest()[:8], "big")
    return f"NL.{number:020d}"
