"""Crediting: the only correction of a finalised invoice is a credit note, of all of it or of some of its lines.

A note repeats the lines it takes off, with positive amounts. It is prepared by one person and approved by another, as
an invoice is, and gets its number in the series C when it is finalised.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from django.db import transaction

from audit.record import Actor, record
from billing.issuing import WrongState
from billing.models import Invoice, InvoiceLine
from billing.models.invoices import FINAL_STATES
from billing.rating import in_cents


class NothingToCredit(Exception):
    """No line was chosen that is not credited already."""


@transaction.atomic
def credit(*, invoice_id: UUID, positions: Collection[int] | None, reason: str, actor: Actor, at: datetime) -> Invoice:
    """Prepare a credit note of an invoice's lines, of all that are left when None; it is in review then. Audited.

    A line is credited once, whatever happens at the same time.
    Raises Invoice.DoesNotExist, WrongState, NothingToCredit; ValueError: there is no reason.
    """
    if not reason.strip():
        raise ValueError("a credit note has a reason")
    invoice = Invoice.objects.select_for_update(no_key=True).get(id=invoice_id, kind=Invoice.Kind.USAGE)
    if invoice.status not in FINAL_STATES:
        raise WrongState(f"it is {invoice.status}: only a finalised invoice is credited")
    left = list(invoice.lines.filter(credited_by=None).order_by("position"))
    chosen = [line for line in left if positions is None or line.position in positions]
    if not chosen or (positions is not None and len(chosen) != len(set(positions))):
        raise NothingToCredit("choose lines that are not credited yet")
    vat = _vat(invoice, chosen, takes_all=len(chosen) == len(left))
    note = _note(invoice, chosen, vat, reason.strip(), at)
    note.save()
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=note,
            position=place,
            credits=line,
            **{name: getattr(line, name) for name in COPIED},
        )
        for place, line in enumerate(chosen, start=1)
    )
    note.status = Invoice.Status.REVIEW
    note.prepared_by_schema, note.prepared_by_id, note.prepared_by_name = actor.schema, actor.id, actor.name
    note.save()
    details = {"lines": len(chosen), "total_cents": note.total_cents, "note": str(note.id)}
    record(action="invoice.credit", actor=actor, at=at, subject=f"invoice {invoice_id}", details=details)
    return note


COPIED = (
    *("kind", "month", "card_id", "category", "description", "quantity", "unit_price", "net_cents", "vat_rate"),
    "skips",
)


def _vat(invoice: Invoice, chosen: Collection[InvoiceLine], *, takes_all: bool) -> list[dict[str, object]]:
    """Return the VAT of the chosen lines by rate; the note that takes the last of them takes the last cent too."""
    net: Counter[Decimal] = Counter()
    for line in chosen:
        net[line.vat_rate if line.vat_rate is not None else invoice.vat_rate] += line.net_cents
    vat = {rate: in_cents(euros=Decimal(cents) / 100 * rate) for rate, cents in net.items()}
    if takes_all:
        charged = {Decimal(str(each["rate"])): int(each["vat_cents"]) for each in invoice.vat}
        credited: Counter[Decimal] = Counter()
        for note in invoice.credit_notes.all():
            for each in note.vat:
                credited[Decimal(str(each["rate"]))] += int(each["vat_cents"])
        vat = {rate: charged.get(rate, 0) - credited[rate] for rate in net}
    return [{"rate": f"{rate:.4f}", "net_cents": net[rate], "vat_cents": vat[rate]} for rate in sorted(net)]


def _note(
    invoice: Invoice, chosen: Collection[InvoiceLine], vat: list[dict[str, object]], reason: str, at: datetime
) -> Invoice:
    net_cents = sum(line.net_cents for line in chosen)
    vat_cents = sum(int(str(each["vat_cents"])) for each in vat)
    said = [invoice.document_hash, sorted(line.position for line in chosen), vat]
    return Invoice(
        municipality_id=invoice.municipality_id,
        period=invoice.period,
        kind=Invoice.Kind.CREDIT_NOTE,
        credits=invoice,
        reason=reason[:200],
        currency=invoice.currency,
        vat_rate=invoice.vat_rate,
        net_cents=net_cents,
        vat_cents=vat_cents,
        total_cents=net_cents + vat_cents,
        vat=vat,
        lines_hash=sha256(repr(said).encode()).hexdigest(),
        drafted_at=at,
    )
