"""`manage.py load_rate_card`: the prices from a date on."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.record import Actor
from billing.prices import BadRateCard, UsedRateCard, load_card
from tenants import clock


class Command(BaseCommand):
    help = (
        "Load a rate card from a JSON file (billing/rate_cards/README.md describes it). Safe to repeat. A card that an "
        "invoice used is not changed. Exit 2: refused, and nothing was changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="such as billing/rate_cards/standard-2026.json")

    def handle(self, *args: Any, **options: Any) -> None:
        file = Path(options["file"])
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error.__class__.__name__}", returncode=2) from error
        try:
            loaded = load_card(text=text, actor=Actor.system("load_rate_card"), at=clock.now())
        except (BadRateCard, UsedRateCard) as error:
            raise CommandError(f"{file.name}: {error}", returncode=2) from error
        self.stdout.write(f"{loaded.card.name}, valid from {loaded.card.valid_from}: {loaded.outcome.lower()}")
