"""The folders of instances under var/, each held by one run at a time."""

import fcntl
import os
from pathlib import Path

from config.local import children
from config.local.failure import explain

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"


class FolderLock:
    """Holds a folder until it is let go or this process ends, kill -9 included."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is held before `take`."""
        self.folder = folder
        self._handle: int | None = None

    def take(self) -> bool:
        """Hold the folder, made where it is missing; return whether it was free.

        What a killed run left running in it is ended first.  Raises SetupError: it cannot be written.
        """
        try:
            VAR.mkdir(exist_ok=True)
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise explain(error=error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        children.sweep(instance=self.folder)
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        return True

    def let_go(self) -> None:
        """Free the folder.  Safe to repeat."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def holder(self) -> int | None:
        """Return the process that holds or last held the folder."""
        try:
            written = (self.folder / "lock").read_text().strip()
        except OSError:
            return None
        return int(written) if written.isdigit() else None
