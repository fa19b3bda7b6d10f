"""Mails people about a number in trouble, once when it begins and once when it is over.

A trouble is claimed, mailed, and marked as mailed. Whoever dies between the last two is mailed for again after a while:
it errs on the side of telling twice, never of not telling. Nothing of a citizen's is in a mail.
"""

from datetime import datetime
from smtplib import SMTPException

import structlog
from django.core.mail import EmailMessage
from django.db import connection
from django_tenants.utils import schema_context

from accounts.reading import addresses_with
from accounts.roles import BspRole, MunicipalRole
from messaging.trouble_words import ADVICE, TITLES
from tenants.models import Trouble

AGAIN_MINUTES = 5  # after which a mail that somebody meant to send is sent by another

# In one statement: two workers never have the same trouble in hand. On real time, as leases are.
CLAIM = """
    UPDATE public.tenants_trouble SET mail_claimed_at = clock_timestamp() WHERE id IN (
        SELECT id FROM public.tenants_trouble
        WHERE (closed_at IS NULL AND mailed_at IS NULL
                OR closed_at IS NOT NULL AND mailed_at IS NOT NULL AND over_mailed_at IS NULL)
            AND (mail_claimed_at IS NULL OR mail_claimed_at < clock_timestamp() - make_interval(mins => %s))
        ORDER BY opened_at FOR UPDATE SKIP LOCKED
    ) RETURNING id
"""

log = structlog.get_logger(__name__)


def mail_troubles(*, at: datetime) -> int:
    """Mail about every trouble that began or ended and was not told yet; return how many were told."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [AGAIN_MINUTES])
        ids = [row[0] for row in cursor.fetchall()]
    told = 0
    for trouble in Trouble.objects.filter(id__in=ids).select_related("number__municipality").order_by("opened_at"):
        is_over = trouble.closed_at is not None
        try:
            _mail(trouble, is_over=is_over)
        except (SMTPException, OSError) as error:
            log.error("trouble_not_mailed", trouble_id=str(trouble.id), error=type(error).__name__)
            continue  # it stays claimed, and is tried again
        except Exception as error:  # whatever is wrong with one, the others are told
            log.error("trouble_not_mailed", trouble_id=str(trouble.id), kind=trouble.kind, exc_info=error)
            continue
        mark = {"over_mailed_at": at} if is_over else {"mailed_at": at}
        Trouble.objects.filter(id=trouble.id).update(mail_claimed_at=None, **mark)
        told += 1
    return told


def _mail(trouble: Trouble, *, is_over: bool) -> None:
    """Write to each of those concerned, without showing them to each other."""
    recipients = _recipients(trouble.number.municipality.schema_name)
    if not recipients:
        log.error("nobody_to_mail", trouble_id=str(trouble.id), kind=trouble.kind)
        return
    place, number = trouble.number.municipality.name, trouble.number.display_phone_number
    title, advice = TITLES[trouble.kind], ADVICE[trouble.kind]
    about = f" ({trouble.detail})" if trouble.detail else ""
    if is_over:
        subject = f"Opgelost: {number} van {place}"
        dutch = f"Het nummer {number} van {place} werkt weer. Wat er was: {title.nl}{about}."
        english = f"The number {number} of {place} works again. What it was: {title.en}{about}."
    else:
        subject = f"{title.nl}: {number} van {place}"
        dutch = f"{title.nl}: het nummer {number} van {place}{about}. {advice.nl}"
        dutch += " In de werkomgeving staat welke inwoners wachten."
        english = f"{title.en}: the number {number} of {place}{about}. {advice.en}"
        english += " The workspace lists which citizens wait."
    EmailMessage(subject=subject, body=f"{dutch}\n\n{english}\n", bcc=recipients).send()


def _recipients(schema_name: str) -> list[str]:
    """Return the municipality's admins, and the BSP's support."""
    with schema_context(schema_name):
        admins = addresses_with(roles=[MunicipalRole.ADMIN])
    with schema_context("public"):
        return sorted({*admins, *addresses_with(roles=[BspRole.BSP_SUPPORT, BspRole.BSP_OPERATOR])})
