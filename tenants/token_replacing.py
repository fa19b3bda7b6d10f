"""Another access token for a number: its municipality withdrew the one we have at Meta, or it is over.

Meta is asked first whether the new one opens the number's account; then it is kept, and the number's lane, which looks
at it again and again, sends with it at once (messaging/lanes). The call is made outside the transaction.
"""

import asyncio
import re
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django_tenants.utils import schema_context

from audit.record import Actor, record
from tenants.models import Connection, Number
from whatsapp.business import BusinessAPI
from whatsapp.transport import open_session

_TOKEN = re.compile(r"[\x21-\x7e]{1,2000}")


class UnfitToken(Exception):
    """A text that is no token of Meta's, whatever it opens."""


class UnknownNumber(Exception):
    """No open number has this id."""


class TokenOpensAnother(Exception):
    """Meta takes the token, but the number is not in the account as it shows it."""


def replace_token(*, phone_number_id: str, token: str, actor: Actor, at: datetime) -> Number:
    """Keep another token for a number, here and with its onboarding; return the number. Safe to repeat.

    Both trails know. Raises UnfitToken, UnknownNumber, TokenOpensAnother; MetaRefused, MetaUnreachable: it is not known
    that it opens the number. Nothing was changed then.
    """
    if not _TOKEN.fullmatch(token):
        raise UnfitToken
    number = _open_number(phone_number_id)
    if phone_number_id not in asyncio.run(_numbers(number.waba_id, token)):
        raise TokenOpensAnother(phone_number_id)
    with transaction.atomic():
        # It may have been closed while Meta was asked.
        number = _open_number(phone_number_id, lock=True)
        number.set_access_token(token)
        number.save(update_fields=["access_token_encrypted"])
        of_it = Connection.objects.filter(onboarding__municipality=number.municipality, phone_number_id=phone_number_id)
        of_it.update(access_token_encrypted=number.access_token_encrypted)
        for schema_name in ("public", number.municipality.schema_name):
            with schema_context(schema_name):
                record(action="number.token", actor=actor, at=at, subject=f"number {phone_number_id}")
    return number


def _open_number(phone_number_id: str, *, lock: bool = False) -> Number:
    numbers = Number.objects.select_related("municipality").filter(phone_number_id=phone_number_id, closed_at=None)
    number = (numbers.select_for_update(of=("self",)) if lock else numbers).first()
    if number is None:
        raise UnknownNumber(phone_number_id)
    return number


async def _numbers(waba_id: str, token: str) -> frozenset[str]:
    async with open_session(connections=1) as session:
        api = BusinessAPI(session=session, base_url=settings.META_GRAPH_URL, version=settings.META_GRAPH_VERSION)
        return frozenset(each.phone_number_id for each in await api.numbers(waba_id=waba_id, token=token))
