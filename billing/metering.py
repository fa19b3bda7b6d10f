"""Metering: what Meta reports of messages becomes facts, and facts become conversations.

Called by `messaging` inside its own transaction. Reports may come late, twice and in any order; the same reports give
the same conversations. From here on a citizen is a keyed hash.
"""

import hmac
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from django.db import connection, transaction

from billing.contacts import ContactKey, Family, lock_families
from billing.conversations import Status
from billing.recomputing import open_from, recompute

BATCH = 200
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


@transaction.atomic
def record_reports(*, reports: Sequence[StatusReport], recorded_at: datetime) -> None:
    """Record what was reported and bring the conversations of the contacts concerned up to date.

    Safe to repeat, in any order and any batches. Holds a lock on each (number, contact) until the caller's transaction
    ends, and holds off the closing of a month.  Raises ValueError: a stamp has no time zone.
    """
    rows = [_row(report) for report in reports if report.status in COUNTED]
    if not rows:
        return
    opens = open_from()
    families = lock_families(contacts={row.contact for row in rows})
    changed: dict[ContactKey, bool] = {}
    for batch in _batches(rows):
        fresh = _insert_reports(batch, recorded_at)
        _insert_facts([row for row in batch if row.message in fresh], recorded_at)
        for contact, is_late in _contacts_of(fresh, opens):
            changed[contact] = changed.get(contact, False) or is_late
    # A fact may be known under a contact whose link to this report's contact is still to come.
    families |= lock_families(contacts=changed.keys() - families.keys())
    _settle(changed, families, opens, recorded_at)


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
    # Closed months may hold conversations of both that are now one.
    _settle({target: opens is not None}, {target: joined}, opens, recorded_at)


def contact_hash(*, pseudonym_key: bytes, contact_id: UUID) -> bytes:
    """Return the keyed hash by which the ledger knows a contact."""
    return hmac.digest(pseudonym_key, b"contact:" + contact_id.bytes, "sha256")


def wamid_hash(*, pseudonym_key: bytes, wamid: str) -> bytes:
    """Return the keyed hash by which the ledger knows a message."""
    return hmac.digest(pseudonym_key, b"wamid:" + wamid.encode(), "sha256")


def _settle(
    changed: dict[ContactKey, bool], families: dict[ContactKey, Family], opens: datetime | None, recorded_at: datetime
) -> None:
    """Recompute the families in which something changed, and note those whose closed months it concerns."""
    late = sorted({families[contact].canonical for contact, is_late in changed.items() if is_late})
    if late:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO billing_latecontact (phone_number_id, contact_hash, recorded_at)"
                " SELECT phone_number_id, contact_hash, %s"
                " FROM unnest(%s::text[], %s::bytea[]) AS late (phone_number_id, contact_hash)"
                " ON CONFLICT DO NOTHING",
                [recorded_at, [key.phone_number_id for key in late], [key.contact_hash for key in late]],
            )
    unique = {families[contact].canonical: families[contact] for contact in changed}
    for batch in _batches(list(unique.values())):
        recompute(families=batch, opens=opens)


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
    ordered = sorted(rows, key=lambda row: (row.message, row.digest))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO billing_factreport (phone_number_id, wamid_hash, digest, status, stamped_at, pricing_model,
                pricing_type, pricing_category, purpose, template_name, template_category, recorded_at)
            SELECT given.*, %s FROM unnest(%s::text[], %s::bytea[], %s::bytea[], %s::text[], %s::timestamptz[],
                %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[]) AS given
            ON CONFLICT DO NOTHING
            RETURNING phone_number_id, wamid_hash
            """,
            [
                recorded_at,
                [row.contact.phone_number_id for row in ordered],
                [row.wamid_hash for row in ordered],
                [row.digest for row in ordered],
                [row.status.value for row in ordered],
                [row.stamped_at for row in ordered],
                *([row.said[place] for row in ordered] for place in range(6)),
            ],
        )
        return {(number, bytes(message)) for number, message in cursor.fetchall()}


def _insert_facts(rows: Sequence[_Row], recorded_at: datetime) -> None:
    """Append a fact for each message that now has its first delivered or read report."""
    first: dict[tuple[str, bytes], _Row] = {}
    for row in sorted(rows, key=lambda row: (row.stamped_at, row.contact)):
        if row.status is not Status.SENT:
            first.setdefault(row.message, row)
    ordered = [first[message] for message in sorted(first)]
    if not ordered:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO billing_fact
                (phone_number_id, wamid_hash, municipality_id, contact_hash, first_stamped_at, market, recorded_at)
            SELECT given.*, %s FROM unnest(%s::text[], %s::bytea[], %s::uuid[], %s::bytea[], %s::timestamptz[],
                %s::text[]) AS given
            ON CONFLICT DO NOTHING
            """,
            [
                recorded_at,
                [row.contact.phone_number_id for row in ordered],
                [row.wamid_hash for row in ordered],
                [row.municipality_id for row in ordered],
                [row.contact.contact_hash for row in ordered],
                [row.stamped_at for row in ordered],
                [row.market for row in ordered],
            ],
        )


def _contacts_of(messages: Collection[tuple[str, bytes]], opens: datetime | None) -> list[tuple[ContactKey, bool]]:
    """Return the contacts of those messages that have a fact, and whether its month was closed."""
    ordered = sorted(messages)
    if not ordered:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT phone_number_id, contact_hash, COALESCE(moment < %s::timestamptz, FALSE)
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
            [opens, [number for number, _ in ordered], [message for _, message in ordered]],
        )
        return [(ContactKey(number, bytes(contact)), is_late) for number, contact, is_late in cursor.fetchall()]


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
