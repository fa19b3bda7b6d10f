"""What agents see of one thread. Reads only; a page makes one of these calls and shows the result.

It carries a version: a digest of what is shown. The live connection (web/live.py) compares it with the one that a page
has, so that whatever a page missed is seen when it asks again. The lists of threads: messaging/lists.py.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform

from accounts.models import User
from accounts.teams import team_name
from messaging import altering, consent, failures, noted, window
from messaging.altering import Reaction, Version
from messaging.desk.labelling import labels_of
from messaging.media import answering, showing, types
from messaging.models import Consent, Contact, Label, Medium, Message, Template, Thread, UncertainChoice
from messaging.noted import ShownNote
from messaging.revealing import is_revealed
from messaging.seeing import seen
from messaging.sensitive import Kind, mask, masked
from messaging.templates import sending
from tenants.models import Number, Trouble
from tenants.trouble import BLOCKING, open_troubles

MESSAGES_A_PAGE = 100
NOTHING: Mapping[UUID, str] = {}
MOST_OTHERS = 20


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that another one answers. id: none where it is not of this thread, or not here."""

    id: UUID | None
    text: str
    kind: str
    is_ours: bool


@dataclass(frozen=True, slots=True)
class ShownMedium:
    """A medium as the page shows it."""

    medium: Medium
    name: str
    is_inline: bool
    may_be_asked_for: bool


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """One message as the page shows it. versions: what it said before, the first one first.

    text: numbers that not everyone has to read are masked, unless this message was asked for in full.
    """

    message: Message
    text: str
    hides: frozenset[Kind]  # which such numbers it holds
    in_full: bool
    author: str
    form: str  # the kind, for web/words.py; of what we sent more closely: "ours.cta_url", "ours.reaction_removed"
    is_ours: bool
    quote: Quote | None
    reactions: tuple[Reaction, ...]
    versions: tuple[Version, ...]
    medium: ShownMedium | None
    choice: UncertainChoice | None  # what was decided while nobody knew whether it was sent
    repeats: UUID | None  # the message that it says once more

    @property
    def may_be_written_again(self) -> bool:
        """Whether it is a text of ours that did not arrive and yet may, of which nothing is masked here."""
        failed = self.message.state == Message.State.FAILED and self.message.kind == "text" and self.is_ours
        return failed and failures.helps_again(message=self.message) and (self.in_full or not self.hides)


@dataclass(frozen=True, slots=True)
class ThreadView:
    """One thread with its latest messages, and what can be answered now. lines: messages and notes as they came."""

    thread: Thread
    name: str
    assignee: str  # who has it; '' for nobody
    lines: tuple[ShownMessage | ShownNote, ...]
    team: str  # to which it was handed; '' for none
    phone: str
    number: str
    messages: tuple[ShownMessage, ...]
    earlier: UUID | None  # pass as `before` to see what came before
    is_latest: bool  # the last messages are among them; else it is an earlier page, which does not move
    labels: tuple[Label, ...]
    hides: frozenset[Kind]  # in what the citizen wrote since we last did
    is_open: bool
    window_open: bool
    window_ends_at: datetime | None
    consent: Consent | None  # what stands about being written to first
    templates: tuple[Template, ...]
    version: str
    at: datetime


