"""Metering: what Meta reports of messages becomes facts, and facts become conversations.

Called by `messaging` inside its own transaction. Reports may come late, twice and in any order; the same reports give
the same conversations. From here on a citizen is a keyed hash.
"""

import hmac
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

import orjson
from django.db import connection, transaction

from billing.contacts import ContactKey, Family, lock_families
from billing.conversations import Status
from billing.recomputing import open_from, recompute

BATCH = 500
Item = TypeVar("Item")
COUNTED = {status.value.lower(): status for status in Status}


@dataclass(frozen=True, slots=True)
class StatusReport:
    """One status of one message, as Meta reported it and as the message was sent."""

    municipality_id: UUID
    phone_number_id: str
    pseudonym_key: bytes
    contact_id: UUID
    wamid: str
    status: str  # "sent", "delivered" or "read"; others are ignored
    stamped_at: datetime
    pricing_model: str | None
    pricing_type: str | None
    pricing_category: str | None
    purpose: str | None
    template_name: str | None
    template_category: str | None
    market: str = ""  # the recipient's, as whatsapp/markets.py names it; '' where it is not known


@dataclass(frozen=True, slots=True)
class _Row:
    """A report without its citizen."""

    municipality_id: UUID
    contact: ContactKey
    wamid_hash: bytes
    status: Status
    stamped_at: datetime
    said: tuple[str, str, str, str, str, str]  # pricing model, type, category; purpose; template name, category
    market: str

    @property
    def message(self) -> tuple[str, bytes]:
        return self.contact.phone_number_id, self.wamid_hash

    @property
    def digest(self) -> bytes:
        content = [self.status.value, self.stamped_at.astimezone(UTC).isoformat(timespec="microseconds"), *self.said]
        return sha256(json.dumps(content).encode()).digest()


def record_reports(*, reports: Sequence[StatusReport], recorded_at: datetime) -> None:
    """Record what was reported and bring the conversations of the contacts concerned up to date.

    Safe to repeat, in any order and any batches. Holds a lock on each (number, contact) until the caller's transaction
    ends, and holds off the closing of a month.  Raises ValueError: a stamp has no time zone; nothing is recorded.
    """
    rows = [_row(report) for report in reports if report.status in COUNTED]
    if rows:
        with transaction.atomic(savepoint=False):  # what is reported stands or falls with the batch that reports it
            _record(rows, recorded_at)


def _record(rows: Sequence[_Row], recorded_at: datetime) -> None:
    opens = open_from()
    families = lock_families(contacts={row.contact for row in rows})
    changed: dict[ContactKey, datetime] = {}
    late: set[ContactKey] = set()
    for batch in _batches(rows):
        fresh = _insert_reports(batch, recorded_at)
        _insert_facts([row for row in batch if row.message in fresh], recorded_at)
        for contact, moment in _contacts_of(fresh):
            changed[contact] = min(changed.get(contact, moment), moment)
            if opens is not None and moment < opens:
                late.add(contact)
    # A fact may be known under a contact whose link to this report's contact is still to come.
    families |= lock_families(contacts=changed.keys() - families.keys())
    since: dict[ContactKey, datetime] = {}
    for contact, moment in changed.items():
        canonical = families[contact].canonical
        since[canonical] = min(since.get(canonical, moment), moment)
    _note_late({families[contact].canonical for contact in late}, recorded_at)
    _settle([families[contact] for contact in changed], opens, since)


@transaction.atomic
def link_contacts(
    *,
    municipality_id: UUID,
    phone_number_id: str,
    pseudonym_key: bytes,
    from_contact_id: UUID,
    to_contact_id: UUID,
    recorded_at: datetime,
) -> None:
    """Count the facts of one contact under another, now and later: they turned out to be one person.

    Where the first was already linked on, its canonical contact is. Safe to repeat; what are one already stay so.
    """
    source = ContactKey(phone_number_id, contact_hash(pseudonym_key=pseudonym_key, contact_id=from_contact_id))
    target = ContactKey(phone_number_id, contact_hash(pseudonym_key=pseudonym_key, contact_id=to_contact_id))
    opens = open_from()
    families = lock_families(contacts={source, target})
    if families[source].canonical == families[target].canonical:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_contactlink"
            " (phone_number_id, from_contact_hash, to_contact_hash, municipality_id, recorded_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            [
                phone_number_id,
                families[source].canonical.contact_hash,
                target.contact_hash,
                municipality_id,
                recorded_at,
            ],
        )
    joined = Family(families[target].canonical, families[source].members | families[target].members)
    if opens is not None:  # closed months may hold conversations of both that are now one
        _note_late({joined.canonical}, recorded_at)
    _settle([joined], opens, None)


def contact_hash(*, pseudonym_key: bytes, contact_id: UUID) -> bytes:
    """Return the keyed hash by which the ledger knows a contact."""
    return hmac.digest(pseudonym_key, b"contact:" + contact_id.bytes, "sha256")


def wamid_hash(*, pseudonym_key: bytes, wamid: str) -> bytes:
    """Return the keyed hash by which the ledger knows a message."""
    return hmac.digest(pseudonym_key, b"wamid:" + wamid.encode(), "sha256")


