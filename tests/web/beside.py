"""Another web process beside the stage's own, on the same data, with a setting that is different.

What its pages say is what people read where an operator set it so; to bring a second platform up takes ten times as
long. It starts while others walk on, and is waited for by who needs it. Who is signed in is so there too: a cookie is
of a host, whatever the port.
"""

import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from config.local import ports, procfile
from config.local.folders import ROOT
from tests.flows.live import Live, eventually


class Beside:
    """A web process of its own."""

    def __init__(self, live: Live, **settings: str) -> None:
        """Start it; settings: what is different, by the name of the variable."""
        self.port = ports.find_free()
        environ = {**live.instance.environ, "PORT": str(self.port), "WEB_CONCURRENCY": "1", **settings}
        command = procfile.commands(environ=environ)["web"]
        with (live.instance.logs / "web-beside.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)

    def url(self, path: str) -> str:
        """Return an address of the console's there, once it answers."""
        eventually(self._answers, seconds=60)
        return f"http://console.localhost:{self.port}{path}"

    def _answers(self) -> bool:
        assert self.process.poll() is None, "it ended: its log is web-beside.log"
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)


@contextmanager
def beside(live: Live, **settings: str) -> Iterator[Beside]:
    """Have a web process beside the platform's own; the block's end stops it."""
    made = Beside(live, **settings)
    try:
        yield made
    finally:
        made.process.terminate()
        made.process.wait(timeout=20)
