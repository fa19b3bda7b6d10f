"""Mails a municipality's admins and privacy officers about the BSP's people: who asks to come in, and who is inside.

An entry is claimed, mailed about, and marked: whoever dies between the last two is mailed for again after a while. What
was ended before anybody was mailed is still told: that somebody was inside is what they must know.
"""

from datetime import datetime
from smtplib import SMTPException
from zoneinfo import ZoneInfo

import structlog
from django.core.mail import EmailMessage
from django.db import connection
from django_tenants.utils import schema_context

from accounts.breakglass import State
from accounts.models import User
from accounts.roles import MunicipalRole
from tenants.models import BreakGlass

AGAIN_MINUTES = 5  # after which a mail that somebody meant to send is sent by another
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
CONCERNED = [MunicipalRole.ADMIN, MunicipalRole.PRIVACY_OFFICER]

# In one statement: two workers never have the same entry in hand.
CLAIM = """
    UPDATE public.tenants_breakglass SET mail_claimed_at = clock_timestamp() WHERE id IN (
        SELECT id FROM public.tenants_breakglass
        WHERE (state = 'REQUESTED' AND asked_mailed_at IS NULL OR opened_at IS NOT NULL AND opened_mailed_at IS NULL)
            AND (mail_claimed_at IS NULL OR mail_claimed_at < clock_timestamp() - make_interval(mins => %s))
        ORDER BY requested_at FOR UPDATE SKIP LOCKED
    ) RETURNING id
"""

log = structlog.get_logger(__name__)


def mail_entries(*, now: datetime) -> int:
    """Mail about every entry that waits for an answer or was opened and was not told yet; return how many were told."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [AGAIN_MINUTES])
        ids = [row[0] for row in cursor.fetchall()]
    told = 0
    for entry in BreakGlass.objects.filter(id__in=ids).select_related("municipality").order_by("requested_at"):
        try:
            _mail(entry)
        except (SMTPException, OSError) as error:
            log.error("entry_not_mailed", break_glass_id=str(entry.id), error=type(error).__name__)
            continue  # it stays claimed, and is tried again
        mark = {"asked_mailed_at": now} if entry.opened_at is None else {"opened_mailed_at": now}
        BreakGlass.objects.filter(id=entry.id).update(mail_claimed_at=None, **mark)
        told += 1
    return told


def _mail(entry: BreakGlass) -> None:
    """Write to each of those concerned, without showing them to each other."""
    with schema_context(entry.municipality.schema_name):
        found = User.objects.filter(is_active=True, break_glass_id=None, role_grants__role__in=CONCERNED)
        recipients = sorted(set(found.values_list("email", flat=True)))
    if not recipients:
        log.error("nobody_to_mail", break_glass_id=str(entry.id), schema=entry.municipality.schema_name)
        return
    subject, dutch, english = _asked(entry) if entry.opened_at is None else _opened(entry)
    reason = f"Reden / reason: {entry.reason}"
    EmailMessage(subject=subject, body=f"{dutch}\n\n{reason}\n\n{english}\n", bcc=recipients).send()


def _asked(entry: BreakGlass) -> tuple[str, str, str]:
    name, place, minutes = entry.employee_name, entry.municipality.name, entry.minutes
    until = f"{entry.lapses_at.astimezone(AMSTERDAM):%d-%m-%Y %H:%M}"
    dutch = f"{name} van de BSP vraagt toegang tot de werkomgeving van {place}, voor {minutes} minuten. Uw beheerder"
    dutch += f" keurt dit goed of af onder Toegang BSP. Zonder antwoord vervalt het op {until}."
    english = f"{name} of the BSP asks to enter the workspace of {place} for {minutes} minutes. Your administrator"
    english += f" approves or refuses it under BSP access. Without an answer it lapses at {until}."
    return f"Toegang gevraagd tot de werkomgeving van {place}", dutch, english


def _opened(entry: BreakGlass) -> tuple[str, str, str]:
    name, place = entry.employee_name, entry.municipality.name
    assert entry.ends_at is not None
    until = f"{entry.ends_at.astimezone(AMSTERDAM):%d-%m-%Y %H:%M}"
    nl, en = ("was", "was") if entry.state == State.ENDED else ("is nu", "is now")
    dutch = f"{name} van de BSP {nl} in de werkomgeving van {place}, uiterlijk tot {until}. Onder Toegang BSP ziet u"
    dutch += " wat er gebeurt, en kan uw beheerder de toegang beëindigen."
    english = f"{name} of the BSP {en} in the workspace of {place}, until {until} at the latest. Under BSP access you"
    english += " see what is done, and your administrator can end it."
    return f"De BSP {nl} in de werkomgeving van {place}", dutch, english
