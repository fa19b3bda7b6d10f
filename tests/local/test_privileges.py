"""As root PostgreSQL runs as somebody else, who is let in to a clone under a private folder, or it is said why not."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from config.local import privileges
from config.local.failure import SetupError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs PostgreSQL as itself")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a clone of root's under a folder that root alone may enter."""
    private = tmp_path / "private"
    (private / "clone" / "data").mkdir(parents=True)
    private.chmod(stat.S_IRWXU)
    return private / "clone"


def program_in(folder: Path) -> Path:
    program = folder / "postgres"
    program.write_text("#!/bin/sh\nexec id -u\n")
    program.chmod(0o755)
    return program


@as_root
def test_a_clone_under_a_private_folder_is_reached_by_one_capability(clone):
    program = program_in(clone)
    chosen = privileges.choose(clone=clone, program=program, folder=clone / "data")
    assert chosen.uid != 0
    said = subprocess.run([*chosen.prefix, str(program)], capture_output=True, text=True, check=True, cwd="/").stdout
    assert int(said) == chosen.uid
    assert (clone / "data").stat().st_uid == chosen.uid
    assert [each for each in chosen.prefix if each.startswith("--ambient-caps=-all,+dac_")]
    assert stat.S_IMODE(clone.parent.stat().st_mode) == stat.S_IRWXU  # no permission was loosened


@as_root
def test_where_no_way_in_can_be_given_it_says_what_to_do(clone, monkeypatch):
    monkeypatch.setattr(privileges, "_held", list)  # as in a container without both
    with pytest.raises(SetupError, match="run as an ordinary user, or set DATABASE_URL"):
        privileges.choose(clone=clone, program=program_in(clone), folder=clone / "data")


@as_root
def test_without_setpriv_it_says_what_to_install(clone, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SetupError, match=r"setpriv \(util-linux\) is needed"):
        privileges.choose(clone=clone, program=program_in(clone), folder=clone / "data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root does not run PostgreSQL as itself")
def test_an_ordinary_user_runs_it_as_itself(clone):
    chosen = privileges.choose(clone=clone, program=program_in(clone), folder=clone / "data")
    assert (chosen.uid, chosen.prefix) == (os.geteuid(), ())
