"""`manage.py refresh_register FILE`: takes a newer register of municipalities from the government's own file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.record import Actor
from tenants import clock
from tenants.editions import BadRegister, take_register

BAD = 2
MOST_BYTES = 20 * 1024 * 1024


class Command(BaseCommand):
    help = (
        "Takes the register of municipalities from FILE: TOOI, 'gemeenten compleet', JSON-LD, as published at"
        " repository.officiele-overheidspublicaties.nl/waardelijsten/rwc_gemeenten_compleet/. Prints what is added,"
        " removed and renamed. A file that is no whole register changes nothing (exit 2). Municipalities that are"
        " served stay so."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, and which version it is."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--edition", required=True, help="which version it is, as 'TOOI gemeenten compleet, 5'")
        parser.add_argument("--dry-run", action="store_true", help="only print what would be different")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take it, and print the difference as JSON."""
        path: Path = options["file"]
        try:
            if path.stat().st_size > MOST_BYTES:
                raise CommandError(f"{path} is larger than any register; nothing was changed", returncode=BAD)
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}", returncode=BAD) from None
        try:
            difference = take_register(
                content=content,
                version=options["edition"],
                is_rehearsal=options["dry_run"],
                actor=Actor.system("refresh_register"),
                at=clock.now(),
            )
        except BadRegister as error:
            raise CommandError(f"{error}; nothing was changed", returncode=BAD) from None
        self.stdout.write(
            json.dumps(
                {
                    "added": {each.cbs_code: each.name for each in difference.added},
                    "removed": {each.cbs_code: each.name for each in difference.removed},
                    "renamed": {new.cbs_code: [old.name, new.name] for old, new in difference.renamed},
                },
                ensure_ascii=False,
                indent=2,
            )
        )
