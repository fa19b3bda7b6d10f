"""`manage.py explain_invoice`: how an invoice comes to its amounts, made again from the stored facts."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.explaining import explain
from billing.models import Invoice


class Command(BaseCommand):
    help = (
        "Make a finalised invoice or credit note again from the stored facts, and print the arithmetic. Reads only. "
        "Exit 1: it does not come to the same, and each difference is printed. Exit 2: there is no such number."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", metavar="NUMBER", help="such as F2026-00001")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            explained = explain(number=options["number"])
        except Invoice.DoesNotExist:
            raise CommandError(f"there is no invoice with the number {options['number']}", returncode=2) from None
        for line in explained.text:
            self.stdout.write(line)
        if explained.differences:
            raise CommandError("\n".join(["it does not come to the same:", *explained.differences]), returncode=1)
        self.stdout.write("made again from the facts, it comes to the same")
