"""What goes wrong on a person's own machine, said in one clear line instead of a traceback."""

import errno
from pathlib import Path


class SetupError(Exception):
    """It cannot go on; the text says why and what to do."""


def explain(*, error: OSError) -> SetupError:
    """Return the clear line for an error of the operating system."""
    where = error.filename or "here"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full()
    if isinstance(error, PermissionError):
        return SetupError(
            f"you may not write {where}: it belongs to somebody else (`make clean` as its owner removes it)"
        )
    return SetupError(f"{error.strerror or error} ({where})")


def is_full(said: object) -> bool:
    """Return whether an error, or what a program said, is that of a full disk."""
    return "No space left" in str(said)


def disk_full() -> SetupError:
    """Return the clear line for a full disk."""
    return SetupError("the disk is full: make room (about 600 MB is needed) and run it again")


def tail(*, log: Path, lines: int = 12) -> str:
    """Return the last lines of a log, indented, or nothing where there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join("    " + line for line in text.splitlines()[-lines:])
