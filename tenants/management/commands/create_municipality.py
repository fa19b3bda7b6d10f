"""`manage.py create_municipality`: one tenant, for operators and tests."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import DataError, IntegrityError

from audit.record import Actor
from tenants import clock
from tenants.declaration import Purpose
from tenants.privacy_page import secure_page
from tenants.provisioning import DifferentMunicipality, UnknownMunicipality, create
from tenants.register import BadSchemaName

STANDARD_INPUT = "-"


class Command(BaseCommand):
    help = (
        "Make one municipality live: its schema, host, number and first admin, recorded as declared by the operator. "
        "Safe to repeat. Prints JSON {schema, host, stage, created}. Exit 2: SCHEMA exists with other arguments, or an "
        "argument cannot be; nothing was changed then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("schema", metavar="SCHEMA", help="schema name and host label, such as bergennh")
        parser.add_argument("--name", required=True, help="official name, such as 'Bergen (NH)'")
        parser.add_argument("--cbs-code", required=True, help="such as GM0373")
        parser.add_argument("--waba-id", required=True, help="WhatsApp Business Account at Meta")
        parser.add_argument("--phone-number-id", required=True, help="Meta's id of the number")
        parser.add_argument("--display-phone-number", required=True, help="such as +31701234567")
        parser.add_argument("--access-token", help="token to send with; - reads it from standard input")
        parser.add_argument("--admin-email", help="address of the first municipal admin")
        parser.add_argument(
            "--privacy-page",
            metavar="URL",
            help="the municipality's page on privacy, https://…: citizens are told of it when they first write",
        )
        parser.add_argument(
            "--purposes",
            nargs="+",
            metavar="PURPOSE",
            choices=[purpose.lower() for purpose in Purpose.values],
            help=f"declared purposes: {', '.join(purpose.lower() for purpose in Purpose.values)} (default: all)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        token = sys.stdin.readline().strip() if options["access_token"] == STANDARD_INPUT else options["access_token"]
        if token == "":
            raise CommandError("the access token is empty", returncode=2)
        if not options["name"].strip():
            raise CommandError("--name is empty", returncode=2)
        page = options["privacy_page"]
        privacy_page = None if page is None else secure_page(url=page)
        if privacy_page is None and page is not None:
            raise CommandError("--privacy-page is no address that begins with https://", returncode=2)
        purposes = options["purposes"] and [purpose.upper() for purpose in options["purposes"]]
        try:
            if options["admin_email"]:
                validate_email(options["admin_email"])
            made = create(
                schema_name=options["schema"],
                name=options["name"],
                cbs_code=options["cbs_code"],
                waba_id=options["waba_id"],
                phone_number_id=options["phone_number_id"],
                display_phone_number=options["display_phone_number"].replace(" ", ""),
                access_token=token,
                admin_email=options["admin_email"],
                privacy_page=privacy_page,
                purposes=purposes,
                actor=Actor.system("create_municipality"),
                at=clock.now(),
            )
        except (BadSchemaName, UnknownMunicipality, DifferentMunicipality) as error:
            raise CommandError(str(error), returncode=2) from error
        except ValidationError as error:
            raise CommandError("--admin-email is no e-mail address", returncode=2) from error
        except (DataError, IntegrityError) as error:  # a check of the database's refused it
            raise CommandError("an argument is not of the right form; nothing was changed", returncode=2) from error
        municipality = made.municipality
        answer = {
            "schema": municipality.schema_name,
            "host": made.host,
            "stage": municipality.stage,
            "created": made.created,
        }
        self.stdout.write(json.dumps(answer))
