"""A batch of stored events, read: what citizens wrote, what the number itself sent, statuses, and who is who.

Reading changes nothing, except that fields about numbers and accounts are applied at once: no order binds them to
messages. Group messages are set aside here: they are no part of the service, kept in the inbox, shown nowhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from messaging import account_updates, statuses
from messaging.account_updates import Update
from messaging.contacts import Change, Identity
from messaging.figures import MESSAGES_SET_ASIDE, META_ERRORS
from messaging.lanes import stopping
from messaging.models import InboxEvent
from messaging.unknown import SYSTEM_CHANGES
from tenants import health
from tenants.models import Municipality
from whatsapp.errors import as_code
from whatsapp.payloads import (
    Call,
    EventKind,
    InboundMessage,
    MalformedPayload,
    PastMessage,
    Preference,
    parse_calls,
    parse_echoes,
    parse_history,
    parse_id_updates,
    parse_message,
    parse_preferences,
    parse_status,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message. by_contact: else the number itself sent it, from the Business app; the sender is its other side.

    past: it was said before the number came here. standby: another application of Meta's answers in our place.
    """

    message: InboundMessage
    by_contact: bool = True
    past: PastMessage | None = None
    standby: bool = False

    @property
    def other_side(self) -> Identity:
        """Return the citizen in it. Of what the number sent itself, names are nobody's word."""
        message = self.message
        return Identity(
            wa_id=message.sender_wa_id,
            bsuid=message.sender_bsuid,
            at=message.stamped_at,
            profile_name=message.profile_name,
            username=message.username,
            parent_bsuid=message.parent_bsuid,
        )


@dataclass(frozen=True, slots=True)
class Preferred:
    """What a citizen set in WhatsApp itself."""

    preference: Preference

    @property
    def identity(self) -> Identity:
        """Return who set it."""
        person = self.preference.person
        return Identity(
            wa_id=person.wa_id,
            bsuid=person.bsuid,
            at=self.preference.stamped_at,
            profile_name=person.profile_name,
            username=person.username,
            parent_bsuid=person.parent_bsuid,
        )


@dataclass(slots=True)
class Batch:
    """What a batch of events holds."""

    arrived: list[Arrived] = field(default_factory=list)
    reports: list[statuses.Reported] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    preferred: list[Preferred] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    standby: list[tuple[Update, datetime]] = field(default_factory=list)


def read(*, municipality: Municipality, events: Sequence[InboxEvent]) -> Batch:
    """Read a batch.  Raises MalformedPayload: one of the events lacks what it cannot do without."""
    batch, on_a_phone = Batch(), set[str]()
    for event in events:
        if event.kind == EventKind.MESSAGE:
            _message(batch, Arrived(parse_message(payload=event.payload)))
        elif event.kind == EventKind.STATUS:
            update = parse_status(payload=event.payload)
            batch.reports.append(statuses.Reported(update=update, number=event.phone_number_id or ""))
        elif event.kind == EventKind.ACCOUNT:
            update_read = account_updates.read(municipality=municipality, event=event)
            if event.field in account_updates.CITIZEN_FIELDS:
                unread = _CITIZEN_READERS[event.field](batch, update_read, event)
                if event.field in _OF_A_PHONE and event.phone_number_id:
                    on_a_phone.add(event.phone_number_id)
                outcome = "partly_understood" if unread else "applied"
                account_updates.count(field=event.field, outcome=outcome)
            else:
                account_updates.apply(update=update_read)
        elif event.kind == EventKind.ERROR:
            code = as_code(event.payload["element"].get("code"))
            META_ERRORS.labels(code).inc()
            log.warning("meta_reported_error", schema=municipality.schema_name, event_id=event.id, code=code)
            if event.phone_number_id:  # what an answer to a send would have said
                stopping.heed(phone_number_id=event.phone_number_id, code=code, at=event.received_at)
        else:
            raise MalformedPayload("not of a shape that Meta documents")
    for number in municipality.numbers.filter(phone_number_id__in=on_a_phone, closed_at=None) if on_a_phone else ():
        health.lives_on_a_phone(number=number)
    return batch


def _message(batch: Batch, arrived: Arrived) -> None:
    message = arrived.message
    if message.group_id is not None:
        MESSAGES_SET_ASIDE.labels("group").inc()
    elif message.system is not None:
        batch.changes.append(_change(message))
        batch.identities.append(batch.changes[-1].old)
    else:
        batch.arrived.append(arrived)


