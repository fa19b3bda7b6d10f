"""Mails that people's acts have sent: written down with the act, sent by a worker after the commit, their state shown.

A mail is claimed under a lease, sent outside any transaction, and marked. Whoever dies in between is waited for until
the lease ends, then it is sent again: it errs on the side of twice. Redis carries ids alone, and what it loses the
sweep finds. Moments are of real time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from smtplib import SMTPException
from uuid import UUID

import structlog
from celery import current_app
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError
from psycopg import sql
from redis.exceptions import RedisError

from accounts.languages import language_for
from accounts.models import Mail, User
from accounts.roles import MunicipalRole

TASK = "accounts.tasks.send_mail"
LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 5  # in a quarter of an hour; then somebody has it sent again
SWEPT_AT_ONCE = 20
DUE = "SELECT {name} AS schema_name, id, due_at FROM {mail} WHERE state IN ('QUEUED', 'SENDING') AND due_at <= %(now)s"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """A mail that should be sent: where it lies."""

    schema_name: str
    mail_id: UUID


def post(*, user: User, what: Mail.What, language: str) -> Mail:
    """Have a mail sent to somebody once the running transaction is committed; one of the same that waits is dropped.

    language: for who never chose one.
    """
    language = language_for(user=user, otherwise=language)
    Mail.objects.filter(user=user, what=what).exclude(state=Mail.State.SENT).delete()
    now = timezone.now()
    mail = Mail.objects.create(user=user, what=what, language=language, queued_at=now, due_at=now)
    schema_name: str = connection.schema_name  # type: ignore[attr-defined]
    transaction.on_commit(partial(_wake, schema_name, str(mail.id)), robust=True)
    return mail


def admins() -> QuerySet[User]:
    """Return the admins of the municipality in whose schema the connection is; nobody of the BSP who is inside."""
    is_admin = {"role_grants__role": MunicipalRole.ADMIN, "break_glass_id": None, "is_active": True}
    return User.objects.filter(**is_admin).order_by("email")


def post_to_admins(*, what: Mail.What) -> None:
    """Have each of them mailed once the running transaction is committed."""
    for admin in admins():
        post(user=admin, what=what, language=settings.LANGUAGE_CODE)


def send(*, mail_id: UUID, write: Callable[[Mail], EmailMessage | None]) -> str | None:
    """Send a mail of the schema that the connection is in, when it is due; return its state then. Safe to repeat.

    write: makes what is sent, within the transaction that claims the mail; None: there is nothing to say any more.
    None: it is not due, another has it in hand, or there is nothing to say any more.
    """
    claimed = _claim(mail_id, write)
    if claimed is None:
        return None
    mail, message = claimed
    return _settle(mail, left=_left(message, mail))


def due(*, schema_names: list[str]) -> list[Due]:
    """Return what should be sent in some schemas, the longest due first: one query."""
    each = sql.SQL(" UNION ALL ").join(
        sql.SQL(DUE).format(name=sql.Literal(name), mail=sql.Identifier(name, "accounts_mail")) for name in schema_names
    )
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT schema_name, id FROM ({}) AS every ORDER BY due_at LIMIT {}").format(each, SWEPT_AT_ONCE),
            {"now": timezone.now()},
        )
        return [Due(schema_name=name, mail_id=mail_id) for name, mail_id in cursor.fetchall()]


@transaction.atomic
def _claim(mail_id: UUID, write: Callable[[Mail], EmailMessage | None]) -> tuple[Mail, EmailMessage] | None:
    now = timezone.now()
    mail = (
        Mail.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("user")
        .filter(id=mail_id, state__in=[Mail.State.QUEUED, Mail.State.SENDING], due_at__lte=now)
        .first()
    )
    if mail is None:
        return None
    message = write(mail)
    if message is None:
        mail.delete()
        return None
    mail.state, mail.attempts, mail.due_at = Mail.State.SENDING, mail.attempts + 1, now + LEASE
    mail.save()
    return mail, message


def _left(message: EmailMessage, mail: Mail) -> bool:
    if not settings.SENDS_MAIL:
        return False
    try:
        return bool(message.send())
    except (SMTPException, OSError) as error:
        log.warning("mail_not_sent", what=mail.what, mail_id=str(mail.id), error=type(error).__name__)
        return False


def _settle(mail: Mail, *, left: bool) -> str:
    now = timezone.now()
    if left:
        after = {"state": Mail.State.SENT, "sent_at": now}
    elif mail.attempts >= MOST_ATTEMPTS or not settings.SENDS_MAIL:
        after = {"state": Mail.State.FAILED}
    else:
        after = {"state": Mail.State.QUEUED, "due_at": now + timedelta(minutes=2 ** (mail.attempts - 1))}
    # Whoever's lease ended meanwhile leaves it to the other.
    Mail.objects.filter(id=mail.id, state=Mail.State.SENDING, attempts=mail.attempts).update(**after)
    return str(after["state"])


def _wake(schema_name: str, mail_id: str) -> None:
    try:
        current_app.send_task(TASK, kwargs={"schema_name": schema_name, "mail_id": mail_id}, ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("mail_waits_for_the_sweep", mail_id=mail_id, error=type(error).__name__)
