"""Hands issued documents to Stripe, one step after another; each may be broken off anywhere and is taken up again.

A step: look whether it was done (when it may have been), else do it with a key that our row gives, store what came of
it. Between asking and storing anything may die: the next look, or the same key, finds it. No call is in a transaction.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit.record import Actor, record
from billing.collecting import gateway
from billing.collecting.gateway import Failed, Later, Mirror, Refused, Unknown
from billing.documents.content import Paper, read
from billing.models import Collection, Invoice, StripeCustomer
from tenants.models import Municipality

LEASE = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)
AT_ONCE = 25  # documents of one sweep; each is some six calls
Step = Collection.Step

log = structlog.get_logger(__name__)


class Differs(Exception):
    """What Stripe has is not what we issued. field: what differs."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def queue(*, invoice: Invoice) -> None:
    """Have an issued document collected, within what issues it; not without a key, or when nothing is owed."""
    if not settings.STRIPE_API_KEY or invoice.total_cents <= 0:
        return
    if invoice.credits_id is not None and not Collection.objects.filter(invoice_id=invoice.credits_id).exists():
        return
    Collection.objects.bulk_create([Collection(invoice=invoice, due_at=timezone.now())], ignore_conflicts=True)


def collect_due(*, at: datetime) -> int:
    """Take what is due as far as it goes; return how many steps were done. Safe to repeat and side by side."""
    done = 0
    for _ in range(AT_ONCE if settings.STRIPE_API_KEY else 0):
        row = _claim()
        if row is None:
            break
        done += _go_on(row)
    return done


@transaction.atomic
def resume(*, invoice_id: UUID, actor: Actor, at: datetime) -> bool:
    """Take up what was stopped, once a person has looked; False when it is not stopped. Audited."""
    row = Collection.objects.select_for_update().filter(invoice_id=invoice_id, step=Step.STOPPED).first()
    if row is None:
        return False
    # From the first step that looks at what is there; each does, after an attempt.
    row.step = Step.QUEUED if row.stripe_id is None or row.invoice.credits_id else Step.DRAFTED
    row.attempts, row.due_at, row.trouble = 1, timezone.now(), ""
    row.save(update_fields=["step", "attempts", "due_at", "trouble"])
    record(action="invoice.collect", actor=actor, at=at, subject=f"invoice {invoice_id}")
    return True


def close_settled() -> int:
    """Tell Stripe of open invoices that came to nothing here, paid by the bank's statement; return of how many."""
    if not settings.STRIPE_API_KEY:
        return 0
    paid = Collection.objects.filter(step=Step.DONE, stripe_status="open", invoice__status=Invoice.Status.PAID)
    closed = 0
    for row in paid.order_by("due_at")[:AT_ONCE]:
        try:
            if _mirror(row).status == "open":
                gateway.close_out_of_band(
                    stripe_id=_id(row), key=f"invoice:{row.invoice_id}:outside:v{row.key_version}"
                )
        except Failed:
            Collection.objects.filter(pk=row.pk).update(key_version=row.key_version + 1)
            continue
        except (Later, Unknown, Refused) as error:
            log.warning("collection_not_closed", invoice_id=str(row.invoice_id), error=type(error).__name__)
            continue
        Collection.objects.filter(pk=row.pk, stripe_status="open").update(stripe_status="paid")
        closed += 1
    return closed


@transaction.atomic
def _claim() -> Collection | None:
    now = timezone.now()
    waiting = Collection.objects.select_for_update(skip_locked=True).exclude(step__in=[Step.DONE, Step.STOPPED])
    row = waiting.filter(due_at__lte=now).order_by("due_at").first()
    if row is not None:
        row.attempts, row.due_at = row.attempts + 1, now + LEASE
        row.save(update_fields=["attempts", "due_at"])
    return row


def _go_on(row: Collection) -> int:
    """Do steps until it is done, or something hinders; return how many."""
    paper, done = read(invoice_id=row.invoice_id), 0
    try:
        while row.step not in (Step.DONE, Step.STOPPED):
            following = _note(row, paper) if paper.is_credit else STEPS[Step(row.step)](row, paper)
            row.step, row.attempts, row.key_version, row.trouble = following, 1, 1, ""
            row.due_at = timezone.now() + LEASE
            row.save(update_fields=["step", "attempts", "key_version", "trouble", "due_at", "stripe_id"])
            done += 1
    except Later:
        _wait(row, "")
    except Unknown:
        _wait(row, "NO_ANSWER")
    except Failed:
        row.key_version += 1
        _wait(row, "STRIPE_FAILED")
    except Refused as refused:
        _stop(row, f"REFUSED {refused.code}".strip())
    except Differs as differs:
        _stop(row, f"DIFFERS {differs.field}")
    return done


def _wait(row: Collection, trouble: str) -> None:
    row.trouble = trouble
    row.due_at = timezone.now() + min(LONGEST_WAIT, timedelta(seconds=15) * 2 ** min(row.attempts, 10))
    row.save(update_fields=["trouble", "key_version", "due_at", "stripe_id"])
    log.warning("collection_waits", invoice_id=str(row.invoice_id), step=row.step, trouble=trouble)


