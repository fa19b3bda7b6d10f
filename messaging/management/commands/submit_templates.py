"""`manage.py submit_templates`: hand in a municipality's draft templates and read back what Meta made of them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import schema_context

from messaging.templates import submit_drafts
from tenants.models import Municipality
from whatsapp.outcomes import MetaRefused, MetaUnreachable


class Command(BaseCommand):
    help = "Hand a municipality's draft templates in for Meta's review and show the status of each. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("schema", metavar="SCHEMA")

    def handle(self, *args: Any, **options: Any) -> None:
        municipality = Municipality.objects.filter(schema_name=options["schema"]).first()
        if municipality is None:
            raise CommandError(f"no municipality is served in {options['schema']}", returncode=2)
        with schema_context(municipality.schema_name):
            for number in municipality.numbers.filter(closed_at=None):
                try:
                    templates = submit_drafts(number=number)
                except (MetaRefused, MetaUnreachable, ValueError) as error:
                    raise CommandError(f"number {number.phone_number_id}: {error}") from error
                for template in templates:
                    self.stdout.write(f"{template.status:<10} {template.category:<10} {template}")
