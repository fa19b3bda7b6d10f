"""Evidence of who is who: which ids Meta named together and when, and which it said have changed. Rows, never memory.

Recorded before contacts are looked at; read as far as it hangs together with the ids that a batch names.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from messaging.models import IdChange, Sighting

MOST_ROUNDS = 20  # each further round needs somebody whose ids changed once more


@dataclass(frozen=True, slots=True)
class Identity:
    """The ids under which Meta names one person in one update; at least one of them is there. at: Meta's stamp."""

    wa_id: str | None
    bsuid: str | None
    at: datetime
    profile_name: str | None = None
    username: str | None = None
    parent_bsuid: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What Meta says has changed: an id or number, as far as told. wamid, number, text, content: of its line."""

    old_wa_id: str | None
    old_bsuid: str | None
    new_wa_id: str | None
    new_bsuid: str | None
    at: datetime
    wamid: str = ""
    number: str = ""
    text: str = ""
    content: dict[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        """Return the ids that it names."""
        return [id_ for id_ in (self.old_wa_id, self.old_bsuid, self.new_wa_id, self.new_bsuid) if id_]

    @property
    def old(self) -> Identity:
        """Return who it is about."""
        return Identity(wa_id=self.old_wa_id, bsuid=self.old_bsuid, at=self.at)


@dataclass(slots=True)
class Evidence:
    """What is known of some ids, and of all that hang together with them."""

    seen: list[Sighting] = field(default_factory=list)
    changes: list[IdChange] = field(default_factory=list)

    def wa_ids(self) -> set[str]:
        """Return every number in it."""
        found = {row.wa_id for row in self.seen}
        return {id_ for id_ in found.union(*((row.old_wa_id, row.new_wa_id) for row in self.changes)) if id_}

    def bsuids(self) -> set[str]:
        """Return every id in it."""
        found = {row.bsuid for row in self.seen}
        return {id_ for id_ in found.union(*((row.old_bsuid, row.new_bsuid) for row in self.changes)) if id_}


def record(*, identities: Iterable[Identity], changes: Collection[Change]) -> None:
    """Keep what a batch says. Safe to repeat; of names and moments the latest stays."""
    rows: dict[tuple[str, str], list[Any]] = {}
    for identity in identities:
        if not identity.wa_id and not identity.bsuid:
            continue
        key = (identity.wa_id or "", identity.bsuid or "")
        named = bool(identity.profile_name or identity.username)
        row = rows.setdefault(key, ["", identity.at, "", "", None])
        row[0] = max(row[0], identity.parent_bsuid or "")
        row[1] = max(row[1], identity.at)
        names = (identity.at, (identity.profile_name or "")[:300], (identity.username or "")[:100])
        if named and (row[4] is None or (row[4], row[2], row[3]) < names):
            row[4], row[2], row[3] = names
    if rows:
        _upsert(rows)
    told = [_row(change) for change in changes if change.ids and (change.wamid or len(change.ids) > 1)]
    IdChange.objects.bulk_create(told, ignore_conflicts=True)


def load(*, wa_ids: Iterable[str], bsuids: Iterable[str], parents: Iterable[str] = ()) -> Evidence:
    """Return all evidence that hangs together with these ids, through any number of others."""
    evidence = Evidence()
    known: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    wanted = (set(wa_ids), set(bsuids), set(parents))
    for _ in range(MOST_ROUNDS):
        if not any(wanted):
            break
        seen = _seen(*map(sorted, wanted))
        changes = list(IdChange.objects.filter(ids__overlap=sorted(wanted[0] | wanted[1])))
        evidence.seen += [row for row in seen if row not in evidence.seen] if evidence.seen else seen
        evidence.changes += [row for row in changes if row not in evidence.changes]
        for have, want in zip(known, wanted, strict=True):
            have |= want
        named = (evidence.wa_ids(), evidence.bsuids(), {row.parent_bsuid for row in seen if row.parent_bsuid})
        wanted = (named[0] - known[0], named[1] - known[1], named[2] - known[2])
    return evidence


# Three look-ups by index; an OR over both columns would be one that no index serves well.
_SEEN = """
    SELECT * FROM messaging_sighting WHERE wa_id = ANY(%(wa_ids)s) AND wa_id <> ''
    UNION SELECT * FROM messaging_sighting WHERE bsuid = ANY(%(bsuids)s) AND bsuid <> ''
    UNION SELECT * FROM messaging_sighting WHERE parent_bsuid = ANY(%(parents)s) AND parent_bsuid <> ''
"""


def _seen(wa_ids: list[str], bsuids: list[str], parents: list[str]) -> list[Sighting]:
    return list(Sighting.objects.raw(_SEEN, {"wa_ids": wa_ids, "bsuids": bsuids, "parents": parents}))


# Django's upsert takes the new values as they are; of moments and names the latest must stay.
_UPSERT = """
    INSERT INTO messaging_sighting AS kept (wa_id, bsuid, parent_bsuid, seen_at, profile_name, username, named_at)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[],
        %s::timestamptz[])
    ON CONFLICT (wa_id, bsuid) DO UPDATE SET
        parent_bsuid = greatest(kept.parent_bsuid, excluded.parent_bsuid),
        seen_at = greatest(kept.seen_at, excluded.seen_at),
        (named_at, profile_name, username) = (SELECT * FROM (VALUES
            (kept.named_at, kept.profile_name, kept.username),
            (excluded.named_at, excluded.profile_name, excluded.username)
        ) AS names ORDER BY 1 DESC NULLS LAST, 2 DESC, 3 DESC LIMIT 1)
    WHERE excluded.seen_at > kept.seen_at OR excluded.parent_bsuid > kept.parent_bsuid
        OR excluded.named_at >= coalesce(kept.named_at, excluded.named_at)
            AND (kept.named_at, kept.profile_name, kept.username)
                IS DISTINCT FROM (excluded.named_at, excluded.profile_name, excluded.username)
"""


def _upsert(rows: dict[tuple[str, str], list[Any]]) -> None:
    ordered = [(*key, *rows[key]) for key in sorted(rows)]
    with connection.cursor() as cursor:
        columns = ([row[place] for row in ordered] for place in (0, 1, 2, 3, 4, 5, 6))
        cursor.execute(_UPSERT, list(columns))


def _row(change: Change) -> IdChange:
    return IdChange(
        ids=change.ids,
        old_wa_id=change.old_wa_id or "",
        old_bsuid=change.old_bsuid or "",
        new_wa_id=change.new_wa_id or "",
        new_bsuid=change.new_bsuid or "",
        changed_at=change.at,
        wamid=change.wamid[:200],
        phone_number_id=change.number[:40],
        text=change.text,
        content=change.content,
    )
