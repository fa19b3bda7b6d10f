"""Plays a month of many municipalities while webhooks come twice, late and in other orders: `make month`.

In the end our ledger is held against what the sandbox counted from its own books, by number and category, and what is
invoiced against the ledger; exit 1 when they differ. `--municipalities 20` is a look; all of them: docs/billing.md.
"""

import argparse
import os
import sys
import time
from datetime import date, datetime

from config.local.demo import AMSTERDAM, Cast, Sandbox, Stage, agents, previous_month, set_up_django
from config.local.failure import SetupError
from config.local.folders import VAR
from config.local.instance import AlreadyRunning, Instance

FAULTS = {"duplicate": 0.2, "reorder": 0.3, "drop": 0.05}
REST_SECONDS = 1800.0  # a scene writes to all of them at once


def main() -> int:
    """Bring a platform up, play the month, compare, end everything."""
    parser = argparse.ArgumentParser(prog="make month", description=__doc__)
    parser.add_argument("--municipalities", type=int, default=342)
    parser.add_argument("--writers", type=int, default=1, help="citizens of each who write in a busy scene")
    parser.add_argument("--busy", type=int, default=17, help="busy scenes; of the others all are played")
    chosen = parser.parse_args()
    for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
        os.environ.pop(name, None)
    begun = time.monotonic()
    with Instance(VAR / "month") as instance:
        try:
            instance.bring_up()
        except (AlreadyRunning, SetupError) as refusal:
            sys.exit(f"make month: {refusal}")
        set_up_django(instance)
        shape = {"writers_each": chosen.writers, "busy_scenes": chosen.busy}
        stage = played(instance, chosen.municipalities, shape)
        invoices = stage.invoice()
        differences = [*stage.differences(), *of_invoices(stage.month)]
        counted = stage.sandbox.get(f"conversations?month={stage.month:%Y-%m}")
        books = stage.sandbox.get("books/summary")
    print(
        f"{len(stage.cast)} municipalities, {books['inbound_messages']} messages in, {books['sends_accepted']} out,"
        f" {books['webhook_posts']} webhooks, {counted['total']} conversations, {len(invoices)} drafts,"
        f" {time.monotonic() - begun:.0f} seconds"
    )
    for difference in differences:
        print(f"differs: {difference}")
    print("the ledger equals the sandbox's count" if not differences else f"{len(differences)} counts differ")
    return 1 if differences or len(invoices) != len(stage.cast) else 0


def of_invoices(month: date) -> list[str]:
    """Return where a municipality's drafts bill other conversations than the ledger holds; nothing, as a rule."""
    from django.db.models import Count, Sum

    from billing.models import Conversation, InvoiceLine

    billed = InvoiceLine.objects.filter(invoice__period=month, kind__in=["CONVERSATIONS", "INCLUDED"])
    of_lines = {
        (str(owner), category): count
        for owner, category, count in billed.values_list("invoice__municipality_id", "category").annotate(
            Sum("quantity")
        )
    }
    held = Conversation.objects.filter(month=month).values_list("municipality_id", "category").annotate(Count("id"))
    of_ledger = {(str(owner), category): count for owner, category, count in held}
    both = {key: (of_lines.get(key, 0), of_ledger.get(key, 0)) for key in sorted(of_lines.keys() | of_ledger.keys())}
    return [
        f"invoice of {owner} {category}: {lines} billed, {held} held"
        for (owner, category), (lines, held) in both.items()
        if lines != held
    ]


def played(instance: Instance, most: int, shape: dict[str, int]) -> Stage:
    """Play the month of so many municipalities; return the stage when all is at rest."""
    from tenants.register import municipalities

    entries = sorted(municipalities().items())[:most]
    cast = tuple(
        Cast(entry.schema_name, entry.name, code, place) for place, (code, entry) in enumerate(entries, start=1)
    )
    month = previous_month(datetime.now(AMSTERDAM).date())
    stage = Stage(
        sandbox=Sandbox(instance.urls.sandbox),
        month=month,
        cast=cast,
        rest_seconds=REST_SECONDS,
        shape=shape,
    )
    stage.sandbox.post("clock", {"to": datetime(month.year, month.month, 1, tzinfo=AMSTERDAM).isoformat()})
    for each in cast:
        stage.make(each)
    stage.rest()
    stage.sandbox.post("faults", {"webhooks": FAULTS})
    with agents(instance):
        stage.play_scenes()
    return stage


if __name__ == "__main__":
    sys.exit(main())
