"""A template as Meta lists it, read as far as it can be: one that is odd is kept and named, and stops nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messaging.templates.taking import Components, Source, StatusWord, Word
from messaging.templates.updates import LANGUAGE_CHARACTERS, NAME_CHARACTERS, status_word
from whatsapp.payloads.parts import text
from whatsapp.payloads.storable import storable

ID_CHARACTERS = 40
# Characters of an item that no row can hold, as JSON: enough to see what it is.
RAW_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class Listed:
    """A listed template by what identifies it, and what Meta says of it."""

    meta_id: str
    name: str
    language: str
    word: Word


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A listed item that cannot be told from others, or held by a row. why: name_missing, name_too_long …"""

    why: str
    raw: Any


def read(*, item: object, at: datetime) -> Listed | Unreadable:
    """Return what Meta listed.  Never raises, whatever JSON it is."""
    found = storable(item)
    if not isinstance(found, dict):
        return Unreadable(why="no_object", raw=_short(found))
    name, language = text(found.get("name")), text(found.get("language"))
    meta_id = _id(found.get("id"))
    for what, value, most in (
        ("name", name, NAME_CHARACTERS),
        ("language", language, LANGUAGE_CHARACTERS),
        ("id", meta_id, ID_CHARACTERS),
    ):
        if not value or len(value) > most:
            return Unreadable(why=f"{what}_too_long" if value else f"{what}_missing", raw=_short(found))
    assert name is not None
    assert language is not None
    return Listed(meta_id=meta_id, name=name, language=language, word=_word(found, meta_id, at))


def _word(found: dict[str, Any], meta_id: str, at: datetime) -> Word:
    quality = found.get("quality_score")
    return Word(
        at=at,
        source=Source.LOOK,
        meta_id=meta_id,
        status=_status(found),
        category=(text(found.get("category")) or "").upper() or None,
        quality=text(quality.get("score")) if isinstance(quality, dict) else None,
        components=Components(found.get("components"), text(found.get("parameter_format"))),
    )


def _status(found: dict[str, Any]) -> StatusWord:
    reason = text(found.get("rejected_reason")) or ""
    return status_word(event=(text(found.get("status")) or "").upper(), reason="" if reason == "NONE" else reason)


def _id(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value) or ""


def _short(value: Any) -> Any:
    """Return the value, or as much of it as is worth keeping."""
    written = str(value)
    return value if len(written) <= RAW_CHARACTERS else written[:RAW_CHARACTERS]
