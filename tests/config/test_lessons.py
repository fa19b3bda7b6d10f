"""Every test that docs/lessons.md names is there."""

import re

import pytest

from config.env import ROOT

PAGE = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", PAGE)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_is_named_is_there(file: str, name: str):
    source = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"def {name.rsplit('::', 1)[-1]}\(", source), f"{file} has no {name}"


def test_every_pain_names_a_test():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| pain", "| ---"))]
    assert [row for row in rows if not re.search(r"`tests/[\w/]+\.py::\w+", row)] == []
    assert len(rows) >= 20
