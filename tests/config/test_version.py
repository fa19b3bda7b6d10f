"""The version is written in one place for programs, and the two places for people agree with it."""

import tomllib

from config import VERSION
from config.env import ROOT


def test_it_is_that_of_the_project_file_and_of_the_changelog():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
    assert f"### {VERSION}" in (ROOT / "CHANGELOG.md").read_text()
