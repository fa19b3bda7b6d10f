"""Setting up says in one line what is wrong, and mends what was broken off."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.local import install
from config.local.folders import ROOT
from tests.helm.charts import npm_command

# A package that every index has, pinned with a hash that no file has: what is fetched for it is never installed.
LOCK = "six==1.17.0 --hash=sha256:" + "0" * 64 + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Make a clone that holds what setting up needs, kept for all tests here: an environment takes its time."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "config" / "local").mkdir(parents=True)
    (folder / "requirements").mkdir()
    shutil.copy(ROOT / "config" / "local" / "install.py", folder / "config" / "local")
    return folder


@pytest.fixture
def clone(folder):
    """Return the clone with lock files that ask for nothing."""
    (folder / "requirements" / "test.txt").write_text("")
    _need_packages(folder, {})
    return folder


def _need_packages(clone, dependencies):
    """Have the pages need these packages of npm's."""
    lock = {"name": "clone", "lockfileVersion": 3, "requires": True, "packages": {"": {"dependencies": dependencies}}}
    for name, version in dependencies.items():
        lock["packages"][f"node_modules/{name}"] = {"version": version, "integrity": "sha512-" + "0" * 86 + "=="}
    (clone / "package-lock.json").write_text(json.dumps(lock))
    (clone / "package.json").write_text(json.dumps({"name": "clone", "dependencies": dependencies}))


def _install(clone, *, python=sys.executable, **environ):
    return subprocess.run(
        [python, "-I", clone / "config" / "local" / "install.py"],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


class TestRefusals:
    def test_it_says_that_a_python_is_too_old(self):
        with pytest.raises(
            install.InstallError, match=r"Python 3\.11 or newer is needed, and /usr/bin/python3 is 3\.9\.2"
        ):
            install.check_python(version=(3, 9, 2), executable="/usr/bin/python3")

    def test_it_is_written_so_that_an_old_python_can_read_it(self):
        import ast

        ast.parse((ROOT / "config" / "local" / "install.py").read_text(), feature_version=(3, 6))

    def test_it_says_that_there_is_no_network(self, clone):
        (clone / "requirements" / "test.txt").write_text(LOCK)
        nowhere = {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_FIND_LINKS": "",
            "PIP_RETRIES": "0",
            "PIP_NO_CACHE_DIR": "1",
        }
        done = _install(clone, **nowhere)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "could not be fetched: check the network" in done.stderr

    def test_it_says_that_the_packages_of_the_pages_cannot_be_fetched(self, clone, tmp_path):
        assert _install(clone).returncode == 0
        _need_packages(clone, {"htmx.org": "2.0.11"})
        bin_ = tmp_path / "bin"  # where a machine has no Node.js, the environment's own
        bin_.mkdir()
        *_, npm = npm_command()
        (bin_ / "npm").symlink_to(npm)
        if len(npm_command()) == 2:
            (bin_ / "node").symlink_to(npm_command()[0])
        nowhere = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_fetch_retries": "0"}
        nowhere["PATH"] = f"{bin_}{os.pathsep}{os.environ['PATH']}"
        done = _install(clone, **nowhere, npm_config_cache=str(tmp_path))
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "packages of the pages could not be fetched: check the network" in done.stderr

    def test_it_says_that_the_folder_may_not_be_written(self, tmp_path, monkeypatch):
        monkeypatch.setattr(install, "ROOT", tmp_path)
        monkeypatch.setattr(install.os, "access", lambda path, mode: False)
        with pytest.raises(PermissionError) as refused:
            install.check_writable()
        assert install.explain(refused.value) == (
            f"you may not write in {tmp_path}: use a clone of your own, or become its owner (chown)"
        )

    def test_it_says_that_the_disk_is_full(self, tmp_path, monkeypatch):
        monkeypatch.setattr(install, "ROOM_NEEDED", 1 << 60)
        with pytest.raises(install.InstallError, match=r"the disk is full: [0-9]+ MB is free"):
            install.check_room()
        said = install.say("it failed", "ERROR: Could not install packages: [Errno 28] No space left on device")
        assert said.startswith("the disk is full: make room")
        of_npm = (
            "npm error code ENOSPC\nnpm error syscall write\nnpm error nospc ENOSPC: no space left on device, write\n"
            "npm error A complete log of this run can be found in: /tmp/2026-debug-0.log\n"
        )
        assert install.say("it failed", install.of_npm(of_npm)).startswith("the disk is full: make room")
        of_npm = of_npm.replace("no space left on device", "a cable").replace("npm error", "npm ERR!")
        assert install.say("it failed", install.of_npm(of_npm)) == "it failed: error: nospc ENOSPC: a cable, write"

    def test_it_gives_the_last_error_of_what_it_cannot_name(self):
        assert install.say("it failed", "Looking\nERROR: hashes differ\nbye") == "it failed: ERROR: hashes differ"


class TestRepair:
    def test_it_makes_an_environment_once_and_mends_a_broken_one(self, clone):
        python = clone / ".venv" / "bin" / "python"
        (clone / "requirements" / "test.txt").write_text("# of this test\n")
        first = _install(clone)
        assert (first.returncode, first.stdout) == (0, "installing (about half a minute, first time only)\n")
        assert _install(clone).stdout == ""
        # As kill -9 in the middle leaves it: a marker, and files of which nobody knows whether they are whole.
        (clone / ".venv" / "installing").write_text("")
        (clone / ".venv" / "installed").unlink()
        (clone / ".venv" / "half").write_text("")
        assert _install(clone).returncode == 0
        assert not (clone / ".venv" / "half").exists()
        python.unlink()
        python.symlink_to(clone / "gone")
        assert _install(clone).returncode == 0
        assert subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0

    def test_it_installs_again_when_the_lock_has_changed(self, clone):
        assert _install(clone).returncode == 0
        stamp = clone / ".venv" / "installed"
        before = stamp.read_text()
        (clone / "requirements" / "test.txt").write_text("# another\n")
        assert _install(clone).stdout
        assert stamp.read_text() != before
        assert Path(sys.executable).exists()
