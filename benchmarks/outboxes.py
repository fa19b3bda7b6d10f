"""Fills outboxes and writes replies, in a process of its own in which Django runs: `python -m benchmarks.outboxes`.

One command a line on standard input, one answer a line on standard output, both JSON. Rows are made as
messaging/replying.py makes them, many at once, so that filling takes seconds; replies are its own call.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.report import CannotMeasure
from config.local.folders import ROOT

TEMPLATE = {"name": "afspraak_bevestigd", "language": "nl", "body": "Uw afspraak is bevestigd: {{1}}."}
TEXT = "Goedemiddag, uw melding is ontvangen en wordt morgen behandeld. U hoeft niets meer te doen."


class Outboxes:
    """The process, from the side of the benchmark."""

    def __init__(self, *, environ: Mapping[str, str]) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.outboxes"],
            cwd=ROOT,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Outboxes":
        """Return it; the block's end ends the process."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def do(self, what: str, **given: Any) -> Any:
        """Have something done and return the answer.  Raises CannotMeasure: it failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, **given}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise CannotMeasure(f"{what} failed in the process that fills outboxes")
        return json.loads(line)


def fill(*, schema_name: str, count: int, a_second: float = 0.0, template: bool = False) -> int:
    """Put so many broadcasts to as many citizens into an outbox, all due now, or so many each second from now on."""
    from datetime import UTC, datetime, timedelta

    from django.db import transaction
    from django_tenants.utils import schema_context

    from messaging.core.models import OutboxWake
    from messaging.models import Message, OutboxItem
    from tenants import clock
    from tenants.models import Number
    from whatsapp.outgoing import Recipient, TemplateMessage, Text, request_body

    number = Number.objects.get(municipality__schema_name=schema_name).phone_number_id
    at, begun = clock.now(), datetime.now(tz=UTC)
    with schema_context(schema_name), transaction.atomic():
        threads = _threads(number=number, count=count, at=at)
        messages, items = [], []
        for place, thread in enumerate(threads):
            content: Any = Text(body=TEXT)
            if template:
                content = TemplateMessage.with_body(
                    name=TEMPLATE["name"], language=TEMPLATE["language"], values={"1": "morgen om tien uur"}
                )
            message = Message(
                thread=thread,
                direction=Message.Direction.OUTBOUND,
                state=Message.State.QUEUED,
                kind=content.type,
                text=TEXT,
                content=content.as_meta(),
                template_name=TEMPLATE["name"] if template else "",
                stamped_at=at,
                created_at=at,
            )
            recipient = Recipient(wa_id=thread.contact.wa_id, bsuid=None)
            items.append(
                OutboxItem(
                    message=message,
                    phone_number_id=number,
                    contact_id=thread.contact_id,
                    priority=OutboxItem.Priority.BROADCAST,
                    request=request_body(recipient=recipient, content=content, our_id=str(message.id)),
                    due_at=begun + timedelta(seconds=place / a_second if a_second else 0.0),
                )
            )
            messages.append(message)
        Message.objects.bulk_create(messages, batch_size=2000)
        OutboxItem.objects.bulk_create(items, batch_size=2000)
        OutboxWake.objects.create(phone_number_id=number)
    return len(items)


def spread(*, schema_names: list[str], count: int, a_second: float) -> int:
    """Put so many broadcasts into many outboxes, so that together so many are due each second."""
    filled = 0
    for place, schema_name in enumerate(schema_names):
        each = count // len(schema_names) + (place < count % len(schema_names))
        filled += fill(schema_name=schema_name, count=each, a_second=a_second / len(schema_names), template=True)
    return filled


def reply(*, schema_name: str, seconds: float, a_second: float) -> list[tuple[str, float]]:
    """Answer open threads in turn for so long; return our id of each answer and the moment it was committed."""
    from django_tenants.utils import schema_context

    from audit.record import Actor
    from messaging import replying
    from messaging.models import Thread
    from tenants import clock

    committed = []
    with schema_context(schema_name):
        threads = list(Thread.objects.filter(last_inbound_at__isnull=False).values_list("id", flat=True))
        begun = time.monotonic()
        for place in range(int(seconds * a_second)):
            time.sleep(max(0.0, begun + place / a_second - time.monotonic()))
            message = replying.reply(
                thread_id=threads[place % len(threads)], text=TEXT, actor=Actor.system("benchmarks"), at=clock.now()
            )
            committed.append((str(message.id), time.time()))
    return committed


def in_flight() -> int:
    """Return how many calls of a fast number a lane has under way at once."""
    from messaging.lanes.lane import MOST_IN_FLIGHT

    return MOST_IN_FLIGHT


def clear(*, schema_names: list[str]) -> int:
    """Take away what still waits from an earlier pass."""
    from django.db import connection

    from tenants.register import checked_schema_name

    with connection.cursor() as cursor:
        for name in schema_names:
            schema = checked_schema_name(name=name)
            cursor.execute(f"DELETE FROM {schema}.messaging_outboxitem")
    return len(schema_names)


def _threads(*, number: str, count: int, at: Any) -> list[Any]:
    """Return so many open threads with citizens who never wrote, made when they are not there."""
    from messaging.models import Contact, Thread

    query = Thread.objects.filter(phone_number_id=number, last_inbound_at=None).select_related("contact").order_by("id")
    found = list(query[:count])
    start = Contact.objects.count()
    contacts = [
        Contact(wa_id=f"316{start + place:08d}", profile_name="Sanne de Vries", created_at=at)
        for place in range(count - len(found))
    ]
    Contact.objects.bulk_create(contacts, batch_size=2000)
    made = [Thread(contact=each, phone_number_id=number, opened_at=at, last_message_at=at) for each in contacts]
    Thread.objects.bulk_create(made, batch_size=2000)
    return found + made


def _serve() -> None:
    doings: dict[str, Callable[..., Any]] = {each.__name__: each for each in (fill, spread, reply, in_flight, clear)}
    for line in sys.stdin:
        given = json.loads(line)
        answer = doings[given.pop("do")](**given)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    _serve()