def _stop(row: Collection, trouble: str) -> None:
    """Leave it to a person: our issued document stands, and nothing of it is collected."""
    row.trouble = trouble[:100]
    log.error("collection_stopped", invoice_id=str(row.invoice_id), step=row.step, trouble=row.trouble)
    row.step = Step.STOPPED
    row.save(update_fields=["step", "trouble", "stripe_id"])


def _key(row: Collection, what: str) -> str:
    return f"invoice:{row.invoice_id}:{what}:v{row.key_version}"


# --- The steps


def _draft(row: Collection, paper: Paper) -> str:
    customer = _customer(row, paper)
    # Only a first attempt cannot have been done before.
    found = gateway.find_invoice(customer=customer, invoice_id=row.invoice_id) if row.attempts > 1 else None
    row.stripe_id = found or gateway.create_invoice(
        paper=paper, invoice_id=row.invoice_id, customer=customer, key=_key(row, "create")
    )
    return Step.DRAFTED


def _fill(row: Collection, paper: Paper) -> str:
    if len(paper.lines) > gateway.MOST_LINES:
        raise Refused("too_many_lines")
    # Lines are added all or none.
    if row.attempts == 1 or _mirror(row).lines == 0:
        gateway.add_lines(stripe_id=_id(row), paper=paper, key=_key(row, "lines"))
    return Step.FILLED


def _compare(row: Collection, paper: Paper) -> str:
    compare(mirror=_mirror(row), paper=paper)
    return Step.COMPARED


def _finalize(row: Collection, paper: Paper) -> str:
    if row.attempts == 1 or _mirror(row).status == "draft":
        gateway.finalize(stripe_id=_id(row), key=_key(row, "finalize"))
    after = _mirror(row)
    compare(mirror=after, paper=paper)
    # What was told of it meanwhile is newer.
    Collection.objects.filter(pk=row.pk, stripe_status="").update(stripe_status=after.status)
    return Step.OPEN


def _send(row: Collection, paper: Paper) -> str:
    if paper.buyer.get("email") and (row.attempts == 1 or _mirror(row).status == "open"):
        gateway.send(stripe_id=_id(row), key=_key(row, "send"))
    return Step.DONE


def _note(row: Collection, paper: Paper) -> str:
    """Credit at Stripe what we credited, once the invoice is there."""
    credited = Collection.objects.get(invoice__credit_notes=row.invoice)
    if credited.step == Step.STOPPED:
        raise Refused("invoice_stopped")
    if credited.step != Step.DONE:
        raise Later("its invoice is not at Stripe yet")
    stripe_invoice = _id(credited)
    found = None
    if row.attempts > 1:
        found = gateway.find_credit_note(stripe_invoice=stripe_invoice, note_id=row.invoice_id)
    if found is None:
        is_paid = gateway.read_invoice(stripe_id=stripe_invoice).status == "paid"
        found = gateway.create_credit_note(
            paper=paper,
            note_id=row.invoice_id,
            stripe_invoice=stripe_invoice,
            is_paid=is_paid,
            key=_key(row, f"credit:{'paid' if is_paid else 'open'}"),
        )
    row.stripe_id, total = found
    if total != paper.total_cents:
        raise Differs("total")
    return Step.DONE


STEPS = {
    Step.QUEUED: _draft,
    Step.DRAFTED: _fill,
    Step.FILLED: _compare,
    Step.COMPARED: _finalize,
    Step.OPEN: _send,
}


def compare(*, mirror: Mirror, paper: Paper) -> None:
    """Hold what Stripe has against what we issued, to the cent.  Raises Differs."""
    wanted = {
        "number": (mirror.number, paper.number),
        "currency": (mirror.currency, "eur"),
        "lines": (mirror.lines, len(paper.lines)),
        "subtotal": (mirror.subtotal_cents, paper.net_cents),
        "tax": (mirror.tax_cents, paper.vat_cents),
        "total": (mirror.total_cents, paper.total_cents),
    }
    for field, (theirs, ours) in wanted.items():
        if theirs != ours:
            raise Differs(field)


def _customer(row: Collection, paper: Paper) -> str:
    """Return the municipality's customer, made when there is none yet, with the address of this invoice."""
    municipality_id, email = row.invoice.municipality_id, str(paper.buyer.get("email") or "")
    known, is_new = StripeCustomer.objects.get_or_create(
        municipality_id=municipality_id, defaults={"first_asked_at": timezone.now()}
    )
    if known.stripe_id is None:
        found = None
        if not is_new:
            found = gateway.find_customer(municipality_id=municipality_id, since=known.first_asked_at)
        if found is None:
            name = Municipality.objects.values_list("name", flat=True).get(id=municipality_id)
            key = f"customer:{municipality_id}:v{known.key_version}"
            try:
                found = gateway.create_customer(municipality_id=municipality_id, name=name, email=email, key=key)
            except Failed:
                StripeCustomer.objects.filter(pk=known.pk).update(key_version=known.key_version + 1)
                raise
            known.email = email
        known.stripe_id = found
        known.save(update_fields=["stripe_id", "email"])
    if email and known.email != email:
        gateway.update_customer(stripe_id=known.stripe_id, email=email, key=_key(row, "address"))
        StripeCustomer.objects.filter(pk=known.pk).update(email=email)
    return known.stripe_id


def _mirror(row: Collection) -> Mirror:
    return gateway.read_invoice(stripe_id=_id(row))


def _id(row: Collection) -> str:
    assert row.stripe_id is not None
    return row.stripe_id
