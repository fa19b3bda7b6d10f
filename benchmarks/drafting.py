"""Drafts invoices in a process of its own in which Django runs: `python -m benchmarks.drafting YYYY-MM`.

It makes the rows that a run needs, then answers each line on standard input with one of JSON on standard output.
"""

import json
import resource
import sys
import time
from datetime import UTC, date, datetime
from typing import Any

CARD = "billing/rate_cards/standard-2026.json"
# A draft is never deleted; here the same month is drafted anew, so the rule is lifted for a moment.
FORGET = """
    ALTER TABLE billing_invoice DISABLE TRIGGER billing_invoice_guard;
    DELETE FROM billing_invoiceline;
    DELETE FROM billing_invoice;
    ALTER TABLE billing_invoice ENABLE TRIGGER billing_invoice_guard;
    VACUUM
"""


def prepare() -> None:
    """Make the register's municipalities, as rows alone (a run touches no schema), and load a rate card."""
    from audit.record import Actor
    from billing.prices import load_card
    from config.local.folders import ROOT
    from tenants.models import Municipality
    from tenants.register import municipalities

    began = datetime(2026, 1, 1, tzinfo=UTC)
    Municipality.objects.bulk_create(
        Municipality(
            schema_name=each.schema_name, name=each.name, cbs_code=each.cbs_code, stage="LIVE", created_at=began
        )
        for each in municipalities().values()
    )
    load_card(text=(ROOT / CARD).read_text(), actor=Actor.system("benchmarks"), at=began)


def draft(month: date) -> dict[str, Any]:
    """Run a month's invoices; return how long it took, what they come to and the most memory this process had."""
    from audit.record import Actor
    from billing.invoicing import run
    from billing.months import end_of

    begun = time.perf_counter()
    invoices = run(month=month, at=end_of(month=month), actor=Actor.system("benchmarks"))
    seconds = time.perf_counter() - begun
    usage = sum(line.net_cents for invoice in invoices for line in invoice.lines.all() if line.category)
    return {
        "seconds": seconds,
        "invoices": len(invoices),
        "conversations": sum(line.quantity for invoice in invoices for line in invoice.lines.all() if line.category),
        "usage_cents": usage,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def forget() -> None:
    """Take the drafts away."""
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in FORGET.split(";"):
            cursor.execute(statement)


def _serve() -> None:
    month = date.fromisoformat(f"{sys.argv[1]}-01")
    prepare()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        answer = draft(month)
        forget()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    _serve()
