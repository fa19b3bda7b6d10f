"""The Procfile: which processes there are, and the command of each, with the environment filled in and no shell."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from config.local.failure import SetupError
from config.local.folders import ROOT

_LINE = re.compile(r"(?P<name>[a-z][a-z0-9_-]*):\s*(?P<command>\S.*)")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>[A-Z_]+)(?::-(?P<default>[^}]*))?\}|(?P<plain>[A-Z_]+))")


def commands(*, environ: Mapping[str, str], path: Path = ROOT / "Procfile") -> dict[str, list[str]]:
    """Return the command of every process, in the order of the file.

    ${NAME:-default} and $NAME are filled in from `environ`; nothing else of a shell is understood.
    Raises SetupError: a line is none, a name comes twice or a variable without default is not set.
    """
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None or match["name"] in found:
            raise SetupError(f"{path.name} has a line that is no process, or one twice: {line}")
        found[match["name"]] = [_filled(part=part, environ=environ) for part in shlex.split(match["command"])]
    return found


def _filled(*, part: str, environ: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        given = environ.get(name) or match["default"]
        if given is None:
            raise SetupError(f"the Procfile needs {name}, which is not set")
        return given

    return _VARIABLE.sub(value, part)
