"""The Procfile is read without a shell."""

import pytest

from config.local.failure import SetupError
from config.local.procfile import commands


@pytest.fixture
def procfile(tmp_path):
    def write(text):
        (tmp_path / "Procfile").write_text(text)
        return tmp_path / "Procfile"

    return write


class TestCommands:
    def test_it_fills_in_the_environment(self, procfile):
        path = procfile("web: serve --port ${PORT:-8000} --workers $COUNT\n\n# later\nbeat: tick\n")
        assert commands(environ={"COUNT": "2"}, path=path) == {
            "web": ["serve", "--port", "8000", "--workers", "2"],
            "beat": ["tick"],
        }

    def test_it_leaves_the_words_of_a_value_together(self, procfile):
        path = procfile("web: serve $NAME")
        assert commands(environ={"NAME": "a b; rm -rf"}, path=path) == {"web": ["serve", "a b; rm -rf"]}

    @pytest.mark.parametrize("text", ["no process at all", "web: serve\nweb: again", "web: serve $UNSET"])
    def test_it_refuses_what_it_cannot_run(self, procfile, text):
        with pytest.raises(SetupError):
            commands(environ={}, path=procfile(text))

    def test_it_reads_the_processes_of_the_house(self):
        workers = ["worker-inbox", "worker-media", "worker-maintenance"]
        assert list(commands(environ={})) == ["web", *workers, "beat", "sender", "metrics", "sandbox"]
