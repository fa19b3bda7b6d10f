"""Threads (gesprekken): one contact on one number, opened by whoever writes first and closed by an agent."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q

from audit.record import Actor, record
from messaging.announcing import announce
from messaging.models import Contact, Thread
from messaging.saving import save_changed

# Kinds that tell something and ask nothing: nobody waits for an answer.
UNANSWERED_KINDS = frozenset({"reaction", "system"})
WINDOW_KINDS_NOT = frozenset({"system"})  # told by WhatsApp, not written by the contact


@dataclass(slots=True)
class ThreadBook:
    """The open threads of one batch: loaded with one query, changed in memory, written back."""

    at: datetime
    _open: dict[tuple[UUID, str], Thread] = field(default_factory=dict)
    _last_inbound: dict[tuple[UUID, str], datetime] = field(default_factory=dict)
    _new: list[Thread] = field(default_factory=list)
    _changed: dict[UUID, Thread] = field(default_factory=dict)

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

    def receive(self, *, contact: Contact, number: str, stamped_at: datetime, kind: str, asks: bool) -> Thread:
        """Return the contact's open thread with this message in its times; opened when there is none.

        asks: whether the contact waits for an answer to it.
        """
        thread = self._open.get((contact.id, number))
        if thread is None:
            thread = Thread(contact=contact, phone_number_id=number, opened_at=stamped_at, last_message_at=stamped_at)
            self._open[contact.id, number] = thread
            self._new.append(thread)
        else:
            self._changed[thread.id] = thread
        thread.last_message_at = max(thread.last_message_at, stamped_at)
        opened_by = [thread.last_inbound_at, self._last_inbound.get((contact.id, number))]
        if kind not in WINDOW_KINDS_NOT:
            opened_by.append(stamped_at)
        thread.last_inbound_at = max(filter(None, opened_by), default=None)
        if asks:
            thread.waiting_since = thread.waiting_since or stamped_at
        return thread

    def save(self) -> None:
        """Write what is new and what changed."""
        Thread.objects.bulk_create(self._new)
        new = {thread.id for thread in self._new}
        changed = [thread for id_, thread in self._changed.items() if id_ not in new]
        save_changed(changed, fields=["last_message_at", "last_inbound_at", "waiting_since"])
        self._new.clear()
        self._changed.clear()


def open_for(*, contact: Contact, phone_number_id: str, at: datetime) -> Thread:
    """Return the contact's open thread on a number, opened when there is none; locked until the transaction ends.

    A new thread inherits the service window, which is the contact's on this number and not the thread's.
    """
    Contact.objects.select_for_update(no_key=True).get(id=contact.id)  # before the thread, as everyone does
    of_contact = Thread.objects.filter(contact=contact, phone_number_id=phone_number_id)
    last = of_contact.exclude(last_inbound_at=None).order_by("-last_inbound_at").first()
    opened, _ = Thread.objects.select_for_update(no_key=True).get_or_create(
        contact=contact,
        phone_number_id=phone_number_id,
        state=Thread.State.OPEN,
        defaults={
            "opened_at": at,
            "last_message_at": at,
            "last_inbound_at": last.last_inbound_at if last else None,
        },
    )
    return opened


@transaction.atomic
def close(*, thread_id: UUID, actor: Actor, at: datetime) -> Thread:
    """Close a thread; closing a closed one changes nothing."""
    thread = Thread.objects.select_for_update(no_key=True).get(id=thread_id)
    if thread.state == Thread.State.OPEN:
        thread.state, thread.closed_at, thread.waiting_since = Thread.State.CLOSED, at, None
        thread.save(update_fields=["state", "closed_at", "waiting_since"])
        announce(threads=[thread.id])
        record(action="thread.close", actor=actor, at=at, subject=f"thread {thread_id}")
    return thread


def waiting() -> Q:
    """Return the condition of an open thread whose contact waits for an answer."""
    return Q(state=Thread.State.OPEN, waiting_since__isnull=False)
