"""Reading a trail: pages of it for people, and all of it for an export.

By keyset, so that the last page costs no more than the first: an entry's sequence is its place.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from audit.models import Entry

MOST = 50
PORTION = 1000  # of an export, read at a time
VERIFIED = "audit.verify"


@dataclass(frozen=True, slots=True)
class Search:
    """Which entries are meant; what is empty or None limits nothing.

    since, until: moments; until is not included. who: part of a name, or an actor's id. what: an action, or a subject
    such as `thread 1b9d…`. origin: the whole of it.
    """

    since: datetime | None = None
    until: datetime | None = None
    who: str = ""
    what: str = ""
    outcome: str = ""
    origin: str = ""

    def rows(self) -> QuerySet[Entry]:
        """Return the entries, in no order, of the schema that the connection is in."""
        chosen = Q()
        if self.since is not None:
            chosen &= Q(at__gte=self.since)
        if self.until is not None:
            chosen &= Q(at__lt=self.until)
        if self.who:
            chosen &= Q(actor_name__icontains=self.who) | Q(actor_id=self.who)
        if self.what:
            chosen &= Q(action=self.what) | Q(subject=self.what)
        if self.outcome:
            chosen &= Q(outcome=self.outcome)
        if self.origin:
            chosen &= Q(origin=self.origin)
        return Entry.objects.filter(chosen)


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page, the newest first. older: where the next page begins, None on the last."""

    entries: tuple[Entry, ...]
    older: int | None


def page(*, search: Search, before: int | None = None, most: int = MOST) -> EntryPage:
    """Return the newest entries, or those before a sequence."""
    rows = search.rows()
    if before is not None:
        rows = rows.filter(sequence__lt=before)
    found = list(rows.order_by("-sequence")[: most + 1])
    return EntryPage(entries=tuple(found[:most]), older=found[most - 1].sequence if len(found) > most else None)


def last_sequence() -> int:
    """Return the sequence of the last entry; 0: there is none."""
    return Entry.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0


def portion(*, search: Search, after: int, until: int) -> list[Entry]:
    """Return the next entries of an export, the oldest first: after a sequence, up to and with another."""
    rows = search.rows().filter(sequence__gt=after, sequence__lte=until)
    return list(rows.order_by("sequence")[:PORTION])


def last_verified() -> Entry | None:
    """Return the entry of the last time that this trail was verified, or None: it never was."""
    return Entry.objects.filter(action=VERIFIED).order_by("-sequence").first()
