"""`manage.py claim_events`: hand events that came before their number was onboarded to its municipality."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from audit.record import Actor
from messaging import quarantine
from tenants import clock


class Command(BaseCommand):
    help = (
        "Hand every quarantined event whose number or account a municipality has now to that municipality. Workers do "
        "so by themselves within minutes; safe to repeat. What is left is shown: counts alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--list", action="store_true", help="only show what lies unclaimed")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["list"]:
            claimed = quarantine.claim(at=clock.now(), actor=Actor.system("claim_events"))
            self.stdout.write(f"handed over {claimed} events")
        for each in quarantine.counts():
            whose = f"number {each.phone_number_id}" if each.phone_number_id else f"account {each.waba_id or 'unknown'}"
            self.stdout.write(f"unclaimed: {each.count} of {whose}, since {each.oldest_at:%Y-%m-%d %H:%M} UTC")