def _note_late(contacts: Collection[ContactKey], recorded_at: datetime) -> None:
    """Note the canonical contacts whose closed months something concerns that came late."""
    late = sorted(contacts)
    if late:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO billing_latecontact (phone_number_id, contact_hash, recorded_at)"
                " SELECT phone_number_id, contact_hash, %s"
                " FROM unnest(%s::text[], %s::bytea[]) AS late (phone_number_id, contact_hash)"
                " ON CONFLICT DO NOTHING",
                [recorded_at, [key.phone_number_id for key in late], [key.contact_hash for key in late]],
            )


def _settle(families: Sequence[Family], opens: datetime | None, since: Mapping[ContactKey, datetime] | None) -> None:
    """Recompute the families in which something changed, each from the moment on that changed."""
    unique = {family.canonical: family for family in families}
    for batch in _batches(list(unique.values())):
        recompute(families=batch, opens=opens, since=since)


def _row(report: StatusReport) -> _Row:
    if report.stamped_at.tzinfo is None:
        raise ValueError("a stamp needs a time zone")
    key = report.pseudonym_key
    return _Row(
        municipality_id=report.municipality_id,
        contact=ContactKey(report.phone_number_id, contact_hash(pseudonym_key=key, contact_id=report.contact_id)),
        wamid_hash=wamid_hash(pseudonym_key=key, wamid=report.wamid),
        status=COUNTED[report.status],
        stamped_at=report.stamped_at,
        said=(
            report.pricing_model or "",
            report.pricing_type or "",
            report.pricing_category or "",
            report.purpose or "",
            report.template_name or "",
            report.template_category or "",
        ),
        market=report.market,
    )


def _insert_reports(rows: Sequence[_Row], recorded_at: datetime) -> set[tuple[str, bytes]]:
    """Append the reports not seen before; return the messages that they are about."""
    # In one order, so that two transactions with the same reports wait instead of deadlocking.
    ordered = sorted(((row.message, row.digest, row) for row in rows), key=lambda each: each[:2])
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO billing_factreport (phone_number_id, wamid_hash, digest, status, stamped_at, pricing_model,
                pricing_type, pricing_category, purpose, template_name, template_category, recorded_at)
            SELECT n, decode(w, 'hex'), decode(d, 'hex'), s, at, said ->> 0, said ->> 1, said ->> 2, said ->> 3,
                said ->> 4, said ->> 5, %s
            FROM json_to_recordset(%s::json) AS given (n text, w text, d text, s text, at timestamptz, said json)
            ON CONFLICT DO NOTHING
            RETURNING phone_number_id, wamid_hash
            """,
            [
                recorded_at,
                _told(
                    {
                        "n": row.contact.phone_number_id,
                        "w": row.wamid_hash.hex(),
                        "d": digest.hex(),
                        "s": row.status.value,
                        "at": row.stamped_at,
                        "said": row.said,
                    }
                    for _, digest, row in ordered
                ),
            ],
        )
        return {(number, bytes(message)) for number, message in cursor.fetchall()}


def _insert_facts(rows: Sequence[_Row], recorded_at: datetime) -> None:
    """Append a fact for each message that now has its first delivered or read report."""
    first: dict[tuple[str, bytes], _Row] = {}
    for row in sorted(rows, key=lambda row: (row.stamped_at, row.contact)):
        if row.status is not Status.SENT:
            first.setdefault(row.message, row)
    if not first:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO billing_fact
                (phone_number_id, wamid_hash, municipality_id, contact_hash, first_stamped_at, market, recorded_at)
            SELECT n, decode(w, 'hex'), m, decode(c, 'hex'), at, k, %s
            FROM json_to_recordset(%s::json) AS given (n text, w text, m uuid, c text, at timestamptz, k text)
            ON CONFLICT DO NOTHING
            """,
            [
                recorded_at,
                _told(
                    {
                        "n": row.contact.phone_number_id,
                        "w": row.wamid_hash.hex(),
                        "m": row.municipality_id,
                        "c": row.contact.contact_hash.hex(),
                        "at": row.stamped_at,
                        "k": row.market,
                    }
                    for row in (first[message] for message in sorted(first))
                ),
            ],
        )


def _told(rows: Iterator[Mapping[str, Any]]) -> str:
    """Return rows as one JSON text, which costs less to write than an array for each column."""
    return orjson.dumps(list(rows)).decode()


def _contacts_of(messages: Collection[tuple[str, bytes]]) -> list[tuple[ContactKey, datetime]]:
    """Return the contacts of those messages that have a fact, and when each reached its contact."""
    ordered = sorted(messages)
    if not ordered:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT phone_number_id, contact_hash, moment
            FROM unnest(%s::text[], %s::bytea[]) AS given (phone_number_id, wamid_hash),
            LATERAL (
                SELECT contact_hash FROM billing_fact fact
                WHERE fact.phone_number_id = given.phone_number_id AND fact.wamid_hash = given.wamid_hash
                OFFSET 0  -- by index: see billing/recomputing.py
            ) AS fact,
            LATERAL (
                SELECT min(stamped_at) AS moment FROM billing_factreport report
                WHERE report.phone_number_id = given.phone_number_id AND report.wamid_hash = given.wamid_hash
                    AND report.status <> 'SENT'
            ) AS reached
            """,
            [[number for number, _ in ordered], [message for _, message in ordered]],
        )
        return [(ContactKey(number, bytes(contact)), moment) for number, contact, moment in cursor.fetchall()]


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
