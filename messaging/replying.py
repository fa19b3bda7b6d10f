"""What leaves: replies and templates, single and in bulk, on one path: message and outbox row in one transaction.

Nothing is sent here. The number's lane (messaging/lanes) finds the outbox row and calls Meta.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from audit.record import Actor, record
from messaging import consent, window
from messaging.announcing import announce
from messaging.attaching import Attached
from messaging.holding import hold
from messaging.models import Contact, Medium, Message, OutboxItem, ReplyDraft, Template, Thread
from messaging.templates import judging, sending, versions
from messaging.templates.filling import Filling, TemplateUnusable, fill
from tenants import elections
from tenants.declaration import Purpose
from tenants.models import Number
from whatsapp.outgoing import Content, Reaction, Recipient, Text, request_body

# That the threads have a message more, and that the lanes of the numbers have work; one round trip.
TELL = """
    UPDATE messaging_thread SET last_message_at = greatest(last_message_at, %(at)s),
        waiting_since = CASE WHEN %(answers)s THEN NULL ELSE waiting_since END
    WHERE id = ANY(%(threads)s);
    INSERT INTO public.messaging_core_outboxwake (phone_number_id) SELECT unnest(%(numbers)s::text[])
"""


class WindowClosed(Exception):
    """A free-form reply is not allowed now: the citizen did not write in the last 24 hours.

    closed_at: when the window closed, or None when it never opened. The way out is a template: `templates` names those
    that Meta approved.
    """

    def __init__(self, *, closed_at: datetime | None, templates: Sequence[str]) -> None:
        super().__init__("the service window is closed; send a template instead")
        self.closed_at = closed_at
        self.templates = tuple(templates)


class ThreadClosed(Exception):
    """The thread was closed; the citizen's next message, or a template, opens a new one."""


class AnsweredMeanwhile(Exception):
    """A colleague answered since who writes saw the thread last; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One message to be queued. text: what people read of it on the page. medium: where the content names none."""

    thread: Thread
    content: Content
    text: str
    purpose: str = ""
    template: Template | None = None
    reply_to_wamid: str | None = None
    medium: Medium | None = None
    once: UUID | None = None  # the message's id, where whoever sends it chose one


@dataclass(frozen=True, slots=True)
class Answerer:
    """An agent at a page, who answers: the thread is theirs from now on if nobody had it.

    once: made with the form, becomes the message's id, so that a form sent twice queues one message.
    seen_until: when the page was made; None: send whatever a colleague answered since.
    """

    user_id: UUID
    once: UUID
    seen_until: datetime | None


def reply(
    *,
    thread_id: UUID,
    text: str,
    actor: Actor,
    at: datetime,
    reply_to_wamid: str | None = None,
    answerer: Answerer | None = None,
) -> Message:
    """Queue a free-form text in an open thread.  Raises what `reply_with` raises."""
    return reply_with(
        thread_id=thread_id,
        content=Text(body=text),
        actor=actor,
        at=at,
        reply_to_wamid=reply_to_wamid,
        answerer=answerer,
    )


@transaction.atomic
def reply_with(
    *,
    thread_id: UUID,
    content: Content,
    actor: Actor,
    at: datetime,
    reply_to_wamid: str | None = None,
    answerer: Answerer | None = None,
) -> Message:
    """Queue a free-form message of any kind in an open thread; a template is no free-form message.

    Raises WindowClosed, ThreadClosed, AnsweredMeanwhile: it is not allowed now. LimitExceeded, InvalidContent: Meta
    would refuse it.
    """
    return reply_within(
        thread_id=thread_id, content=content, actor=actor, at=at, reply_to_wamid=reply_to_wamid, answerer=answerer
    )


