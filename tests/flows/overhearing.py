"""A platform that is overheard while canaries walk through it; what it lets slip is searched for, place by place."""

import contextlib
import json
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field

import redis

from tests.flows import canaries
from tests.flows.canaries import Finder
from tests.flows.canary_walk import REFUSALS, STAFF, Walk
from tests.flows.live import TOWNS, Live
from tests.flows.witnesses import SHARED, Arguments, MetaFront, RedisEar, Sentry, files, rows_of

PROCESSES = ("web", "worker-inbox", "worker-media", "worker-maintenance", "sender")
DEFAULT_LEVEL = "INFO"
PLACES = ("logs", "reports", "metrics", "redis", "addresses", "calls", "tables", "processes", "files")
# In one process instead of five, and by its standard input: arguments are what others can see.
PEOPLE_AND_KEYS = f"""
import json
from django_tenants.utils import schema_context
from accounts.making import make_user, set_up_app
from accounts.keys import create_key
from accounts.scopes import BSP_SCOPES, TENANT_SCOPES
from audit.record import Actor
from tenants import clock
actor, at, keys = Actor.system("tests"), clock.now(), {{}}
people = (
    ("utrecht", {canaries.EMAIL!r}, ["ADMIN", "SUPERVISOR", "AGENT"]),
    ("public", {STAFF!r}, ["BSP_SUPPORT", "BSP_FINANCE", "BSP_OPERATOR"]),
)
for schema, email, roles in people:
    made = make_user(
        schema_name=schema, email=email, name="Kim", roles=roles, password={canaries.PASSWORD!r}, actor=actor, at=at
    )
    set_up_app(schema_name=schema, user=made.user, secret={canaries.TOTP_SECRET!r})
for host, scopes in (("console", BSP_SCOPES), *((town, TENANT_SCOPES) for town in {sorted(TOWNS)!r})):
    with schema_context("public" if host == "console" else host):
        keys[host] = create_key(name="Zaak", scopes=sorted(scopes), actor=actor, at=at).secret
print(json.dumps(keys))
"""


