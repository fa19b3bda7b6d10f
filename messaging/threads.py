"""Threads (gesprekken): one contact on one number, opened by whoever writes first and closed by an agent."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max, Q

from audit.record import Actor, record
from messaging.announcing import announce
from messaging.contacts.merging import note_window
from messaging.models import Contact, Message, Thread, ThreadNote, WindowOpening
from messaging.saving import insert, save_changed

# Kinds that tell something and ask nothing: nobody waits for an answer.
UNANSWERED_KINDS = frozenset({"edit", "reaction", "revoke", "system"})
# Told by WhatsApp, or about an earlier message: Meta does not say that these open the window.
WINDOW_KINDS_NOT = frozenset({"edit", "revoke", "system"})

_TIMES = ("opened_at", "last_message_at", "last_inbound_at", "waiting_since", "answered_on_phone_at", "snoozed_until")


@dataclass(slots=True)
class ThreadBook:
    """The open threads of one batch: loaded with one query, changed in memory, written back."""

    at: datetime
    _open: dict[tuple[UUID, str], Thread] = field(default_factory=dict)
    _last_inbound: dict[tuple[UUID, str], datetime] = field(default_factory=dict)
    _new: list[Thread] = field(default_factory=list)
    _changed: dict[UUID, Thread] = field(default_factory=dict)
    _answered: set[UUID] = field(default_factory=set)

    def load(self, keys: Iterable[tuple[UUID, str]]) -> None:
        """Fetch the open threads of (contact, number) pairs, locked in a fixed order."""
        wanted = {key for key in keys if key not in self._open}
        contact_ids = {contact_id for contact_id, _ in wanted}
        if not contact_ids:
            return
        of_contacts = Thread.objects.filter(contact_id__in=contact_ids)
        for thread in of_contacts.select_for_update(no_key=True).filter(state=Thread.State.OPEN).order_by("id"):
            self._open[thread.contact_id, thread.phone_number_id] = thread
        # The window is the contact's on the number: a thread that is opened now has what earlier ones had.
        windows = of_contacts.values_list("contact_id", "phone_number_id").annotate(last=Max("last_inbound_at"))
        self._last_inbound.update({(contact_id, number): last for contact_id, number, last in windows if last})
        if any(key not in self._open for key in wanted):
            # Reactions open the window too, and make no thread.
            for opening in WindowOpening.objects.filter(contact_id__in=contact_ids):
                key = (opening.contact_id, opening.phone_number_id)
                self._last_inbound[key] = max(self._last_inbound.get(key, opening.opened_at), opening.opened_at)

    def receive(self, *, contact: Contact, number: str, stamped_at: datetime, kind: str, asks: bool) -> Thread:
        """Return the contact's open thread with this message in its times; opened when there is none.

        asks: whether the contact waits for an answer to it.
        """
        thread = self._touched(contact, number, stamped_at)
        opened_by = [thread.last_inbound_at, self._last_inbound.get((contact.id, number))]
        if kind not in WINDOW_KINDS_NOT:
            opened_by.append(stamped_at)
        thread.last_inbound_at = max(filter(None, opened_by), default=None)
        answered_at = thread.answered_on_phone_at
        if asks and (answered_at is None or stamped_at > answered_at):
            thread.waiting_since = min(thread.waiting_since or stamped_at, stamped_at)
        if asks:
            thread.snoozed_until = None  # what was put aside comes back when its contact writes
        return thread

    def sent_elsewhere(self, *, contact: Contact, number: str, stamped_at: datetime) -> Thread:
        """Return the contact's open thread with a message in its times that left from the Business app on a phone.

        Who waited for an answer until then has it; see `settle_waiting`.
        """
        thread = self._touched(contact, number, stamped_at)
        thread.last_inbound_at = thread.last_inbound_at or self._last_inbound.get((contact.id, number))
        thread.answered_on_phone_at = max(thread.answered_on_phone_at or stamped_at, stamped_at)
        self._answered.add(thread.id)
        return thread

    def reacted(self, *, contact: Contact, number: str, stamped_at: datetime) -> None:
        """Note a reaction, which opens the window and is no line in the thread."""
        note_window(contact_id=contact.id, number=number, at=stamped_at)
        key = contact.id, number
        # A thread that a message of the same batch opens has it too.
        self._last_inbound[key] = max(self._last_inbound.get(key, stamped_at), stamped_at)
        thread = self._open.get(key)
        if thread is not None and (thread.last_inbound_at is None or thread.last_inbound_at < stamped_at):
            thread.last_inbound_at = stamped_at
            self._changed[thread.id] = thread

    def past(self, *, contact: Contact, number: str, stamped_at: datetime, by_contact: bool) -> Thread:
        """Return the closed thread of what was said before the number came here, with these times."""
        thread, _ = Thread.objects.select_for_update(no_key=True).get_or_create(
            contact=contact,
            phone_number_id=number,
            imported=True,
            defaults={
                "state": Thread.State.CLOSED,
                "opened_at": stamped_at,
                "last_message_at": stamped_at,
                "closed_at": stamped_at,
            },
        )
        thread.opened_at = min(thread.opened_at, stamped_at)
        thread.last_message_at = thread.closed_at = max(thread.last_message_at, stamped_at)
        if by_contact:
            thread.last_inbound_at = max(thread.last_inbound_at or stamped_at, stamped_at)
        thread.save()
        return thread

    def settle_waiting(self, *, asks: Callable[[Message], bool]) -> None:
        """Let nobody wait for an answer that came from the phone; once the batch's messages are stored."""
        for thread in self._open.values():
            if thread.id in self._answered:
                settle(thread=thread, asks=asks)
        self._answered.clear()

    def _touched(self, contact: Contact, number: str, stamped_at: datetime) -> Thread:
        thread = self._open.get((contact.id, number))
        if thread is None:
            thread = Thread(contact=contact, phone_number_id=number, opened_at=stamped_at, last_message_at=stamped_at)
            self._open[contact.id, number] = thread
            self._new.append(thread)
        else:
            self._changed[thread.id] = thread
        thread.opened_at = min(thread.opened_at, stamped_at)
        thread.last_message_at = max(thread.last_message_at, stamped_at)
        return thread

    def save(self) -> None:
        """Write what is new and what changed."""
        insert(self._new)
        new = {thread.id for thread in self._new}
        changed = [thread for id_, thread in self._changed.items() if id_ not in new]
        save_changed(changed, fields=_TIMES)
        self._new.clear()
        self._changed.clear()


