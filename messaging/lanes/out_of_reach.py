"""Meta out of reach of a number: people are told within a minute, and told that it is over with Meta's next answer.

Nothing stops by it: the lane goes on trying. Told by the lane's own look and not by its next try, which may be long to
come; asked about when nothing is left to send that would show it.
"""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from messaging.lanes import stopping
from tenants import clock
from tenants.models import Trouble
from whatsapp.outcomes import MetaRefused, MetaUnreachable

if TYPE_CHECKING:
    from messaging.lanes.lane import Lane

UNREACHABLE = Trouble.Kind.UNREACHABLE
ASK_SECONDS = 5.0  # for which an idle lane waits for Meta's answer


async def tell(*, lane: "Lane") -> None:
    """Tell people, unless they know."""
    if is_known(lane=lane):
        return
    lane.told_unreachable = True
    number, why = lane.lease.phone_number_id, lane.standing.unreached_reason
    await stopping.tell(numbers=[number], kind=UNREACHABLE, detail=why, at=clock.now())
    lane.store.announcer.tell_all(schema_name=lane.lease.schema_name)


async def over(*, lane: "Lane") -> None:
    """Tell people that Meta answered, if they were told that it does not."""
    if not is_known(lane=lane):
        return
    lane.told_unreachable = False
    others = [kind for kind in lane.settings.troubles if kind != UNREACHABLE]
    lane.settings = replace(lane.settings, troubles=others)  # read again with the next renewal
    await stopping.tell_over(numbers=[lane.lease.phone_number_id], kinds=[UNREACHABLE], at=clock.now())
    lane.store.announcer.tell_all(schema_name=lane.lease.schema_name)


async def ask(*, lane: "Lane") -> None:
    """Ask Meta something harmless, when people were told and nothing waits that would show whether it is over."""
    if not is_known(lane=lane) or lane.token is None:
        return
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await lane.api.check_token(phone_number_id=lane.lease.phone_number_id, access_token=lane.token)
    except MetaRefused:
        pass  # an answer too
    except (MetaUnreachable, TimeoutError):
        return
    await over(lane=lane)


def is_known(*, lane: "Lane") -> bool:
    """Return whether people know, by this lane or by one before it."""
    return lane.told_unreachable or UNREACHABLE in lane.settings.troubles
