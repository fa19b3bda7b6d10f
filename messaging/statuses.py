"""Status → message: what Meta reports of a message we sent, moved forward only, and handed to metering.

A message is found by its wamid, or by our own id that Meta echoes: so a status that comes before our send was recorded,
or for a send whose answer never came, finds its message too and settles it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import Q

from messaging.announcing import announce
from messaging.contacts import ContactBook, Identity
from messaging.failures import NO_REASON
from messaging.figures import META_ERRORS
from messaging.lanes import stopping
from messaging.metering import Meter
from messaging.models import FirstWrite, LooseStatus, Message, MessageStatus
from messaging.repeating import withdraw_repeats
from messaging.saving import insert, save_changed
from messaging.templates import refusals
from whatsapp.payloads import StatusUpdate

STATE_OF = {
    "sent": Message.State.SENT,
    "failed": Message.State.FAILED,
    "delivered": Message.State.DELIVERED,
    "read": Message.State.READ,
    "played": Message.State.PLAYED,
}
_MOVED = ("state", "wamid", "failed_code", "failed_reason")
RANK = {state: rank for rank, state in enumerate(Message.FORWARD)}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reported:
    """One status, and the number that it came for."""

    update: StatusUpdate
    number: str

    @property
    def recipient(self) -> Identity:
        """Return whom the message was for, as far as the status says."""
        update = self.update
        return Identity(wa_id=update.recipient_wa_id, bsuid=update.recipient_bsuid, at=update.stamped_at)

    @property
    def message_id(self) -> UUID | None:
        """Return our own id of the message, when Meta echoes one of ours."""
        try:
            return UUID(self.update.opaque_id or "")
        except ValueError:
            return None


def recipients(*, reports: Sequence[Reported], meter: Meter) -> Iterator[Identity]:
    """Return whom the reports say they are about, as far as that is this municipality's to know.

    Of a message of ours Meta may link the number and the id; of one that another program sent it says who got it.
    """
    both = (report for report in reports if report.recipient.wa_id and report.recipient.bsuid)
    ids = {report.message_id for report in both if report.message_id}
    ours = set(Message.objects.filter(id__in=ids).values_list("id", flat=True)) if ids else set()
    for report in reports:
        recipient = report.recipient
        if report.update.group or not (recipient.wa_id or recipient.bsuid):
            continue
        if report.message_id is not None:
            if report.message_id in ours and recipient.wa_id and recipient.bsuid:
                yield recipient
        elif meter.is_of(report=report.update, number=report.number):
            yield recipient


def apply(*, reports: Sequence[Reported], contacts: ContactBook, meter: Meter) -> None:
    """Move each message forward, keep each status, and meter each message that was sent from these numbers.

    A message that we did not send (from the Business app on a phone, say) is metered all the same, for it costs.
    """
    if not reports:
        return
    found = _messages(reports)
    history: list[MessageStatus] = []
    loose: list[LooseStatus] = []
    changed: dict[UUID, Message] = {}
    uncertain = {message.id for message in found.values() if message.state == Message.State.UNCERTAIN}
    for report in reports:
        message = found.get(report.update.wamid) or found.get(str(report.message_id))
        if message is None:
            if _meter_unknown(report, contacts, meter):
                loose.append(_loose(report.update))
            continue
        if _move_forward(message, report.update):
            changed[message.id] = message
        found[report.update.wamid] = message
        history.append(_status(message, report.update))
        meter.add(report=report.update, number=report.number, contact=message.thread.contact, message=message)
    contacts.save()
    if changed:
        save_changed(list(changed.values()), fields=_MOVED)
        announce(threads={message.thread_id for message in changed.values()})
        _take_out(changed.keys())
        arrived = [id_ for id_ in uncertain if id_ in changed and changed[id_].state != Message.State.FAILED]
        if arrived:
            withdraw_repeats(message_ids=arrived)
        failed = [message.id for message in changed.values() if message.state == Message.State.FAILED]
        if failed:
            FirstWrite.objects.filter(message__in=failed).delete()  # who was not reached does not count
        for message in changed.values():
            if message.state == Message.State.FAILED and message.failed_code is not None:
                number = message.thread.phone_number_id
                stopping.heed(phone_number_id=number, code=message.failed_code, at=meter.at)
            if message.failed_code in refusals.CODES:
                refusals.follow(message_id=message.id, code=message.failed_code, at=meter.at)
    insert(history, ignore_conflicts=True)
    insert(loose, ignore_conflicts=True)


def _take_out(message_ids: Collection[UUID]) -> None:
    """Take messages out of the outbox: Meta has them, they must not be sent again. Django would read the rows first."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM messaging_outboxitem WHERE message_id = ANY(%s)", [list(message_ids)])


