"""Mails an issued invoice with its documents to the buyer's address for invoices, as the invoice copied it.

Written down with the act, sent by a worker after the commit: claimed under a lease, sent outside any transaction, and
marked. Whoever dies in between is waited for until the lease ends, then it is sent again: it errs on the side of twice.
"""

from datetime import datetime, timedelta
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from audit.record import Actor
from billing.documents.content import Paper, read
from billing.documents.keeping import CANNOT, Kind, document
from billing.documents.pdf import euros_nl
from billing.models import Invoice, InvoiceMail
from billing.recording import recorded_by
from billing.wording import day_nl, month_nl

LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 6  # within an hour; then a person has it sent again
SENT_AT_ONCE = 20
State = InvoiceMail.State

log = structlog.get_logger(__name__)


class NoAddress(Exception):
    """The buyer has no address for invoices, or this installation sends no mail (EMAIL_URL)."""


def queue(*, invoice: Invoice, actor: Actor, at: datetime) -> bool:
    """Have an issued invoice mailed, in the act's transaction; False when a mail of it waits.  Raises NoAddress."""
    address = str((invoice.buyer or {}).get("email") or "")
    if not address or not settings.SENDS_MAIL:
        raise NoAddress("there is no address to mail it to, or no mail is sent from here")
    row = InvoiceMail(
        invoice=invoice,
        address=address,
        due_at=timezone.now(),
        **recorded_by(actor=actor, at=at),
    )
    before = invoice.mails.count()
    InvoiceMail.objects.bulk_create([row], ignore_conflicts=True)
    return invoice.mails.count() > before


def send_due(*, at: datetime) -> int:
    """Send what is due, some at once; return how many left. Safe to repeat and to run side by side."""
    left = 0
    for _ in range(SENT_AT_ONCE):
        mail = _claim()
        if mail is None:
            break
        left += _send(mail, at)
    return left


@transaction.atomic
def _claim() -> InvoiceMail | None:
    now = timezone.now()
    waiting = InvoiceMail.objects.select_for_update(skip_locked=True).order_by("due_at", "id")
    mail = waiting.filter(state__in=[State.QUEUED, State.SENDING], due_at__lte=now).first()
    if mail is not None:
        mail.state, mail.attempts, mail.due_at = State.SENDING, mail.attempts + 1, now + LEASE
        mail.save(update_fields=["state", "attempts", "due_at"])
    return mail


def _send(mail: InvoiceMail, at: datetime) -> bool:
    try:
        message = _message(mail, read(invoice_id=mail.invoice_id))
        for kind in (Kind.PDF, Kind.UBL):
            made = document(invoice_id=mail.invoice_id, kind=kind, at=at)
            message.attach(made.name, made.content, made.media_type)
        left = bool(message.send()) if settings.SENDS_MAIL else False
    except (SMTPException, OSError, *CANNOT) as error:
        log.warning("invoice_not_mailed", invoice_id=str(mail.invoice_id), error=type(error).__name__)
        left = False
    after: dict[str, object] = {"state": State.SENT, "sent_at": at}
    if not left and mail.attempts >= MOST_ATTEMPTS:
        after = {"state": State.FAILED}
        log.error("invoice_mail_given_up", invoice_id=str(mail.invoice_id))
    elif not left:
        after = {"state": State.QUEUED, "due_at": timezone.now() + timedelta(minutes=2 ** (mail.attempts - 1))}
    # Whoever's lease ended meanwhile leaves it to the other.
    InvoiceMail.objects.filter(id=mail.id, state=State.SENDING, attempts=mail.attempts).update(**after)
    return left


def _message(mail: InvoiceMail, paper: Paper) -> EmailMessage:
    """Return the mail, in Dutch, as the document is."""
    word = "Creditnota" if paper.is_credit else "Factuur"
    asked = f"Het totaal is {euros_nl(cents=paper.total_cents)}"
    if paper.is_credit or paper.due_date is None:
        asked += "."
    elif paper.total_cents > 0:
        asked += f", te betalen uiterlijk {day_nl(paper.due_date)}."
    else:
        asked += ". U hoeft niets te betalen."
    what = (
        f"Bijgaand ontvangt u {word.lower()} {paper.number} voor WhatsApp van {paper.buyer['legal_name']},"
        f" over {month_nl(paper.first_day)}, met inkoopnummer {paper.buyer['order_reference']}."
    )
    how = (
        "De pdf is om te lezen; het xml-bestand is dezelfde factuur als e-factuur (UBL, Peppol BIS Billing 3), om in uw"
        " financiële systeem in te lezen."
    )
    body = [what, asked, how, f"Met vriendelijke groet,\n{paper.seller['name']}"]
    reply_to = [paper.seller["email"]] if paper.seller.get("email") else []
    subject = f"{word} {paper.number} van {paper.seller['name']}"
    return EmailMessage(subject, "\n\n".join(body) + "\n", to=[mail.address], reply_to=reply_to)
