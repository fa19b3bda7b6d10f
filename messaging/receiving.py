"""Event → contact, thread, message, status: what an update means to its municipality.

Called with a batch inside one transaction, under the municipality's inbox lock. Everything here may happen twice and
in any order: what cannot be put in place yet is kept as a row that its other half finds (messaging/models/evidence.py),
moments are Meta's, and states only move forward. So the end is the same.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from messaging import altering, consent, incoming, opting, standby, statuses
from messaging.contacts import ContactBook
from messaging.incoming import Preferred
from messaging.metering import Meter
from messaging.models import Consent, InboxEvent
from messaging.office import telling
from messaging.storing import settle_merged, store
from messaging.threads import ThreadBook
from tenants.models import Municipality


def apply(*, municipality: Municipality, events: Sequence[InboxEvent], at: datetime) -> None:
    """Apply a batch of events, all of them or none.

    Raises MalformedPayload: one of them lacks what it cannot do without; the caller applies them one by one then.
    """
    batch = incoming.read(municipality=municipality, events=events)
    meter = Meter(municipality=municipality, at=at)
    contacts = ContactBook(at=at)
    recipients = statuses.recipients(reports=batch.reports, meter=meter)
    contacts.load([*incoming.identities(batch=batch), *recipients], batch.changes)
    threads = ThreadBook(at=at)
    stored = store(arrived=batch.arrived, contacts=contacts, threads=threads, at=at)
    statuses.settle(messages=stored.new)
    statuses.apply(reports=batch.reports, contacts=contacts, meter=meter)
    withdrawn = [altering.of_status(update=each.update) for each in batch.reports if each.update.status == "deleted"]
    altering.apply(alterations=stored.alterations + withdrawn, written=stored.new)
    _note_preferences(batch.preferred, contacts, at)
    standby.notice(municipality=municipality, arrived=batch.arrived, told=batch.standby)
    settle_merged(contacts=contacts)
    meter.record(merges=contacts.merges)
    opting.follow(written=stored.inbound, place=municipality.name, at=at)
    telling.tell(written=stored.inbound, place=municipality.name, at=at)


def _note_preferences(preferred: Iterable[Preferred], contacts: ContactBook, at: datetime) -> None:
    """Record who wants to be written to no more, or again; set in WhatsApp itself."""
    notes = {"stop": consent.record_opt_out, "resume": consent.record_opt_in}
    for each in preferred:
        note = notes.get(each.preference.value)
        if note is None:
            continue
        contact = contacts.resolve(each.identity)
        contacts.save()
        note(contact=contact, at=each.preference.stamped_at, recorded_at=at, source=Consent.Source.WHATSAPP)
