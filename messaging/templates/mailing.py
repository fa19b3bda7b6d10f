"""Mails a municipality's admins about what Meta decided of their templates: once each, several in one mail.

As of numbers in trouble (messaging/alerts.py): claimed, mailed, and marked. Whoever dies in between is mailed for again
after a while; it errs on the side of telling twice. What ended before it was told is told no more.
"""

from collections.abc import Sequence
from datetime import datetime
from smtplib import SMTPException

import structlog
from django.core.mail import EmailMessage
from django.db import DatabaseError, connection, transaction
from django_tenants.utils import schema_context

from accounts.reading import addresses_with
from accounts.roles import MunicipalRole
from messaging.models import TemplateAlert
from tenants.models import Municipality
from whatsapp.reasons import Reason

Kind = TemplateAlert.Kind
AGAIN_MINUTES = 5  # after which a mail that somebody meant to send is sent by another

# What somebody must act on. The others are on the templates' page: nothing fails by them today.
TOLD: dict[str, Reason] = {
    Kind.MARKETING: Reason(
        "is door Meta MARKETING gemaakt. Een gemeente mag dat niet verzenden, dus de template wordt tegengehouden",
        "was made MARKETING by Meta. A municipality may not send that, so it is held",
    ),
    Kind.CATEGORY_COMING: Reason("krijgt bij Meta een andere categorie", "is to get another category at Meta"),
    Kind.REJECTED: Reason(
        "is door Meta afgewezen en kan niet worden verzonden", "was rejected by Meta and cannot be sent"
    ),
    Kind.PAUSED: Reason(
        "is door Meta gepauzeerd, omdat inwoners er slecht op reageerden",
        "was paused by Meta, because citizens reacted badly to it",
    ),
    Kind.DISABLED: Reason("is door Meta voorgoed uitgeschakeld", "was disabled by Meta for good"),
    Kind.DELETED: Reason("is bij Meta verwijderd", "was deleted at Meta"),
    Kind.LOW_QUALITY: Reason(
        "krijgt slechte reacties van inwoners; als dat zo doorgaat, pauzeert Meta deze",
        "gets bad reactions from citizens; if that goes on, Meta pauses it",
    ),
}

# In one statement: two workers never have the same alert in hand. On real time, as leases are.
CLAIM = """
    UPDATE messaging_templatealert SET mail_claimed_at = clock_timestamp() WHERE id IN (
        SELECT id FROM messaging_templatealert
        WHERE ended_at IS NULL AND mailed_at IS NULL AND kind = ANY(%s)
            AND (mail_claimed_at IS NULL OR mail_claimed_at < clock_timestamp() - make_interval(mins => %s))
        FOR UPDATE SKIP LOCKED
    ) RETURNING id
"""

log = structlog.get_logger(__name__)


def mail_all(*, at: datetime) -> int:
    """Mail every municipality about its templates; return how many alerts were told. A locked schema waits its turn."""
    told = 0
    for municipality in Municipality.objects.order_by("schema_name"):
        try:
            with schema_context(municipality.schema_name):
                told += mail(municipality=municipality, at=at)
        except DatabaseError as error:
            log.warning("templates_not_mailed", schema=municipality.schema_name, error=type(error).__name__)
    return told


def mail(*, municipality: Municipality, at: datetime) -> int:
    """Mail the admins of the municipality whose schema is on the connection; return how many alerts were told."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '200ms'")
        cursor.execute(CLAIM, [list(TOLD), AGAIN_MINUTES])
        ids = [row[0] for row in cursor.fetchall()]
    alerts = list(TemplateAlert.objects.filter(id__in=ids).select_related("template").order_by("raised_at", "id"))
    if not alerts:
        return 0
    recipients = addresses_with(roles=[MunicipalRole.ADMIN])
    if not recipients:
        log.error("nobody_to_mail_about_templates", schema=municipality.schema_name)
    else:
        try:
            _message(municipality, alerts, recipients).send()
        except (SMTPException, OSError) as error:
            log.error("templates_not_mailed", schema=municipality.schema_name, error=type(error).__name__)
            return 0  # they stay claimed, and are tried again
    TemplateAlert.objects.filter(id__in=ids).update(mailed_at=at, mail_claimed_at=None)
    return len(alerts)


def _message(municipality: Municipality, alerts: Sequence[TemplateAlert], recipients: Sequence[str]) -> EmailMessage:
    """Return the mail, in Dutch and English; nobody sees the others' addresses."""
    names = sorted({alert.template.name for alert in alerts})
    subject = f"Template {names[0]}" if len(names) == 1 else f"{len(names)} templates"
    body = [
        "Bij Meta is iets veranderd aan uw templates:",
        *(f"- {_name(alert)} {TOLD[alert.kind].nl}." for alert in alerts),
        "In de werkomgeving staat onder Templates waarom, en wat u kunt doen.",
        "",
        "Something about your templates changed at Meta:",
        *(f"- {_name(alert)} {TOLD[alert.kind].en}." for alert in alerts),
        "The workspace says why and what you can do, under Templates.",
        "",
    ]
    return EmailMessage(subject=f"{subject} van {municipality.name}", body="\n".join(body), bcc=list(recipients))


def _name(alert: TemplateAlert) -> str:
    return f"{alert.template.name} ({alert.template.language})"
