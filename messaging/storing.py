"""Stores what arrived: each message once, in the thread of its contact on its number.

What says something of another message is no line of its own (messaging/altering.py); what was said before the number
came here lies in a closed thread of its own, and opens nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from messaging import altering, opting
from messaging.announcing import announce
from messaging.contacts import ContactBook
from messaging.figures import MESSAGES_RECEIVED
from messaging.incoming import Arrived
from messaging.media import queueing
from messaging.models import Alteration, Contact, IdChange, Medium, Message, Thread
from messaging.saving import insert
from messaging.threads import UNANSWERED_KINDS, ThreadBook, settle_after_merge
from messaging.waking import FETCH, wake_after_commit

# Which kinds are counted by name: a label is no place for what somebody sent.
COUNTED_KINDS = frozenset(
    {
        "audio", "button", "call", "contacts", "document", "edit", "image", "interactive", "location", "order",
        "reaction", "request_welcome", "revoke", "sticker", "system", "text", "unsupported", "video",
    }
)  # fmt: skip
_STATE_OF_PAST = {
    "PENDING": Message.State.ACCEPTED,
    "SENT": Message.State.SENT,
    "DELIVERED": Message.State.DELIVERED,
    "READ": Message.State.READ,
    "PLAYED": Message.State.PLAYED,
    "ERROR": Message.State.FAILED,
}


@dataclass(slots=True)
class Stored:
    """What storing a batch came to. new: what was not known before; inbound: of these, what citizens wrote just now."""

    new: list[Message] = field(default_factory=list)
    inbound: list[Message] = field(default_factory=list)
    alterations: list[Alteration] = field(default_factory=list)


def store(*, arrived: Sequence[Arrived], contacts: ContactBook, threads: ThreadBook, at: datetime) -> Stored:
    """Store a batch's messages; those that are known change nothing."""
    stored = Stored()
    wamids = {each.message.wamid for each in arrived} | {change.wamid for change in contacts.changes if change.wamid}
    known, taken = _known(wamids), set[str]()
    owned: list[tuple[Arrived, Contact]] = []
    late: list[tuple[Arrived, Contact, Message]] = []
    for each in arrived:
        contact = contacts.resolve(each.other_side)
        wamid = each.message.wamid
        before = known.get(wamid)
        if wamid in taken or (before is not None and (each.past is not None or not before.thread.imported)):
            continue  # a replay: it has had all its effects
        taken.add(wamid)
        if before is None:
            owned.append((each, contact))
        else:
            late.append((each, contact, before))
    told = list(_told(contacts, known.keys() | taken))
    contacts.save()
    everybody = [(contact.id, each.message.phone_number_id) for each, contact in owned]
    everybody += [(contact.id, each.message.phone_number_id) for each, contact, _ in late]
    threads.load([*everybody, *((contact.id, change.phone_number_id) for change, contact in told)])
    # Meta's stamps are whole seconds: within one, messages keep the order in which they came.
    moments = (at + timedelta(microseconds=place) for place in range(len(owned) + len(told)))
    for each, contact in owned:
        _take(each, contact, threads, stored, next(moments))
    for change, contact in told:
        stored.new.append(_line(change, threads, contact, next(moments)))
    for each, contact, message in late:
        # A message of the shared history comes for itself too: then it belongs to what is said now.
        message.thread = _thread(each, contact, threads)
    threads.save()
    media = [row.medium for row in stored.new if row.medium is not None]
    Medium.objects.bulk_create(media)
    insert(stored.new)
    for _, _, message in late:
        message.save(update_fields=["thread"])
    threads.settle_waiting(asks=_message_asks)
    announce(threads={row.thread_id for row in stored.new})
    if media:
        wake_after_commit(task=FETCH)
    return stored


def _known(wamids: Iterable[str]) -> dict[str, Message]:
    """Return the messages that are there already, by wamid."""
    rows = Message.objects.filter(wamid__in=wamids).select_related("thread")
    return {row.wamid or "": row for row in rows}


