"""Who wrote: from the ids that Meta gives to one contact, also when Meta links two that we knew apart.

A ContactBook serves one batch of events: it loads the contacts that the batch names with one query, resolves in memory
and writes back. It runs inside the batch's transaction, under the municipality's inbox lock.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from messaging.models import Contact, Message, OutboxItem, Thread
from messaging.saving import save_changed


@dataclass(frozen=True, slots=True)
class Identity:
    """The ids under which Meta names one person in one update; at least one of them is there."""

    wa_id: str | None
    bsuid: str | None
    profile_name: str | None = None
    username: str | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """Two contacts turned out to be one person."""

    from_contact_id: UUID
    to_contact_id: UUID


@dataclass(slots=True)
class ContactBook:
    """The contacts of one batch."""

    at: datetime
    merges: list[Merge] = field(default_factory=list)
    _by_wa_id: dict[str, Contact] = field(default_factory=dict)
    _by_bsuid: dict[str, Contact] = field(default_factory=dict)
    _changed: dict[UUID, Contact] = field(default_factory=dict)
    _new: dict[UUID, Contact] = field(default_factory=dict)

    def load(self, identities: Iterable[Identity]) -> None:
        """Fetch every contact that one of the identities names."""
        known = list(identities)
        wa_ids = {identity.wa_id for identity in known if identity.wa_id}
        bsuids = {identity.bsuid for identity in known if identity.bsuid}
        if not wa_ids and not bsuids:
            return
        # In a fixed order, so that two transactions that touch the same contacts wait instead of deadlocking.
        for contact in (
            Contact.objects.select_for_update().filter(Q(wa_id__in=wa_ids) | Q(bsuid__in=bsuids)).order_by("id")
        ):
            self._index(contact)

    def find(self, identity: Identity) -> Contact | None:
        """Return the contact that an identity names, or None."""
        return self._by_wa_id.get(identity.wa_id or "") or self._by_bsuid.get(identity.bsuid or "")

    def resolve(self, identity: Identity) -> Contact:
        """Return the contact that an identity names: found, made, completed with an id, or merged of two."""
        by_wa_id = self._by_wa_id.get(identity.wa_id or "")
        by_bsuid = self._by_bsuid.get(identity.bsuid or "")
        if by_wa_id and by_bsuid and by_wa_id is not by_bsuid:
            return self._merge(by_wa_id, by_bsuid, identity)
        contact = by_wa_id or by_bsuid
        if contact is None:
            contact = Contact(created_at=self.at)
            self._new[contact.id] = contact
        self._complete(contact, identity)
        return contact

    def save(self) -> None:
        """Write what is new and what changed."""
        Contact.objects.bulk_create(self._new.values())
        changed = [contact for id_, contact in self._changed.items() if id_ not in self._new]
        save_changed(changed, fields=["wa_id", "bsuid", "profile_name", "username"])
        self._new.clear()
        self._changed.clear()

    def _index(self, contact: Contact) -> None:
        if contact.wa_id:
            self._by_wa_id[contact.wa_id] = contact
        if contact.bsuid:
            self._by_bsuid[contact.bsuid] = contact

    def _complete(self, contact: Contact, identity: Identity) -> None:
        """Give a contact the ids and names that it does not have yet.

        An id that it has already is not replaced here: a person's new number is told by a system message.
        """
        before = (contact.wa_id, contact.bsuid, contact.profile_name, contact.username)
        contact.wa_id = contact.wa_id or identity.wa_id
        contact.bsuid = contact.bsuid or identity.bsuid
        contact.profile_name = identity.profile_name or contact.profile_name
        contact.username = identity.username or contact.username
        if before != (contact.wa_id, contact.bsuid, contact.profile_name, contact.username):
            self._changed[contact.id] = contact
            self._index(contact)

    def _merge(self, one: Contact, other: Contact, identity: Identity) -> Contact:
        """Merge the younger contact into the older, which from now on has the ids that Meta named together."""
        self.save()  # both must be rows before anything can point at them
        kept, gone = sorted((one, other), key=lambda contact: (contact.created_at, str(contact.id)))
        gone.wa_id = gone.bsuid = None
        gone.merged_into = kept
        gone.save(update_fields=["wa_id", "bsuid", "merged_into"])
        kept.wa_id, kept.bsuid = identity.wa_id, identity.bsuid
        kept.profile_name = identity.profile_name or kept.profile_name or gone.profile_name
        kept.username = identity.username or kept.username or gone.username
        kept.save(update_fields=["wa_id", "bsuid", "profile_name", "username"])
        Contact.objects.filter(merged_into=gone).update(merged_into=kept)
        OutboxItem.objects.filter(contact=gone).update(contact=kept)
        _move_threads(gone=gone, kept=kept, at=self.at)
        for index in (self._by_wa_id, self._by_bsuid):
            for id_ in [id_ for id_, contact in index.items() if contact in (kept, gone)]:
                del index[id_]
        self._index(kept)
        self.merges.append(Merge(from_contact_id=gone.id, to_contact_id=kept.id))
        return kept


def _move_threads(*, gone: Contact, kept: Contact, at: datetime) -> None:
    """Give one contact's threads to the other; where both have an open one on a number, they become one."""
    open_threads = {thread.phone_number_id: thread for thread in kept.threads.filter(state=Thread.State.OPEN)}
    for thread in gone.threads.filter(state=Thread.State.OPEN, phone_number_id__in=open_threads):
        into = open_threads[thread.phone_number_id]
        Message.objects.filter(thread=thread).update(thread=into)
        into.opened_at = min(into.opened_at, thread.opened_at)
        into.last_message_at = max(into.last_message_at, thread.last_message_at)
        into.last_inbound_at = max(filter(None, (into.last_inbound_at, thread.last_inbound_at)), default=None)
        into.waiting_since = min(filter(None, (into.waiting_since, thread.waiting_since)), default=None)
        into.save()
        Thread.objects.filter(id=thread.id).update(state=Thread.State.CLOSED, closed_at=at, waiting_since=None)
    gone.threads.update(contact=kept)
