"""`manage.py verify_invoices`: that no number is missing and no issued document was altered."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.verifying import verify


class Command(BaseCommand):
    help = (
        "Look at every issued invoice and credit note: numbers without gap, the chain of hashes, the lines' sum. Reads "
        "only. Write the last hash of a year down: it tells later whether anything before was altered. Exit 1: not all "
        "is not as it must be, and each difference is printed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--year", type=int, help="of the numbers; without it, all years")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(verify(year=options["year"]))
        if options["json"]:
            self.stdout.write(json.dumps({"series": [asdict(each) for each in found]}))
        for each in [] if options["json"] else found:
            self.stdout.write(
                f"{each.series}{each.year}: {each.documents} documents, net {each.net_cents / 100:.2f}, "
                f"VAT {each.vat_cents / 100:.2f} EUR, last hash {each.last_hash}"
            )
        differences = [difference for each in found for difference in each.differences]
        if differences:
            raise CommandError("\n".join(["not all is as it was issued:", *differences]), returncode=1)
        if not options["json"]:
            self.stdout.write("no number is missing, and nothing was altered")