def _change(message: InboundMessage) -> Change:
    change = message.system
    assert change is not None
    # Of a change that we do not know nobody says whose the ids in it are: it is a line in the thread, and no more.
    is_known = change.kind in SYSTEM_CHANGES
    return Change(
        old_wa_id=message.sender_wa_id,
        old_bsuid=(change.old_bsuid if is_known else None) or message.sender_bsuid,
        new_wa_id=change.new_wa_id if is_known else None,
        new_bsuid=change.new_bsuid if is_known else None,
        at=message.stamped_at,
        wamid=message.wamid,
        number=message.phone_number_id,
        text=message.text or "",
        content=message.content,
    )


def _echoes(batch: Batch, update: Update, event: InboxEvent) -> int:
    read = parse_echoes(payload=event.payload)
    for message in read.parts:
        _message(batch, Arrived(message, by_contact=False))
    return read.unread


def _history(batch: Batch, update: Update, event: InboxEvent) -> int:
    read = parse_history(payload=event.payload)
    for past in read.parts:
        _message(batch, Arrived(past.message, by_contact=past.by_contact, past=past))
    return read.unread


def _calls(batch: Batch, update: Update, event: InboxEvent) -> int:
    read = parse_calls(payload=event.payload)
    metadata = event.payload["element"].get("metadata")
    number = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
    for call in read.parts:
        # The end of a call says nothing that its beginning did not; and only who calls us may be called upon.
        if call.by_citizen and call.event == "connect" and isinstance(number, str):
            batch.arrived.append(Arrived(_call_line(call, number)))
    return read.unread


def _call_line(call: Call, number: str) -> InboundMessage:
    return InboundMessage(
        wamid=call.id,
        sender_wa_id=call.person.wa_id,
        sender_bsuid=call.person.bsuid,
        parent_bsuid=call.person.parent_bsuid,
        profile_name=call.person.profile_name,
        username=call.person.username,
        phone_number_id=number,
        stamped_at=call.stamped_at,
        type="call",
        text=None,
        content={},
        media=None,
        context_wamid=None,
        forwarded=False,
        referral=None,
        errors=(),
        system=None,
        group_id=None,
    )


def _id_updates(batch: Batch, update: Update, event: InboxEvent) -> int:
    read = parse_id_updates(payload=event.payload)
    for each in read.parts:
        change = Change(None, each.old_bsuid, None, each.new_bsuid, at=each.stamped_at)
        batch.changes.append(change)
        batch.identities.append(
            Identity(each.wa_id, each.new_bsuid, each.stamped_at, parent_bsuid=each.new_parent_bsuid)
        )
    return read.unread


def _preferences(batch: Batch, update: Update, event: InboxEvent) -> int:
    read = parse_preferences(payload=event.payload)
    batch.preferred += [Preferred(each) for each in read.parts]
    return read.unread


def _standby(batch: Batch, update: Update, event: InboxEvent) -> int:
    """Read what another application of Meta's answers now; what citizens say in it is shown all the same."""
    given = update.value.get("messages")
    messages, unread = [], 0
    for element in given if isinstance(given, list) else ():
        payload = {name: update.value.get(name) for name in ("metadata", "contacts")} | {"element": element}
        try:
            messages.append(parse_message(payload=payload))
        except MalformedPayload:
            unread += 1
    for message in messages:
        _message(batch, Arrived(message, standby=True))
    batch.standby.append((update, max([each.stamped_at for each in messages], default=update.at)))
    return unread


_OF_A_PHONE = frozenset({"history", "smb_message_echoes"})  # these come of no other number
_CITIZEN_READERS = {
    "calls": _calls,
    "history": _history,
    "messaging_handovers": _standby,
    "smb_message_echoes": _echoes,
    "standby": _standby,
    "user_id_update": _id_updates,
    "user_preferences": _preferences,
}


def identities(*, batch: Batch) -> Iterable[Identity]:
    """Return every identity that the batch's messages and fields name; statuses say theirs for themselves."""
    yield from batch.identities
    for arrived in batch.arrived:
        yield arrived.other_side
    for preferred in batch.preferred:
        yield preferred.identity
