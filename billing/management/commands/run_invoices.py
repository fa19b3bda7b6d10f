"""`manage.py run_invoices`: a month's usage becomes draft invoices."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.record import Actor
from billing.cards import NoRate, NoRateCard
from billing.closing import EarlierMonthOpen, MonthNotOver
from billing.invoicing import StillClosing, run
from billing.models import Invoice
from billing.months import BadMonth, parse_month
from tenants import clock
from tenants.models import Municipality


class Command(BaseCommand):
    help = (
        "Draft the invoices of a month that is over, one for each municipality. Safe to repeat: a draft follows the "
        "usage, and stays as it is where nothing changed. Exit 2: refused, and nothing was changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--period", required=True, metavar="YYYY-MM", help="the month to invoice")
        parser.add_argument("--json", action="store_true", help="print the invoices and their lines as JSON")
        parser.add_argument(
            "--review",
            action="store_true",
            help="put the month to review: it closes, its conversations and invoices stand from then on; from day 5 "
            "of the next month, because reports come late",
        )
        parser.add_argument("--early", action="store_true", help="with --review: do not wait for day 5")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            month = parse_month(text=options["period"])
            actor = Actor.system("run_invoices")
            chosen = {"review": options["review"], "early": options["early"]}
            invoices = run(month=month, at=clock.now(), actor=actor, **chosen)
        except (BadMonth, MonthNotOver, StillClosing, EarlierMonthOpen, NoRateCard, NoRate) as error:
            raise CommandError(str(error), returncode=2) from error
        municipalities = {municipality.id: municipality for municipality in Municipality.objects.all()}
        shown = [_shown(invoice, municipalities.get(invoice.municipality_id)) for invoice in invoices]
        if options["json"]:
            self.stdout.write(json.dumps({"period": options["period"], "invoices": shown}, ensure_ascii=False))
            return
        for invoice in shown:
            self.stdout.write(f"{invoice['schema']:24} {invoice['status']:8} {invoice['total_cents'] / 100:12.2f} EUR")
        total = sum(invoice["total_cents"] for invoice in shown)
        self.stdout.write(f"{len(shown)} invoices for {options['period']}, {total / 100:.2f} EUR with VAT")


def _shown(invoice: Invoice, municipality: Municipality | None) -> dict[str, Any]:
    """Return an invoice as JSON shows it; amounts in cents, prices as texts in euros."""
    return {
        "id": str(invoice.id),
        "schema": municipality.schema_name if municipality else None,
        "municipality": municipality.name if municipality else None,
        "number": invoice.number,
        "status": invoice.status,
        "currency": invoice.currency,
        "vat_rate": str(invoice.vat_rate),
        "net_cents": invoice.net_cents,
        "vat_cents": invoice.vat_cents,
        "total_cents": invoice.total_cents,
        "lines_hash": invoice.lines_hash,
        "lines": [
            {
                "kind": line.kind,
                "month": f"{line.month:%Y-%m}",
                "rate_card": line.card.valid_from.isoformat(),
                "category": line.category,
                "description": line.description,
                "quantity": line.quantity,
                "unit_price": str(line.unit_price),
                "net_cents": line.net_cents,
                "vat_rate": str(line.vat_rate),
            }
            for line in sorted(invoice.lines.all(), key=lambda line: line.position)
        ],
    }
