"""What is said of a message afterwards: edits, withdrawals, reactions. Rows of their own, whichever comes first.

An edit changes what is shown and keeps what was said at first; a withdrawn message stays in the records, marked; of
reactions the last one stands, for each side. Only the side that wrote a message can edit or withdraw it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messaging.announcing import announce
from messaging.models import Alteration, Contact, Message
from messaging.saving import save_changed
from whatsapp.payloads import InboundMessage, StatusUpdate

KIND_OF_TYPE = {
    "edit": Alteration.Kind.EDIT,
    "revoke": Alteration.Kind.REVOKE,
    "reaction": Alteration.Kind.REACTION,
}
_SAID_LATER = ("kind", "text", "content", "original", "edited_at", "revoked_at")


@dataclass(frozen=True, slots=True)
class Reaction:
    """The reaction of one side to a message, as it stands."""

    emoji: str
    by_contact: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said from a moment on."""

    text: str
    at: datetime


def is_alteration(message: InboundMessage) -> bool:
    """Return whether a message says something of another one, and says of which."""
    return message.type in KIND_OF_TYPE and message.context_wamid is not None


def of_message(*, message: InboundMessage, contact: Contact, by_contact: bool) -> Alteration:
    """Return the row of a message that says something of another."""
    kind = KIND_OF_TYPE[message.type]
    inner = message.content.get("message") if kind == Alteration.Kind.EDIT else None
    shape = inner.get("type") if isinstance(inner, dict) else None
    content: Any = inner.get(shape) if isinstance(inner, dict) and isinstance(shape, str) else None
    return Alteration(
        wamid=message.wamid,
        target_wamid=(message.context_wamid or "")[:200],
        kind=kind,
        by_contact=by_contact,
        contact=contact,
        shape=shape[:40] if isinstance(shape, str) else "",
        text=message.text or "",
        content=content if isinstance(content, dict) else {},
        stamped_at=message.stamped_at,
    )


def of_status(*, update: StatusUpdate) -> Alteration:
    """Return the row of the status `deleted`: a citizen withdrew the message that it names."""
    return Alteration(
        wamid=f"deleted {update.wamid}"[:220],
        target_wamid=update.wamid[:200],
        kind=Alteration.Kind.REVOKE,
        by_contact=True,
        stamped_at=update.stamped_at,
    )


def apply(*, alterations: Collection[Alteration], written: Iterable[Message]) -> None:
    """Keep the alterations, and bring the messages that they are about in line, and those just written.

    written: messages stored in this batch; what was said of them before they came takes effect now.
    """
    Alteration.objects.bulk_create(alterations, ignore_conflicts=True)
    new = {message.wamid: message for message in written if message.wamid}
    targets = {row.target_wamid for row in alterations}
    later: dict[str, list[Alteration]] = {}
    for row in Alteration.objects.filter(target_wamid__in=targets | new.keys()):
        later.setdefault(row.target_wamid, []).append(row)
    if not later:
        return
    messages = [new[wamid] for wamid in later if wamid in new]
    others = later.keys() - new.keys()
    # Locked, for a lane or a status may write to them now.
    found = Message.objects.select_for_update(no_key=True).filter(wamid__in=others).order_by("id")
    messages += list(found)
    changed = [message for message in messages if _bring_in_line(message, later[message.wamid or ""])]
    save_changed(changed, fields=_SAID_LATER)
    announce(threads={message.thread_id for message in messages})


def said_later(*, wamids: Collection[str]) -> dict[str, list[Alteration]]:
    """Return what was said of messages afterwards, by message, the first word first."""
    found: dict[str, list[Alteration]] = {}
    rows = Alteration.objects.filter(target_wamid__in=wamids)
    for row in sorted(rows, key=lambda each: (each.stamped_at, each.wamid)):
        found.setdefault(row.target_wamid, []).append(row)
    return found


def standing(later: Iterable[Alteration]) -> tuple[Reaction, ...]:
    """Return the reactions that stand, of all that was said of one message in its order."""
    last = {row.by_contact: row for row in later if row.kind == Alteration.Kind.REACTION}
    # An empty one takes the reaction away.
    return tuple(Reaction(row.text, row.by_contact, row.stamped_at) for row in last.values() if row.text)


def versions(message: Message, later: Iterable[Alteration]) -> tuple[Version, ...]:
    """Return what a message said before its last edit, the first version first."""
    is_contacts = message.direction == Message.Direction.INBOUND
    edits = [row for row in later if row.kind == Alteration.Kind.EDIT and row.by_contact == is_contacts]
    first = Version(text=str((message.original or {}).get("text", "")), at=message.stamped_at)
    return (first, *(Version(text=row.text, at=row.stamped_at) for row in edits[:-1]))


def _bring_in_line(message: Message, later: Iterable[Alteration]) -> bool:
    """Put the last edit and the withdrawal on a message; return whether anything changed."""
    before = [getattr(message, name) for name in _SAID_LATER]
    is_contacts = message.direction == Message.Direction.INBOUND
    own = [row for row in later if row.by_contact == is_contacts]
    edits = sorted((row.stamped_at, row.wamid, row) for row in own if row.kind == Alteration.Kind.EDIT)
    revokes = [row.stamped_at for row in own if row.kind == Alteration.Kind.REVOKE]
    if edits:
        last = edits[-1][2]
        if message.original is None:
            message.original = {"kind": message.kind, "text": message.text, "content": message.content}
        message.kind = last.shape or message.original["kind"]
        message.text = last.text
        # A new caption comes without the medium that it belongs to.
        message.content = {**message.original["content"], **last.content}
        message.edited_at = last.stamped_at
    if revokes:
        message.revoked_at = min(revokes)
    return before != [getattr(message, name) for name in _SAID_LATER]
