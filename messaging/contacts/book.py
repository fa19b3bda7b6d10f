"""The contacts of one batch of events: brought in line with all that Meta said of these people, then looked up.

Runs inside the batch's transaction, under the municipality's inbox lock.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat

from messaging.contacts import evidence
from messaging.contacts.evidence import Change, Evidence, Identity
from messaging.contacts.merging import Merge, merge
from messaging.contacts.people import People
from messaging.models import Contact, IdChange
from messaging.saving import insert, save_changed

_FIELDS = ("wa_id", "bsuid", "parent_bsuid", "profile_name", "username")


@dataclass(slots=True)
class ContactBook:
    """The contacts of one batch."""

    at: datetime
    merges: list[Merge] = field(default_factory=list)
    changes: list[IdChange] = field(default_factory=list)  # all that concern somebody whom the batch names
    _people: People = field(default_factory=lambda: People(Evidence()))
    _by_person: dict[str, Contact] = field(default_factory=dict)
    _new: dict[UUID, Contact] = field(default_factory=dict)

    def load(self, identities: Iterable[Identity], changes: Collection[Change] = ()) -> None:
        """Keep what the batch says of who is who, and bring every contact that it concerns in line with it."""
        known = list(identities)
        if not known and not changes:
            return
        evidence.record(identities=known, changes=changes)
        known += [change.old for change in changes]
        named = {id_ for change in changes for id_ in change.ids}
        found = evidence.load(
            wa_ids={identity.wa_id for identity in known if identity.wa_id} | named,
            bsuids={identity.bsuid for identity in known if identity.bsuid} | named,
            parents={identity.parent_bsuid for identity in known if identity.parent_bsuid},
        )
        self.changes = found.changes
        # In a fixed order, and before any thread: who replies locks contact, then thread, too. So they wait, and never
        # deadlock.
        ids = Q(wa_id__in=found.wa_ids() | {identity.wa_id for identity in known if identity.wa_id})
        ids |= Q(bsuid__in=found.bsuids() | {identity.bsuid for identity in known if identity.bsuid})
        contacts = list(Contact.objects.select_for_update(no_key=True).filter(ids).order_by("id"))
        self._people = People(found)
        self._bring_in_line(contacts, found)

    def find(self, identity: Identity) -> Contact | None:
        """Return the contact that an identity names at its moment, or None."""
        return self._by_person.get(self._person(identity))

    def resolve(self, identity: Identity) -> Contact:
        """Return the contact that an identity names at its moment, made when there is none. Only what was loaded."""
        person = self._person(identity)
        contact = self._by_person.get(person)
        if contact is None:
            contact = Contact(created_at=self.at)
            self._take_over(contact, person)
            self._new[contact.id] = contact
            self._by_person[person] = contact
        return contact

    def named(self, change: IdChange) -> Contact | None:
        """Return the contact whose number or id has changed, or None."""
        identity = Identity(wa_id=change.old_wa_id, bsuid=change.old_bsuid, at=change.changed_at)
        return self.find(identity) if change.old_wa_id or change.old_bsuid else None

    def save(self) -> None:
        """Write what is new."""
        insert(self._new.values())
        self._new.clear()

    def _person(self, identity: Identity) -> str:
        return self._people.person(wa_id=identity.wa_id, bsuid=identity.bsuid, at=identity.at)

    def _bring_in_line(self, contacts: Iterable[Contact], found: Evidence) -> None:
        alone = {row.wa_id: row.seen_at for row in found.seen if not row.bsuid}
        changed: list[Contact] = []
        # The oldest is kept, so that links from its own row stay true.
        for contact in sorted(contacts, key=lambda each: (each.created_at, str(each.id))):
            at = alone.get(contact.wa_id or "", contact.created_at)
            person = self._people.person(wa_id=contact.wa_id, bsuid=contact.bsuid, at=at)
            kept = self._by_person.setdefault(person, contact)
            if kept is not contact:
                self.merges.append(merge(gone=contact, kept=kept, at=self.at))
        for person, contact in self._by_person.items():
            if self._take_over(contact, person):
                changed.append(contact)
        _write(changed)

    def _take_over(self, contact: Contact, person: str) -> bool:
        """Give a contact the ids and names that its person has now; return whether any is new."""
        names = self._people.names(person=person)
        before = [getattr(contact, name) for name in _FIELDS]
        contact.wa_id, contact.bsuid = names.wa_id, names.bsuid
        contact.parent_bsuid = names.parent_bsuid or contact.parent_bsuid
        contact.profile_name = names.profile_name or contact.profile_name
        contact.username = names.username or contact.username
        return before != [getattr(contact, name) for name in _FIELDS]


def _write(changed: Collection[Contact]) -> None:
    if not changed:
        return
    # Ids that go from one contact to another must be free before they are taken.
    freed = Contact.objects.filter(id__in=[contact.id for contact in changed])
    freed.update(wa_id=Concat(Value("~"), Cast("id", CharField())), bsuid=None)
    save_changed(changed, fields=list(_FIELDS))
