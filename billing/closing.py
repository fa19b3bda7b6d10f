"""Closing a month: its conversations stand from then on, and what comes later becomes corrections of later runs.

Months close in order. A correction compares the month as if nothing had ever been closed with what was billed and
corrected so far, for those contacts only of whom something came after a closing.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from billing.contacts import ContactKey, Family, find_families
from billing.conversations import derive
from billing.models import ContactLink, Conversation, Correction, FactReport, LateContact, Month
from billing.months import day_of, end_of
from billing.recomputing import CLOSING_LOCK, facts_of, last_closed

FAMILIES_AT_ONCE = 500
RUN_LOCK = 0x62696C6C_5F72756E  # "bill_run": one invoice run or change of prices at a time


class MonthNotOver(Exception):
    """The month still runs, or is yet to come."""


class EarlierMonthOpen(Exception):
    """A month before it holds conversations and was not closed."""


@dataclass(frozen=True, slots=True, order=True)
class Corrected:
    """What a correction is about."""

    municipality_id: UUID
    phone_number_id: str
    category: str
    month: date


Quantities = Counter[tuple[Corrected, str]]  # by what is corrected and the rate card's key
CardOf = Callable[[UUID, date], str]  # the key of the card that prices a municipality's day


@transaction.atomic
def close_month(*, month: date, at: datetime, card_of: CardOf, by: str = "run_invoices") -> bool:
    """Close a month: store its run's corrections of earlier months, and let its conversations stand.

    card_of: the key of the rate card that prices a municipality's day. by: who closes it.
    Waits for those who record, and holds them off until the caller's transaction ends, which therefore ends at once:
    every inbox stands still meanwhile.
    Returns False, and changes nothing, when it was closed already.
    Raises MonthNotOver, EarlierMonthOpen.
    """
    if at < end_of(month=month):
        raise MonthNotOver(f"{month:%Y-%m} is not over yet")
    hold_off_recording()
    closed = last_closed()
    if closed and closed >= month:
        return False
    earlier = Conversation.objects.filter(month__lt=month)
    if closed:
        earlier = earlier.filter(month__gt=closed)
    still_open = earlier.order_by("month").values_list("month", flat=True).first()
    if still_open:
        raise EarlierMonthOpen(f"{still_open:%Y-%m} must be reviewed before {month:%Y-%m}")
    Correction.objects.bulk_create(
        Correction(
            run=month,
            month=about.month,
            phone_number_id=about.phone_number_id,
            category=about.category,
            municipality_id=about.municipality_id,
            quantity=sum(by_card.values()),
            by_card=dict(sorted(by_card.items())),
            recorded_at=at,
            recorded_by_name=by,
        )
        for about, by_card in pending_corrections(run=month, card_of=card_of).items()
    )
    # Nobody records meanwhile, so these are all that was known.
    last_report_id = FactReport.objects.aggregate(last=Max("id"))["last"]
    last_link_id = ContactLink.objects.aggregate(last=Max("id"))["last"]
    Month.objects.create(month=month, closed_at=at, last_report_id=last_report_id or 0, last_link_id=last_link_id or 0)
    return True


def hold_off_recording() -> None:
    """Wait until nobody records, and let nobody begin until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLOSING_LOCK])


def hold_off_runs() -> None:
    """Wait until no invoice run and no loading of prices is under way, and let none begin until we commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RUN_LOCK])


def pending_corrections(*, run: date, card_of: CardOf) -> dict[Corrected, dict[str, int]]:
    """Return what a run that has not been reviewed corrects now, by rate card; nothing that comes to zero."""
    closed = last_closed()
    if closed is None:
        return {}
    late = [
        ContactKey(number, bytes(contact))
        for number, contact in LateContact.objects.order_by("id").values_list("phone_number_id", "contact_hash")
    ]
    families = {family.canonical: family for family in find_families(contacts=late).values()}
    ordered = [families[key] for key in sorted(families)]
    quantities: Quantities = Counter()
    for start in range(0, len(ordered), FAMILIES_AT_ONCE):
        batch = ordered[start : start + FAMILIES_AT_ONCE]
        quantities.update(_as_if_open(batch, card_of))
        quantities.subtract(_billed(batch, card_of))
    for correction in Correction.objects.filter(run__lt=run):
        about = Corrected(correction.municipality_id, correction.phone_number_id, correction.category, correction.month)
        for card, quantity in correction.by_card.items():
            quantities[about, card] -= quantity
    pending: dict[Corrected, dict[str, int]] = {}
    for (about, card), quantity in sorted(quantities.items()):
        if quantity and about.month <= closed and about.month < run:
            pending.setdefault(about, {})[card] = quantity
    return pending


def _as_if_open(families: Iterable[Family], card_of: CardOf) -> Quantities:
    """Count all that the families' facts make, as if no month had ever been closed."""
    quantities: Quantities = Counter()
    for canonical, own in facts_of(families=families).items():
        for view in derive(facts=own.facts):
            about = Corrected(own.municipality_id, canonical.phone_number_id, view.category, view.month)
            quantities[about, card_of(own.municipality_id, day_of(moment=view.opened_at))] += 1
    return quantities


def _billed(families: Iterable[Family], card_of: CardOf) -> Quantities:
    """Count all conversations that stand with the families."""
    members = sorted({member for family in families for member in family.members})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT municipality_id, phone_number_id, category, month, opened_date, count(*)
            FROM unnest(%s::text[], %s::bytea[]) AS given (phone_number_id, contact_hash),
            LATERAL (
                SELECT municipality_id, category, month, opened_date FROM billing_conversation kept
                WHERE kept.phone_number_id = given.phone_number_id AND kept.contact_hash = given.contact_hash
                OFFSET 0  -- by index: see billing/recomputing.py
            ) AS kept
            GROUP BY 1, 2, 3, 4, 5
            """,
            [[key.phone_number_id for key in members], [key.contact_hash for key in members]],
        )
        rows = cursor.fetchall()
    quantities: Quantities = Counter()
    for municipality_id, number, category, month, opened_date, count in rows:
        quantities[Corrected(municipality_id, number, category, month), card_of(municipality_id, opened_date)] += count
    return quantities
