"""Recomputing: replaces a contact's open conversations by those that its facts make now.

Only rows that differ are touched, so recomputing without news writes nothing. Closed months are taken as given, and so
is what a contact's earlier facts made: a conversation depends on nothing that came after its opening. So a fact costs
the same for who wrote once and for who writes all day. The caller holds the locks of billing/contacts.py.

Stamps are read as microseconds: of all that is read, parsing moments takes the longest.
`LATERAL (… OFFSET 0)` makes PostgreSQL look each contact up by index: it would rather read a whole table of a few
hundred thousand rows to find 200 contacts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db import connection

from billing.contacts import ContactKey, Family
from billing.conversations import ConversationView, FactView, Pricing, ReportView, Status, derive, fact_of
from billing.models import Month
from billing.months import day_of, end_of

EPOCH = LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # before any message
CLOSING_LOCK = 0x62696C6C_636C6F73  # "billclos": shared by those who record, exclusive for who closes a month
HOLD_OPEN = "SELECT pg_advisory_xact_lock_shared(%s); SELECT max(month) FROM billing_month"


@dataclass(slots=True)
class FamilyFacts:
    """What one family's messages came to."""

    municipality_id: UUID
    facts: list[FactView] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Stored:
    id: int
    contact: ContactKey
    view: ConversationView


def open_from() -> datetime | None:
    """Return the moment at which the open months begin, None when none was closed; no month closes until we commit."""
    with connection.cursor() as cursor:
        # Two statements, so that the second sees what whoever held the lock before has closed; one round trip.
        cursor.execute(HOLD_OPEN, [CLOSING_LOCK])
        cursor.nextset()
        closed = cursor.fetchone()[0]
    return end_of(month=closed) if closed else None


def last_closed() -> date | None:
    """Return the last month that was closed."""
    return Month.objects.order_by("-month").values_list("month", flat=True).first()


def recompute(
    *, families: Sequence[Family], opens: datetime | None, since: Mapping[ContactKey, datetime] | None = None
) -> None:
    """Replace the families' conversations of open months by those that their facts make now.

    They stand under the canonical contact. opens: as given by `open_from` in this transaction.
    since: by canonical contact, the earliest moment at which a fact is other than at the last time; left out: all are.
    """
    begins = {family.canonical: _begin(family, opens, since or {}) for family in families}
    facts = facts_of(families=families, known_from=begins)
    stored = _stored(families, begins)
    doomed: list[int] = []
    wanted: list[tuple[ContactKey, UUID, ConversationView]] = []
    for family in families:
        own, begin = facts.get(family.canonical), begins[family.canonical]
        given = [row.view for row in stored.get(family.canonical, ()) if row.view.opened_at < begin]
        views = derive(facts=own.facts, frozen=given, open_from=begin) if own else []
        missing = set(views)
        for row in stored.get(family.canonical, ()):
            if row.view.opened_at < begin:
                continue
            if row.contact == family.canonical and row.view in missing:
                missing.remove(row.view)
            else:
                doomed.append(row.id)
        if own:
            wanted += [(family.canonical, own.municipality_id, view) for view in views if view in missing]
    _replace(doomed, wanted)


def _begin(family: Family, opens: datetime | None, since: Mapping[ContactKey, datetime]) -> datetime:
    """Return from when on a family's conversations are made again."""
    return max(opens or LONG_AGO, since.get(family.canonical, LONG_AGO))


