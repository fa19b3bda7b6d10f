"""Internal notes with mentions, and the number of the case that a thread belongs to."""

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from audit.record import Actor
from messaging.desk.acting import hold, note
from messaging.desk.assigning import answerers
from messaging.models import Mention, Thread, ThreadNote

CASE_NUMBER = re.compile(r"[\w][\w ./-]{0,59}")


class BadNote(ValueError):
    """A note is empty or longer than `ThreadNote.MOST_CHARACTERS`."""


class BadCaseNumber(ValueError):
    """A case number has other characters than letters, digits, spaces and ./-, or more than 60."""


@transaction.atomic
def write(*, thread_id: UUID, text: str, actor: Actor, at: datetime) -> ThreadNote:
    """Write a note in a thread, open or closed; who is named in it as @Name is told.

    Raises BadNote, Thread.DoesNotExist.
    """
    text = text.strip()
    if not text or len(text) > ThreadNote.MOST_CHARACTERS:
        raise BadNote
    thread = Thread.objects.get(id=thread_id)
    made = note(thread=thread, kind=ThreadNote.Kind.NOTE, actor=actor, at=at, text=text)
    others = [user for user in named_in(text=text, users=answerers()) if user.id != made.author_id]
    Mention.objects.bulk_create(Mention(note=made, user_id=user.id) for user in others)
    return made


def named_in(*, text: str, users: Sequence[User]) -> list[User]:
    """Return the users who stand in a text as @Name; of names that begin alike the longest counts."""
    found: dict[UUID, User] = {}
    by_length = sorted(users, key=lambda user: -len(user.name))
    for place in (match.end() for match in re.finditer("@", text)):
        rest = text[place:].casefold()
        for user in by_length:
            name = user.name.casefold()
            if name and rest.startswith(name) and not rest[len(name) : len(name) + 1].isalnum():
                found[user.id] = user
                break
    return list(found.values())


def unseen(*, user_id: UUID) -> QuerySet[Mention]:
    """Return where somebody was named and did not look yet."""
    return Mention.objects.filter(user_id=user_id, seen_at=None)


def mark_seen(*, thread_id: UUID, user_id: UUID, at: datetime) -> int:
    """Note that somebody looked at a thread in which they were named; return how many mentions that settles."""
    return unseen(user_id=user_id).filter(note__thread_id=thread_id).update(seen_at=at)


@transaction.atomic
def link_case(*, thread_id: UUID, number: str, actor: Actor, at: datetime) -> Thread:
    """Write down the case that a thread belongs to, or with '' that it belongs to none. Safe to repeat.

    Raises BadCaseNumber, Thread.DoesNotExist, ThreadClosed.
    """
    number = " ".join(number.split())
    if number and not CASE_NUMBER.fullmatch(number):
        raise BadCaseNumber
    thread = hold(thread_id=thread_id)
    if thread.case_number != number:
        thread.case_number = number
        thread.save(update_fields=["case_number"])
        note(thread=thread, kind=ThreadNote.Kind.CASE, actor=actor, at=at, text=number)
    return thread
