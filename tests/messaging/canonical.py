"""What a day came to, written so that two runs can be compared: no ids of ours, contacts by what they are known by.

Left out is what is only about how it came about: contacts that are part of others, threads that a merge emptied,
troubles that are over, and when our own clock saw something.
"""

from typing import Any

from django.db import connection

from billing.metering import contact_hash
from messaging.models import (
    Alteration,
    Consent,
    Contact,
    IdChange,
    InboxEvent,
    LooseStatus,
    Message,
    MessageStatus,
    OutboxItem,
    Sighting,
    Thread,
    WindowOpening,
)
from tenants.models import Municipality, NumberHealth, Trouble


def dump(municipality: Municipality) -> dict[str, list[Any]]:
    """Return what there is, table by table, each in order."""
    names = {contact.id: _name(contact.merged_into or contact) for contact in Contact.objects.all()}
    threads = {
        thread.id: (names[thread.contact_id], thread.phone_number_id, thread.imported, thread.state)
        for thread in Thread.objects.all()
    }
    found: dict[str, list[Any]] = {
        "contacts": [
            (contact.wa_id, contact.bsuid, contact.parent_bsuid, contact.profile_name, contact.username)
            for contact in Contact.objects.filter(merged_into=None)
        ],
        "threads": [_of_thread(row, threads) for row in Thread.objects.filter(messages__isnull=False).distinct()],
        "messages": [_of_message(row, threads) for row in Message.objects.select_related("medium")],
        "statuses": [
            (row.message.wamid, row.status, row.participant, row.stamped_at)
            for row in MessageStatus.objects.select_related("message")
        ],
        "alterations": [
            {**_values(row, "id", "contact"), "contact": row.contact_id and names[row.contact_id]}
            for row in Alteration.objects.all()
        ],
        "windows": [(names[row.contact_id], row.opened_at) for row in WindowOpening.objects.all()],
        "consents": [(names[row.contact_id], row.word, row.source, row.at) for row in Consent.objects.all()],
        "outbox": [(str(row.message_id), names[row.contact_id]) for row in OutboxItem.objects.all()],
        "events": [(bytes(row.dedup_key), row.state, row.reason) for row in InboxEvent.objects.all()],
        "troubles": [(row.kind, row.detail, row.opened_at) for row in Trouble.objects.filter(closed_at=None)],
        "pace": list(municipality.numbers.values_list("messages_per_second", flat=True)),
        "sightings": _rows(Sighting, "id"),
        "id changes": _rows(IdChange, "id"),
        "loose statuses": _rows(LooseStatus, "id"),
        "health": _rows(NumberHealth, "id", "told"),
        **_ledger(municipality, names),
    }
    return {table: sorted(rows, key=repr) for table, rows in found.items()}


def _name(contact: Contact) -> tuple[str | None, str | None]:
    return (contact.wa_id, contact.bsuid)


def _of_thread(row: Thread, threads: dict[Any, Any]) -> dict[str, Any]:
    closed_at = row.closed_at if row.imported else None
    return {**_values(row, "id", "contact", "closed_at"), "thread": threads[row.id], "closed_at": closed_at}


def _of_message(row: Message, threads: dict[Any, Any]) -> dict[str, Any]:
    # Ours have one id throughout a comparison, and no wamid until Meta tells it.
    own = {"thread": threads[row.thread_id], "medium": row.medium and row.medium.meta_id}
    return {**_values(row, "id", "created_at"), **own, "id": "" if row.wamid else str(row.id)}


def _values(row: Any, *without: str) -> dict[str, Any]:
    return {field.name: getattr(row, field.attname) for field in row._meta.fields if field.name not in without}


def _rows(model: Any, *without: str) -> list[Any]:
    return [_values(row, *without) for row in model.objects.all()]


def _ledger(municipality: Municipality, names: dict[Any, Any]) -> dict[str, list[Any]]:
    """Return what was metered, each under whoever the contact turned out to be."""
    key = municipality.numbers.get().pseudonym_key()
    citizens = {contact_hash(pseudonym_key=key, contact_id=id_): name for id_, name in names.items()}
    found: dict[str, list[Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT wamid_hash, contact_hash FROM billing_fact")
        found["facts"] = [(bytes(wamid), citizens[bytes(citizen)]) for wamid, citizen in cursor.fetchall()]
        cursor.execute(
            "SELECT wamid_hash, status, stamped_at, pricing_model, pricing_type, pricing_category, purpose"
            " FROM billing_factreport"
        )
        found["reports"] = [(bytes(wamid), *said) for wamid, *said in cursor.fetchall()]
        cursor.execute("SELECT contact_hash, opened_at, ends_at, category, purpose FROM billing_conversation")
        found["conversations"] = [(citizens[bytes(citizen)], *said) for citizen, *said in cursor.fetchall()]
    return found
