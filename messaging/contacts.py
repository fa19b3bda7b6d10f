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
        # In a fixed order, and before any thread: who replies locks contact, then thread, too. So they wait, and never
        # deadlock.
        rows = Contact.objects.select_for_update(no_key=True).filter(Q(wa_id__in=wa_ids) | Q(bsuid__in=bsuids))
        for contact in rows.order_by("id"):
            self._index(contact)

    def find(self, identity: Identity) -> Contact | None:
        """Return the contact that an identity names, or None: by id first, because a number can pass to another."""
        return self._by_bsuid.get(identity.bsuid or "") or self._by_wa_id.get(identity.wa_id or "")

    def canonical(self, contact: Contact) -> Contact:
        """Return the contact that this one was merged into, as far as this batch goes, or itself."""
        while contact.merged_into is not None:
            contact = contact.merged_into
        return contact

    def resolve(self, identity: Identity) -> Contact:
        """Return the contact that an identity names: found, made, completed with an id, or merged of two.

        A business-scoped id is one person for good; a phone number can pass to another person. So where Meta names a
        number together with another id than we knew it with, the number leaves the old contact, whose history nobody
        else may see; and where a person's number changed, the new one replaces the old.
        """
        by_wa_id = self._by_wa_id.get(identity.wa_id or "")
        by_bsuid = self._by_bsuid.get(identity.bsuid or "")
        if by_wa_id is not None and identity.bsuid and by_wa_id.bsuid not in (None, identity.bsuid):
            self._set_ids(by_wa_id, wa_id=None, bsuid=by_wa_id.bsuid)
            by_wa_id = None
        if by_wa_id is not None and by_bsuid is not None and by_wa_id is not by_bsuid:
            contact = self._merge(by_wa_id, by_bsuid)
        else:
            contact = by_wa_id or by_bsuid or self._make()
        self._set_ids(contact, wa_id=identity.wa_id or contact.wa_id, bsuid=identity.bsuid or contact.bsuid)
        self._set_names(contact, identity)
        return contact

    def follow(self, *, old: Identity, new: Identity) -> Contact | None:
        """Give the contact that Meta says has changed its number or id the new one; None when nobody here is meant.

        Who has the new one already is the same person, unless both have ids and Meta does not say that these are one:
        then the number came from somebody else, whom it leaves.
        """
        contact = self.find(old)
        if contact is None:
            return None
        holder = self._by_wa_id.get(new.wa_id or "")
        if holder is not None and contact.bsuid is not None and holder.bsuid not in (None, contact.bsuid, new.bsuid):
            self._set_ids(holder, wa_id=None, bsuid=holder.bsuid)
        for other in (self._by_wa_id.get(new.wa_id or ""), self._by_bsuid.get(new.bsuid or "")):
            if other is not None and self.canonical(other) is not contact:
                contact = self._merge(contact, self.canonical(other))
        self._set_ids(contact, wa_id=new.wa_id or contact.wa_id, bsuid=new.bsuid or contact.bsuid)
        return contact

    def save(self) -> None:
        """Write what is new and what changed."""
        Contact.objects.bulk_create(self._new.values())
        changed = [contact for id_, contact in self._changed.items() if id_ not in self._new]
        save_changed(changed, fields=["wa_id", "bsuid", "profile_name", "username"])
        self._new.clear()
        self._changed.clear()

    def _make(self) -> Contact:
        contact = Contact(created_at=self.at)
        self._new[contact.id] = contact
        return contact

    def _index(self, contact: Contact) -> None:
        if contact.wa_id:
            self._by_wa_id[contact.wa_id] = contact
        if contact.bsuid:
            self._by_bsuid[contact.bsuid] = contact

    def _forget(self, contact: Contact) -> None:
        for index in (self._by_wa_id, self._by_bsuid):
            for id_ in [id_ for id_, indexed in index.items() if indexed is contact]:
                del index[id_]

    def _set_ids(self, contact: Contact, *, wa_id: str | None, bsuid: str | None) -> None:
        if (contact.wa_id, contact.bsuid) == (wa_id, bsuid):
            return
        if contact.id not in self._new and contact.wa_id not in (None, wa_id):
            # A number that goes to another contact in this batch must be free in the database before.
            Contact.objects.filter(id=contact.id).update(wa_id=wa_id, bsuid=bsuid)
        self._forget(contact)
        contact.wa_id, contact.bsuid = wa_id, bsuid
        self._changed[contact.id] = contact
        self._index(contact)

    def _set_names(self, contact: Contact, identity: Identity) -> None:
        before = (contact.profile_name, contact.username)
        contact.profile_name = (identity.profile_name or contact.profile_name)[:300]
        contact.username = (identity.username or contact.username)[:100]
        if before != (contact.profile_name, contact.username):
            self._changed[contact.id] = contact

    def _merge(self, one: Contact, other: Contact) -> Contact:
        """Merge the younger contact into the older, which takes over the ids that it does not have."""
        self.save()  # both must be rows before anything can point at them
        kept, gone = sorted((one, other), key=lambda contact: (contact.created_at, str(contact.id)))
        wa_id, bsuid = kept.wa_id or gone.wa_id, kept.bsuid or gone.bsuid
        self._forget(gone)
        gone.wa_id = gone.bsuid = None
        gone.merged_into = kept
        gone.save(update_fields=["wa_id", "bsuid", "merged_into"])
        self._set_ids(kept, wa_id=wa_id, bsuid=bsuid)
        kept.profile_name = kept.profile_name or gone.profile_name
        kept.username = kept.username or gone.username
        kept.save(update_fields=["wa_id", "bsuid", "profile_name", "username"])
        Contact.objects.filter(merged_into=gone).update(merged_into=kept)
        # Messages before their outbox rows, as lanes do.
        _move_threads(gone=gone, kept=kept, at=self.at)
        OutboxItem.objects.filter(contact=gone).update(contact=kept)
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
