"""One call to Meta, and what its answer asks: settled, sent again, slower for whom Meta names, or stopped and told.

Throttling costs a message no try; what was surely not accepted costs one; what nobody knows is never sent again by a
machine. Meta's codes are classified in whatsapp/errors.py.
"""

import time
from collections.abc import Collection
from typing import TYPE_CHECKING

import structlog

from messaging.figures import META_ERRORS, SENDS
from messaging.lanes import out_of_reach, stopping
from messaging.lanes.settling import NotStorable, until_stored
from messaging.lanes.standing import LONGEST_BACK_OFF_SECONDS, PROBE_SECONDS, Stop, doubling
from messaging.lanes.store import Claimed, Ending, Settlement
from messaging.templates import refusals
from tenants import clock
from tenants.models import Trouble
from whatsapp.errors import ErrorKind, ErrorScope, MetaError
from whatsapp.outcomes import Accepted, NotSent, Outcome, Reason, Refused, Uncertain
from whatsapp.outgoing import InvalidContent, Recipient, addressed

if TYPE_CHECKING:
    from messaging.lanes.lane import Lane

MOST_ATTEMPTS = 12
MAINTENANCE = 131057  # the number is being upgraded, for a minute or more
MAINTENANCE_SECONDS = 15.0
LONGEST_REST_SECONDS = 2.0  # of a lane that Meta found too fast; after that it goes on at half its pace
TRY_NEXT_SECONDS = 1.0  # until the next probe, when one failed for a reason of its own
PERMANENT_REASONS = frozenset({Reason.INVALID_REQUEST, Reason.UNTRUSTED_URL})

log = structlog.get_logger(__name__)


async def call(*, lane: "Lane", item: Claimed, probes: Stop | None) -> None:
    """Send one claimed message and have what came of it written. probes: what it tries out, if anything."""
    try:
        outcome = await _send(lane, item)
    except Exception as error:
        # Whatever broke, the request may have been written: nobody knows, and nothing more is claimed by this lane.
        log.error("send_broke", message_id=str(item.message_id), exc_info=error)
        lane.break_off()
        outcome = Uncertain(Reason.DISCONNECTED)
    finally:
        lane.answered()
    try:
        lane.sends[type(outcome)] += 1
        await _conclude(lane, item, outcome, probes)
    except Exception as error:
        # It cannot be written as it is: the message stays SENDING, and the next lease makes it UNCERTAIN.
        if not isinstance(error, NotStorable):
            log.error("outcome_not_written", message_id=str(item.message_id), exc_info=error)
        lane.break_off()
    finally:
        if probes is not None:
            probes.probing = False


def tell_sends(*, lane: "Lane") -> None:
    """Add up what was sent in the metrics: not message by message, because their counters are files."""
    for outcome, times in lane.sends.items():
        SENDS.labels(lane.lease.schema_name, outcome.__name__.lower()).inc(times)
    lane.sends.clear()


async def _send(lane: "Lane", item: Claimed) -> Outcome:
    assert lane.token is not None
    try:
        recipient = Recipient(wa_id=item.wa_id, bsuid=item.bsuid)
    except InvalidContent:
        return NotSent(Reason.INVALID_REQUEST)
    # By which of the two keys a contact is reached may have changed since the message was queued.
    body = addressed(request=item.request, recipient=recipient)
    return await lane.api.send(phone_number_id=lane.lease.phone_number_id, access_token=lane.token, body=body)


async def _conclude(lane: "Lane", item: Claimed, outcome: Outcome, probes: Stop | None) -> None:
    standing, at = lane.standing, time.monotonic()
    times_throttled = lane.throttled.pop(item.message_id, 0)
    if not isinstance(outcome, NotSent):
        standing.reached()
    if isinstance(outcome, Uncertain):
        standing.silent += 1
        standing.unreached_reason = str(outcome.reason)
    elif isinstance(outcome, Accepted | Refused):
        standing.silent = 0
        if lane.told_unreachable or lane.settings.troubles:
            await out_of_reach.over(lane=lane)
    if probes is not None and not isinstance(outcome, Accepted | NotSent):
        probes.probe_at = at + (TRY_NEXT_SECONDS if isinstance(outcome, Refused) else PROBE_SECONDS)
    match outcome:
        case Accepted(wamid=wamid):
            accepted = Settlement(item.message_id, Ending.ACCEPTED, wamid=wamid)
            if probes is None:
                lane.settler.note(accepted)
            else:
                await lane.settler.settle(accepted)
                await _go_on(lane, probes)
        case Uncertain(reason=reason):
            log.warning("send_uncertain", message_id=str(item.message_id), reason=reason)
            await lane.settler.settle(Settlement(item.message_id, Ending.UNCERTAIN))
        case NotSent(reason=reason) if reason in PERMANENT_REASONS:
            await _fail(lane, item, code=None, reason=str(reason))
        case NotSent(reason=reason):
            # Meta is out of reach for the whole number: it rests, and no message pays for it with a try.
            until = standing.not_reached(at=at)
            if until is not None:
                lane.pace.rest(until=until)
                standing.unreached_reason = str(reason)
                log.warning("meta_out_of_reach", reason=reason)
            await _put_back(lane, item)
        case Refused(error=error):
            META_ERRORS.labels(error.code).inc()
            log.info("send_refused", message_id=str(item.message_id), code=error.code, kind=error.kind)
            await _refused(lane, item, error, times_throttled)


