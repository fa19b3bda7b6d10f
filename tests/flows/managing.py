"""An instance that tests are quicker with: what all of them would do alike is done once.

Its management commands run in children of one process that has the platform loaded already: loading it takes two
seconds of a core, which tests would spend some sixty times; the commands are those of `manage.py`. And the first that
migrates writes down what came of it, with the script of a tenant (tenants/script.py), for the others.
"""

import atexit
import fcntl
import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from config.local.folders import ROOT
from config.local.instance import Instance
from config.local.postgres import binary

CAPTURE = "from tenants import script; script.find()"
# The roles of a server are in no dump of a database.
ROLES = """
SELECT format('DO $$ BEGIN CREATE ROLE %1$I NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;', rolname)
FROM pg_roles WHERE rolname !~ '^pg_' AND NOT rolsuper
"""
OURS = ("in", "out", "err")  # the files that stand for a command's input and output, in order of their descriptors


class QuickInstance(Instance):
    """As an instance; `manage` takes a tenth of the time, and so does `migrate` once another has migrated."""

    _loaded: subprocess.Popen[str] | None = None
    _turn = threading.Lock()

    def migrate(self) -> None:
        """Bring the public schema up to date, by what an instance before this one wrote down if there was one."""
        if self.servers.postgres is None:
            super().migrate()
            return
        from config.local import testing  # which the process below needs nothing of

        kept = self.folder.parent / f"migrated-{testing.shape()}.sql"
        with (self.folder.parent / "migrated.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if kept.exists():
                self._postgres("psql", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", f"--file={kept}")
                return
            super().migrate()
            self.manage("shell", "--verbosity", "0", "--command", CAPTURE)
            roles = self._postgres("psql", "--no-align", "--tuples-only", f"--command={ROLES}")
            for old in self.folder.parent.glob("migrated-*"):
                old.unlink()
            making = kept.with_suffix(".making")
            making.write_text(roles + self._postgres("pg_dump"))
            making.rename(kept)

    def _postgres(self, program: str, *arguments: str) -> str:
        """Run a program of PostgreSQL's on the instance's database; return what it printed."""
        known = conninfo_to_dict(self.values["DATABASE_URL"])
        names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
        environ = {"PATH": os.defpath, **{name: str(known[word]) for name, word in names.items()}}
        command = [str(binary(program)), *arguments]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

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
