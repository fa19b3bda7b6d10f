"""The environment of a local instance: secrets of its own, made at random, and where everything listens.

Kept as KEY=VALUE lines in a file that only its owner may read; config/env.py reads var/demo/env in commands that a
person runs beside the demo.
"""

import os
import secrets
import sys
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from config.local.children import MARK
from config.local.folders import ROOT, VAR


def make_secrets() -> dict[str, str]:
    """Return new values of every secret that the platform cannot start without."""
    return {
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(64),
        "FIELD_ENCRYPTION_KEYS": urlsafe_b64encode(secrets.token_bytes(32)).decode(),  # a Fernet key is just this
        "META_APP_ID": str(secrets.randbelow(10**15) + 10**15),
        "META_APP_SECRET": secrets.token_hex(16),
        "META_VERIFY_TOKEN": secrets.token_urlsafe(24),
        "META_SYSTEM_TOKEN": "EAA" + secrets.token_urlsafe(48),
    }


def write(*, path: Path, values: Mapping[str, str]) -> None:
    """Write the values as KEY=VALUE lines, whole or not at all, for the owner's eyes only."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("# Made by a local run; made anew by the next one. Commands beside it read this file.\n")
        file.writelines(f"{name}={value}\n" for name, value in sorted(values.items()))
    new.replace(path)


def read(*, path: Path) -> dict[str, str]:
    """Return the values written before, or nothing where there are none."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def compiling_once(*, environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which Python keeps what it compiled: below var/ where the caller wants none of it about.

    A process of the platform starts in three quarters of the time, and tests start hundreds of them.
    """
    if not environ.get("PYTHONDONTWRITEBYTECODE"):
        return dict(environ)
    return {**environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(VAR / "pycache")}


def of_processes(*, values: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the whole environment of a process of the instance: the caller's, with the values over it."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONHOME", "PYTHONPATH"}}
    programs = str(Path(sys.executable).parent)
    return {
        **compiling_once(environ=inherited),
        "PATH": programs + os.pathsep + inherited.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        MARK: str(folder),
        **values,
    }
