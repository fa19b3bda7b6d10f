"""`manage.py revoke_api_key`: end a key at once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import get_public_schema_name, schema_context

from accounts.keys import UnknownKey, find_named, revoke_key
from api.management.commands.create_api_key import CONSOLE
from audit.record import Actor
from tenants import clock
from tenants.models import Municipality


class Command(BaseCommand):
    help = "Revoke the key of a name, at once and for good. Exit 2: there is no such key; nothing was changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("schema", metavar="SCHEMA", help="a municipality's schema, or console")
        parser.add_argument("--name", required=True, help="the name that it was made with")

    def handle(self, *args: Any, **options: Any) -> None:
        schema = options["schema"]
        if schema != CONSOLE and not Municipality.objects.filter(schema_name=schema).exists():
            raise CommandError(f"there is no municipality {schema}", returncode=2)
        try:
            with schema_context(get_public_schema_name() if schema == CONSOLE else schema):
                found = find_named(name=options["name"])
                key = revoke_key(key_id=found.id, actor=Actor.system("revoke_api_key"), at=clock.now())
        except UnknownKey as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"revoked {key.name} ({key.prefix})")
