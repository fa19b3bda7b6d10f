"""`manage.py replay_events`: put dead letters back, one, several, or all of a kind or reason."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.record import Actor
from messaging import dead_letters
from messaging.dead_letters import Letters, NothingToReplay
from tenants import clock
from tenants.models import Municipality


class Command(BaseCommand):
    help = (
        "Put dead letters back into the inbox they came from, to be applied anew: of one municipality or of all, "
        "chosen by number, kind, field or reason. What is put back is applied once, however often this is called. "
        "Exit 2: nothing of the kind is dead, or the choice makes no sense; nothing was changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--municipality", metavar="SCHEMA", help="of this one only (default: of all)")
        parser.add_argument("--event", type=int, action="append", metavar="ID", help="this one; may be given again")
        parser.add_argument("--kind", default="", help="MESSAGE, STATUS, ERROR, ACCOUNT or MALFORMED")
        parser.add_argument("--field", default="", help="Meta's field, such as messages")
        parser.add_argument("--reason", default="", help="exactly as the console shows it")
        parser.add_argument("--all", action="store_true", help="needed when nothing else is chosen")
        parser.add_argument("--dry-run", action="store_true", help="only count them")

    def handle(self, *args: Any, **options: Any) -> None:
        letters = _chosen(options)
        at = clock.now()
        if options["dry_run"]:
            self.stdout.write(f"{dead_letters.count(letters=letters, at=at)} dead letters would be put back")
            return
        try:
            replay = dead_letters.ask(letters=letters, actor=Actor.system("replay_events"), at=at)
        except NothingToReplay:
            raise CommandError("no dead letter is of that choice; nothing was changed", returncode=2) from None
        finished = dead_letters.run(replay_id=replay.id, at=at)
        replay.refresh_from_db()
        self.stdout.write(f"put back {replay.done} of {replay.total} dead letters")
        if not finished:
            self.stdout.write("an inbox is locked: the rest is put back when it no longer is")


def _chosen(options: dict[str, Any]) -> Letters:
    schema, ids = options["municipality"], options["event"]
    municipality = Municipality.objects.filter(schema_name=schema).first() if schema else None
    if schema and municipality is None:
        raise CommandError(f"there is no municipality {schema}", returncode=2)
    if ids and municipality is None:
        raise CommandError("name the --municipality that the events are of", returncode=2)
    filters = {name: options[name] for name in ("kind", "field", "reason")}
    if not (schema or any(filters.values()) or options["all"]):
        raise CommandError("choose by --municipality, --event, --kind, --field or --reason, or say --all", returncode=2)
    return Letters(municipality=municipality, event_ids=tuple(ids) if ids else None, **filters)