def reply_within(
    *,
    thread_id: UUID,
    content: Content,
    actor: Actor,
    at: datetime,
    reply_to_wamid: str | None = None,
    answerer: Answerer | None = None,
) -> Message:
    """Do as `reply_with` in the caller's transaction, which is undone when this raises; it spares a savepoint."""
    thread = lock_open(thread_id=thread_id)
    if answerer is not None:
        sent_before = _begin_answer(thread, answerer)
        if sent_before is not None:
            return sent_before
    if not window.is_open(last_inbound_at=thread.last_inbound_at, at=at):
        approved = approved_templates(phone_number_id=thread.phone_number_id)
        raise WindowClosed(closed_at=thread.window_ends_at(), templates=[template.name for template in approved])
    draft = Draft(
        thread=thread,
        content=content,
        text=content.readable(),
        reply_to_wamid=reply_to_wamid,
        once=answerer.once if answerer else None,
    )
    # A thumbs-up is no answer: who asked something still waits.
    answers = content.type != "reaction"
    return _queue(drafts=[draft], priority=OutboxItem.Priority.REPLY, actor=actor, at=at, answers=answers)[0]


@transaction.atomic
def send_template(
    *, thread_id: UUID, template_id: UUID, values: Mapping[str, str] | Filling, actor: Actor, at: datetime
) -> Message:
    """Queue an approved template in an open thread, whether the window is open or not.

    values: of the body by name, or a Filling where header or buttons need something too.

    Raises ThreadClosed, TemplateUnusable, NotConsented: it cannot be sent. LimitExceeded, InvalidContent: Meta would
    refuse it.
    """
    template = sending.hold(template_id=template_id)
    thread = lock_open(thread_id=thread_id)
    if template.waba_id != _waba_id(thread.phone_number_id):
        raise TemplateUnusable("template_of_another_account")
    draft = template_draft(thread=thread, template=template, values=values, at=at)
    return _queue(drafts=[draft], priority=OutboxItem.Priority.REPLY, actor=actor, at=at)[0]


def template_draft(*, thread: Thread, template: Template, values: Mapping[str, str] | Filling, at: datetime) -> Draft:
    """Return the draft of a template with everything filled in.

    Raises TemplateUnusable: it cannot be sent, or has other parts. LimitExceeded, InvalidContent: Meta would refuse it.
    """
    refused = sending.refusal(template=template, at=at)
    if refused is not None:
        raise TemplateUnusable(refused)
    _check_election(thread, template, at)
    content = fill(template=template, filling=values if isinstance(values, Filling) else Filling(body=values))
    if judging.flagged_by_filling(template=template, filled=content.text, at=at):
        raise TemplateUnusable("template_values_flagged")
    return Draft(thread=thread, content=content, text=content.text, purpose=template.purpose, template=template)


@transaction.atomic
def queue(
    *,
    drafts: Sequence[Draft],
    priority: OutboxItem.Priority,
    actor: Actor,
    at: datetime,
    answers: bool | None = None,
) -> list[Message]:
    """Queue messages: each with its outbox row, all or none; the one way by which anything leaves.

    answers: whether who waits in these threads waits no longer; left out: replies do, broadcasts do not.
    Raises LimitExceeded, InvalidContent: Meta would refuse one of them. NotConsented: one of them is a template to
    somebody who may not be written to first (`consent.refusals` tells who). Nothing is queued then.
    """
    return _queue(drafts=drafts, priority=priority, actor=actor, at=at, answers=answers)


def _queue(
    *,
    drafts: Sequence[Draft],
    priority: OutboxItem.Priority,
    actor: Actor,
    at: datetime,
    answers: bool | None = None,
) -> list[Message]:
    first = {draft.thread.contact_id for draft in drafts if draft.content.type == "template"}
    if len(drafts) > 1 or first:
        # All at once and in order, before they are written: others wait for them instead of deadlocking.
        contact_ids = {draft.thread.contact_id for draft in drafts}
        list(Contact.objects.select_for_update(no_key=True).filter(id__in=contact_ids).order_by("id").values("id"))
        thread_ids = {draft.thread.id for draft in drafts}
        list(Thread.objects.select_for_update(no_key=True).filter(id__in=thread_ids).order_by("id").values("id"))
    if first:
        consent.check(contact_ids=first)
    used = versions.current(template_ids={draft.template.id for draft in drafts if draft.template})
    messages = [_message(draft, actor, at, used) for draft in drafts]
    items = [
        OutboxItem(
            message=message,
            phone_number_id=draft.thread.phone_number_id,
            contact_id=draft.thread.contact_id,
            priority=priority,
            request=_request(draft, message),
            due_at=Now(),
        )
        for draft, message in zip(drafts, messages, strict=True)
    ]
    Message.objects.bulk_create(messages)
    OutboxItem.objects.bulk_create(items)
    threads = [draft.thread.id for draft in drafts]
    with connection.cursor() as cursor:
        told: dict[str, Any] = {
            "at": at,
            "answers": priority == OutboxItem.Priority.REPLY if answers is None else answers,
            "threads": threads,
            "numbers": sorted({draft.thread.phone_number_id for draft in drafts}),
        }
        cursor.execute(TELL, told)
    announce(threads=threads)
    subject = f"message {messages[0].id}" if len(messages) == 1 else f"{len(messages)} messages"
    record(action="message.queue", actor=actor, at=at, subject=subject, details={"kind": messages[0].kind})
    return messages