def thread(
    *,
    thread_id: UUID,
    before: UUID | None = None,
    until: UUID | None = None,
    revealed: Mapping[UUID, str] = NOTHING,
    at: datetime,
) -> ThreadView:
    """Return a thread with its latest messages, or the latest before or until one.  Raises Thread.DoesNotExist.

    revealed: the messages and notes of which nothing is masked, because somebody asked, each with the mark of its text
    then (messaging/revealing.py).
    """
    found = Thread.objects.select_related("contact").get(id=thread_id)
    messages = found.messages.order_by("-stamped_at", "-created_at", "-id")
    wanted = before or until
    edge = Message.objects.filter(id=wanted, thread=found).first() if wanted is not None else None
    if edge is not None:
        messages = messages.filter(_earlier_than(edge) | (Q() if before else Q(id=edge.id)))
    messages = messages.annotate(interactive=KeyTextTransform("type", "content"))  # "button", "list" and so on
    rows = list(
        messages.select_related("medium", "choice", "repeats").defer("content", "referral")[: MESSAGES_A_PAGE + 1]
    )
    shown = rows[:MESSAGES_A_PAGE][::-1]
    since = shown[0] if len(rows) > MESSAGES_A_PAGE else None
    notes = noted.between(thread=found, since=since, until=edge, most=MESSAGES_A_PAGE)
    people = {row.author_id for row in shown} | {found.assignee_id}
    people |= {id_ for note in notes for id_ in (note.author_id, note.about_id)}
    names = names_of({id_ for id_ in people if id_})
    messages_shown = _shown(found, shown, names, revealed, at)
    lines = _lines(messages_shown, noted.shown(notes=notes, names=names, revealed=revealed))
    number = Number.objects.filter(phone_number_id=found.phone_number_id).order_by("-opened_at").first()
    said = consent.standing(contact=found.contact)
    labels = labels_of(thread_ids=[found.id]).get(found.id, ())
    return ThreadView(
        thread=found,
        name=name_of(contact=found.contact),
        team=team_name(team_id=found.team_id) if found.team_id else "",
        phone=f"+{found.contact.wa_id}" if found.contact.wa_id else "",
        number=number.display_phone_number if number else "",
        assignee=names.get(found.assignee_id, "") if found.assignee_id else "",
        lines=lines,
        messages=messages_shown,
        earlier=since.id if since is not None else None,
        is_latest=edge is None,
        labels=labels,
        hides=_unanswered(messages_shown),
        is_open=found.state == Thread.State.OPEN,
        window_open=window.is_open(last_inbound_at=found.last_inbound_at, at=at),
        window_ends_at=found.window_ends_at(),
        consent=said,
        templates=tuple(sending.sendable(waba_id=number.waba_id)) if number else (),
        version=_thread_version(found, lines, labels, said),
        at=at,
    )


def others(*, of: Thread) -> list[Thread]:
    """Return the other threads of the citizen of one, the last written in first; by one query."""
    threads = Thread.objects.filter(seen(), contact_id=of.contact_id).exclude(id=of.id)
    return list(threads.order_by("-last_message_at", "id")[:MOST_OTHERS])


def blocking() -> list[Trouble]:
    """Return the troubles with which this schema's numbers cannot send or receive; one query."""
    schema_name: str = connection.schema_name  # type: ignore[attr-defined]
    of_schema = open_troubles().filter(number__municipality__schema_name=schema_name)
    return list(of_schema.filter(kind__in=BLOCKING))


def name_of(*, contact: Contact) -> str:
    """Return how a contact is called on the pages: the name that they gave themselves, else what they are known by."""
    return contact.profile_name or contact.username or (f"+{contact.wa_id}" if contact.wa_id else "")


def _earlier_than(edge: Message) -> Q:
    same_second = Q(stamped_at=edge.stamped_at)
    return (
        Q(stamped_at__lt=edge.stamped_at)
        | same_second & Q(created_at__lt=edge.created_at)
        | same_second & Q(created_at=edge.created_at, id__lt=edge.id)
    )


def names_of(ids: set[UUID]) -> dict[UUID, str]:
    """Return the names of users."""
    return dict(User.objects.filter(id__in=ids).values_list("id", "name")) if ids else {}


