"""`manage.py create_user`: someone who may sign in, in one schema, for operators and demos."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from accounts.making import UnknownSchema, make_user, set_up_app
from accounts.people import LastAdmin
from accounts.roles import UnknownRole
from audit.record import Actor
from tenants import clock

STANDARD_INPUT = "-"


class Command(BaseCommand):
    help = (
        "Make someone who may sign in, with roles; or give someone who is there a new password and exactly these "
        "roles. SCHEMA is a municipality's, or `public` for the BSP's own staff. Prints JSON {schema, email, roles, "
        "created}, and totp_secret with --totp. Exit 2: an argument cannot be; nothing was changed then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("schema", metavar="SCHEMA", help="a municipality's schema, or public")
        parser.add_argument("--email", required=True, help="the address to sign in with")
        parser.add_argument("--name", required=True, help="the name that others see")
        parser.add_argument("--role", required=True, nargs="+", help="such as agent or bsp_support")
        parser.add_argument("--password", required=True, help="- reads it from standard input")
        totp = "also set up an app with codes and print its secret: for demos and tests; people set up their own"
        parser.add_argument("--totp", action="store_true", help=totp)

    def handle(self, *args: Any, **options: Any) -> None:
        password = options["password"]
        if password == STANDARD_INPUT:
            password = sys.stdin.readline().rstrip("\n")
        if not password:
            raise CommandError("the password is empty", returncode=2)
        try:
            validate_email(options["email"])
            made = make_user(
                schema_name=options["schema"],
                email=options["email"],
                name=options["name"],
                roles=[role.upper() for role in options["role"]],
                password=password,
                actor=Actor.system("create_user"),
                at=clock.now(),
            )
        except (UnknownSchema, UnknownRole) as error:
            raise CommandError(str(error), returncode=2) from error
        except LastAdmin as error:
            raise CommandError(
                "this is the last admin who can sign in: make another one first", returncode=2
            ) from error
        except ValidationError as error:
            raise CommandError("--email is no e-mail address", returncode=2) from error
        answer = {
            "schema": options["schema"],
            "email": made.user.email,
            "roles": sorted(made.roles),
            "created": made.created,
        }
        if options["totp"]:
            answer["totp_secret"] = set_up_app(schema_name=options["schema"], user=made.user)
        self.stdout.write(json.dumps(answer))
