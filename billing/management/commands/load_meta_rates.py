"""`manage.py load_meta_rates`: what Meta charges from a date on."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.record import Actor
from billing.costs import BadRateSheet, load_sheet
from tenants import clock


class Command(BaseCommand):
    help = (
        "Load what Meta charges from a JSON file (billing/meta_rates/README.md describes it), so that margins can be "
        "shown. Safe to repeat: a file of the same first day replaces what was loaded. Exit 2: refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="such as billing/meta_rates/example-2026-10-01.json")

    def handle(self, *args: Any, **options: Any) -> None:
        file = Path(options["file"])
        try:
            sheet = load_sheet(
                text=file.read_text(encoding="utf-8"), actor=Actor.system("load_meta_rates"), at=clock.now()
            )
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error.__class__.__name__}", returncode=2) from error
        except BadRateSheet as error:
            raise CommandError(f"{file.name}: {error}", returncode=2) from error
        mark = " (example)" if sheet.is_example else ""
        self.stdout.write(f"{sheet.name}{mark}, valid from {sheet.valid_from}: {sheet.rates.count()} rates")
