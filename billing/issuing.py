"""Issuing: a second person approves what a run prepared; finalising gives it number, parties and place in the chain.

Each invoice is its own transaction, so many may be approved or finalised side by side, broken off and taken up again.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from audit.record import Actor, record
from billing.balances import settle
from billing.canonical import NO_DOCUMENT, document_hash
from billing.collecting import steps
from billing.documents import mailing
from billing.models import Invoice
from billing.months import day_of
from billing.parties import buyer_on, find_profile, missing, seller
from tenants.models import Municipality

SERIES = {Invoice.Kind.USAGE: "F", Invoice.Kind.CREDIT_NOTE: "C"}
SYSTEM = "system"


class WrongState(Exception):
    """The invoice is not in the state that this step begins in."""


class SamePerson(Exception):
    """Who prepared an invoice may not approve it; nor may the system."""


class ProfileIncomplete(Exception):
    """Something is not known of the buyer without which it cannot be invoiced; `missing`: fields, one of each."""

    def __init__(self, lacking: list[tuple[str, ...]]) -> None:
        """Say what is missing."""
        super().__init__(f"the billing profile lacks {', '.join(' or '.join(names) for names in lacking)}")
        self.missing = lacking


@transaction.atomic
def approve(*, invoice_id: UUID, actor: Actor, at: datetime) -> Invoice:
    """Approve an invoice under review; one that this person approved already stays so. Audited.

    Raises Invoice.DoesNotExist, WrongState, SamePerson, ProfileIncomplete.
    """
    invoice = Invoice.objects.select_for_update(no_key=True).get(id=invoice_id)
    if invoice.status == Invoice.Status.APPROVED:
        return invoice
    if invoice.status != Invoice.Status.REVIEW:
        raise WrongState(f"it is {invoice.status}: only what is in review can be approved")
    if actor.id == SYSTEM or (actor.schema, actor.id) == (invoice.prepared_by_schema, invoice.prepared_by_id):
        raise SamePerson("another person must approve it than who prepared it")
    profile = find_profile(municipality_id=invoice.municipality_id, day=day_of(moment=at))
    if lacking := missing(profile):
        raise ProfileIncomplete(lacking)
    invoice.status = Invoice.Status.APPROVED
    invoice.approved_by_schema, invoice.approved_by_id, invoice.approved_by_name = actor.schema, actor.id, actor.name
    invoice.approved_at = at
    invoice.save()
    record(action="invoice.approve", actor=actor, at=at, subject=f"invoice {invoice_id}")
    return invoice


@transaction.atomic
def send_back(*, invoice_id: UUID, actor: Actor, at: datetime) -> Invoice:
    """Take an approval back; the invoice is in review again. Audited.  Raises Invoice.DoesNotExist, WrongState."""
    invoice = Invoice.objects.select_for_update(no_key=True).get(id=invoice_id)
    if invoice.status != Invoice.Status.APPROVED:
        raise WrongState(f"it is {invoice.status}: only an approval can be taken back")
    invoice.status = Invoice.Status.REVIEW
    invoice.approved_by_schema = invoice.approved_by_id = invoice.approved_by_name = ""
    invoice.approved_at = None
    invoice.save()
    record(action="invoice.send_back", actor=actor, at=at, subject=f"invoice {invoice_id}")
    return invoice


@transaction.atomic
def finalise(*, invoice_id: UUID, actor: Actor, at: datetime) -> Invoice:
    """Give an approved invoice or credit note its number and freeze it; one that is final already is returned. Audited.

    The number comes from a counter that stays locked until the transaction ends, so numbers have no gap and no double.
    Raises Invoice.DoesNotExist, WrongState, SellerIncomplete, ProfileIncomplete: nothing is changed then.
    """
    invoice = Invoice.objects.select_for_update(no_key=True).get(id=invoice_id)
    if invoice.status not in (Invoice.Status.DRAFT, Invoice.Status.REVIEW, Invoice.Status.APPROVED):
        return invoice
    if invoice.status != Invoice.Status.APPROVED:
        raise WrongState(f"it is {invoice.status}: only what is approved can be finalised")
    _address(invoice, at)
    invoice.series, invoice.year = SERIES[Invoice.Kind(invoice.kind)], day_of(moment=at).year
    invoice.sequence = _next_number(invoice.series, invoice.year)
    invoice.number = f"{invoice.series}{invoice.year}-{invoice.sequence:05d}"
    invoice.previous_hash = _hash_before(invoice)
    invoice.finalised_at = at
    invoice.status = Invoice.Status.FINALISED
    invoice.document_hash = document_hash(invoice=invoice, lines=invoice.lines.all())
    invoice.save()
    if invoice.credits_id is None:
        settle(invoice=invoice)  # one of nothing is paid at once
    else:
        settle(invoice=Invoice.objects.select_for_update(no_key=True).get(id=invoice.credits_id))
    steps.queue(invoice=invoice)
    with suppress(mailing.NoAddress):  # then it is downloaded, or a person mails it
        mailing.queue(invoice=invoice, actor=actor, at=at)
    details = {"number": invoice.number, "total_cents": invoice.total_cents, "document_hash": invoice.document_hash}
    record(action="invoice.finalise", actor=actor, at=at, subject=f"invoice {invoice_id}", details=details)
    return invoice


def _address(invoice: Invoice, at: datetime) -> None:
    """Copy who sells and who buys, and the days. A credit note names the same parties as its invoice."""
    issue_date = day_of(moment=at)
    invoice.issue_date = issue_date
    credited = invoice.credits
    if credited is not None:
        invoice.seller, invoice.buyer = credited.seller, credited.buyer
        return
    profile = find_profile(municipality_id=invoice.municipality_id, day=issue_date)
    if profile is None or missing(profile):
        raise ProfileIncomplete(missing(profile))
    name = Municipality.objects.filter(id=invoice.municipality_id).values_list("name", flat=True).first() or ""
    invoice.seller = seller()
    invoice.buyer = buyer_on(municipality_id=invoice.municipality_id, name=name, at=at)
    invoice.due_date = issue_date + timedelta(days=profile.payment_days)


def _next_number(series: str, year: int) -> int:
    """Count up, and hold the counter until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_invoicecounter AS counter (series, year, last) VALUES (%s, %s, 1)"
            " ON CONFLICT (series, year) DO UPDATE SET last = counter.last + 1 RETURNING last",
            [series, year],
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _hash_before(invoice: Invoice) -> str:
    """Return the hash of the document before this one; the counter is locked, so it is committed."""
    before = Invoice.objects.filter(series=invoice.series, year=invoice.year, sequence=(invoice.sequence or 0) - 1)
    return before.values_list("document_hash", flat=True).first() or NO_DOCUMENT
