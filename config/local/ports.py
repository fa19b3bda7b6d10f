"""TCP ports on 127.0.0.1: free ones, and the one line for a port that is taken."""

import socket

from config.local.failure import SetupError

HOST = "127.0.0.1"


def is_free(*, port: int) -> bool:
    """Return whether nothing listens on the port."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError:
            return False
        return True


def find_free() -> int:
    """Return a port that nothing uses now, as the kernel chooses it."""
    with socket.socket() as attempt:
        attempt.bind((HOST, 0))
        port: int = attempt.getsockname()[1]
        return port


def require_free(*, variable: str, port: int, other: int) -> None:
    """Refuse a port that cannot be listened on.  Raises SetupError: it is taken; the text names the variable."""
    if port < 1024 and port != 0:
        raise SetupError(f"port {port} is reserved for the system: choose one from 1024 on, such as {variable}={other}")
    if not is_free(port=port):
        raise SetupError(
            f"port {port} is in use by another program: end that, or choose another, such as {variable}={other}"
        )
