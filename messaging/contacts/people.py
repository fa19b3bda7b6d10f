"""Who is who, by all that Meta said: pure, and the same for the same evidence, in whatever order it came.

A business-scoped id is one person for good; a person can have had several. A phone number is whose it was last seen to
be, and can pass to another person: so an update that names a number alone is of whom it belonged to at its moment.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from messaging.contacts.evidence import Evidence
from messaging.models import IdChange

# Meta's stamps are whole seconds: in the same one, a change that is told outweighs what was seen.
OUTWEIGHS = timedelta(microseconds=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MOST_STEPS = 50  # numbers that one person had after another


@dataclass(frozen=True, slots=True)
class Names:
    """What a person is called and known by now."""

    wa_id: str | None
    bsuid: str | None
    parent_bsuid: str
    profile_name: str
    username: str


@dataclass(slots=True)
class People:
    """The persons of some evidence. A person's key is one of its ids, or "+" and the number where that is all."""

    evidence: Evidence
    _root: dict[str, str] = field(default_factory=dict)
    # By number: who was seen with it, and when last. By person: with which numbers, and when last.
    _holders: dict[str, dict[str, datetime]] = field(default_factory=dict)
    _numbers: dict[str, dict[str, datetime]] = field(default_factory=dict)
    _seen: dict[str, dict[str, datetime]] = field(default_factory=dict)
    _names: dict[str, tuple[datetime, str, str]] = field(default_factory=dict)
    _parents: dict[str, str] = field(default_factory=dict)
    _moves: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Draw the conclusions."""
        changes = sorted(self.evidence.changes, key=lambda row: (row.changed_at, row.ids))
        self._join_ids(changes)
        for row in self.evidence.seen:
            if row.wa_id and row.bsuid:
                self._hold(row.wa_id, self._find(row.bsuid), row.seen_at)
        for change in changes:
            if change.new_wa_id and change.new_bsuid:
                self._hold(change.new_wa_id, self._find(change.new_bsuid), change.changed_at + OUTWEIGHS)
        self._follow_numbers(changes)
        for row in self.evidence.seen:
            self._name(row.bsuid, row.wa_id, row.seen_at)
            key = self.person(wa_id=row.wa_id or None, bsuid=row.bsuid or None, at=row.seen_at)
            self._parents[key] = max(self._parents.get(key, ""), row.parent_bsuid)
            if row.named_at is not None:
                named = (row.named_at, row.profile_name, row.username)
                self._names[key] = max(self._names.get(key, (LONG_AGO, "", "")), named)
        for change in changes:
            for bsuid in filter(None, (change.old_bsuid, change.new_bsuid)):
                is_new = bsuid == change.new_bsuid
                self._name(bsuid, "", change.changed_at if is_new else LONG_AGO)

    def person(self, *, wa_id: str | None, bsuid: str | None, at: datetime) -> str:
        """Return the key of the person that was named by these ids at a moment."""
        if bsuid:
            return self._find(bsuid)
        return self._of_number(wa_id or "", at)

    def names(self, *, person: str) -> Names:
        """Return what a person is known by now."""
        _, profile_name, username = self._names.get(person, (LONG_AGO, "", ""))
        parent = self._parents.get(person, "")
        if person.startswith("+"):
            return Names(person[1:], None, parent, profile_name, username)
        ids = self._seen.get(person) or {person: LONG_AGO}
        bsuid = max(ids, key=lambda id_: (ids[id_], id_))
        return Names(self._number_of(person), bsuid, parent, profile_name, username)

    def _find(self, bsuid: str) -> str:
        while self._root.get(bsuid, bsuid) != bsuid:
            bsuid = self._root[bsuid]
        return bsuid

    def _join(self, one: str, other: str) -> None:
        first, second = sorted((self._find(one), self._find(other)))
        self._root[second] = first

    def _join_ids(self, changes: Iterable[IdChange]) -> None:
        parents: dict[str, str] = {}
        for row in self.evidence.seen:
            if row.bsuid and row.parent_bsuid:
                self._join(row.bsuid, parents.setdefault(row.parent_bsuid, row.bsuid))
        for change in changes:
            if change.old_bsuid and change.new_bsuid:
                self._join(change.old_bsuid, change.new_bsuid)

    def _hold(self, wa_id: str, person: str, at: datetime) -> None:
        for index, key, value in ((self._holders, wa_id, person), (self._numbers, person, wa_id)):
            of_key = index.setdefault(key, {})
            of_key[value] = max(of_key.get(value, at), at)

    def _follow_numbers(self, changes: Iterable[IdChange]) -> None:
        """Give who had the old number the new one; where Meta names a new id with it, both ids are one person's."""
        for change in changes:
            if not change.old_wa_id or not change.new_wa_id or change.old_wa_id == change.new_wa_id:
                continue
            person = self._find(change.old_bsuid) if change.old_bsuid else self._holder_at(change)
            if change.new_bsuid:
                if person is not None and person != self._find(change.new_bsuid):
                    self._unite(person, self._find(change.new_bsuid))
                person = self._find(change.new_bsuid)
            if person is not None:
                self._hold(change.new_wa_id, person, change.changed_at + OUTWEIGHS)
            self._moves.setdefault(change.old_wa_id, []).append((change.changed_at, change.new_wa_id))

    def _holder_at(self, change: IdChange) -> str | None:
        """Return who was last seen with a number up to its change."""
        holders = self._holders.get(change.old_wa_id, {})
        before = [(at, person) for person, at in holders.items() if at <= change.changed_at]
        return max(before)[1] if before else None

    def _unite(self, one: str, other: str) -> None:
        self._join(one, other)
        root = self._find(one)
        for person in (one, other):
            if person != root:
                for wa_id, at in self._numbers.pop(person, {}).items():
                    del self._holders[wa_id][person]
                    self._hold(wa_id, root, at)

    def _of_number(self, wa_id: str, at: datetime) -> str:
        for _ in range(MOST_STEPS):
            holders = self._holders.get(wa_id, {})
            later = [(seen, person) for person, seen in holders.items() if seen >= at]
            if later:
                return min(later)[1]
            moved = [move for move in self._moves.get(wa_id, ()) if move[0] >= at]
            if moved:
                at, wa_id = min(moved)
                continue
            if holders:
                latest = max((seen, person) for person, seen in holders.items())[1]
                if self._number_of(latest) == wa_id:
                    return latest
            break
        return f"+{wa_id}"

    def _number_of(self, person: str) -> str | None:
        numbers = self._numbers.get(person)
        if not numbers:
            return None
        wa_id = max(numbers, key=lambda id_: (numbers[id_], id_))
        holders = self._holders[wa_id]
        return wa_id if max(holders, key=lambda id_: (holders[id_], id_)) == person else None

    def _name(self, bsuid: str, wa_id: str, at: datetime) -> None:
        if bsuid:
            ids = self._seen.setdefault(self._find(bsuid), {})
            ids[bsuid] = max(ids.get(bsuid, at), at)
