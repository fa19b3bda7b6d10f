"""Domain time: real, unless a file moves it for every process at once."""

import os
import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from config.env import ROOT
from tenants import clock

READS = """
import django, sys
django.setup()
from tenants import clock
for _ in sys.stdin:
    print(clock.now().timestamp(), flush=True)
"""


@pytest.fixture
def file(tmp_path, settings):
    settings.CLOCK_FILE = str(tmp_path / "clock")
    clock._offset_file.cache_clear()
    yield tmp_path / "clock"
    clock._offset_file.cache_clear()


def move(file, seconds):
    """Write the offset as the sandbox does: in place, so that a mapped file shows it."""
    with file.open("r+b") as opened:
        os.pwrite(opened.fileno(), struct.pack("<d", seconds), 0)


def ahead():
    return clock.now() - datetime.now(UTC)


def test_it_is_real_time_where_no_file_is_named(settings):
    settings.CLOCK_FILE = None
    clock._offset_file.cache_clear()
    assert abs(ahead()) < timedelta(seconds=1)
    assert clock.now().tzinfo is UTC
    clock._offset_file.cache_clear()


def test_it_makes_the_file_and_begins_with_real_time(file):
    assert abs(ahead()) < timedelta(seconds=1)
    assert file.read_bytes() == bytes(8)


@pytest.mark.parametrize("seconds", [86_400.0, -2_592_000.5, 0.25])
def test_it_follows_the_file_with_the_next_call(file, seconds):
    clock.now()
    move(file, seconds)
    assert abs(ahead() - timedelta(seconds=seconds)) < timedelta(seconds=1)
    move(file, 0)
    assert abs(ahead()) < timedelta(seconds=1)


def test_it_is_moved_in_every_process_at_once(file):
    clock.now()
    with subprocess.Popen(
        [sys.executable, "-c", READS],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "CLOCK_FILE": str(file)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as other:

        def theirs():
            other.stdin.write("\n")
            return float(other.stdout.readline())

        assert abs(theirs() - clock.now().timestamp()) < 1
        move(file, 40 * 86_400.0)
        assert abs(ahead() - timedelta(days=40)) < timedelta(seconds=1)
        assert abs(theirs() - clock.now().timestamp()) < 1
        other.stdin.close()


def test_it_reads_a_file_that_is_too_short_as_an_error_and_not_as_a_time(file):
    file.write_bytes(b"\x00")
    with pytest.raises(ValueError):
        clock.now()