def facts_of(
    *, families: Iterable[Family], known_from: Mapping[ContactKey, datetime] | None = None
) -> dict[ContactKey, FamilyFacts]:
    """Return the facts of each family that has any, by its canonical contact.

    known_from: by canonical contact; leaves out facts first reported with an earlier stamp, whose moment is therefore
    earlier too.
    """
    canonical = _canonical_of(families)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT phone_number_id, contact_hash, wamid_hash, municipality_id, status,
                (extract(epoch FROM stamped_at) * 1000000)::bigint, pricing_model, pricing_type, pricing_category,
                purpose, template_name, template_category
            FROM unnest(%s::text[], %s::bytea[], %s::timestamptz[]) AS given (phone_number_id, contact_hash, begin),
            LATERAL (
                SELECT wamid_hash, municipality_id FROM billing_fact fact
                WHERE fact.phone_number_id = given.phone_number_id AND fact.contact_hash = given.contact_hash
                    AND fact.first_stamped_at >= given.begin
                OFFSET 0
            ) AS fact,
            LATERAL (
                SELECT status, stamped_at, pricing_model, pricing_type, pricing_category, purpose, template_name,
                    template_category
                FROM billing_factreport report
                WHERE report.phone_number_id = given.phone_number_id AND report.wamid_hash = fact.wamid_hash
                OFFSET 0
            ) AS report
            """,
            _columns(canonical, known_from or {}),
        )
        rows = cursor.fetchall()
    by_message: dict[tuple[str, bytes, bytes], list[ReportView]] = {}
    gathered: dict[ContactKey, FamilyFacts] = {}
    for number, contact, message, municipality_id, status, microseconds, *said in rows:
        of_message = by_message.get(key := (number, bytes(contact), bytes(message)))
        if of_message is None:
            of_message = by_message[key] = []
            gathered.setdefault(canonical[ContactKey(*key[:2])], FamilyFacts(municipality_id))
        stamped_at = EPOCH + timedelta(microseconds=microseconds)
        of_message.append(ReportView(Status(status), stamped_at, Pricing(*said[:3]), *said[3:]))
    for (number, contact, message), reports in by_message.items():
        fact = fact_of(key=message.hex(), reports=reports)
        if fact is not None:
            gathered[canonical[ContactKey(number, contact)]].facts.append(fact)
    return gathered


def _stored(families: Iterable[Family], begins: Mapping[ContactKey, datetime]) -> Mapping[ContactKey, list[_Stored]]:
    """Read the families' conversations from the moments on at which they are made again, and those running then."""
    canonical = _canonical_of(families)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, phone_number_id, contact_hash, opened_at, category, ends_at, purpose, template
            FROM unnest(%s::text[], %s::bytea[], %s::timestamptz[]) AS given (phone_number_id, contact_hash, begin),
            LATERAL (
                SELECT id, opened_at, category, ends_at, purpose, template FROM billing_conversation kept
                WHERE kept.phone_number_id = given.phone_number_id AND kept.contact_hash = given.contact_hash
                    AND kept.ends_at > given.begin
                OFFSET 0
            ) AS kept
            """,
            _columns(canonical, begins),
        )
        rows = cursor.fetchall()
    stored: dict[ContactKey, list[_Stored]] = {}
    for row_id, number, contact, opened_at, category, ends_at, purpose, template in rows:
        key = ContactKey(number, bytes(contact))
        view = ConversationView(opened_at, category, ends_at, purpose, template)
        stored.setdefault(canonical[key], []).append(_Stored(row_id, key, view))
    return stored


def _replace(doomed: Sequence[int], wanted: Sequence[tuple[ContactKey, UUID, ConversationView]]) -> None:
    with connection.cursor() as cursor:
        if doomed:
            cursor.execute("DELETE FROM billing_conversation WHERE id = ANY(%s)", [list(doomed)])
        if not wanted:
            return
        cursor.execute(
            """
            INSERT INTO billing_conversation (phone_number_id, contact_hash, municipality_id, opened_at, category,
                ends_at, purpose, template, opened_date, month)
            SELECT given.* FROM unnest(%s::text[], %s::bytea[], %s::uuid[], %s::timestamptz[], %s::text[],
                %s::timestamptz[], %s::text[], %s::text[], %s::date[], %s::date[]) AS given
            """,
            [
                [contact.phone_number_id for contact, _, _ in wanted],
                [contact.contact_hash for contact, _, _ in wanted],
                [municipality_id for _, municipality_id, _ in wanted],
                [view.opened_at for _, _, view in wanted],
                [view.category for _, _, view in wanted],
                [view.ends_at for _, _, view in wanted],
                [view.purpose for _, _, view in wanted],
                [view.template for _, _, view in wanted],
                [day_of(moment=view.opened_at) for _, _, view in wanted],
                [view.month for _, _, view in wanted],
            ],
        )


def _canonical_of(families: Iterable[Family]) -> dict[ContactKey, ContactKey]:
    return {member: family.canonical for family in families for member in family.members}


def _columns(
    canonical: Mapping[ContactKey, ContactKey], begins: Mapping[ContactKey, datetime]
) -> tuple[list[str], list[bytes], list[datetime]]:
    """Return number, hash and beginning of each contact, as columns."""
    ordered = sorted(canonical)
    return (
        [key.phone_number_id for key in ordered],
        [key.contact_hash for key in ordered],
        [begins.get(canonical[key], LONG_AGO) for key in ordered],
    )
