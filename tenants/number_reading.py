"""What Meta says of a number when it is asked: quality, limit, throughput, name. GREEN and YELLOW no webhook tells.

Asked when a number is connected, once a day after that, and by whoever looks at it now. No call inside a transaction;
asked twice at once changes nothing: of what is said at two moments the later counts (tenants/health.py).
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q

from tenants import health
from tenants.encryption import UnreadableSecret
from tenants.models import Number, NumberHealth
from tenants.stages import Stage
from whatsapp.business import BusinessAPI, NumberState
from whatsapp.outcomes import MetaRefused, MetaUnreachable
from whatsapp.transport import open_session

SWEEP_SECONDS = 600.0  # how often the sweep runs
EVERY, AFTER_FAILURE = timedelta(days=1), timedelta(hours=1)
NO_ACCESS, REFUSED, UNREACHABLE = "NO_ACCESS", "REFUSED", "UNREACHABLE"
ASPECTS = {"quality": "quality", "name": "verified_name", "limit": "messaging_limit", "throughput": "throughput"}
QUALITIES = frozenset({"GREEN", "YELLOW", "RED", "UNKNOWN"})


def read(*, number: Number, at: datetime) -> str:
    """Ask Meta about a number and keep what it says; return nothing, or why that is not known. Safe to repeat."""
    failure, said = _asked(number)
    if said is not None:
        take_over(number=number, said=asdict(said), at=at)
    else:
        _note(number, failure, at)
    return failure


def read_due(*, at: datetime) -> int:
    """Ask about the numbers whose turn it is, who waits longest first; return how many could be read."""
    return sum(read(number=number, at=at) == "" for number in due(at=at))


def due(*, at: datetime) -> list[Number]:
    """Return the open numbers that nobody asked about for a day, or for an hour where that failed.

    Only as many as spread all of them over half a day; of who was ended none.
    """
    every = Number.objects.filter(closed_at=None).exclude(municipality__stage=Stage.OFFBOARDED)
    late = Q(health__asked_at=None) | Q(health__asked_at__lt=at - EVERY)
    late |= Q(health__asked_at__lt=at - AFTER_FAILURE) & ~Q(health__asked_failure="")
    most = math.ceil(every.count() * SWEEP_SECONDS / (EVERY.total_seconds() / 2))
    return list(every.filter(late).order_by(F("health__asked_at").asc(nulls_first=True), "id")[:most])


def take_over(*, number: Number, said: Mapping[str, Any], at: datetime) -> None:
    """Put what Meta said of a number beside it, where the pages show it; what it does not say stays as it was.

    said: by the names of whatsapp.business.NumberState.
    """
    for aspect, field in ASPECTS.items():
        word = said[field]
        if word and (field != "quality" or word in QUALITIES):
            health.tell(number=number, aspect=aspect, values={field: word}, at=at)
    _note(number, "", at)


def _note(number: Number, failure: str, at: datetime) -> None:
    NumberHealth.objects.get_or_create(number=number)
    NumberHealth.objects.filter(number=number).update(asked_at=at, asked_failure=failure)


def _asked(number: Number) -> tuple[str, NumberState | None]:
    try:
        token = number.access_token()
    except UnreadableSecret:
        token = None
    if token is None:
        return NO_ACCESS, None
    try:
        return "", asyncio.run(_ask(number.phone_number_id, token))
    except MetaRefused:
        return REFUSED, None
    except MetaUnreachable:
        return UNREACHABLE, None


async def _ask(phone_number_id: str, token: str) -> NumberState:
    async with open_session(connections=1) as session:
        api = BusinessAPI(session=session, base_url=settings.META_GRAPH_URL, version=settings.META_GRAPH_VERSION)
        return await api.number(phone_number_id=phone_number_id, token=token)
