"""A whole platform in a test: real servers and processes, the sandbox as Meta, and counts from both sides' books."""

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from config.local.folders import ROOT
from tests.flows.managing import QuickInstance

Town = tuple[str, str, str, str]  # name, CBS code, WABA id, phone_number_id
TOWNS: dict[str, Town] = {
    "utrecht": ("Utrecht", "GM0344", "2000000000344", "1000000000344"),
    "delft": ("Delft", "GM0503", "2000000000503", "1000000000503"),
}


class Live:
    """One running platform with some municipalities, at free ports, with data of its own."""

    def __init__(self, folder: Path, *, durable: bool, towns: Mapping[str, Town] = TOWNS) -> None:
        """Name it; `start` makes it."""
        self.instance = QuickInstance(folder, durable=durable, restart=True)
        self.towns = towns
        self._asked: psycopg.Connection[tuple[Any, ...]] | None = None
        self._turn = threading.Lock()

    def start(self) -> None:
        """Bring everything up."""
        self.start_processes()
        self.start_towns()

    def start_processes(self) -> None:
        """Bring the platform up, without any municipality."""
        self.instance.bring_up()

    def start_towns(self) -> None:
        """Make the municipalities live, here and at the sandbox, their templates approved."""
        instance = self.instance
        for schema, (name, cbs_code, waba_id, number) in self.towns.items():
            numbers = [{"id": number, "display_phone_number": f"+3197010{number[-6:]}"}]
            token = f"EAA{schema}"
            self.post("businesses", {"waba_id": waba_id, "name": name, "access_token": token, "phone_numbers": numbers})
            instance.manage(
                *("create_municipality", schema, "--name", name, "--cbs-code", cbs_code, "--waba-id", waba_id),
                *("--phone-number-id", number, "--display-phone-number", f"+3197010{number[-6:]}"),
                *("--access-token", "-"),
                given=token,
            )
            instance.manage("submit_templates", schema)

    def stop(self) -> None:
        """End everything."""
        with self._turn:
            self._forget()
        self.instance.stop()

    def get(self, path: str) -> dict[str, Any]:
        """Read from the sandbox's control door."""
        return self._call(path, None)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Have the sandbox do something."""
        return self._call(path, body)

    def delete(self, path: str) -> dict[str, Any]:
        """Have the sandbox forget something."""
        return self._call(path, None, method="DELETE")

    def rows(self, name: str, *, number: str | None = None) -> list[dict[str, Any]]:
        """Return all rows of one of the sandbox's books, of one number or of all."""
        found: list[dict[str, Any]] = []
        offset: int | None = 0
        while offset is not None:
            query = f"books?list={name}&offset={offset}&limit=1000" + (f"&phone_number_id={number}" if number else "")
            page = self.get(query)[name]
            found += page["rows"]
            offset = page["next_offset"]
        return found

    def _call(self, path: str, body: dict[str, Any] | None, *, method: str | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.instance.urls.sandbox}/_sandbox/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def write(self, schema: str, *texts: str, phone: str = "+31697000001", wait: bool = True) -> list[str]:
        """Have a citizen write to a municipality; return the wamids."""
        number = self.towns[schema][3]
        updates = [
            {
                "phone_number_id": number,
                "citizen": {"phone": phone, "name": "Piet"},
                "message": {"type": "text", "text": {"body": text}},
            }
            for text in texts
        ]
        return self.post("inbound", {"updates": updates, "wait": wait})["wamids"]

    def answer(self) -> None:
        """Have the agents answer everyone who waits, once all that came in is applied."""
        eventually(lambda: not any(self._open_events(schema) for schema in self.towns), seconds=60)
        self.instance.manage("play_agents", "--once", "--everyone")

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Return a connection to the platform's database."""
        return psycopg.connect(self.instance.environ["DATABASE_URL"], autocommit=True, connect_timeout=5)

    def ask(self, query: str, *values: Any, schema: str = "public") -> list[tuple[Any, ...]]:
        """Return the rows of a query; {s} is the schema.

        By a connection that stays: who waits asks ten times a second, and making one takes longer than to answer.
        """
        with self._turn:
            if self._asked is not None:
                try:
                    return self._ask(query, values, schema)
                except psycopg.OperationalError:  # the server was away since: as if there had been none
                    self._forget()
            self._asked = self.connect()
            return self._ask(query, values, schema)

    def _ask(self, query: str, values: tuple[Any, ...], schema: str) -> list[tuple[Any, ...]]:
        assert self._asked is not None
        return self._asked.execute(sql.SQL(query).format(s=sql.Identifier(schema)), values).fetchall()

    def _forget(self) -> None:
        if self._asked is not None:
            self._asked.close()
        self._asked = None

    def states(self, schema: str) -> dict[str, int]:
        """Return how many outbound messages of a municipality are in each state."""
        query = "SELECT state, count(*) FROM {s}.messaging_message WHERE direction = 'OUTBOUND' GROUP BY state"
        return dict(self.ask(query, schema=schema))

    def unfinished(self) -> int:
        """Return how much is still to be done, on both sides.

        Looked at in the order in which it moves on, so that nothing changes sides unseen: what waits here to leave,
        what Meta has still to tell, what came in and is not applied; and once more what may have come of that.
        """
        left = self._waiting() + (0 if self.get("quiet")["quiet"] else 1)
        for schema in self.towns:
            left += self._open_events(schema)
            # Those that wait for another try may wait for hours.
            query = "SELECT count(*) FROM {s}.messaging_medium WHERE state = 'PENDING' AND reason = ''"
            left += self.ask(query, schema=schema)[0][0]
        return left + self._waiting()

    def _waiting(self) -> int:
        query = "SELECT count(*) FROM {s}.messaging_outboxitem"
        return sum(self.ask(query, schema=schema)[0][0] for schema in self.towns)

    def _open_events(self, schema: str) -> int:
        return self.ask("SELECT count(*) FROM {s}.inbox_event WHERE state = 'OPEN'", schema=schema)[0][0]

    def rest(self, *, seconds: float = 90.0) -> None:
        """Wait until nothing is left to do; fail when that takes too long."""
        eventually(lambda: self.unfinished() == 0, seconds=seconds)


