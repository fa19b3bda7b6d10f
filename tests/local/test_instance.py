"""One run a folder, ports that are free, an environment for its owner's eyes, and a clear line when it cannot be."""

import os
import signal
import socket
import stat
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError
from django.db import OperationalError

from config.local import databases, demo, environment, running, testing
from config.local.failure import SetupError, disk_full
from config.local.folders import ROOT, FolderLock
from config.local.instance import AlreadyRunning, Instance
from config.local.supervisor import ProcessCrashed

from .conftest import lives, until

LEFT = "import subprocess; print(subprocess.Popen(['sleep', '60'], stdout=-3, stderr=-3, start_new_session=True).pid)"
HOLDS = """
import sys, time
from pathlib import Path
from config.local.folders import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print(lock.take(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def given():
    """Give servers as a caller who has some would, with a database of his there already."""
    server = os.environ[testing.SERVER]
    name = f"{os.environ[testing.TEMPLATE_PREFIX]}given_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    databases.make(server=server, name=name)
    yield {
        "DATABASE_URL": databases.with_name(url=server, name=name),
        "CELERY_BROKER_URL": os.environ["CELERY_BROKER_URL"],
    }
    for made in (f"{name}_demo", name):
        databases.drop(server=server, name=made)


class TestTake:
    def test_it_says_where_the_running_one_answers(self, tmp_path):
        with Instance(tmp_path) as first, Instance(tmp_path) as second:
            first.take()
            environment.write(path=first.env_file, values={"PORT": "8123"})
            with pytest.raises(AlreadyRunning, match=rf"http://console\.localhost:8123/ \(process {os.getpid()}\)"):
                second.take()
            first.stop()
            second.take()

    @pytest.mark.parametrize("variable", ["PORT", "SANDBOX_PORT"])
    def test_it_names_the_variable_of_a_port_that_is_taken(self, tmp_path, taken_port, variable):
        chosen = {"web_port" if variable == "PORT" else "sandbox_port": taken_port}
        with Instance(tmp_path, **chosen) as instance, pytest.raises(SetupError) as refused:
            instance.take()
        assert f"port {taken_port} is in use" in str(refused.value)
        assert f" {variable}=" in str(refused.value)

    def test_it_refuses_a_port_that_is_none(self, monkeypatch, capsys):
        monkeypatch.setenv("PORT", "eighty")
        assert running.demo() == 1
        assert capsys.readouterr().err == "make demo: PORT must be the number of a port, such as PORT=8000\n"

    def test_a_second_demo_says_where_the_first_answers(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(running, "FOLDER", tmp_path)
        with Instance(tmp_path) as first:
            first.take()
            environment.write(path=first.env_file, values={"PORT": "8123"})
            assert running.demo() == 1
        said = capsys.readouterr().err
        assert "http://console.localhost:8123/" in said
        assert said.count("\n") == 1

    @pytest.mark.parametrize(
        ("trouble", "code", "said"),
        [
            (None, 0, ""),
            (ProcessCrashed("web ended"), 1, "make demo: everything was stopped, because web ended\n"),
            (ProcessCrashed("PANIC: No space left on device"), 1, f"make demo: {disk_full()}\n"),
            (OperationalError("could not extend file: No space left on device"), 1, f"make demo: {disk_full()}\n"),
            (CommandError("a sync is\nunder way"), 1, "make demo: the story broke off: a sync is under way\n"),
        ],
    )
    def test_it_ends_after_the_story_and_says_in_one_line_what_broke_it_off(
        self, tmp_path, monkeypatch, capsys, trouble, code, said
    ):
        def play(*, instance):
            if trouble is not None:
                raise trouble

        monkeypatch.setattr(running, "FOLDER", tmp_path)
        monkeypatch.setattr(running, "_bring_up", lambda *, instance: None)
        monkeypatch.setattr(Instance, "supervisor", SimpleNamespace(settle=lambda: None))
        monkeypatch.setattr(demo, "play", play)
        monkeypatch.setenv("ONCE", "1")
        assert running.demo() == code
        assert capsys.readouterr().err == said

    def test_it_ends_what_a_killed_run_left_behind(self, tmp_path):
        environ = environment.of_processes(values={}, folder=tmp_path)
        left = int(subprocess.run([sys.executable, "-c", LEFT], env=environ, capture_output=True, check=True).stdout)
        assert lives(left)
        lock = FolderLock(tmp_path)
        assert lock.take()
        lock.let_go()
        assert not lives(left)

    def test_it_is_free_again_when_its_holder_was_killed(self, tmp_path):
        holder = subprocess.Popen([sys.executable, "-c", HOLDS, tmp_path], stdout=subprocess.PIPE, cwd=ROOT)
        assert holder.stdout.readline() == b"True\n"
        lock = FolderLock(tmp_path)
        assert not lock.take()
        assert lock.holder() == holder.pid
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
        assert lock.take()
        lock.let_go()


class TestEnvironment:
    def test_processes_keep_what_they_compiled_out_of_the_way_of_who_wants_none_of_it(self):
        wanted = {"PYTHONDONTWRITEBYTECODE": "1", "HOME": "/home/a"}
        kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(ROOT / "var" / "pycache"), "HOME": "/home/a"}
        assert environment.compiling_once(environ=wanted) == kept
        for as_usual in ({}, kept):
            assert environment.compiling_once(environ=as_usual) == as_usual

    def test_it_is_whole_and_for_its_owner_alone(self, tmp_path, given):
        from config.env import read

        with Instance(tmp_path, given=given) as instance:
            instance.take()
            instance.start_servers()
            assert stat.S_IMODE(instance.env_file.stat().st_mode) == 0o600
            written = environment.read(path=instance.env_file)
            assert written == instance.values
            values = read(written)  # refuses what is missing or malformed
            assert values["META_GRAPH_URL"] == instance.urls.sandbox
            assert Path(values["CLOCK_FILE"]).read_bytes() == struct.pack("<d", 0.0)

    def test_it_has_other_secrets_each_time(self):
        first, second = environment.make_secrets(), environment.make_secrets()
        assert not {name for name in first if first[name] == second[name]}

    def test_it_makes_a_database_beside_that_of_the_caller(self, tmp_path, given):
        with Instance(tmp_path, given=given) as instance:
            instance.take()
            instance.start_servers()
            assert instance.values["DATABASE_URL"] == given["DATABASE_URL"] + "_demo"


class TestRun:
    def test_it_runs_commands_and_processes_on_a_database_of_its_own(self, tmp_path, given, monkeypatch):
        with Instance(tmp_path, given=given) as instance:
            instance.take()
            instance.start_servers()
            instance.make_database()
            with pytest.raises(SetupError, match=r"manage.py check failed \(exit code 1\)"):
                instance.manage("check", "--tag", "none-such")
            instance.migrate()
            assert "tenants" in instance.manage("showmigrations", "--plan")
            instance.start_processes("sandbox")
            instance.wait_until_healthy()
            sandbox = instance.supervisor.pid("sandbox")
            instance.supervisor.kill("sandbox")
            with pytest.raises(ProcessCrashed, match="sandbox stopped"):
                instance.supervisor.wait(10)
        assert until(lambda: not lives(sandbox))