def _shown(
    found: Thread, rows: Sequence[Message], names: dict[UUID, str], revealed: Mapping[UUID, str], at: datetime
) -> tuple[ShownMessage, ...]:
    """Return messages with what was said of them later, and what they answer; by two queries more at most."""
    wamids = [row.wamid for row in rows if row.wamid]
    later = altering.said_later(wamids=wamids) if wamids else {}
    quotes = _quotes(found, rows)
    return tuple(
        ShownMessage(
            message=row,
            text=row.text if in_full else said.text,
            hides=said.kinds,
            in_full=in_full,
            author=names.get(row.author_id, "") if row.author_id else "",
            form=_form(row),
            is_ours=row.direction == Message.Direction.OUTBOUND,
            quote=quotes.get(row.replies_to_wamid) if row.replies_to_wamid else None,
            reactions=altering.standing(later.get(row.wamid or "", ())),
            versions=_versions(row, later.get(row.wamid or "", ())) if row.edited_at else (),
            medium=_shown_medium(row.medium, at) if row.medium is not None else None,
            choice=getattr(row, "choice", None),
            repeats=row.repeats.message_id if hasattr(row, "repeats") else None,
        )
        for row, said, in_full in (
            (row, masked(text=row.text), is_revealed(id_=row.id, text=row.text, revealed=revealed)) for row in rows
        )
    )


def _versions(row: Message, later: Iterable[Any]) -> tuple[Version, ...]:
    return tuple(replace(version, text=mask(text=version.text)) for version in altering.versions(row, later))


def _unanswered(shown: Sequence[ShownMessage]) -> frozenset[Kind]:
    """Return which numbers stand in what the citizen wrote since our last message."""
    found: frozenset[Kind] = frozenset()
    for each in reversed(shown):
        if each.is_ours:
            break
        found |= each.hides
    return found


def _shown_medium(medium: Medium, at: datetime) -> ShownMedium:
    return ShownMedium(
        medium=medium,
        name=mask(text=answering.name_of(medium=medium)),
        is_inline=types.is_inline(medium=medium),
        may_be_asked_for=showing.may_be_asked_for(medium=medium, at=at),
    )


def _form(row: Any) -> str:
    if row.direction == Message.Direction.INBOUND or row.kind not in {"interactive", "reaction"}:
        return str(row.kind)
    if row.kind == "reaction":
        return "ours.reaction" if row.text else "ours.reaction_removed"
    return f"ours.{row.interactive}"


def _quotes(found: Thread, rows: Iterable[Message]) -> dict[str, Quote]:
    wamids = {row.replies_to_wamid for row in rows if row.replies_to_wamid}
    quoted = Message.objects.filter(seen("thread__"), wamid__in=wamids).defer("content", "original") if wamids else ()
    quotes = {wamid: Quote(id=None, text="", kind="", is_ours=False) for wamid in wamids}
    for row in quoted:
        quotes[row.wamid or ""] = Quote(
            id=row.id if row.thread_id == found.id else None,
            text="" if row.revoked_at else mask(text=row.text),
            kind="revoke" if row.revoked_at else row.kind,
            is_ours=row.direction == Message.Direction.OUTBOUND,
        )
    return quotes


def open_troubles_here() -> list[str]:
    """Return the ids of the troubles that pages show."""
    return [str(trouble.id) for trouble in blocking()]


def _thread_version(
    found: Thread, lines: Iterable[ShownMessage | ShownNote], labels: Iterable[Label], said: Consent | None
) -> str:
    rows: list[object] = [said.id if said else None, found.assignee_id, found.team_id, found.snoozed_until]
    rows += [found.case_number, *((label.name, label.colour) for label in labels)]
    for each in lines:
        if isinstance(each, ShownNote):
            rows.append(each.note.id)
            continue
        row = each.message
        rows += [row.id, row.state, row.failed_reason, row.edited_at, row.revoked_at, each.reactions, each.versions]
        rows += [each.choice] if each.choice is not None else []
        rows += [row.medium.state, row.medium.reason] if row.medium is not None else []
    return digest([*open_troubles_here(), found.state, found.last_inbound_at, *rows])


def _lines(shown: Sequence[ShownMessage], notes: Sequence[ShownNote]) -> tuple[ShownMessage | ShownNote, ...]:
    """Return messages and notes in the order of their moments; of one moment the message first."""
    dated: list[tuple[datetime, ShownMessage | ShownNote]] = [(each.message.stamped_at, each) for each in shown]
    dated += [(each.note.at, each) for each in notes]
    return tuple(each for _, each in sorted(dated, key=lambda pair: pair[0]))  # stable


def digest(parts: Iterable[object]) -> str:
    """Return the version of what is made of some parts."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]
