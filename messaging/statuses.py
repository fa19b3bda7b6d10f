"""Status → message: what Meta reports of a message we sent, moved forward only, and handed to metering.

A message is found by its wamid, or by our own id that Meta echoes: so a status that comes before our send was recorded,
or for a send whose answer never came, finds its message too and settles it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db.models import Q

from messaging.announcing import announce
from messaging.contacts import ContactBook, Identity
from messaging.figures import META_ERRORS
from messaging.metering import Meter
from messaging.models import Message, MessageStatus, OutboxItem
from messaging.saving import save_changed
from messaging.templates import refusals
from whatsapp.payloads import StatusUpdate

STATE_OF = {
    "sent": Message.State.SENT,
    "failed": Message.State.FAILED,
    "delivered": Message.State.DELIVERED,
    "read": Message.State.READ,
    "played": Message.State.PLAYED,
}
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
        return Identity(wa_id=self.update.recipient_wa_id, bsuid=self.update.recipient_bsuid)

    @property
    def message_id(self) -> UUID | None:
        """Return our own id of the message, when Meta echoes one of ours."""
        try:
            return UUID(self.update.opaque_id or "")
        except ValueError:
            return None


def apply(*, reports: Sequence[Reported], contacts: ContactBook, meter: Meter) -> None:
    """Move each message forward, keep each status, and meter each message that was sent from these numbers.

    A message that we did not send (from the Business app on a phone, say) is metered all the same, for it costs.
    """
    if not reports:
        return
    found = _messages(reports)
    history: list[MessageStatus] = []
    changed: dict[UUID, Message] = {}
    for report in reports:
        message = found.get(report.update.wamid) or found.get(str(report.message_id))
        if message is None:
            _meter_unknown(report, contacts, meter)
            continue
        if _move_forward(message, report.update):
            changed[message.id] = message
        found[report.update.wamid] = message
        history.append(_status(message, report.update))
        meter.add(report=report.update, number=report.number, contact=message.thread.contact, message=message)
    contacts.save()
    if changed:
        save_changed(list(changed.values()), fields=["state", "wamid", "failed_code", "failed_reason"])
        announce(threads={message.thread_id for message in changed.values()})
        OutboxItem.objects.filter(message__in=changed).delete()  # Meta has it: it must not be sent again
        for message in changed.values():
            if message.failed_code in refusals.CODES:
                refusals.follow(message_id=message.id, code=message.failed_code, at=meter.at)
    MessageStatus.objects.bulk_create(history, ignore_conflicts=True)


def _meter_unknown(report: Reported, contacts: ContactBook, meter: Meter) -> None:
    """Meter a message that another program sent from the number, such as the Business app on a phone.

    An id of ours that this schema does not know is a message of the municipality that had the number before: it is
    neither billed here, nor becomes its citizen known here.
    """
    if report.message_id is not None or not meter.is_of(report=report.update, number=report.number):
        log.warning("status_of_unknown_message", status=report.update.status)
    elif report.recipient.wa_id or report.recipient.bsuid:
        meter.add(report=report.update, number=report.number, contact=contacts.resolve(report.recipient))


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
    before = (message.state, message.wamid)
    message.wamid = message.wamid or update.wamid
    state = STATE_OF.get(update.status, Message.State.ACCEPTED)
    if message.state not in RANK or RANK[state] > RANK[Message.State(message.state)]:
        message.state = state
    if state == Message.State.FAILED and update.errors and message.state == Message.State.FAILED:
        message.failed_code = update.errors[0].code
        message.failed_reason = update.errors[0].title[:300]
        if before[0] != Message.State.FAILED:
            META_ERRORS.labels(update.errors[0].code).inc()
    if message.state == Message.State.FAILED and not message.failed_reason:
        message.failed_reason = "Meta gave no reason"
    elif message.state != Message.State.FAILED:
        message.failed_code, message.failed_reason = None, ""
    return before != (message.state, message.wamid)


def _status(message: Message, update: StatusUpdate) -> MessageStatus:
    return MessageStatus(
        message=message,
        status=update.status[:20],
        participant=(update.participant or "")[:40],
        stamped_at=update.stamped_at,
    )
