"""What the demo plays: four municipalities, a month of citizens and agents, and the month's draft invoices.

The sandbox plays the citizens, scene by scene, on a clock that it moves through the previous calendar month. Agents
answer through the platform's own domain calls (`manage.py play_agents`). Between two scenes everything comes to rest:
only then is the clock moved. In the end platform and sandbox count the same month, each from its own books.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from config.local.failure import SetupError
from config.local.folders import ROOT
from config.local.sign_ins import CONSOLE, MUNICIPAL, make_sign_ins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.local.instance import Instance

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
REST_SECONDS = 60.0  # a scene that has not come to rest by then is reported, not waited for
RATE_CARD = ROOT / "billing" / "rate_cards" / "standard-2026.json"


@dataclass(frozen=True, slots=True)
class Cast:
    """One municipality of the demo; ids and numbers are invented."""

    schema_name: str
    name: str
    cbs_code: str
    index: int

    @property
    def waba_id(self) -> str:
        """Return its account at the sandbox."""
        return f"20000000000{self.index:02}"

    @property
    def phone_number_id(self) -> str:
        """Return its number's id at the sandbox."""
        return f"10000000000{self.index:02}"

    @property
    def display_phone_number(self) -> str:
        """Return its number."""
        return f"+3197010{self.index:06}"

    @property
    def access_token(self) -> str:
        """Return its token at the sandbox."""
        return f"EAAdemo{self.schema_name}"


CAST = (
    Cast("enschede", "Enschede", "GM0153", 1),
    Cast("hengelo", "Hengelo", "GM0164", 2),
    Cast("almelo", "Almelo", "GM0141", 3),
    Cast("borne", "Borne", "GM0147", 4),
)


