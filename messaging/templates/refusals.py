"""Meta refused a message for its template: the template's state follows at once, and a look finds out the rest.

132015 and 132016 say that it is paused or disabled; the others that it is not as we know it (another number of
parameters, not there, not in this language, against policy, another kind of parameter).
Source: Meta, "Error codes" (15 May 2026).
"""

import asyncio
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, connection, transaction
from django_tenants.utils import schema_context

from messaging.models import Message, Template
from messaging.templates import alerting, holding, requesting
from messaging.templates.taking import Source, StatusWord, Word, take

STATUS_OF_CODE = {132015: Template.Status.PAUSED, 132016: Template.Status.DISABLED}
DOUBTED_CODES = frozenset({132000, 132001, 132007, 132012})
CODES = DOUBTED_CODES | STATUS_OF_CODE.keys()

log = structlog.get_logger(__name__)


@transaction.atomic
def follow(*, message_id: UUID, code: int, at: datetime) -> None:
    """Bring the template of a message that Meta refused with a code to what the code says; others change nothing.

    Runs in the tenant's schema; safe to repeat. A look is asked for, so that an answer that was overtaken by a webhook
    is set right within minutes.
    """
    version = Message.objects.filter(id=message_id, template_version__isnull=False)
    template_id = version.values_list("template_version__template_id", flat=True).first()
    if code not in CODES or template_id is None:
        return
    template = Template.objects.select_for_update(no_key=True).get(id=template_id)
    if template.status != Template.Status.APPROVED:
        return  # it is known already
    if code in STATUS_OF_CODE:
        take(template=template, word=Word(at=at, source=Source.REFUSAL, status=StatusWord(STATUS_OF_CODE[code])))
    elif template.doubted_at is None:
        template.doubted_at = at
        template.save(update_fields=["doubted_at"])
        alerting.bring_up_to_date(template=template, at=at)
        holding.fail_queued(template=template)
    requesting.request(waba_id=template.waba_id, at=at)
    log.warning("template_refused", template_id=str(template.id), code=code)


async def tell(*, schema_name: str, message_id: UUID, code: int, at: datetime) -> None:
    """Do the same from a lane, in a thread with a connection of its own. Never raises: the next refusal tells again."""

    def work() -> None:
        try:
            with schema_context(schema_name):
                follow(message_id=message_id, code=code, at=at)
        except DatabaseError as error:
            log.error("template_not_followed", code=code, error=type(error).__name__)
        finally:
            connection.close()

    await asyncio.to_thread(work)
