"""`manage.py submit_templates`: hand in a municipality's draft templates and read back what Meta made of them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import schema_context

from messaging.models import Template
from messaging.templates.accounts import accounts_of
from messaging.templates.submitting import LookFailed, submit_drafts
from messaging.templates.syncing import SyncUnderWay
from tenants import clock
from tenants.models import Municipality


class Command(BaseCommand):
    help = "Hand a municipality's draft templates in for Meta's review and show the status of each. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("schema", metavar="SCHEMA")

    def handle(self, *args: Any, **options: Any) -> None:
        municipality = Municipality.objects.filter(schema_name=options["schema"]).first()
        if municipality is None:
            raise CommandError(f"no municipality is served in {options['schema']}", returncode=2)
        refused = 0
        with schema_context(municipality.schema_name):
            for number in accounts_of(municipality=municipality):
                try:
                    handed = submit_drafts(number=number, at=clock.now())
                except LookFailed as error:
                    raise CommandError(f"account {number.waba_id}: {error}") from error
                except SyncUnderWay as error:
                    raise CommandError(f"account {number.waba_id}: a sync is under way, try again") from error
                for each in handed:
                    why = [f"{problem.place}: {problem.code}" for problem in each.problems] + [each.refused]
                    refused += any(why)
                    if any(why):
                        self.stderr.write(f"not handed in: {each.template} ({', '.join(filter(None, why))})")
                for template in Template.objects.filter(waba_id=number.waba_id).order_by("name", "language"):
                    self.stdout.write(f"{template.status:<10} {template.category:<10} {template}")
        if refused:
            raise CommandError(f"{refused} templates were not handed in")
