"""Event → contact, thread, message, status: what an update means to its municipality.

Called with a batch inside one transaction, under the municipality's inbox lock. Everything here may happen twice and
in any order: constraints and forward-only states make the end the same.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog

from messaging import account_updates, statuses
from messaging.announcing import announce
from messaging.contacts import ContactBook, Identity
from messaging.metering import Meter
from messaging.models import Contact, InboxEvent, Message, Thread
from messaging.threads import ThreadBook
from tenants.models import Municipality
from whatsapp.payloads import EventKind, InboundMessage, MalformedPayload, parse_message, parse_status

log = structlog.get_logger(__name__)


def apply(*, municipality: Municipality, events: Sequence[InboxEvent], at: datetime) -> None:
    """Apply a batch of events, all of them or none.

    Raises MalformedPayload: one of them lacks what it cannot do without; the caller applies them one by one then.
    """
    messages: list[InboundMessage] = []
    reports: list[statuses.Reported] = []
    for event in events:
        if event.kind == EventKind.MESSAGE:
            messages.append(parse_message(payload=event.payload))
        elif event.kind == EventKind.STATUS:
            reports.append(
                statuses.Reported(update=parse_status(payload=event.payload), number=event.phone_number_id or "")
            )
        elif event.kind == EventKind.ACCOUNT:
            account_updates.apply(field=event.field, value=event.payload["element"])
        elif event.kind == EventKind.ERROR:
            log.warning("meta_reported_error", schema=municipality.schema_name, event_id=event.id)
        else:
            raise MalformedPayload("not of a shape that Meta documents")
    contacts = ContactBook(at=at)
    contacts.load([*map(_sender, messages), *(report.recipient for report in reports)])
    threads = ThreadBook(at=at)
    _receive_messages(messages=messages, contacts=contacts, threads=threads, at=at)
    meter = Meter(municipality=municipality, at=at)
    statuses.apply(reports=reports, contacts=contacts, meter=meter)
    meter.record(merges=contacts.merges)


def _receive_messages(
    *, messages: Sequence[InboundMessage], contacts: ContactBook, threads: ThreadBook, at: datetime
) -> None:
    """Store what citizens wrote, each message once, in the thread of its contact on its number."""
    wamids = [message.wamid for message in messages]
    known = set(Message.objects.filter(wamid__in=wamids).values_list("wamid", flat=True))
    written: list[tuple[InboundMessage, Contact]] = []
    for message in messages:
        if message.wamid in known:
            continue  # a replay: it has had all its effects
        known.add(message.wamid)
        if message.group_id is not None:
            continue  # group messages are no part of the service: kept in the inbox, shown nowhere
        if message.sender_wa_id is None and message.sender_bsuid is None:
            continue  # a change that WhatsApp tells without saying of whom
        written.append((message, contacts.resolve(_sender(message))))
    contacts.save()
    # A merge later in the batch may have moved a contact that was resolved earlier.
    owned = [(message, contact.merged_into or contact) for message, contact in written]
    threads.load((contact.id, message.phone_number_id) for message, contact in owned)
    rows = [_row(message, _received(threads, contact, message), at) for message, contact in owned]
    threads.save()
    Message.objects.bulk_create(rows)
    announce(threads={row.thread_id for row in rows})


def _received(threads: ThreadBook, contact: Contact, message: InboundMessage) -> Thread:
    return threads.receive(
        contact=contact, number=message.phone_number_id, stamped_at=message.stamped_at, kind=message.type
    )


def _row(message: InboundMessage, thread: Thread, at: datetime) -> Message:
    return Message(
        thread=thread,
        direction=Message.Direction.INBOUND,
        state=Message.State.RECEIVED,
        kind=message.type[:40],
        text=message.text or "",
        content=message.content,
        wamid=message.wamid,
        replies_to_wamid=message.context_wamid or "",
        stamped_at=message.stamped_at,
        created_at=at,
    )


def _sender(message: InboundMessage) -> Identity:
    return Identity(
        wa_id=message.sender_wa_id,
        bsuid=message.sender_bsuid,
        profile_name=message.profile_name,
        username=message.username,
    )
