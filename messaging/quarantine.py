"""Events that are nobody's: kept encrypted for a while, and handed to their municipality when its number is onboarded.

A portion is decrypted, stored through the parent for its owner in the order in which it came, and taken out of the
quarantine in one transaction: each event is in one place at any moment. What nobody claims is erased after 30 days.
Operators see counts by number or account, never what is inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from celery import current_app
from django.db import connection, transaction
from django_tenants.utils import get_public_schema_name, schema_context
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from audit.record import Actor, record
from messaging.core.partitions import UNOWNED
from messaging.waking import send_wakes
from tenants.encryption import UnreadableSecret, decrypt
from tenants.models import Municipality, Number
from tenants.provisioning import NewTenant

KEPT_DAYS = 30
PORTION = 500
CLAIMER = Actor.system("quarantine")

log = structlog.get_logger(__name__)

COUNTS = """
    SELECT coalesce(phone_number_id, ''), CASE WHEN phone_number_id IS NULL THEN coalesce(payload->>'waba_id', '')
        ELSE '' END AS waba_id, count(*), min(received_at), max(received_at)
    FROM quarantine.inbox_event GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT %s
"""
# Account-level updates go to whoever has all open numbers of the account, as the intake decides (tenants/routing.py).
OWNERS = """
    WITH open_number AS (
        SELECT phone_number_id, waba_id, municipality_id FROM public.tenants_number WHERE closed_at IS NULL
    ), of_account AS (
        SELECT waba_id, min(municipality_id::text)::uuid AS municipality_id FROM open_number
        GROUP BY waba_id HAVING count(DISTINCT municipality_id) = 1
    )
    SELECT municipality_id, phone_number_id, NULL FROM open_number
    WHERE EXISTS (SELECT FROM quarantine.inbox_event AS event WHERE event.phone_number_id = open_number.phone_number_id)
    UNION ALL
    SELECT municipality_id, NULL, waba_id FROM of_account WHERE EXISTS (
        SELECT FROM quarantine.inbox_event AS event
        WHERE event.phone_number_id IS NULL AND event.payload->>'waba_id' = waba_id
    )
"""
TAKE = """
    SELECT id, dedup_key, kind, field, phone_number_id, payload->>'encrypted', received_at FROM quarantine.inbox_event
    WHERE id > %(after)s AND CASE WHEN %(number)s::text IS NOT NULL THEN phone_number_id = %(number)s
        ELSE phone_number_id IS NULL AND payload->>'waba_id' = %(waba)s END
    ORDER BY id LIMIT %(portion)s FOR UPDATE
"""
GIVE = """
    INSERT INTO public.inbox (municipality_id, dedup_key, kind, field, phone_number_id, payload, received_at)
    VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Unowned:
    """Events of one number, or of one account where they name no number, that are nobody's."""

    phone_number_id: str
    waba_id: str
    count: int
    oldest_at: datetime
    latest_at: datetime


def counts(*, most: int = 100) -> list[Unowned]:
    """Return what lies unclaimed, the most first."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [most])
        return [Unowned(*row) for row in cursor.fetchall()]


def claim_soon(*, tenant: NewTenant) -> None:
    """Have a worker hand a new tenant what came for its number before; a step of provisioning."""
    del tenant  # whose they are is looked up when it is committed
    transaction.on_commit(_send)


def claim(*, at: datetime, actor: Actor = CLAIMER) -> int:
    """Hand every quarantined event that has an owner now to that owner; return how many.

    Safe to repeat and to run twice at once: an event is handed over once, and never twice stored.
    """
    with connection.cursor() as cursor:
        cursor.execute(OWNERS)
        owners = cursor.fetchall()
    claimed = 0
    for municipality_id, phone_number_id, waba_id in owners:
        municipality = Municipality.objects.get(id=municipality_id)
        after: int | None = -1
        while after is not None:
            after, given = _hand_over(municipality, phone_number_id, waba_id, after, at, actor)
            claimed += given
    return claimed


def erase(*, at: datetime) -> int:
    """Erase what nobody claimed in time; return how many events."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM quarantine.inbox_event WHERE received_at < %s", [at - timedelta(days=KEPT_DAYS)]
            )
            erased: int = cursor.rowcount
        if erased:
            with schema_context(get_public_schema_name()):
                details = {"events": erased, "older_than_days": KEPT_DAYS}
                record(action="quarantine.erase", actor=CLAIMER, at=at, subject="quarantine", details=details)
    return erased


@transaction.atomic
def _hand_over(
    municipality: Municipality, phone_number_id: str | None, waba_id: str | None, after: int, at: datetime, actor: Actor
) -> tuple[int | None, int]:
    """Hand over one portion; return after which event the next one begins (None: none is left), and how many it was."""
    number = Number.objects.select_for_update(no_key=True).filter(municipality=municipality, closed_at=None)
    still = number.filter(phone_number_id=phone_number_id) if phone_number_id else number.filter(waba_id=waba_id)
    if not still:
        return None, 0  # closed meanwhile
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"after": after, "number": phone_number_id, "waba": waba_id, "portion": PORTION})
        found = cursor.fetchall()
        readable = _readable(found)
        if readable:
            cursor.executemany(GIVE, [(municipality.id, *row[1:]) for row in readable])
            cursor.execute(
                "DELETE FROM quarantine.inbox_event WHERE municipality_id = %s AND id = ANY(%s)",
                [UNOWNED, [row[0] for row in readable]],
            )
    if readable:
        with schema_context(municipality.schema_name):
            details = {"events": len(readable), "number": phone_number_id or "", "account": waba_id or ""}
            record(action="inbox.claim", actor=actor, at=at, subject="inbox", details=details)
        transaction.on_commit(partial(_wake, municipality.schema_name))
    return (found[-1][0] if len(found) == PORTION else None), len(readable)


def _readable(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the rows decrypted; one that no key of ours opens stays where it is, and is told."""
    opened = []
    for event_id, dedup_key, kind, field, phone_number_id, encrypted, received_at in rows:
        try:
            payload = decrypt(encrypted=(encrypted or "").encode()).decode()
        except UnreadableSecret:
            log.error("quarantined_event_unreadable", event_id=event_id)
            continue
        opened.append((event_id, bytes(dedup_key), kind, field, phone_number_id, payload, received_at))
    return opened


def _send() -> None:
    try:
        current_app.send_task("messaging.tasks.claim_unowned", ignore_result=True)
    except (RedisError, OperationalError, OSError) as error:
        log.warning("claim_waits_for_the_sweep", error=type(error).__name__)


def _wake(schema_name: str) -> None:
    try:
        send_wakes(schema_names=[schema_name])
    except (RedisError, OperationalError, OSError) as error:
        log.warning("wake_up_lost", municipalities=1, error=type(error).__name__)