def settle_after_merge(*, contact_ids: Collection[UUID], asks: Callable[[Message], bool]) -> None:
    """Let nobody wait for an answer that came from the phone to another identity, which turned out to be theirs."""
    answered = Thread.objects.filter(waiting_since__lte=F("answered_on_phone_at"), state=Thread.State.OPEN)
    for thread in answered.filter(contact_id__in=contact_ids).select_for_update(no_key=True).order_by("id"):
        settle(thread=thread, asks=asks)


def settle(*, thread: Thread, asks: Callable[[Message], bool]) -> None:
    """Have a thread wait from the first message on that the phone did not answer."""
    since, answered_at = thread.waiting_since, thread.answered_on_phone_at
    if since is None or answered_at is None or since > answered_at:
        return
    later = thread.messages.filter(direction="INBOUND", stamped_at__gt=answered_at).order_by("stamped_at")
    thread.waiting_since = next((message.stamped_at for message in later if asks(message)), None)
    thread.save(update_fields=["waiting_since"])


def open_for(*, contact: Contact, phone_number_id: str, at: datetime) -> Thread:
    """Return the contact's open thread on a number, opened when there is none; locked until the transaction ends.

    A new thread inherits the service window, which is the contact's on this number and not the thread's.
    """
    Contact.objects.select_for_update(no_key=True).get(id=contact.id)  # before the thread, as everyone does
    of_contact = Thread.objects.filter(contact=contact, phone_number_id=phone_number_id)
    last = of_contact.exclude(last_inbound_at=None).order_by("-last_inbound_at").first()
    reacted = WindowOpening.objects.filter(contact=contact, phone_number_id=phone_number_id).first()
    openings = (last.last_inbound_at if last else None, reacted.opened_at if reacted else None)
    opened, _ = Thread.objects.select_for_update(no_key=True).get_or_create(
        contact=contact,
        phone_number_id=phone_number_id,
        state=Thread.State.OPEN,
        defaults={
            "opened_at": at,
            "last_message_at": at,
            "last_inbound_at": max(filter(None, openings), default=None),
        },
    )
    return opened


@transaction.atomic
def close(*, thread_id: UUID, actor: Actor, at: datetime, reason: str = "") -> Thread:
    """Close a thread, for one of `Thread.CloseReason`; closing a closed one changes nothing."""
    thread = Thread.objects.select_for_update(no_key=True).get(id=thread_id)
    if thread.state == Thread.State.OPEN:
        thread.state, thread.closed_at, thread.close_reason = Thread.State.CLOSED, at, reason
        thread.waiting_since = thread.snoozed_until = None
        thread.save(update_fields=["state", "closed_at", "close_reason", "waiting_since", "snoozed_until"])
        author_id = UUID(actor.id) if actor.id != "system" else None
        ThreadNote.objects.create(thread=thread, kind=ThreadNote.Kind.CLOSED, text=reason, author_id=author_id, at=at)
        announce(threads=[thread.id])
        record(
            action="thread.close",
            actor=actor,
            at=at,
            subject=f"thread {thread_id}",
            details={"reason": reason} if reason else {},
        )
    return thread


def waiting() -> Q:
    """Return the condition of an open thread whose contact waits for an answer."""
    return Q(state=Thread.State.OPEN, waiting_since__isnull=False)