def _told(contacts: ContactBook, known: Collection[str]) -> Iterator[tuple[IdChange, Contact]]:
    """Return the changes that are still to be told in a thread, with whose; of somebody who is not known here, none."""
    for change in contacts.changes:
        contact = contacts.named(change) if change.wamid and change.wamid not in known else None
        if contact is not None:
            yield change, contact


def _take(each: Arrived, contact: Contact, threads: ThreadBook, stored: Stored, at: datetime) -> None:
    message = each.message
    MESSAGES_RECEIVED.labels(message.type if message.type in COUNTED_KINDS else "other").inc()
    if altering.is_alteration(message):
        stored.alterations.append(altering.of_message(message=message, contact=contact, by_contact=each.by_contact))
        if message.type == "reaction" and each.by_contact and each.past is None:
            threads.reacted(contact=contact, number=message.phone_number_id, stamped_at=message.stamped_at)
        return
    row = _row(each, _thread(each, contact, threads), at)
    stored.new.append(row)
    if each.by_contact and each.past is None:
        stored.inbound.append(row)


def settle_merged(*, contacts: ContactBook) -> None:
    """Settle who waits for an answer, where two contacts turned out to be one; once everything is stored."""
    if contacts.merges:
        settle_after_merge(contact_ids={each.to_contact_id for each in contacts.merges}, asks=_message_asks)


def _thread(each: Arrived, contact: Contact, threads: ThreadBook) -> Thread:
    message = each.message
    number, stamped_at = message.phone_number_id, message.stamped_at
    if each.past is not None:
        return threads.past(contact=contact, number=number, stamped_at=stamped_at, by_contact=each.by_contact)
    if not each.by_contact:
        return threads.sent_elsewhere(contact=contact, number=number, stamped_at=stamped_at)
    asks = _asks(message.type, message.text or "")
    return threads.receive(contact=contact, number=number, stamped_at=stamped_at, kind=message.type, asks=asks)


def _asks(kind: str, text: str) -> bool:
    # A word such as STOP is confirmed at once, and nobody waits for a person's answer.
    return kind not in UNANSWERED_KINDS and not opting.meant(kind=kind, text=text)


def _message_asks(message: Message) -> bool:
    return _asks(message.kind, message.text)


def _row(each: Arrived, thread: Thread, at: datetime) -> Message:
    message = each.message
    content = message.content
    if message.errors:
        content = {**content, "errors": [{"code": error.code, "title": error.title} for error in message.errors]}
    if each.standby:
        content = {**content, "standby": True}
    state, reason = Message.State.RECEIVED, ""
    if not each.by_contact:
        state = _STATE_OF_PAST.get(each.past.state if each.past else "", Message.State.ACCEPTED)
        reason = "Meta gave no reason" if state == Message.State.FAILED else ""
    return Message(
        thread=thread,
        direction=Message.Direction.INBOUND if each.by_contact else Message.Direction.OUTBOUND,
        state=state,
        failed_reason=reason,
        kind=message.type[:40],
        text=message.text or "",
        content=content,
        medium=queueing.awaited(message=message, at=at),
        wamid=message.wamid,
        replies_to_wamid=(message.context_wamid or "")[:200],
        forwarded=message.forwarded,
        referral=message.referral,
        stamped_at=message.stamped_at,
        created_at=at,
    )


def _line(change: IdChange, threads: ThreadBook, contact: Contact, at: datetime) -> Message:
    """Return the line by which WhatsApp's own word of a change stands in the thread."""
    number, stamped_at = change.phone_number_id, change.changed_at
    return Message(
        thread=threads.receive(contact=contact, number=number, stamped_at=stamped_at, kind="system", asks=False),
        direction=Message.Direction.INBOUND,
        state=Message.State.RECEIVED,
        kind="system",
        text=change.text,
        content=change.content,
        wamid=change.wamid,
        stamped_at=change.changed_at,
        created_at=at,
    )
