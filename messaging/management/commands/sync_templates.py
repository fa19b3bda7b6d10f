"""`manage.py sync_templates`: take over what Meta has of a municipality's templates, and show what was found."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import schema_context

from messaging.models import TemplateSync
from messaging.templates.accounts import accounts_of
from messaging.templates.syncing import SyncUnderWay, sync
from tenants import clock
from tenants.models import Municipality


class Command(BaseCommand):
    help = "Take over what Meta has of the templates of one municipality, or of all. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("schema", metavar="SCHEMA", nargs="*", help="none: all municipalities")

    def handle(self, *args: Any, **options: Any) -> None:
        found = Municipality.objects.order_by("schema_name")
        if options["schema"]:
            found = found.filter(schema_name__in=options["schema"])
        municipalities = list(found)
        unknown = set(options["schema"]) - {each.schema_name for each in municipalities}
        if unknown:
            raise CommandError(f"no municipality is served in {', '.join(sorted(unknown))}", returncode=2)
        failed = sum(self._sync(municipality) for municipality in municipalities)
        if failed:
            raise CommandError(f"{failed} accounts could not be read")

    def _sync(self, municipality: Municipality) -> int:
        """Sync each account; return how many failed."""
        failed = 0
        with schema_context(municipality.schema_name):
            for number in accounts_of(municipality=municipality):
                place = f"{municipality.schema_name} {number.waba_id}"
                try:
                    result = sync(number=number, at=clock.now())
                except SyncUnderWay:
                    self.stdout.write(f"{place}: a sync is under way")
                    continue
                counts = ", ".join(f"{getattr(result, each)} {each}" for each in COUNTS)
                self.stdout.write(f"{place}: {result.outcome} {result.failure}".rstrip() + f", {counts}")
                for each in result.unreadable:
                    self.stdout.write(f"  not readable: {each['why']}")
                failed += result.outcome == TemplateSync.Outcome.FAILED
        return failed


COUNTS = ("seen", "added", "changed", "deleted", "problems")
