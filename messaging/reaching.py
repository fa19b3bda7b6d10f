"""Sending from outside the inbox: to a thread, or to a person by number or id, free-form where the window allows it.

What leaves goes the way of every reply (messaging/replying.py); here is only found out in which thread, and with what.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.record import Actor
from messaging import consent, window
from messaging.attaching import Attach, Attached, upload
from messaging.models import Consent, Contact, Medium, Message, Template, Thread
from messaging.reacting import react
from messaging.replying import reply_within, send_template
from messaging.templates.filling import Filling
from messaging.threads import open_for
from tenants.models import Number
from whatsapp.outgoing import Content


class NotFound(Exception):
    """What a caller named is not there; `what` is thread, number, template or message."""

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no such {what}")
        self.what = what


class NumberNeeded(Exception):
    """The municipality has several numbers, and the caller named none."""


@dataclass(frozen=True, slots=True)
class Person:
    """A citizen by phone number (wa_id: digits, without "+") or by business-scoped user id, and our number."""

    wa_id: str | None
    bsuid: str | None
    phone_number_id: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a citizen said elsewhere about being written to: how (on which form), where the proof lies, and when."""

    how: str
    evidence: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    """A template with everything filled in."""

    name: str
    language: str
    filling: Filling


def number_of(*, municipality_id: UUID, phone_number_id: str | None) -> str:
    """Return the municipality's number to send from: the one named, or the only one there is.

    Raises NotFound: no open number of this municipality. NumberNeeded: there are several to choose from.
    """
    numbers = Number.objects.filter(municipality_id=municipality_id, closed_at=None)
    found = list(numbers.values_list("phone_number_id", flat=True).order_by("id")[:50])
    if phone_number_id is not None:
        found = [number for number in found if number == phone_number_id]
    if not found:
        raise NotFound("number")
    if len(found) > 1:
        raise NumberNeeded
    return str(found[0])


@dataclass(frozen=True, slots=True)
class React:
    """A reaction to a message by our id of it; an empty emoji takes ours away."""

    message_id: UUID
    emoji: str


def attached(*, attach: Attach, kind: str, to: UUID | Person, at: datetime) -> Attached:
    """Return a medium as it will be sent to somebody, uploaded for the number. Calls Meta: not within a transaction.

    Raises NotFound: thread or medium. CannotAttach, LimitExceeded, InvalidContent.
    """
    number = to.phone_number_id if isinstance(to, Person) else _thread(to, at).phone_number_id
    try:
        return upload(attach=attach, kind=kind, phone_number_id=number, at=at)
    except Medium.DoesNotExist:
        raise NotFound("medium") from None


def send(
    *,
    to: UUID | Person,
    content: Content | React | None,
    template: TemplateChoice | None,
    actor: Actor,
    at: datetime,
    reply_to: UUID | None = None,
    opt_in: Said | None = None,
) -> Message:
    """Queue one message: the content while the window is open, else the template; opens a person's thread if needed.

    Within the caller's transaction, which is undone when this raises.
    to: the id of an open thread, or a person. reply_to: our id of the message of that thread that it answers.
    opt_in: that the citizen agreed to be written to first, recorded with it.
    Raises NotFound, WindowClosed (a content alone), ThreadClosed, TemplateUnusable, CannotReact, NotConsented,
    InvalidConsent, LimitExceeded, InvalidContent: nothing is queued then, nothing recorded, and nobody was added.
    """
    looks_up_nothing = template is None and opt_in is None and reply_to is None
    if looks_up_nothing and isinstance(to, UUID) and content is not None and not isinstance(content, React):
        return _reply(to, content, actor, at)
    thread = _thread(to, at)
    if opt_in is not None:
        _record(thread.contact, Consent.Word.OPT_IN, opt_in, actor, at)
    quoted = _wamid_of(reply_to, thread) if reply_to is not None else None
    # With nothing to fall back on a content is tried anyway: the refusal names the way out.
    if content is not None and (template is None or window.is_open(last_inbound_at=thread.last_inbound_at, at=at)):
        if isinstance(content, React):
            return _react(thread, content, actor, at)
        return reply_within(thread_id=thread.id, content=content, actor=actor, at=at, reply_to_wamid=quoted)
    assert template is not None, "a message has a content or a template"
    template_id = _template_id(template, thread)
    return send_template(thread_id=thread.id, template_id=template_id, values=template.filling, actor=actor, at=at)


def _reply(thread_id: UUID, content: Content, actor: Actor, at: datetime) -> Message:
    try:
        return reply_within(thread_id=thread_id, content=content, actor=actor, at=at)
    except Thread.DoesNotExist:
        raise NotFound("thread") from None


def _react(thread: Thread, wanted: React, actor: Actor, at: datetime) -> Message:
    try:
        return react(thread_id=thread.id, message_id=wanted.message_id, emoji=wanted.emoji, actor=actor, at=at)
    except Message.DoesNotExist:
        raise NotFound("message") from None


@transaction.atomic
def record_consent(
    *, wa_id: str | None, bsuid: str | None, word: Consent.Word, said: Said, actor: Actor, at: datetime
) -> Consent:
    """Record what a citizen said elsewhere, whether they are known here or not; safe to repeat.

    Raises InvalidConsent: nothing is recorded, and nobody was added.
    """
    return _record(_contact(wa_id, bsuid, at), word, said, actor, at)


def _record(contact: Contact, word: Consent.Word, said: Said, actor: Actor, at: datetime) -> Consent:
    note = consent.record_opt_in if word == Consent.Word.OPT_IN else consent.record_opt_out
    return note(
        contact=contact,
        at=said.at,
        recorded_at=at,
        source=Consent.Source.RECORDED,
        how=said.how,
        evidence=said.evidence,
        actor=actor,
    )


def _contact(wa_id: str | None, bsuid: str | None, at: datetime) -> Contact:
    names = {"wa_id": wa_id} if wa_id is not None else {"bsuid": bsuid}
    return Contact.objects.get_or_create(**names, defaults={"created_at": at})[0]


def _thread(to: UUID | Person, at: datetime) -> Thread:
    if isinstance(to, Person):
        return open_for(contact=_contact(to.wa_id, to.bsuid, at), phone_number_id=to.phone_number_id, at=at)
    thread = Thread.objects.filter(id=to).first()
    if thread is None:
        raise NotFound("thread")
    return thread


def _wamid_of(message_id: UUID, thread: Thread) -> str:
    wamid = Message.objects.filter(id=message_id, thread=thread).values_list("wamid", flat=True).first()
    if not wamid:
        raise NotFound("message")
    return wamid


def _template_id(choice: TemplateChoice, thread: Thread) -> UUID:
    """Return the template of the account to which the thread's number belongs."""
    account = Number.objects.filter(phone_number_id=thread.phone_number_id, closed_at=None).values("waba_id")
    templates = Template.objects.filter(name=choice.name, language=choice.language, waba_id__in=account)
    found = templates.values_list("id", flat=True).first()
    if found is None:
        raise NotFound("template")
    return found
