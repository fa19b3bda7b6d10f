"""What stops a number, and when it goes on: troubles opened and closed from a lane (tenants/trouble.py).

A stopped number sends one message now and then, as a probe: the first that Meta takes ends the trouble, and everything
that waited leaves. Django's connection is used in a thread, because a lane is asynchronous.
"""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime

from django.db import connection

from messaging.announcing import announce_all
from tenants.models import Number, Trouble
from tenants.trouble import close_troubles, open_trouble
from whatsapp.errors import ErrorKind, ErrorScope, MetaError, classification

Kind = Trouble.Kind
_KIND_OF = {
    **dict.fromkeys((0, 3, 10, 190, 131005, *range(200, 300)), Kind.TOKEN),
    **dict.fromkeys((368, 131031), Kind.LOCKED),
    **dict.fromkeys((131042, 131044), Kind.PAYMENT),
    **dict.fromkeys((131037, 131045, 133010), Kind.UNREGISTERED),
    131048: Kind.QUALITY,
}
# With these nothing leaves, and a message that Meta takes proves that they are over.
STOPS = frozenset({Kind.TOKEN, Kind.LOCKED, Kind.PAYMENT, Kind.UNREGISTERED})
# With these no template leaves; the same.
TEMPLATE_STOPS = frozenset({Kind.QUALITY, Kind.RESTRICTED})


def trouble_of(*, error: MetaError) -> Kind:
    """Return what is wrong with a number when Meta stops it with this error."""
    return trouble_of_code(code=error.code, templates_only=error.scope is ErrorScope.BUSINESS_INITIATED)


def trouble_of_code(*, code: int, templates_only: bool) -> Kind:
    """Return what is wrong with a number when Meta stops it with this code."""
    return _KIND_OF.get(code, Kind.RESTRICTED if templates_only else Kind.LOCKED)


def heed(*, phone_number_id: str, code: int, at: datetime) -> None:
    """Have a number stopped, or its account, when a status that comes later says what an answer would have said.

    Its lane sees the trouble when it renews its lease, and tries with one message. Other codes stop nothing.
    """
    kind, scope = classification(code)
    if kind is not ErrorKind.STOP:
        return
    trouble = trouble_of_code(code=code, templates_only=scope is ErrorScope.BUSINESS_INITIATED)
    numbers = {phone_number_id}
    if scope is ErrorScope.WABA:
        account = Number.objects.filter(phone_number_id=phone_number_id, closed_at=None).values("waba_id")
        of_account = Number.objects.filter(waba_id__in=account, closed_at=None)
        numbers |= set(of_account.values_list("phone_number_id", flat=True))
    for number in sorted(numbers):
        open_trouble(phone_number_id=number, kind=trouble, at=at, detail=f"Meta {code}")
    announce_all(schema_name=connection.schema_name)  # type: ignore[attr-defined]


async def tell(*, numbers: Collection[str], kind: Kind, detail: str, at: datetime) -> None:
    """Open a trouble of each number, for people to see."""
    await _in_thread(lambda number: open_trouble(phone_number_id=number, kind=kind, at=at, detail=detail), numbers)


async def tell_over(*, numbers: Collection[str], kinds: Collection[Kind], at: datetime) -> None:
    """Close each number's troubles of some kinds."""
    await _in_thread(lambda number: close_troubles(phone_number_id=number, kinds=kinds, at=at), numbers)


async def _in_thread(act: Callable[[str], object], numbers: Collection[str]) -> None:
    def work() -> None:
        try:
            for number in sorted(numbers):
                act(number)
        finally:
            connection.close()

    await asyncio.to_thread(work)
