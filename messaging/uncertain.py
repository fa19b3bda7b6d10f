"""A person's choice about a message of which nobody knows whether it was sent: send it again, or leave it.

No timer ever decides (docs/adr/0005-uncertain.md). To send again is to write a new message, with an id and a life of
its own, that names the one it repeats; the old one stays UNCERTAIN and is settled only by what Meta reports of it
(docs/adr/0011-a-person-settles-what-is-uncertain.md).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from audit.record import Actor, record
from messaging import repeating, replying, window
from messaging.announcing import announce
from messaging.models import Message, OutboxItem, Template, Thread, UncertainChoice
from messaging.reading import name_of
from messaging.replying import Draft, WindowClosed
from messaging.templates import sending, versions
from messaging.templates.filling import TemplateUnusable

Choice = UncertainChoice.Choice


class NotUncertain(Exception):
    """What became of the message is known: `state` says what. There is nothing to choose."""

    def __init__(self, *, state: str) -> None:
        super().__init__(f"the message is {state}")
        self.state = state


class ChosenOtherwise(Exception):
    """Somebody chose the other thing before: `choice` says who and what."""

    def __init__(self, *, choice: UncertainChoice) -> None:
        super().__init__(f"it was decided already: {choice.choice}")
        self.choice = choice


@dataclass(frozen=True, slots=True)
class UncertainMessage:
    """One message about which somebody decides. is_open_to_choice: whether there is anything left to decide."""

    message: Message
    name: str
    is_open_to_choice: bool
    at: datetime


def unsettled() -> QuerySet[Message]:
    """Return the messages about which nobody knows and nobody decided, the oldest first."""
    chosen = UncertainChoice.objects.filter(message=OuterRef("pk"))
    return Message.objects.filter(~Exists(chosen), uncertain_since__isnull=False).order_by("uncertain_since", "id")


def find(*, thread_id: UUID, message_id: UUID, at: datetime) -> UncertainMessage:
    """Return a message of a thread for somebody to decide about.  Raises Message.DoesNotExist."""
    query = Message.objects.select_related("thread__contact", "choice")
    message = query.get(id=message_id, thread=thread_id, direction=Message.Direction.OUTBOUND)
    return UncertainMessage(
        message=message,
        name=name_of(contact=message.thread.contact),
        is_open_to_choice=message.state == Message.State.UNCERTAIN and not hasattr(message, "choice"),
        at=at,
    )


@transaction.atomic
def leave(*, message_id: UUID, actor: Actor, at: datetime) -> UncertainChoice:
    """Leave an uncertain message as it is. Safe to repeat: the choice that was made before is returned.

    Raises Message.DoesNotExist, NotUncertain, ChosenOtherwise.
    """
    message = _locked(message_id)
    earlier = _earlier(message, Choice.LEAVE)
    return earlier or _choose(message, Choice.LEAVE, None, actor, at)


@transaction.atomic
def send_again(*, message_id: UUID, actor: Actor, at: datetime) -> UncertainChoice:
    """Queue an uncertain message once more, as a new one. Safe to repeat: it is never queued a third time by that.

    Raises Message.DoesNotExist, NotUncertain, ChosenOtherwise. WindowClosed, ThreadClosed, TemplateUnusable,
    NotConsented: it may not be sent now, as when it would be written now; nothing is chosen then.
    """
    found = Message.objects.select_related("template_version").get(id=message_id, direction="OUTBOUND")
    # In the order in which all lock: template, contact, thread, message. What was chosen is looked at before what may
    # be sent: who clicks twice is told the same twice, also when the window closed in between.
    template = None
    if found.template_version is not None:
        template = sending.hold(template_id=found.template_version.template_id)
    earlier = _earlier(found, Choice.SEND_AGAIN)
    if earlier is not None:
        return earlier
    thread = replying.lock_open(thread_id=found.thread_id)
    message = _locked(message_id)
    earlier = _earlier(message, Choice.SEND_AGAIN)
    if earlier is not None:
        return earlier
    _check(message, thread, template, at)
    draft = Draft(
        thread=thread,
        content=repeating.content_of(message=message),
        text=message.text,
        purpose=message.purpose,
        template=template,
        reply_to_wamid=None if message.kind == "reaction" else message.replies_to_wamid or None,
        medium=message.medium,
    )
    answers = message.kind != "reaction"
    (again,) = replying.queue(drafts=[draft], priority=OutboxItem.Priority.REPLY, actor=actor, at=at, answers=answers)
    return _choose(message, Choice.SEND_AGAIN, again, actor, at)


def _locked(message_id: UUID) -> Message:
    """Return the message; what Meta reports of it, and other people, wait until it is decided."""
    query = Message.objects.select_for_update(of=("self",), no_key=True)
    return query.select_related("medium").get(id=message_id, direction=Message.Direction.OUTBOUND)


def _earlier(message: Message, choice: Choice) -> UncertainChoice | None:
    """Return the same choice made before, or None.  Raises ChosenOtherwise, NotUncertain: there is none to make."""
    made = UncertainChoice.objects.filter(message=message).first()
    if made is not None and made.choice != choice:
        raise ChosenOtherwise(choice=made)
    if made is None and message.state != Message.State.UNCERTAIN:
        raise NotUncertain(state=message.state)
    return made


def _check(message: Message, thread: Thread, template: Template | None, at: datetime) -> None:
    """See that it may be sent now, by the rules for what is written now."""
    if message.kind == "template":
        if template is None or versions.current(template_ids=[template.id])[template.id] != message.template_version_id:
            raise TemplateUnusable("template_changed")
        if (refused := sending.refusal(template=template, at=at)) is not None:
            raise TemplateUnusable(refused)
    elif not window.is_open(last_inbound_at=thread.last_inbound_at, at=at):
        approved = replying.approved_templates(phone_number_id=thread.phone_number_id)
        raise WindowClosed(closed_at=thread.window_ends_at(), templates=[each.name for each in approved])


def _choose(message: Message, choice: Choice, again: Message | None, actor: Actor, at: datetime) -> UncertainChoice:
    made = UncertainChoice.objects.create(
        message=message,
        choice=choice,
        repeated_by=again,
        chosen_at=at,
        chosen_by_id=actor.id,
        chosen_by_name=actor.name,
    )
    announce(threads=[message.thread_id])
    details = {"choice": choice.value, **({"repeated_by": str(again.id)} if again is not None else {})}
    record(action="message.choose", actor=actor, at=at, subject=f"message {message.id}", details=details)
    return made
