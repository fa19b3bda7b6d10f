"""`manage.py replace_token PHONE_NUMBER_ID`: another access token for a number whose token Meta takes no more."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.record import Actor
from tenants import clock
from tenants.token_replacing import TokenOpensAnother, UnfitToken, UnknownNumber, replace_token
from whatsapp.outcomes import MetaRefused, MetaUnreachable

BAD, LATER = 2, 3


class Command(BaseCommand):
    help = (
        "Have a number send with another access token, which is read from standard input; Meta is asked first whether"
        " it opens the number's account. What waited leaves by itself. Safe to repeat. Prints JSON {schema,"
        " phone_number_id}. Exit 2: no such number, or Meta does not take the token for it; 3: Meta gave no answer."
        " Nothing was changed then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the number, by Meta's id of it."""
        parser.add_argument("phone_number_id", metavar="PHONE_NUMBER_ID", help="Meta's id of the number")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace it."""
        phone_number_id, token = options["phone_number_id"], sys.stdin.readline().strip()
        try:
            number = replace_token(
                phone_number_id=phone_number_id, token=token, actor=Actor.system("replace_token"), at=clock.now()
            )
        except UnfitToken:
            raise CommandError("standard input holds no token of Meta's", returncode=BAD) from None
        except UnknownNumber:
            raise CommandError("no municipality has such a number", returncode=BAD) from None
        except TokenOpensAnother:
            raise CommandError("the token does not open this number; nothing was changed", returncode=BAD) from None
        except MetaRefused as refused:
            raise CommandError(f"{refused}; nothing was changed", returncode=BAD) from None
        except MetaUnreachable as unreachable:
            raise CommandError(f"{unreachable}; nothing was changed", returncode=LATER) from None
        answer = {"schema": number.municipality.schema_name, "phone_number_id": number.phone_number_id}
        self.stdout.write(json.dumps(answer))
