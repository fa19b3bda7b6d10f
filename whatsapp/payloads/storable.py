"""Makes any JSON value one that can be stored: the guard before a POST is taken apart.

What JSON allows and databases or orjson refuse (a NUL in text, a lone surrogate, a number past 64 bits, nesting without
end) would else make a POST that can never be stored, and that Meta repeats for a week.
"""

from typing import Any

import orjson

# Levels of nesting kept; what lies deeper is cut. Meta's own payloads have about ten.
DEEPEST = 60
# What stands where something was cut.
CUT = "\ufffd"

_NUL = b"\\u0000"
_LARGEST = 2**63 - 1


def storable(body: Any) -> Any:
    """Return `body` itself when it can be stored as it is (nearly always), else a repaired copy. Never raises."""
    try:
        # The wrapping stands for levels that a payload and its store may add. A dump in C is the cheapest full check.
        written = orjson.dumps([[[[body]]]])
    except TypeError:
        return _repaired(body, DEEPEST)
    return _repaired(body, DEEPEST) if _NUL in written else body


def _repaired(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return value.replace("\0", CUT).encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        # As text, no digit is lost. Hexadecimal, because Python refuses to write very long decimals.
        return value if -_LARGEST <= value <= _LARGEST else hex(value)
    if isinstance(value, float):
        return value
    if not levels:
        return CUT
    if isinstance(value, dict):
        return {_repaired(str(key), 0): _repaired(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_repaired(item, levels - 1) for item in value]
    return CUT