def play(*, instance: "Instance", webhook_faults: dict[str, Any] | None = None) -> None:
    """Play the month, print its progress and summary, and write report.json beside the instance's data.

    webhook_faults: what goes wrong with the sandbox's webhooks meanwhile (sandbox/README.md).
    Raises SetupError: something did not go as it must; the text says what.
    """
    started = time.monotonic()
    set_up_django(instance)
    month = previous_month(datetime.now(AMSTERDAM).date())
    stage = Stage(sandbox=Sandbox(instance.urls.sandbox), month=month)
    print(f"four municipalities, {month:%B %Y}", flush=True)
    stage.sandbox.post("clock", {"to": datetime(month.year, month.month, 1, tzinfo=AMSTERDAM).isoformat()})
    for cast in CAST:
        stage.make(cast)
    stage.rest()
    if webhook_faults:
        stage.sandbox.post("faults", {"webhooks": webhook_faults})
    with agents(instance):
        stage.play_scenes()
    invoices = stage.invoice()
    report = stage.report(invoices)
    (instance.folder / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    _summary(report, instance, seconds=time.monotonic() - started)


class Sandbox:
    """The sandbox's control door."""

    def __init__(self, url: str) -> None:
        """Name it."""
        self._url = f"{url}/_sandbox"

    def get(self, path: str) -> dict[str, Any]:
        """Read."""
        return self._call(urllib.request.Request(f"{self._url}/{path}"))  # noqa: S310 - an address of our own

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do."""
        return self._call(
            urllib.request.Request(  # noqa: S310 - an address of our own
                f"{self._url}/{path}",
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
                method="POST",
            )
        )

    def _call(self, request: urllib.request.Request) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - an address of our own
                read: dict[str, Any] = json.load(answer)
                return read
        except urllib.error.HTTPError as error:
            raise SetupError(
                f"the sandbox answered {error.code} to {request.full_url}: {error.read()[:300]!r}"
            ) from None
        except OSError as error:
            raise SetupError(f"the sandbox does not answer: {error}") from None


@dataclass(slots=True)
class Stage:
    """The platform and the sandbox while the story is played."""

    sandbox: Sandbox
    month: date
    cast: tuple[Cast, ...] = CAST
    rest_seconds: float = REST_SECONDS
    shape: dict[str, int] = field(default_factory=dict)  # of the story, where it is not the sandbox's own

    def make(self, cast: Cast) -> None:
        """Make one municipality, at the sandbox and at the platform, and have its templates approved."""
        from django.core.management import call_command

        self.sandbox.post(
            "businesses",
            {
                "waba_id": cast.waba_id,
                "name": f"Gemeente {cast.name}",
                "access_token": cast.access_token,
                "phone_numbers": [{"id": cast.phone_number_id, "display_phone_number": cast.display_phone_number}],
            },
        )
        with Path(os.devnull).open("w") as nowhere:
            call_command(
                "create_municipality",
                cast.schema_name,
                name=cast.name,
                cbs_code=cast.cbs_code,
                waba_id=cast.waba_id,
                phone_number_id=cast.phone_number_id,
                display_phone_number=cast.display_phone_number,
                access_token=cast.access_token,
                admin_email=f"beheer@{cast.schema_name}.example",
                stdout=nowhere,
            )
            call_command("submit_templates", cast.schema_name, stdout=nowhere)
        print(f"  {cast.name:<10} live, templates approved", flush=True)

    def play_scenes(self) -> None:
        """Play scene after scene; the clock moves only when all is at rest."""
        businesses = [{"waba_id": cast.waba_id, "phone_number_id": cast.phone_number_id} for cast in self.cast]
        self.sandbox.post("story", {"businesses": businesses, "month": f"{self.month:%Y-%m}", **self.shape})
        done = False
        while not done:
            scene = self.sandbox.post("story/scene", {})
            self.rest()
            done = scene["done"]
            moment = datetime.fromisoformat(scene["clock"]).astimezone(AMSTERDAM)
            counted = f"{scene['inbound_so_far']:>4} messages in"
            print(
                f"  {scene['scene']:>2}/{scene['scenes']} {moment:%a %d %b %H:%M} {counted}  {scene['title']}",
                flush=True,
            )

    def rest(self) -> None:
        """Wait until nothing is under way, here or there.  Raises SetupError: it does not come to rest."""
        deadline = time.monotonic() + self.rest_seconds
        while True:
            before = self.sandbox.get("quiet"), self.sandbox.get("books/summary")
            is_late = time.monotonic() > deadline
            # To ask every municipality costs more than to ask the sandbox, and takes from those who work.
            unfinished = self.unfinished() if before[0]["quiet"] or is_late else {}
            if before[0]["quiet"] and not any(unfinished.values()):
                if (self.sandbox.get("quiet"), self.sandbox.get("books/summary")) == before:
                    return
            elif is_late:
                raise SetupError(f"the story does not come to rest: {unfinished}, sandbox {before[0]}")
            time.sleep(0.05)

    def unfinished(self) -> dict[str, int]:
        """Return what the platform still has to do, over all municipalities."""
        from django.db import connection
        from django_tenants.utils import schema_context
        from psycopg import sql

        from messaging.playing import find_answers
        from tenants import clock
        from tenants.models import Municipality

        schemas = list(Municipality.objects.order_by("schema_name").values_list("schema_name", flat=True))
        outbox = sql.SQL("SELECT count(*) FROM {}.messaging_outboxitem")
        each = sql.SQL(" UNION ALL ").join(outbox.format(sql.Identifier(name)) for name in schemas)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM public.inbox"
                " WHERE state = 'OPEN' AND municipality_id IN (SELECT id FROM public.tenants_municipality)"
            )
            counts = {"events": cursor.fetchone()[0]}
            cursor.execute(sql.SQL("SELECT sum(count) FROM ({}) AS each").format(each))
            counts["outbox"] = int(cursor.fetchone()[0] or 0)
        if any(counts.values()):
            return counts
        # What agents would do is asked of each municipality, so only when nothing else is under way.
        counts["answers"] = 0
        for schema_name in schemas:
            with schema_context(schema_name):
                counts["answers"] += len(list(find_answers(at=clock.now())))
            if counts["answers"]:
                break
        return counts

    def invoice(self) -> list[dict[str, Any]]:
        """Run the month's invoices and return them."""
        from io import StringIO

        from django.core.management import call_command

        with Path(os.devnull).open("w") as nowhere:
            call_command("load_rate_card", str(RATE_CARD), stdout=nowhere)
        written = StringIO()
        call_command("run_invoices", period=f"{self.month:%Y-%m}", json=True, stdout=written)
        invoices: list[dict[str, Any]] = json.loads(written.getvalue())["invoices"]
        return invoices

    def differences(self) -> list[str]:
        """Return where platform and sandbox count the month differently: by number and category; nothing, as a rule."""
        from django.db.models import Count

        from billing.models import Conversation

        rows = Conversation.objects.filter(month=self.month).values_list("phone_number_id", "category")
        ours = {(number, category): count for number, category, count in rows.annotate(count=Count("id"))}
        counted = self.sandbox.get(f"conversations?month={self.month:%Y-%m}")["by_number"]
        theirs = {
            (number, category): count
            for number, by_category in counted.items()
            for category, count in by_category.items()
            if count
        }
        return [
            f"{number} {category}: {ours.get((number, category), 0)} here, {theirs.get((number, category), 0)} there"
            for number, category in sorted(ours.keys() | theirs.keys())
            if ours.get((number, category), 0) != theirs.get((number, category), 0)
        ]

    def report(self, invoices: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the demo's report (docs: README, "What the demo reports")."""
        from messaging.counting import count_messages
        from tenants.models import Municipality

        books = self.sandbox.get("books/summary")
        period = f"{self.month:%Y-%m}"
        counted = self.sandbox.get(f"conversations?month={period}")
        municipalities = list(Municipality.objects.order_by("schema_name"))
        counts = {row.schema_name: count_messages(schema_name=row.schema_name) for row in municipalities}
        by_category = _conversations(self.month)
        return {
            "municipalities": [
                {
                    "schema": row.schema_name,
                    "name": row.name,
                    "host": f"{row.schema_name}.localhost:{os.environ['PORT']}",
                    "stage": row.stage,
                }
                for row in municipalities
            ],
            "inbound": {
                "received": books["inbound_messages"],
                "stored": sum(count.inbound for count in counts.values()),
                "by_schema": {schema: count.inbound for schema, count in counts.items()},
                "received_by_schema": {
                    cast.schema_name: books["by_number"].get(cast.phone_number_id, 0) for cast in self.cast
                },
            },
            "outbound": {
                name: sum(getattr(count, name) for count in counts.values())
                for name in ("queued", "accepted", "delivered", "read", "failed", "uncertain")
            },
            "conversations": {
                "metered": sum(by_category.values()),
                "sandbox": counted["total"],
                "by_category": by_category,
                "differences": self.differences(),
            },
            "invoices": invoices,
            "sign_ins": make_sign_ins(
                schema_names=[row.schema_name for row in municipalities], port=os.environ["PORT"]
            ),
        }


def _conversations(month: date) -> dict[str, int]:
    from billing.invoicing import conversation_counts

    totals: Counter[str] = Counter()
    for counts in conversation_counts(month=month).values():
        totals.update(counts)
    return dict(sorted(totals.items()))


@contextmanager
def agents(instance: "Instance") -> "Iterator[None]":
    """Have the agents at play while the block runs."""
    log = (instance.logs / "agents.log").open("wb")
    agents = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "play_agents"], cwd=ROOT, env=instance.environ, stdout=log, stderr=log
    )
    try:
        yield
        if agents.poll() is not None:
            raise SetupError(f"play_agents ended by itself (exit code {agents.returncode}); see {log.name}")
    finally:
        agents.terminate()
        agents.wait()
        log.close()


