"""From where something is done: the address of who asks, or the program that does it by itself.

A request's address is what the server was told by the proxies that it trusts (FORWARDED_ALLOW_IPS), and else the
connection's own; nothing that a caller writes into a header counts. It follows the request into every thread.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LONGEST = 100
_told: ContextVar[str] = ContextVar("audit_origin", default="")


@contextmanager
def acting_from(origin: str) -> Iterator[None]:
    """Have what is recorded in the block come from here; empty: from this program."""
    token = _told.set(origin[:LONGEST])
    try:
        yield
    finally:
        _told.reset(token)


def origin_now() -> str:
    """Return from where what happens now is done; never empty."""
    return _told.get() or _program()


@cache
def _program() -> str:
    """Return the program's name and the machine it runs on, such as `manage.py run_invoices on worker-1`."""
    name = Path(sys.argv[0]).name or "python"
    if name == "manage.py" and len(sys.argv) > 1:
        name += f" {sys.argv[1]}"
    return f"{name} on {socket.gethostname()}"[:LONGEST]