def settle(*, messages: Collection[Message]) -> None:
    """Give messages that the number sent from elsewhere the statuses that came before them."""
    ours = {message.wamid or "": message for message in messages if message.direction == Message.Direction.OUTBOUND}
    if not ours:
        return
    rows = list(LooseStatus.objects.filter(wamid__in=ours))
    for row in rows:
        _step_forward(ours[row.wamid], row.status, row.wamid, row.failed_code, row.failed_reason)
    save_changed([ours[wamid] for wamid in {row.wamid for row in rows}], fields=_MOVED)
    history = [
        MessageStatus(
            message=ours[row.wamid], status=row.status, participant=row.participant, stamped_at=row.stamped_at
        )
        for row in rows
    ]
    insert(history, ignore_conflicts=True)
    LooseStatus.objects.filter(id__in=[row.id for row in rows]).delete()


def _meter_unknown(report: Reported, contacts: ContactBook, meter: Meter) -> bool:
    """Meter a message that another program sent from the number, such as the Business app on a phone.

    An id of ours that this schema does not know is a message of the municipality that had the number before: it is
    neither billed here, nor becomes its citizen known here. Returns whether the message may still turn up here.
    """
    if report.message_id is not None or not meter.is_of(report=report.update, number=report.number):
        known = report.update.status if report.update.status in STATE_OF else "other"
        log.warning("status_of_unknown_message", status=known)
        return False
    if not report.update.group and (report.recipient.wa_id or report.recipient.bsuid):
        meter.add(report=report.update, number=report.number, contact=contacts.resolve(report.recipient))
    return True


def _messages(reports: Sequence[Reported]) -> dict[str, Message]:
    """Return the messages that the reports are of, by wamid and by our id; locked, for a lane may settle them now."""
    wamids = {report.update.wamid for report in reports}
    ids = {report.message_id for report in reports if report.message_id}
    query = Message.objects.select_for_update(of=("self",), no_key=True).select_related("thread__contact")
    found: dict[str, Message] = {}
    for message in query.filter(Q(wamid__in=wamids) | Q(id__in=ids), direction="OUTBOUND").order_by("id"):
        found[str(message.id)] = message
        if message.wamid:
            found[message.wamid] = message
    return found


def _move_forward(message: Message, update: StatusUpdate) -> bool:
    """Put the status on the message unless it is further already; return whether anything changed."""
    error, before = update.errors[0] if update.errors else None, message.state
    title = error.title[:300] if error else ""
    changed = _step_forward(message, update.status, update.wamid, error.code if error else None, title)
    if error is not None and message.state == Message.State.FAILED != before:
        META_ERRORS.labels(error.code).inc()
    return changed


def _step_forward(message: Message, status: str, wamid: str, code: int | None, title: str) -> bool:
    before = (message.state, message.wamid)
    message.wamid = message.wamid or wamid
    state = STATE_OF.get(status, Message.State.ACCEPTED)
    if message.state not in RANK or RANK[state] > RANK[Message.State(message.state)]:
        message.state = state
    if state == Message.State.FAILED and code is not None and message.state == Message.State.FAILED:
        message.failed_code, message.failed_reason = code, title
    if message.state == Message.State.FAILED and not message.failed_reason:
        message.failed_reason = NO_REASON
    elif message.state != Message.State.FAILED:
        message.failed_code, message.failed_reason = None, ""
    return before != (message.state, message.wamid)


def _loose(update: StatusUpdate) -> LooseStatus:
    error = update.errors[0] if update.errors else None
    return LooseStatus(
        wamid=update.wamid[:200],
        status=update.status[:20],
        participant=(update.participant or "")[:40],
        stamped_at=update.stamped_at,
        failed_code=error.code if error else None,
        failed_reason=error.title[:300] if error else "",
    )


def _status(message: Message, update: StatusUpdate) -> MessageStatus:
    return MessageStatus(
        message=message,
        status=update.status[:20],
        participant=(update.participant or "")[:40],
        stamped_at=update.stamped_at,
    )