def set_up_django(instance: "Instance") -> None:
    os.environ.update(instance.environ)
    os.environ["LOG_LEVEL"] = "ERROR"
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()


def previous_month(today: date) -> date:
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def _summary(report: dict[str, Any], instance: "Instance", *, seconds: float) -> None:
    inbound, outbound, conversations = report["inbound"], report["outbound"], report["conversations"]
    print()
    print(f"{'municipality':<14}{'messages in':>12}{'invoice':>10}{'net':>12}{'VAT':>11}{'total':>12}")
    invoices = {invoice["schema"]: invoice for invoice in report["invoices"]}
    for municipality in report["municipalities"]:
        schema = municipality["schema"]
        invoice = invoices[schema]
        money = [f"€ {invoice[name] / 100:.2f}" for name in ("net_cents", "vat_cents", "total_cents")]
        print(
            f"{municipality['name']:<14}{inbound['by_schema'][schema]:>12}{invoice['status'].lower():>10}"
            f"{money[0]:>12}{money[1]:>11}{money[2]:>12}"
        )
    print()
    print(
        f"in            {inbound['received']} messages received, {inbound['stored']} stored, each in one municipality"
    )
    print(
        f"out           {outbound['queued']} queued: {outbound['accepted']} accepted "
        f"({outbound['delivered']} delivered, {outbound['read']} read), {outbound['failed']} failed, "
        f"{outbound['uncertain']} uncertain"
    )
    kinds = ", ".join(f"{count} {category.lower()}" for category, count in conversations["by_category"].items())
    print(
        f"conversations {conversations['metered']} metered, {conversations['sandbox']} by the sandbox's count ({kinds})"
    )
    print(f"report        {os.path.relpath(instance.folder / 'report.json', ROOT)}")
    print(f"took          {seconds:.0f} seconds")
    print()
    print(f"console       {instance.urls.console}")
    for municipality in report["municipalities"]:
        print(f"{municipality['name']:<14}http://{municipality['host']}/")
    for sign_in in report["sign_ins"][: len(CONSOLE) + len(MUNICIPAL)]:  # the other municipalities' are in the report
        app = f"  app {sign_in['totp_secret']}" if sign_in["totp_secret"] else ""
        print(f"{sign_in['role'].lower():<16}{sign_in['url']}  {sign_in['email']}  {sign_in['password']}{app}")
    print(
        "code of app   .venv/bin/python -m config.local code SECRET, or an authenticator app that is given the secret"
    )
    print(f"mail          {instance.urls.console.rstrip('/')}/mail/ shows what was mailed")
    print(f"sandbox       {instance.urls.sandbox}/_sandbox/books/summary")
