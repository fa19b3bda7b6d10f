"""`manage.py write_openapi`: the OpenAPI documents as files, as they are kept in docs/api/."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from api.doors import DOORS
from api.openapi import document

FOLDER = Path(settings.ROOT) / "docs" / "api"
SERVERS = {"tenant": "https://municipality.example.nl", "bsp": "https://console.example.nl"}


def written() -> dict[Path, str]:
    """Return the content of each file; server and contact are examples, so that it is the same on every machine."""
    contact = {"name": "Example BSP", "email": "api@example.nl", "url": "https://console.example.nl/"}
    files = {}
    for door in DOORS:
        made = document(door=door, server=SERVERS[door.name])
        made = {**made, "info": {**made["info"], "contact": contact}}
        files[FOLDER / f"{door.name}.openapi.json"] = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    return files


class Command(BaseCommand):
    help = "Write the OpenAPI documents to docs/api/."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is not current")

    def handle(self, *args: Any, **options: Any) -> None:
        for path, text in written().items():
            if options["check"] and (not path.exists() or path.read_text() != text):
                raise CommandError(f"{path.name} is not current: run manage.py write_openapi", returncode=1)
            if not options["check"]:
                path.write_text(text)
                self.stdout.write(str(path))