async def _refused(lane: "Lane", item: Claimed, error: MetaError, times_throttled: int) -> None:
    match error.kind:
        case ErrorKind.THROTTLED:
            seconds = _throttle(lane, item, error, times_throttled)
            await _put_back(lane, item, seconds=seconds)
        case ErrorKind.RETRYABLE if item.attempts + 1 >= MOST_ATTEMPTS:
            await _fail(lane, item, code=error.code, reason=_reason(error))
        case ErrorKind.RETRYABLE:
            await _put_back(lane, item, seconds=doubling(item.attempts), counts=True)
        case ErrorKind.STOP:
            await _stop(lane, error, templates_only=item.is_template and error.scope is ErrorScope.BUSINESS_INITIATED)
            await _put_back(lane, item)
        case _:
            await _fail(lane, item, code=error.code, reason=_reason(error))
            if error.code in refusals.CODES:
                await refusals.tell(
                    schema_name=lane.lease.schema_name, message_id=item.message_id, code=error.code, at=clock.now()
                )


def _throttle(lane: "Lane", item: Claimed, error: MetaError, times: int) -> float:
    """Slow down whom Meta names; return after how many seconds the message may go again. No try is spent."""
    lane.throttled[item.message_id] = times + 1
    at = time.monotonic()
    if error.scope is ErrorScope.PAIR:
        return min(LONGEST_BACK_OFF_SECONDS, 4.0**times)
    if error.code == MAINTENANCE:
        lane.pace.rest(until=at + MAINTENANCE_SECONDS)
        return MAINTENANCE_SECONDS
    seconds = doubling(times)
    for each in _concerned(lane, error.scope):
        if each.pace.slow_down(at=at):
            each.pace.rest(until=at + min(seconds, LONGEST_REST_SECONDS))
            log.warning("lane_slowed", code=error.code, number_id=each.lease.phone_number_id)
    return seconds


def _concerned(lane: "Lane", scope: ErrorScope) -> "Collection[Lane]":
    """Return the lanes of this process that Meta means; those of other processes hear it when they send."""
    if scope is ErrorScope.APP:
        return {id(each): each for each in (lane, *lane.peers())}.values()
    if scope is ErrorScope.WABA:
        mine = lane.settings.waba_id
        return {id(each): each for each in (lane, *lane.peers()) if each.settings.waba_id == mine}.values()
    return [lane]


async def _stop(lane: "Lane", error: MetaError, *, templates_only: bool) -> None:
    """Stop what Meta will not take, and tell people; the answers of calls that left together are one."""
    at = time.monotonic()
    stop = lane.standing.templates if templates_only else lane.standing.number
    if not stop.put(at=at, seconds=PROBE_SECONDS):
        return
    # The code alone: lanes and troubles are in `public`, and Meta's words may name a citizen or repeat a token.
    kind, detail = stopping.trouble_of(error=error), f"Meta {error.code}"
    log.error("number_stopped", code=error.code, trouble=kind)
    numbers = {lane.lease.phone_number_id}
    if not templates_only:
        waba_id = lane.settings.waba_id if error.scope is ErrorScope.WABA else ""
        numbers |= await until_stored(
            lambda: lane.store.pause(lease=lane.lease, seconds=PROBE_SECONDS, reason=detail, waba_id=waba_id)
        )
        for each in lane.peers():
            if each is not lane and each.lease.phone_number_id in numbers:
                each.standing.number.put(at=at, seconds=PROBE_SECONDS)
    await stopping.tell(numbers=numbers, kind=kind, detail=detail, at=clock.now())
    lane.store.announcer.tell_all(schema_name=lane.lease.schema_name)


async def _go_on(lane: "Lane", stop: Stop) -> None:
    """Go on as before: Meta took a message. The account's other numbers try at once."""
    if not stop.is_on:
        return
    stop.lift()
    is_number = stop is lane.standing.number
    log.info("number_goes_on", templates_only=not is_number)
    await _over(lane, sorted(stopping.STOPS if is_number else stopping.TEMPLATE_STOPS))
    if is_number:
        await until_stored(lambda: lane.store.resume(lease=lane.lease))
    for each in lane.peers():
        other = each.standing.number if is_number else each.standing.templates
        if each.settings.waba_id == lane.settings.waba_id and other.is_on:
            other.probe_at = time.monotonic()
            each.wake()


async def _over(lane: "Lane", kinds: Collection[Trouble.Kind]) -> None:
    await stopping.tell_over(numbers=[lane.lease.phone_number_id], kinds=kinds, at=clock.now())
    lane.store.announcer.tell_all(schema_name=lane.lease.schema_name)


async def _put_back(lane: "Lane", item: Claimed, *, seconds: float = 0.0, counts: bool = False) -> None:
    await lane.settler.settle(Settlement(item.message_id, Ending.AGAIN, seconds=seconds, counts=counts))


async def _fail(lane: "Lane", item: Claimed, *, code: int | None, reason: str) -> None:
    await lane.settler.settle(Settlement(item.message_id, Ending.FAILED, code=code, reason=reason))


def _reason(error: MetaError) -> str:
    return f"Meta {error.code}: {error.title}" if error.title else f"Meta {error.code}"