def answer_until(live: Live, stop: threading.Event) -> None:
    """Keep agents answering; one that lost its database is replaced, as a page would be loaded again."""
    command = [sys.executable, str(ROOT / "manage.py"), "play_agents"]
    with (live.instance.logs / "agents.log").open("ab") as log:
        while not stop.is_set():
            agents = subprocess.Popen(command, cwd=ROOT, env=live.instance.environ, stdout=log, stderr=log)
            while not stop.wait(0.2) and agents.poll() is None:
                pass
            agents.terminate()
            agents.wait()


class Traffic:
    """Citizens who write and agents who answer, until stopped."""

    def __init__(self, live: Live) -> None:
        """Name it; the block runs it."""
        self.live = live
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._citizens),
            threading.Thread(target=answer_until, args=(live, self._stop)),
        ]
        self.written = 0

    def __enter__(self) -> "Traffic":
        """Start."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; what was written keeps arriving, because the sandbox tries again."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _citizens(self) -> None:
        while not self._stop.is_set():
            for schema in self.live.towns:
                phone = f"+3169700{self.written % 40:04}"
                self.live.write(schema, f"Vraag {self.written}", phone=phone, wait=False)
                self.written += 1
            time.sleep(0.02)


def eventually(condition: Callable[[], bool], *, seconds: float = 30.0) -> None:
    """Wait until a condition holds; fail when it does not in time. A server that is away counts as not yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (psycopg.OperationalError, urllib.error.URLError, ConnectionError):
            pass
        assert time.monotonic() < deadline, f"not so within {seconds:.0f} seconds"
        time.sleep(0.1)
