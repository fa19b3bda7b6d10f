"""Event → contact, thread, message, status: what an update means to its municipality.

Called with a batch inside one transaction, under the municipality's inbox lock. Everything here may happen twice and
in any order: constraints and forward-only states make the end the same.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from messaging import account_updates, opting, statuses
from messaging.announcing import announce
from messaging.contacts import ContactBook, Identity
from messaging.media import queueing
from messaging.metering import Meter
from messaging.models import Contact, InboxEvent, Medium, Message, Thread
from messaging.threads import UNANSWERED_KINDS, ThreadBook
from messaging.waking import FETCH, wake_after_commit
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
            account_updates.apply(update=account_updates.read(municipality=municipality, event=event))
        elif event.kind == EventKind.ERROR:
            log.warning("meta_reported_error", schema=municipality.schema_name, event_id=event.id)
        else:
            raise MalformedPayload("not of a shape that Meta documents")
    contacts = ContactBook(at=at)
    contacts.load([*_identities(messages), *(report.recipient for report in reports)])
    threads = ThreadBook(at=at)
    written = _receive_messages(messages=messages, contacts=contacts, threads=threads, at=at)
    meter = Meter(municipality=municipality, at=at)
    statuses.apply(reports=reports, contacts=contacts, meter=meter)
    meter.record(merges=contacts.merges)
    opting.follow(written=written, place=municipality.name, at=at)


def _receive_messages(
    *, messages: Sequence[InboundMessage], contacts: ContactBook, threads: ThreadBook, at: datetime
) -> list[Message]:
    """Store what citizens wrote, each message once, in the thread of its contact on its number; return what is new."""
    wamids = [message.wamid for message in messages]
    known = set(Message.objects.filter(wamid__in=wamids).values_list("wamid", flat=True))
    written: list[tuple[InboundMessage, Contact]] = []
    for message in messages:
        if message.wamid in known:
            continue  # a replay: it has had all its effects
        known.add(message.wamid)
        if message.group_id is not None:
            continue  # group messages are no part of the service: kept in the inbox, shown nowhere
        contact = _follow(contacts, message) if message.system else contacts.resolve(_sender(message))
        if contact is not None:
            written.append((message, contact))
    contacts.save()
    # A merge later in the batch may have moved a contact that was resolved earlier.
    owned = [(message, contacts.canonical(contact)) for message, contact in written]
    threads.load((contact.id, message.phone_number_id) for message, contact in owned)
    # Meta's stamps are whole seconds: within one, messages keep the order in which they came.
    rows = [
        _row(message, _received(threads, contact, message), at + timedelta(microseconds=place))
        for place, (message, contact) in enumerate(owned)
    ]
    threads.save()
    media = [row.medium for row in rows if row.medium is not None]
    Medium.objects.bulk_create(media)
    Message.objects.bulk_create(rows)
    announce(threads={row.thread_id for row in rows})
    if media:
        wake_after_commit(task=FETCH)
    return rows


def _follow(contacts: ContactBook, message: InboundMessage) -> Contact | None:
    """Follow a change of number or id that WhatsApp tells; return whose it was, or None when nobody here is meant."""
    change = message.system
    assert change is not None
    old = Identity(wa_id=message.sender_wa_id, bsuid=change.old_bsuid or message.sender_bsuid)
    return contacts.follow(old=old, new=Identity(wa_id=change.new_wa_id, bsuid=change.new_bsuid))


def _received(threads: ThreadBook, contact: Contact, message: InboundMessage) -> Thread:
    # A word such as STOP is confirmed at once, and nobody waits for a person's answer.
    asks = message.type not in UNANSWERED_KINDS and not opting.meant(kind=message.type, text=message.text or "")
    return threads.receive(
        contact=contact, number=message.phone_number_id, stamped_at=message.stamped_at, kind=message.type, asks=asks
    )


def _row(message: InboundMessage, thread: Thread, at: datetime) -> Message:
    return Message(
        thread=thread,
        direction=Message.Direction.INBOUND,
        state=Message.State.RECEIVED,
        kind=message.type[:40],
        text=message.text or "",
        content=message.content,
        medium=queueing.awaited(message=message, at=at),
        wamid=message.wamid,
        replies_to_wamid=message.context_wamid or "",
        stamped_at=message.stamped_at,
        created_at=at,
    )


def _identities(messages: Sequence[InboundMessage]) -> Iterator[Identity]:
    """Return every identity that the messages name, the new ones of a change too."""
    for message in messages:
        yield _sender(message)
        if message.system:
            yield Identity(wa_id=message.system.new_wa_id, bsuid=message.system.new_bsuid)
            yield Identity(wa_id=None, bsuid=message.system.old_bsuid)


def _sender(message: InboundMessage) -> Identity:
    return Identity(
        wa_id=message.sender_wa_id,
        bsuid=message.sender_bsuid,
        profile_name=message.profile_name,
        username=message.username,
    )
