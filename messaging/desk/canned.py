"""Answers that are ready: written by supervisors and admins, found by a shortcut, filled in for one thread.

An agent sees and changes what a canned reply became before it is sent; nothing is sent from here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.record import Actor, record
from messaging.models import CannedReply

MOST_REPLIES = 200  # all of them go with each thread's page
SHORTCUT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# What a text may name, as it stands between the braces.
PLACEHOLDERS = ("naam", "medewerker", "gemeente", "zaaknummer")
_PLACE = re.compile(r"\{([^{}\n]{0,40})\}")


class BadReply(ValueError):
    """What was written cannot be kept. code: shortcut, shortcut_taken, title, text, placeholder, too_many."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Written:
    """A canned reply as somebody wrote it in the form."""

    shortcut: str
    title: str
    text: str
    is_safe_route: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """A canned reply with everything filled in that is known of one thread."""

    id: UUID
    shortcut: str
    title: str
    text: str
    is_safe_route: bool


def replies() -> Sequence[CannedReply]:
    """Return the canned replies, by shortcut."""
    return list(CannedReply.objects.order_by("shortcut"))


def ready(*, values: Mapping[str, str]) -> tuple[Ready, ...]:
    """Return the canned replies filled in for one thread; what is not known of it stays between its braces."""
    return tuple(
        Ready(
            id=reply.id,
            shortcut=reply.shortcut,
            title=reply.title,
            text=fill(text=reply.text, values=values),
            is_safe_route=reply.is_safe_route,
        )
        for reply in replies()
    )


def fill(*, text: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders filled in, each once: what a citizen is called is never read as one."""
    return _PLACE.sub(lambda match: values.get(match[1]) or match[0], text)


@transaction.atomic
def make(*, written: Written, actor: Actor, at: datetime) -> CannedReply:
    """Make a canned reply.  Raises BadReply."""
    if CannedReply.objects.count() >= MOST_REPLIES:
        raise BadReply("too_many")
    reply = _saved(CannedReply(), written)
    details = {"shortcut": reply.shortcut}
    record(action="canned.make", actor=actor, at=at, subject=f"canned reply {reply.id}", details=details)
    return reply


@transaction.atomic
def change(*, reply_id: UUID, written: Written, actor: Actor, at: datetime) -> CannedReply:
    """Write a canned reply anew.  Raises BadReply, CannedReply.DoesNotExist."""
    reply = _saved(CannedReply.objects.select_for_update().get(id=reply_id), written)
    details = {"shortcut": reply.shortcut}
    record(action="canned.change", actor=actor, at=at, subject=f"canned reply {reply.id}", details=details)
    return reply


@transaction.atomic
def remove(*, reply_id: UUID, actor: Actor, at: datetime) -> None:
    """Remove a canned reply; what was sent stays sent.  Raises CannedReply.DoesNotExist."""
    reply = CannedReply.objects.select_for_update().get(id=reply_id)
    reply.delete()
    details = {"shortcut": reply.shortcut}
    record(action="canned.remove", actor=actor, at=at, subject=f"canned reply {reply_id}", details=details)


def _saved(reply: CannedReply, written: Written) -> CannedReply:
    reply.shortcut = written.shortcut.strip().removeprefix("/").lower()
    reply.title, reply.text = " ".join(written.title.split()), written.text.replace("\r\n", "\n").strip()
    reply.is_safe_route = written.is_safe_route
    if len(reply.shortcut) > CannedReply.LONGEST_SHORTCUT or not SHORTCUT.fullmatch(reply.shortcut):
        raise BadReply("shortcut")
    if not 0 < len(reply.title) <= CannedReply.LONGEST_TITLE:
        raise BadReply("title")
    if not 0 < len(reply.text) <= CannedReply.LONGEST_TEXT:
        raise BadReply("text")
    if any(match[1] not in PLACEHOLDERS for match in _PLACE.finditer(reply.text)):
        raise BadReply("placeholder")
    if reply.is_safe_route:  # there is one: the last one that was chosen
        CannedReply.objects.exclude(id=reply.id).filter(is_safe_route=True).update(is_safe_route=False)
    try:
        with transaction.atomic():
            reply.save()
    except IntegrityError as error:
        raise BadReply("shortcut_taken") from error
    return reply
