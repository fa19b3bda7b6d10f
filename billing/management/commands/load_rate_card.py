"""`manage.py load_rate_card`: the prices from a date on."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.record import Actor
from billing.card_files import BadRateCard
from billing.prices import UsedRateCard, load_card
from tenants import clock
from tenants.models import Municipality


class Command(BaseCommand):
    help = (
        "Load a rate card from a JSON file (billing/rate_cards/README.md describes it). Safe to repeat. A card that an "
        "invoice used is not changed. Exit 2: refused, and nothing was changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="such as billing/rate_cards/standard-2026.json")
        parser.add_argument("--municipality", metavar="SCHEMA", help="whose own card it is; without: for all")

    def handle(self, *args: Any, **options: Any) -> None:
        file = Path(options["file"])
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error.__class__.__name__}", returncode=2) from error
        actor, municipality_id = Actor.system("load_rate_card"), None
        if options["municipality"]:
            municipality_id = (
                Municipality.objects.filter(schema_name=options["municipality"]).values_list("id", flat=True).first()
            )
            if municipality_id is None:
                raise CommandError(f"there is no municipality {options['municipality']}", returncode=2)
        try:
            loaded = load_card(text=text, actor=actor, at=clock.now(), municipality_id=municipality_id)
        except (BadRateCard, UsedRateCard) as error:
            raise CommandError(f"{file.name}: {error}", returncode=2) from error
        self.stdout.write(f"{loaded.card.name}, valid from {loaded.card.valid_from}: {loaded.outcome.lower()}")