def approved_templates(*, phone_number_id: str) -> QuerySet[Template]:
    """Return the templates that can be sent from a number: approved, of a declared purpose, and of its account."""
    return sending.sendable(waba_id=_waba_id(phone_number_id))


def _check_election(thread: Thread, template: Template, at: datetime) -> None:
    """Let nothing be started before an election but what a crisis asks for; what answers a citizen may go."""
    if template.purpose == Purpose.CRISIS or window.is_open(last_inbound_at=thread.last_inbound_at, at=at):
        return
    schema_name: str = connection.schema_name  # type: ignore[attr-defined]
    if elections.running(schema_name=schema_name, at=at) is not None:
        raise TemplateUnusable("election_period")


def _waba_id(phone_number_id: str) -> str:
    return Number.objects.filter(phone_number_id=phone_number_id).latest("id").waba_id


def lock_open(*, thread_id: UUID) -> Thread:
    """Return an open thread with its contact, both locked.  Raises ThreadClosed, Thread.DoesNotExist."""
    thread = hold(thread_id=thread_id)
    if thread.state != Thread.State.OPEN:
        raise ThreadClosed
    return thread


def _begin_answer(thread: Thread, answerer: Answerer) -> Message | None:
    """Return the message if the form was sent before, else make the thread the agent's if nobody has it.

    Raises AnsweredMeanwhile. The thread is locked, so of two forms at once one waits here for the other.
    """
    before = Message.objects.filter(id=answerer.once).first()
    if before is not None:
        if (before.thread_id, before.author_id) != (thread.id, answerer.user_id):
            raise Thread.DoesNotExist  # no form of ours names another's message
        return before
    if answerer.seen_until is not None:
        since = thread.messages.filter(direction=Message.Direction.OUTBOUND, created_at__gt=answerer.seen_until)
        if since.exclude(author_id=answerer.user_id).exclude(author_id=None).exclude(kind="reaction").exists():
            raise AnsweredMeanwhile
    if thread.assignee_id is None:
        thread.assignee_id = answerer.user_id
        thread.save(update_fields=["assignee_id"])
    ReplyDraft.objects.filter(thread=thread, user_id=answerer.user_id).delete()  # with the answer, or not at all
    return None


def _message(draft: Draft, actor: Actor, at: datetime, used: Mapping[UUID, int]) -> Message:
    content = draft.content.as_meta()
    about = draft.content.wamid if isinstance(draft.content, Reaction) else draft.reply_to_wamid
    return Message(
        id=draft.once or uuid4(),
        thread=draft.thread,
        direction=Message.Direction.OUTBOUND,
        state=Message.State.QUEUED,
        kind=draft.content.type,
        text=draft.text,
        content={"items": content} if isinstance(content, list) else content,  # as what comes in is kept
        medium=draft.content.medium if isinstance(draft.content, Attached) else draft.medium,
        replies_to_wamid=about or "",
        stamped_at=at,
        created_at=at,
        author_id=UUID(actor.id) if actor.id != "system" else None,
        purpose=draft.purpose,
        template_name=draft.template.name if draft.template else "",
        template_category=draft.template.category if draft.template else "",
        template_version_id=used.get(draft.template.id) if draft.template else None,
    )


def _request(draft: Draft, message: Message) -> dict[str, Any]:
    """Return Meta's JSON; the lane puts in the recipient as the contact is known when it is sent."""
    contact = draft.thread.contact
    return request_body(
        recipient=Recipient(wa_id=contact.wa_id, bsuid=contact.bsuid),
        content=draft.content,
        our_id=str(message.id),
        reply_to=draft.reply_to_wamid,
    )
