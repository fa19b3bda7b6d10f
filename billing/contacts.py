"""Who is one contact: links between hashes, followed to the canonical contact, under locks that keep them still.

A lock is on (number, contact) and lasts until the transaction ends. It is taken on a contact and on the canonical
contact of its family; linking takes it on both families. So whoever holds it sees links that cannot change.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from django.db import connection

MAX_LOCK_ROUNDS = 20  # each further round needs somebody to have linked the same family in between
# The array's order is the locks' order.
LOCK = "SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number"
FAMILIES = """
    WITH RECURSIVE family (seed, phone_number_id, member) AS (
        SELECT seed, phone_number_id, member
        FROM unnest(%s::text[], %s::bytea[]) WITH ORDINALITY AS given (phone_number_id, member, seed)
        UNION
        SELECT seed, family.phone_number_id,
            CASE WHEN from_contact_hash = member THEN to_contact_hash ELSE from_contact_hash END
        FROM family JOIN billing_contactlink link
            ON link.phone_number_id = family.phone_number_id
            AND (from_contact_hash = member OR to_contact_hash = member)
    )
    SELECT seed, member, NOT EXISTS (
        SELECT FROM billing_contactlink link
        WHERE link.phone_number_id = family.phone_number_id AND from_contact_hash = member
    )
    FROM family
"""


class UnsettledLinks(Exception):
    """A contact's links kept changing while they were being locked."""


@dataclass(frozen=True, slots=True, order=True)
class ContactKey:
    """One contact on one number, by hash."""

    phone_number_id: str
    contact_hash: bytes


@dataclass(frozen=True, slots=True)
class Family:
    """All contacts that are one, by their canonical contact."""

    canonical: ContactKey
    members: frozenset[ContactKey]


def lock_families(*, contacts: Iterable[ContactKey]) -> dict[ContactKey, Family]:
    """Return the family of each contact, locked until the transaction ends.

    Locks are taken in one order, so two callers do not deadlock; only where a link was made in between is one taken
    out of order, and then PostgreSQL breaks the tie by failing one.
    Raises UnsettledLinks: links kept changing.
    """
    seeds = set(contacts)
    if not seeds:
        return {}
    families, held = _families(seeds), set[ContactKey]()
    for _ in range(MAX_LOCK_ROUNDS):
        wanted = seeds | {family.canonical for family in families.values()}
        if wanted <= held:
            return families
        families, held = _families(seeds, lock=wanted - held), held | wanted
    raise UnsettledLinks("the links between contacts kept changing; try again")


def find_families(*, contacts: Iterable[ContactKey]) -> dict[ContactKey, Family]:
    """Return the family of each contact as it is now, unlocked."""
    return _families(set(contacts))


def _families(seeds: Collection[ContactKey], lock: Collection[ContactKey] = ()) -> dict[ContactKey, Family]:
    """Read each seed's family: whoever is reached by links in either direction; lock contacts before, if any."""
    ordered = sorted(seeds)
    columns: list[Any] = [[key.phone_number_id for key in ordered], [key.contact_hash for key in ordered]]
    with connection.cursor() as cursor:
        if lock:
            # Two statements, so that the second sees what whoever held a lock before has linked; one round trip.
            cursor.execute(f"{LOCK};{FAMILIES}", [[_lock_number(key) for key in sorted(lock)], *columns])
            cursor.nextset()
        else:
            cursor.execute(FAMILIES, columns)
        rows = cursor.fetchall()
    members: dict[ContactKey, set[ContactKey]] = {}
    canonical: dict[ContactKey, ContactKey] = {}
    for position, contact_hash, is_last in rows:
        seed = ordered[position - 1]
        member = ContactKey(seed.phone_number_id, bytes(contact_hash))
        members.setdefault(seed, set()).add(member)
        if is_last:
            canonical[seed] = member
    return {seed: Family(canonical[seed], frozenset(members[seed])) for seed in ordered}


def _lock_number(contact: ContactKey) -> int:
    """Return the 64-bit number of a contact's lock. Two contacts that share one only wait for each other."""
    digest = blake2b(contact.contact_hash, digest_size=8, key=contact.phone_number_id.encode(), person=b"billing")
    return int.from_bytes(digest.digest(), "big", signed=True)
