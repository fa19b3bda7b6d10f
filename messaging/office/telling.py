"""What citizens are told by itself when they write: that the municipality is closed, and what it does with their data.

Called at the end of a batch of what came in, in its transaction, under the municipality's inbox lock: so what is told
is told with the message that asked for it, or neither is. To each citizen once for as long as it is closed, and the
notice once a year. Who asked something still waits for a person.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from audit.record import Actor
from messaging import opting, window
from messaging.models import ClosedAnswer, Message, OutboxItem, Thread, Told
from messaging.office import closed, hours
from messaging.office.notice import compose_notice, form_of_address
from messaging.replying import Draft, queue
from messaging.threads import UNANSWERED_KINDS
from whatsapp.outgoing import Text

NOTICE_DAYS = 365  # for so long a citizen is not told of their data again
CLOSED_DAYS = 7  # the same, where it is not known when it opens
ACTOR = Actor.system("automatic answer")


def tell(*, written: Sequence[Message], place: str, at: datetime) -> int:
    """Answer these new messages of citizens by itself where that was chosen; return how many answers.

    place: the municipality's name.
    """
    threads = _askers(written, at)
    if not threads:
        return 0
    texts = _texts(place, at)
    if not texts:
        return 0
    drafts, told = [], []
    known = _told(contact_ids=[thread.contact_id for thread in threads], whats=texts)
    for thread in threads:
        due = [what for what in texts if known.get((thread.contact_id, what), at) <= at]
        if due:
            text = "\n\n".join(texts[what][0] for what in due)
            drafts.append(Draft(thread=thread, content=Text(body=text), text=text))
            told += [Told(contact_id=thread.contact_id, what=what, told_at=at, until=texts[what][1]) for what in due]
    if not drafts:
        return 0
    Told.objects.bulk_create(
        told, update_conflicts=True, unique_fields=["contact", "what"], update_fields=["told_at", "until"]
    )
    return len(queue(drafts=drafts, priority=OutboxItem.Priority.REPLY, actor=ACTOR, at=at, answers=False))


def _askers(written: Sequence[Message], at: datetime) -> list[Thread]:
    """Return the open threads in which a citizen asks something now, one a citizen; read again: merges may be new."""
    ids = {
        message.thread_id
        for message in written
        if message.kind not in UNANSWERED_KINDS
        and "standby" not in message.content  # another application of Meta's answers there
        and not opting.meant(kind=message.kind, text=message.text)  # confirmed at once
    }
    if not ids:
        return []
    found = Thread.objects.filter(id__in=ids, state=Thread.State.OPEN).select_related("contact").order_by("id")
    asking = [thread for thread in found if window.is_open(last_inbound_at=thread.last_inbound_at, at=at)]
    return list({thread.contact_id: thread for thread in asking}.values())


def _texts(place: str, at: datetime) -> dict[str, tuple[str, datetime]]:
    """Return what citizens are told now, and until when they are not told it again; two queries where it is nothing."""
    texts: dict[str, tuple[str, datetime]] = {}
    answer = ClosedAnswer.objects.first()
    if answer is not None and not hours.is_open(at=at):
        opens_at = hours.opens_next(at=at)
        text = closed.wording(own_text=answer.own_text, form=form_of_address(), name=place, opens_at=opens_at)
        texts[Told.What.CLOSED] = text, opens_at or at + timedelta(days=CLOSED_DAYS)
    notice = compose_notice(name=place)
    if notice is not None:
        texts[Told.What.NOTICE] = notice, at + timedelta(days=NOTICE_DAYS)
    return texts


def _told(*, contact_ids: Sequence[UUID], whats: Collection[str]) -> dict[tuple[UUID, str], datetime]:
    rows = Told.objects.filter(contact__in=contact_ids, what__in=list(whats))
    return {(contact_id, what): until for contact_id, what, until in rows.values_list("contact_id", "what", "until")}
