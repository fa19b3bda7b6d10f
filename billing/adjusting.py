"""Adjusting: an amount that a person bills more or less in a month that is not closed, with what it is for and why."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from audit.record import Actor, record
from billing.closing import hold_off_runs
from billing.models import Adjustment, Invoice
from billing.recomputing import last_closed
from billing.recording import recorded_by


class RunClosed(Exception):
    """The month whose run would bill it is closed."""


class ReversedAlready(Exception):
    """What is to be taken back was taken back before."""


@transaction.atomic
def adjust(
    *,
    municipality_id: UUID,
    run: date,
    month: date,
    description: str,
    reason: str,
    net_cents: int,
    actor: Actor,
    at: datetime,
    corrects: Invoice | None = None,
) -> Adjustment:
    """Book an amount on the invoice of `run`, about an earlier month or the same; audited.

    Raises RunClosed; ValueError: no amount, no text, no reason, or not by a person.
    """
    if not (net_cents and description.strip() and reason.strip()) or actor.id == "system":
        raise ValueError("an adjustment has an amount, a text for the invoice, a reason, and is booked by a person")
    _hold_open(run)
    made = Adjustment.objects.create(
        municipality_id=municipality_id,
        run=run,
        month=month,
        corrects=corrects,
        description=description.strip()[:200],
        reason=reason.strip()[:500],
        net_cents=net_cents,
        **recorded_by(actor=actor, at=at),
    )
    details = {"run": f"{run:%Y-%m}", "net_cents": net_cents}
    record(action="invoice.adjust", actor=actor, at=at, subject=f"municipality {municipality_id}", details=details)
    return made


@transaction.atomic
def take_back(*, adjustment_id: int, run: date, reason: str, actor: Actor, at: datetime) -> Adjustment:
    """Book the opposite of an adjustment, naming it; once.  Raises RunClosed, ReversedAlready."""
    _hold_open(run)
    booked = Adjustment.objects.select_for_update(no_key=True).get(id=adjustment_id)
    if Adjustment.objects.filter(reverses=booked).exists():
        raise ReversedAlready("it was taken back before")
    made = Adjustment.objects.create(
        municipality_id=booked.municipality_id,
        run=run,
        month=booked.month,
        corrects=booked.corrects,
        reverses=booked,
        description=booked.description,
        reason=reason.strip()[:500],
        net_cents=-booked.net_cents,
        **recorded_by(actor=actor, at=at),
    )
    details = {"run": f"{run:%Y-%m}", "net_cents": made.net_cents, "takes_back": booked.id}
    subject = f"municipality {booked.municipality_id}"
    record(action="invoice.adjust", actor=actor, at=at, subject=subject, details=details)
    return made


def _hold_open(run: date) -> None:
    """Refuse a closed month, and let none close until we commit."""
    hold_off_runs()
    closed = last_closed()
    if closed is not None and run <= closed:
        raise RunClosed(f"{run:%Y-%m} is closed: book it for a later month")
