"""`manage.py verify_audit`: whether the audit trails are as they were written, which each trail's page then shows."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.record import Actor
from audit.verifying import Verdict, record_verdict, verify_trails
from tenants import clock


class Command(BaseCommand):
    help = (
        "Recompute the hash chain of every schema's audit trail, up to where it ended. Exit 1: one is broken. Keep the "
        "printed counts and last hashes elsewhere: who could alter all of the database is found by comparing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="one JSON object a line: {schema, entries, last_hash, broken_at}"
        )

        parser.add_argument(
            "--read-only", action="store_true", help="write nothing: the pages go on with what they had"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for verdict in verify_trails():
            broken += verdict.broken_at is not None
            if not options["read_only"]:
                record_verdict(verdict=verdict, actor=Actor.system("verify_audit"), at=clock.now())
            self.stdout.write(json.dumps(asdict(verdict)) if options["json"] else _sentence(verdict))
        if broken:
            raise CommandError(f"{broken} of the audit trails broken", returncode=1)


def _sentence(verdict: Verdict) -> str:
    if verdict.broken_at == 0:
        return f"{verdict.schema}: has no audit trail"
    if verdict.broken_at is not None:
        return f"{verdict.schema}: broken at entry {verdict.broken_at} of {verdict.entries}"
    return f"{verdict.schema}: {verdict.entries} entries hold, the last is {verdict.last_hash or 'none'}"
