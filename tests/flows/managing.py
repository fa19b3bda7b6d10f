"""An instance whose management commands run in children of one process that has the platform loaded already.

Loading it takes two seconds of a core, which tests would spend some sixty times; the commands are those of `manage.py`.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path

from config.local.folders import ROOT
from config.local.instance import Instance

OURS = ("in", "out", "err")  # the files that stand for a command's input and output, in order of their descriptors


class QuickInstance(Instance):
    """As an instance; `manage` takes a tenth of the time."""

    _loaded: subprocess.Popen[str] | None = None
    _turn = threading.Lock()

    def stop(self) -> None:
        """End the loaded process too."""
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            loaded.communicate()  # it ends where nothing more is asked
        super().stop()

    def _run_manage(self, *arguments: str, given: str) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory() as name, self._turn:
            folder = Path(name)
            (folder / "in").write_text(given)
            if self._loaded is None:
                self._loaded = subprocess.Popen(
                    [sys.executable, "-m", "tests.flows.managing"],
                    cwd=ROOT,
                    env=self.environ,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            assert self._loaded.stdin is not None
            assert self._loaded.stdout is not None
            self._loaded.stdin.write(json.dumps([name, *arguments]) + "\n")
            self._loaded.stdin.flush()
            code = int(self._loaded.stdout.readline())
            out, err = ((folder / each).read_text() for each in OURS[1:])
        return subprocess.CompletedProcess(arguments, code, out, err)


def serve() -> None:
    """Run the commands that are asked for, one line of JSON each, and answer with their exit codes."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018 -- loads what the pages need, which commands check
    for line in sys.stdin:
        folder, *arguments = json.loads(line)
        child = os.fork()
        if not child:
            _run(folder=Path(folder), arguments=arguments)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(*, folder: Path, arguments: list[str]) -> None:
    """Be `manage.py` with these arguments, and end as it would."""
    for descriptor, name in enumerate(OURS):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND if descriptor else os.O_RDONLY
        os.dup2(os.open(folder / name, flags), descriptor)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.argv = ["manage.py", *arguments]
    code = 0
    try:
        import manage

        manage.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
        if not isinstance(end.code, int | None):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001 - as Python itself would
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
