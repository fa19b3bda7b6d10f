"""What an issued document says, read from the frozen rows once, for both its forms: so that these cannot differ.

Pure but for `read`. A line that takes off has a negative quantity and a price that is never negative: an e-invoice may
have no other.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing.models import Invoice, InvoiceLine
from billing.models.invoices import FINAL_STATES
from billing.months import next_month

_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 has no way to write


class NotIssued(Exception):
    """It is no invoice, or one without a number yet: there is no document of it."""


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One line, as printed."""

    position: int
    description: str
    quantity: int
    unit_price: Decimal
    net_cents: int
    vat_rate: Decimal


@dataclass(frozen=True, slots=True)
class PaperVat:
    """What is charged at one rate of VAT."""

    rate: Decimal
    net_cents: int
    vat_cents: int


@dataclass(frozen=True, slots=True)
class Paper:
    """All that a document says. credited: number and date of the invoice that a credit note takes off."""

    number: str
    is_credit: bool
    issue_date: date
    due_date: date | None
    first_day: date
    last_day: date
    seller: dict[str, Any]
    buyer: dict[str, Any]
    credited: tuple[str, date] | None
    reason: str
    lines: tuple[PaperLine, ...]
    vat: tuple[PaperVat, ...]
    net_cents: int
    vat_cents: int
    total_cents: int
    mark: str


def read(*, invoice_id: UUID) -> Paper:
    """Return what an issued invoice or credit note says.  Raises NotIssued."""
    found = Invoice.objects.select_related("credits").filter(id=invoice_id, status__in=FINAL_STATES).first()
    if found is None:
        raise NotIssued("it has no number yet")
    return paper_of(invoice=found, lines=found.lines.order_by("position"))


def paper_of(*, invoice: Invoice, lines: Iterable[InvoiceLine]) -> Paper:
    """Return what an issued invoice with these lines says; characters that no document can hold are left out."""
    assert invoice.number is not None
    assert invoice.issue_date is not None
    credited = invoice.credits
    return Paper(
        number=invoice.number,
        is_credit=invoice.kind == Invoice.Kind.CREDIT_NOTE,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        first_day=invoice.period,
        last_day=next_month(month=invoice.period) - timedelta(days=1),
        seller=_party(invoice.seller),
        buyer=_party(invoice.buyer),
        credited=(credited.number, credited.issue_date)
        if credited and credited.number and credited.issue_date
        else None,
        reason=_fit(invoice.reason),
        lines=tuple(_line(invoice, line) for line in lines),
        vat=tuple(
            PaperVat(Decimal(str(each["rate"])), int(each["net_cents"]), int(each["vat_cents"])) for each in invoice.vat
        ),
        net_cents=invoice.net_cents,
        vat_cents=invoice.vat_cents,
        total_cents=invoice.total_cents,
        mark=invoice.document_hash[:12],
    )


def _line(invoice: Invoice, line: InvoiceLine) -> PaperLine:
    sign = -1 if line.unit_price < 0 else 1
    return PaperLine(
        position=line.position,
        description=_fit(line.description),
        quantity=sign * line.quantity,
        unit_price=sign * line.unit_price,
        net_cents=line.net_cents,
        vat_rate=line.vat_rate if line.vat_rate is not None else invoice.vat_rate,
    )


def _party(copied: dict[str, Any] | None) -> dict[str, Any]:
    return {name: _fit(value) if isinstance(value, str) else value for name, value in (copied or {}).items()}


def _fit(text: str) -> str:
    return _UNFIT.sub("", text)