@dataclass
class Overheard:
    """A platform, and those who overhear it."""

    live: Live
    sentry: Sentry
    arguments: Arguments
    front: MetaFront | None = None
    ear: RedisEar | None = None
    keys: dict[str, str] = field(default_factory=dict)  # of the API, by host
    walks: list[Walk] = field(default_factory=list)
    said: str = ""  # what management commands and scrapes answered

    def start(self) -> None:
        """Bring the platform up, with Meta behind a front and Sentry imitated, two towns, their people and keys."""
        instance = self.live.instance
        for left in ("log", "postgres", "redis"):  # by an earlier run
            for log in (instance.folder / left).glob("*.log"):
                log.unlink()
        (instance.folder / "planted").unlink(missing_ok=True)
        instance.take()
        instance.start_servers()
        self.front = MetaFront(sandbox=instance.urls.sandbox)
        self.ear = RedisEar(url=instance.environ["CELERY_BROKER_URL"])
        for environ in (instance.environ, instance.supervisor.environ):
            environ["META_GRAPH_URL"] = f"http://127.0.0.1:{self.front.port}"
            environ["SENTRY_DSN"] = self.sentry.dsn
        instance.make_database()
        instance.migrate()
        instance.start_processes()
        instance.wait_until_healthy()
        self.live.start_towns()
        self.keys = json.loads(instance.manage("shell", "--verbosity", "0", given=PEOPLE_AND_KEYS))
        with self.live.connect() as connection:
            for schema in TOWNS:
                connection.execute(REFUSALS.replace("{s}", schema).replace("%%", "%").encode())

    def walk(self, name: str, *, level: str) -> Walk:
        """Walk once, with the processes at a level of logging."""
        assert self.front is not None
        supervisor = self.live.instance.supervisor
        if supervisor.environ.get("LOG_LEVEL", DEFAULT_LEVEL) != level:
            supervisor.environ["LOG_LEVEL"] = level
            supervisor.stop(*PROCESSES)
            supervisor.start(*PROCESSES)
            self.live.instance.wait_until_healthy()
        walk = Walk(live=self.live, front=self.front, name=name, keys=self.keys)
        self.walks.append(walk)
        walk.go(every_kind=level == "DEBUG")
        self.scrape()
        return walk

    def scrape(self) -> None:
        """Ask what monitoring asks."""
        port = self.live.instance.environ["METRICS_PORT"]
        web = self.live.instance.urls.web
        for address in (f"http://127.0.0.1:{port}/metrics", f"{web}/readyz", f"{web}/healthz"):
            with urllib.request.urlopen(address, timeout=10) as answer:
                self.said += answer.read().decode()

    def log(self, process: str) -> str:
        """Return what a process has logged."""
        return (self.live.instance.logs / f"{process}.log").read_text()

    def finder(self) -> Finder:
        """Return what finds every canary, those among them that were made while walking."""
        words = {**canaries.WORDS, "access token of Utrecht": "EAAutrecht", "access token of Delft": "EAAdelft"}
        words |= {f"API key of {host}": key.split("_", 2)[2] for host, key in self.keys.items()}
        for walk in self.walks:
            words |= {f"cookie {walk.name} {place}": value for place, value in enumerate(sorted(walk.cookies))}
        phones = [canaries.PHONE.format(number) for number in range(20)]
        return Finder(words, whole=[*phones, *(phone.removeprefix("+") for phone in phones), canaries.BSUID])

    def search(self) -> dict[str, list[str]]:
        """Return what is found where nothing should be."""
        assert self.front is not None
        assert self.ear is not None
        find, instance = self.finder().find, self.live.instance
        self.arguments.look()
        # A mail names whom it is for.
        out = {instance.folder / "postgres" / "cluster", instance.folder / "mail"}
        kept = dict(files(instance.folder, but=lambda path: out & {*path.parents} or path == instance.env_file))
        logs = {name: said for name, said in kept.items() if name.endswith(".log")}
        led_to = "\n".join(each for walk in self.walks for each in walk.led_to)
        said = {
            "logs": logs,
            "reports": {str(place): each for place, each in enumerate(self.sentry.received)},
            "metrics": {"/metrics": self.said},
            "redis": {"MONITOR": bytes(self.ear.heard)},
            "addresses": {"pages": led_to},
            "calls": {"request lines": "\n".join(self.front.lines)},
            "tables": dict(rows_of(self.live, *SHARED)),
            "processes": {"ps": "\n".join(self.arguments.seen)},
            "files": {name: each for name, each in kept.items() if name not in logs},
        }
        return {
            place: [found for where, each in parts.items() for found in find(where, each)]
            for place, parts in said.items()
        }

    def plant(self) -> None:
        """Put a canary into each place."""
        assert self.front is not None
        instance, phone = self.live.instance, canaries.PHONE.format(3)
        with (instance.logs / "web.log").open("a") as log:
            log.write(json.dumps({"event": "planted", "text": f"0{phone[3:5]} {phone[5:8]} {phone[8:]}"}) + "\n")
        _post(f"http://127.0.0.1:{self.sentry.port}/api/1/envelope/", canaries.TEXT)
        self.said += f'whatsapp_planted{{name="{canaries.NAME}"}} 1\n'
        with redis.Redis.from_url(instance.environ["CELERY_BROKER_URL"]) as client:
            client.publish("planted", canaries.TEXT)
        self.walks[0].led_to.append(f"/inbox/?q={phone.replace('+', '%2B')}")
        _post(f"http://127.0.0.1:{self.front.port}/v24.0/{phone}/messages", "{}")
        with self.live.connect() as connection:
            connection.execute("CREATE TABLE public.planted AS SELECT jsonb_build_object('a', %s::text) AS b", [phone])
        idle = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", canaries.PASSWORD])
        try:
            self.arguments.look()
        finally:
            idle.kill()
            idle.wait()
        (instance.folder / "planted").write_text(canaries.CAPTION)

    def stop(self) -> None:
        """End everything."""
        for witness in (self.front, self.ear, self.sentry, self.arguments):
            if witness is not None:
                witness.stop()
        self.live.stop()


def _post(address: str, body: str) -> None:
    request = urllib.request.Request(address, data=body.encode())
    with contextlib.suppress(urllib.error.HTTPError):  # Meta knows no such number
        urllib.request.urlopen(request, timeout=10).close()
