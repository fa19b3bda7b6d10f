"""`manage.py create_api_key`: a key for a system of a municipality's, or of the BSP's."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import get_public_schema_name, schema_context

from accounts.keys import NameTaken, UnknownScope, create_key
from accounts.scopes import BSP_SCOPES, TENANT_SCOPES
from audit.record import Actor
from tenants import clock
from tenants.models import Municipality

CONSOLE = "console"


class Command(BaseCommand):
    help = (
        "Make a key for the REST API and print it once; it cannot be shown again. SCHEMA is a municipality, or "
        "`console` for the BSP's own systems. Exit 2: refused, nothing was made."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("schema", metavar="SCHEMA", help="a municipality's schema, or console")
        parser.add_argument("--name", required=True, help="the system that will hold the key, such as 'Zaaksysteem'")
        parser.add_argument(
            "--scopes",
            required=True,
            nargs="+",
            metavar="SCOPE",
            help=f"of a municipality: {', '.join(sorted(TENANT_SCOPES))}; console: {', '.join(sorted(BSP_SCOPES))}",
        )
        parser.add_argument("--days", type=int, metavar="N", help="let it expire after so many days (default: never)")
        parser.add_argument(
            "--ranges",
            nargs="+",
            default=[],
            metavar="RANGE",
            help="IP addresses or ranges (CIDR) from which it may be used (default: from anywhere)",
        )
        parser.add_argument("--json", action="store_true", help="print JSON {schema, name, scopes, prefix, key}")

    def handle(self, *args: Any, **options: Any) -> None:
        schema = options["schema"]
        if schema != CONSOLE and not Municipality.objects.filter(schema_name=schema).exists():
            raise CommandError(f"there is no municipality {schema}", returncode=2)
        at = clock.now()
        scopes = [scope for given in options["scopes"] for scope in given.split(",") if scope]
        try:
            with schema_context(get_public_schema_name() if schema == CONSOLE else schema):
                made = create_key(
                    name=options["name"],
                    scopes=scopes,
                    actor=Actor.system("create_api_key"),
                    at=at,
                    allowed_ranges=options["ranges"],
                    expires_at=None if options["days"] is None else at + timedelta(days=options["days"]),
                )
        except (NameTaken, UnknownScope, ValueError) as error:
            raise CommandError(str(error), returncode=2) from error
        if options["json"]:
            key = made.key
            shown = {"schema": schema, "name": key.name, "scopes": key.scopes, "prefix": key.prefix, "key": made.secret}
            self.stdout.write(json.dumps(shown))
        else:
            self.stdout.write(made.secret)
