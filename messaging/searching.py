"""Looking for what was said, and for who said it: words in Dutch, names by how they begin, numbers by either end.

Accents do not count, if PostgreSQL has its extension `unaccent` (tenants/migrations/0012_plain_search.py).

Reads only, and finds nothing that whoever asks may not see (messaging/seeing.py). What is looked for may be a citizen's
name or number, so it never stands in an address, a log or the trail: the page keeps it in the session
(web/searching.py). PostgreSQL's own index of words serves it; no copy of what citizens wrote lies anywhere else.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import connection
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Reverse, Upper

from messaging.lists import Key
from messaging.models import Contact, Message, Thread
from messaging.reading import name_of, names_of
from messaging.seeing import seen
from messaging.sensitive import mask

MOST_CHARACTERS = 100
DUTCH, NAMES = "public.dutch_plain", "public.names_plain"  # as the indexes have them
HITS_A_PAGE = 30
MOST_CONTACTS = 200
MOST_PEOPLE = 20  # threads found by a name, number or case; who has more is looked for more closely
LEAST_DIGITS = 3  # a number is looked for by its first or last digits, so many at least
_BEGIN, _END = "\x02", "\x03"  # no text holds them: PostgreSQL puts them around a hit
_HEADLINE = f"StartSel={_BEGIN}, StopSel={_END}, MaxFragments=2, MaxWords=18, MinWords=6, FragmentDelimiter= … "


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an excerpt. is_hit: it is what was looked for."""

    text: str
    is_hit: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """One message that was found, by the words around what was looked for."""

    message: Message
    name: str
    author: str  # who wrote it, of a message of ours
    is_ours: bool
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """One thread that was found by its citizen or its case."""

    thread: Thread
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Results:
    """What was found: threads by person on the first page alone, and one page of messages, the latest first."""

    words: str
    people: tuple[Person, ...]
    hits: tuple[Hit, ...]
    is_first: bool
    next: Key | None
    at: datetime

    @property
    def count(self) -> int:
        """Return how much of it stands on this page."""
        return len(self.people) + len(self.hits)


def search(*, words: str, after: Key | None = None, at: datetime) -> Results:
    """Return one page of what is found in the schema that the connection is in, by five queries at most."""
    words = " ".join(unicodedata.normalize("NFC", words).replace("\x00", " ").split())[:MOST_CHARACTERS]
    people = _people(words) if after is None and words else ()
    found = list(_messages(words, after)[: HITS_A_PAGE + 1]) if words else []
    shown = found[:HITS_A_PAGE]
    return Results(
        words=words,
        people=people,
        hits=_hits(shown, words),
        is_first=after is None,
        next=Key(moment=shown[-1].stamped_at, id=shown[-1].id) if len(found) > HITS_A_PAGE else None,
        at=at,
    )


def _messages(words: str, after: Key | None) -> QuerySet[Message]:
    found = Message.objects.annotate(said=SearchVector("text", config=DUTCH))
    found = found.filter(seen("thread__"), said=SearchQuery(words, config=DUTCH, search_type="websearch"))
    # What its writer withdrew is shown in its thread, to who asks for it there.
    found = found.filter(revoked_at=None).select_related("thread__contact").defer("content", "original", "referral")
    if after is not None:
        found = found.filter(Q(stamped_at__lt=after.moment) | Q(stamped_at=after.moment, id__gt=after.id))
    return found.order_by("-stamped_at", "id")


def _hits(messages: Sequence[Message], words: str) -> tuple[Hit, ...]:
    names = names_of({each.author_id for each in messages if each.author_id})
    # Masked before a hit is marked, so that the marks do not break up a number.
    excerpts = _excerpts([mask(text=each.text) for each in messages], words)
    return tuple(
        Hit(
            message=message,
            name=name_of(contact=message.thread.contact),
            author=names.get(message.author_id, "") if message.author_id else "",
            is_ours=message.direction == Message.Direction.OUTBOUND,
            pieces=pieces,
        )
        for message, pieces in zip(messages, excerpts, strict=True)
    )


def _excerpts(texts: Sequence[str], words: str) -> list[tuple[Piece, ...]]:
    """Return of each text what stands around the words, by one query."""
    if not texts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ts_headline(%s::regconfig, said, websearch_to_tsquery(%s::regconfig, %s), %s)"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS given (said, place) ORDER BY place",
            [DUTCH, DUTCH, words, _HEADLINE, [re.sub(f"[{_BEGIN}{_END}]", "", text) for text in texts]],
        )
        return [_pieces(excerpt) for (excerpt,) in cursor.fetchall()]


def _pieces(excerpt: str) -> tuple[Piece, ...]:
    parts = re.split(f"{_BEGIN}(.*?){_END}", excerpt, flags=re.DOTALL)
    return tuple(Piece(text=part, is_hit=place % 2 == 1) for place, part in enumerate(parts) if part)


def _people(words: str) -> tuple[Person, ...]:
    """Return the threads of people of this name or number, and those of this case, the last written in first."""
    threads = Thread.objects.annotate(case=Upper("case_number"))
    of_case = Q(case=Upper(Value(words))) & ~Q(case_number="")
    contacts = _contacts(words)
    if contacts is not None:
        # By id, from an index each: with the threads in the same condition none of them would be used.
        ids: set[UUID] = set(contacts.order_by("-created_at").values_list("id", flat=True)[:MOST_CONTACTS])
        of_case |= Q(contact_id__in=ids)
    found = threads.filter(seen(), of_case).select_related("contact")
    rows = found.order_by("-state", "-last_message_at", "id")[:MOST_PEOPLE]  # what is open comes first
    return tuple(
        Person(
            thread=row,
            name=name_of(contact=row.contact),
            phone=f"+{row.contact.wa_id}" if row.contact.wa_id else "",
        )
        for row in rows
    )


def _contacts(words: str) -> QuerySet[Contact] | None:
    """Return those of this name or number, or None where the words are neither."""
    condition, names = _of_number(words), _of_name(words)
    if names is not None:
        condition |= Q(called=names)
    called = SearchVector("profile_name", "username", config=NAMES)
    by_person = Contact.objects.annotate(called=called, backwards=Reverse("wa_id"))
    return by_person.filter(condition) if condition else None


def _of_name(words: str) -> SearchQuery | None:
    """Return the query of names that begin with each of these words, or None when there is no word."""
    parts = re.findall(r"\w+", words)
    return SearchQuery(" & ".join(f"'{part}':*" for part in parts), config=NAMES, search_type="raw") if parts else None


def _of_number(words: str) -> Q:
    """Return the condition of a number that begins or ends like this; none when this is no number.

    As people write them: +31 6 1234, 06-1234, 0031 6. A range in place of LIKE, so that any collation's index serves.
    """
    if re.search(r"[^\d\s+().-]", words):
        return Q()
    digits = re.sub(r"\D", "", words)
    if len(digits) < LEAST_DIGITS:
        return Q()
    first = digits.removeprefix("00") if digits.startswith("00") else re.sub(r"^0", "31", digits)
    last = digits[::-1]
    return Q(wa_id__gte=first, wa_id__lt=f"{first}a") | Q(backwards__gte=last, backwards__lt=f"{last}a")
