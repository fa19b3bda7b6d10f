"""What Stripe tells: verified, stored once by its id, then asked for again. So neither order nor repetition matters.

An event says only that something is worth asking for. What Stripe answers then is mirrored, unless a later question was
answered already; payments become payments of ours, and what nobody here did raises an alarm. Our document stands.
"""

import json
from datetime import datetime, timedelta
from typing import Any

import stripe
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from audit.record import Actor
from billing.balances import balance_of
from billing.collecting import gateway
from billing.collecting.gateway import Failed, Later, Mirror, Refused, Unknown
from billing.collecting.steps import Differs, Step, compare
from billing.documents.content import read
from billing.models import Collection, Invoice, Payment, StripeEvent
from billing.months import day_of
from billing.paying import MoreThanCameIn, book_payment

LEASE = timedelta(minutes=5)
AT_ONCE = 100
REFERENCE = "Stripe"
# What is told of an invoice; all others are stored and ignored.
OF_INVOICES = "invoice."
TROUBLES = {
    "void": "VOIDED",
    "uncollectible": "UNCOLLECTIBLE",
}
TOLD_TROUBLES = {
    "invoice.payment_failed": "PAYMENT_FAILED",
    "invoice.finalization_failed": "FINALIZATION_FAILED",
}

log = structlog.get_logger(__name__)


class BadSignature(Exception):
    """It is not from Stripe, or is older than five minutes."""


class NoEvent(Exception):
    """It is signed, and is no event."""


def receive(*, body: bytes, signature: str, at: datetime) -> bool:
    """Store an event; False when it is there already.  Raises BadSignature, NoEvent: nothing is stored then."""
    try:
        stripe.WebhookSignature.verify_header(
            body.decode(), signature, settings.STRIPE_WEBHOOK_SECRET, stripe.Webhook.DEFAULT_TOLERANCE
        )
    except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
        raise BadSignature from error
    event_id, kind, object_id = _parts(body)
    said = {"kind": kind, "object_id": object_id, "received_at": at, "due_at": timezone.now()}
    _, is_new = StripeEvent.objects.get_or_create(event_id=event_id, defaults=said)
    return is_new


def _parts(body: bytes) -> tuple[str, str, str]:
    try:
        given: Any = json.loads(body)
        said = given["data"]["object"]
        object_id = said["invoice"] if said.get("object") == "credit_note" else said.get("id")
        parts = (given["id"], given["type"], object_id or "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoEvent from error
    if not all(
        isinstance(part, str) and len(part) <= limit for part, limit in zip(parts, (255, 100, 255), strict=True)
    ):
        raise NoEvent
    return parts


def apply_due(*, at: datetime) -> int:
    """Ask Stripe about what it told of; return how many events were applied or ignored. Safe to repeat."""
    applied = 0
    for _ in range(AT_ONCE if settings.STRIPE_API_KEY else 0):
        event = _claim()
        if event is None:
            break
        try:
            outcome = _apply(event, at)
        except (Later, Unknown, Failed, Refused) as error:
            log.warning("stripe_event_waits", event_id=event.event_id, error=type(error).__name__)
            wait = timedelta(seconds=15) * 2 ** min(event.attempts, 8)
            StripeEvent.objects.filter(pk=event.pk).update(due_at=timezone.now() + wait)
            continue
        StripeEvent.objects.filter(pk=event.pk).update(applied_at=at, outcome=outcome)
        applied += 1
    return applied


@transaction.atomic
def _claim() -> StripeEvent | None:
    now = timezone.now()
    waiting = StripeEvent.objects.select_for_update(skip_locked=True).filter(applied_at=None, due_at__lte=now)
    event = waiting.order_by("received_at", "event_id").first()
    if event is not None:
        event.attempts, event.due_at = event.attempts + 1, now + LEASE
        event.save(update_fields=["attempts", "due_at"])
    return event


def _apply(event: StripeEvent, at: datetime) -> str:
    is_known = event.kind.startswith((OF_INVOICES, "credit_note."))
    row = Collection.objects.filter(stripe_id=event.object_id).first() if is_known else None
    if row is None:
        # Told before we stored its id, of another's invoice, or of something we do not follow. The step that stores the
        # id reads it again by itself.
        return "IGNORED"
    if event.kind == "invoice.overdue":
        Collection.objects.filter(pk=row.pk, stripe_status__in=["", "open"]).update(is_overdue=True)
    take_over(invoice_id=row.pk, stripe_id=event.object_id, told=event.kind, at=at)
    return "APPLIED"


def take_over(*, invoice_id: Any, stripe_id: str, told: str, at: datetime) -> None:
    """Ask Stripe for an invoice and mirror it: status, payments, what is wrong.  Raises as the gateway."""
    asked_at = timezone.now()
    mirror = gateway.read_invoice(stripe_id=stripe_id)
    with transaction.atomic():
        row = Collection.objects.select_for_update().get(invoice_id=invoice_id)
        if row.seen_at is not None and row.seen_at > asked_at:
            return  # a later question was answered already
        row.seen_at, row.stripe_status, row.stripe_paid_cents = asked_at, mirror.status, mirror.paid_cents
        if mirror.status != "open":
            row.is_overdue = False
        trouble = _trouble(row, mirror, told)
        if trouble and trouble != row.trouble:
            log.error("collection_trouble", invoice_id=str(row.invoice_id), trouble=trouble)
        if trouble or row.step == Step.DONE:
            row.trouble = trouble
        row.save(update_fields=["seen_at", "stripe_status", "stripe_paid_cents", "is_overdue", "trouble"])
        _book(row, mirror, at)


def _trouble(row: Collection, mirror: Mirror, told: str) -> str:
    if row.step in (Step.OPEN, Step.DONE):
        try:
            compare(mirror=mirror, paper=read(invoice_id=row.invoice_id))
        except Differs as differs:
            return f"DIFFERS {differs.field}"
        if not _is_credited_as_here(row, mirror):
            return "DIFFERS credit_notes"
    if mirror.status == "paid":
        return ""
    return TROUBLES.get(mirror.status) or TOLD_TROUBLES.get(told, "")


def _is_credited_as_here(row: Collection, mirror: Mirror) -> bool:
    """Return whether Stripe took off what we did: what is there of ours, perhaps what is on its way, and no more."""
    notes = Collection.objects.filter(invoice__credits=row.pk).values_list("step", "invoice__total_cents")
    there = sum(cents for step, cents in notes if step == Step.DONE)
    return there <= mirror.credited_cents <= sum(cents for _, cents in notes)


def _book(row: Collection, mirror: Mirror, at: datetime) -> None:
    """Book what came in at Stripe and is not booked yet. The row is locked, so it is booked once."""
    mine = Q(reference__startswith=f"{REFERENCE} {mirror.id}")
    booked = Payment.objects.filter(mine, invoice_id=row.invoice_id).aggregate(sum=Sum("amount_cents"))["sum"] or 0
    came_in = mirror.paid_cents - booked
    if not came_in:
        return
    if mirror.status == "paid" and balance_of(invoice=Invoice.objects.get(pk=row.pk)).open_cents <= 0 < came_in:
        # Told Stripe by ourselves: it was paid elsewhere, and is booked.
        return
    try:
        book_payment(
            invoice_id=row.invoice_id,
            amount_cents=came_in,
            paid_date=day_of(moment=mirror.paid_at or at),
            reference=f"{REFERENCE} {mirror.id} {mirror.paid_cents}",
            actor=Actor.system("stripe"),
            at=at,
        )
    except MoreThanCameIn:
        log.error("collection_paid_less", invoice_id=str(row.invoice_id))
