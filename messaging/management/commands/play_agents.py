"""`manage.py play_agents`: the demo's agents, who answer every citizen that waits until they are stopped."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import schema_context

from messaging.playing import act, agent, find_answers
from messaging.replying import ThreadClosed
from tenants import clock
from tenants.models import Municipality
from tenants.stages import Stage

LOOK_SECONDS = 0.1  # and as long as the look before took, so that many municipalities leave time for the work itself


class Command(BaseCommand):
    help = "Answer waiting citizens as the demo's agents do, in every municipality, until stopped. Not in production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="answer who waits now, and end")
        parser.add_argument("--everyone", action="store_true", help="overlook nobody")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            raise CommandError("play_agents answers citizens without a person: it is refused in production")
        while True:
            began = time.monotonic()
            for schema_name in Municipality.objects.filter(stage=Stage.LIVE).values_list("schema_name", flat=True):
                with schema_context(schema_name):
                    self._answer(schema_name, overlook=not options["everyone"])
            if options["once"]:
                return
            time.sleep(max(LOOK_SECONDS, time.monotonic() - began))

    def _answer(self, schema_name: str, *, overlook: bool) -> None:
        at = clock.now()
        answers = list(find_answers(at=at, overlook=overlook))
        actor = agent(schema_name=schema_name).actor() if answers else None
        for answer in answers:
            assert actor is not None
            try:
                act(answer=answer, actor=actor, at=at)
            except ThreadClosed:
                continue  # closed or merged since it was found
