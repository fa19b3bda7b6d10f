"""The register as it is now: what the product ships, or a later edition that an operator took from the official file.

The file: TOOI, "gemeenten compleet", JSON-LD, as KOOP publishes it. A municipality that has an end date has ended.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from audit.record import Actor, record
from tenants.clock import AMSTERDAM
from tenants.models import RegisterEdition
from tenants.register import (
    REGISTER_DATE,
    REGISTER_SOURCE,
    REGISTER_VERSION,
    BadSchemaName,
    RegisteredMunicipality,
    municipalities,
)

_ID = "https://identifier.overheid.nl/tooi/id/"
_TERM = "https://identifier.overheid.nl/tooi/def/ont/"
# Source: CBS; as TOOI numbers the provinces.
_PROVINCES = {
    f"{_ID}provincie/pv{number}": name
    for number, name in enumerate(
        (
            "Groningen",
            "Fryslân",
            "Drenthe",
            "Overijssel",
            "Flevoland",
            "Gelderland",
            "Utrecht",
            "Noord-Holland",
            "Zuid-Holland",
            "Zeeland",
            "Noord-Brabant",
            "Limburg",
        ),
        start=20,
    )
}
# A file in which more is gone than this share is not the whole register, whatever else it is.
_MOST_GONE = 0.1


class BadRegister(Exception):
    """The file is no register of municipalities; the text says where it fails. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Register:
    """An edition: what is in it, which one it is, and from where and when."""

    version: str
    source: str
    day: date
    entries: Mapping[str, RegisteredMunicipality]


@dataclass(frozen=True, slots=True)
class Difference:
    """What another edition has that this one has not, by CBS code and name."""

    added: tuple[RegisteredMunicipality, ...]
    removed: tuple[RegisteredMunicipality, ...]
    renamed: tuple[tuple[RegisteredMunicipality, RegisteredMunicipality], ...]


def current_register() -> Register:
    """Return the register that counts."""
    edition = RegisterEdition.objects.order_by("id").last()
    if edition is None:
        return Register(REGISTER_VERSION, REGISTER_SOURCE, REGISTER_DATE, municipalities())
    entries = {row[0]: RegisteredMunicipality(*row) for row in edition.entries}
    return Register(edition.version, REGISTER_SOURCE, edition.taken_at.astimezone(AMSTERDAM).date(), entries)


def read_register(*, content: bytes) -> dict[str, RegisteredMunicipality]:
    """Return the municipalities that are not ended, of a file in the official form.  Raises BadRegister."""
    try:
        items = json.loads(content)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadRegister(f"it is no JSON: {type(error).__name__}") from None
    if not isinstance(items, list) or not items:
        raise BadRegister("it is no list of municipalities")
    found: dict[str, RegisteredMunicipality] = {}
    names: dict[str, str] = {}
    for place, item in enumerate(items, start=1):
        if not isinstance(item, dict) or not str(item.get("@id", "")).startswith(f"{_ID}gemeente/gm"):
            raise BadRegister(f"entry {place} is no municipality")
        if any(_values(item, "einddatum")):
            continue
        entry = _entry(item, place)
        if entry.cbs_code in found:
            raise BadRegister(f"{entry.cbs_code} is in it twice")
        if (other := names.setdefault(entry.schema_name, entry.cbs_code)) != entry.cbs_code:
            raise BadRegister(f"{entry.cbs_code} and {other} would have the same schema")
        found[entry.cbs_code] = entry
    if not found:
        raise BadRegister("every municipality in it has ended")
    return found


@transaction.atomic
def take_register(*, content: bytes, version: str, is_rehearsal: bool, actor: Actor, at: datetime) -> Difference:
    """Take a file as the register that counts from now on; return what is different in it. Safe to repeat.

    is_rehearsal: only tell what would be different. Municipalities that are served stay so, whatever the file says.
    Raises BadRegister: nothing was changed.
    """
    entries = read_register(content=content)
    before = current_register().entries
    difference = Difference(
        added=tuple(entries[code] for code in sorted(entries.keys() - before.keys())),
        removed=tuple(before[code] for code in sorted(before.keys() - entries.keys())),
        renamed=tuple(
            (before[code], entries[code])
            for code in sorted(entries.keys() & before.keys())
            if entries[code].name != before[code].name
        ),
    )
    if len(difference.removed) > max(3, len(before) * _MOST_GONE):
        raise BadRegister(f"{len(difference.removed)} of {len(before)} municipalities are missing in it")
    if not version.strip():
        raise BadRegister("say which version it is")
    if is_rehearsal or entries == before:
        return difference
    rows = [list(astuple(entries[code])) for code in sorted(entries)]
    RegisterEdition.objects.create(
        version=version.strip()[:100], sha256=hashlib.sha256(content).digest(), entries=rows, taken_at=at
    )
    details = {
        "version": version.strip()[:100],
        "added": [each.cbs_code for each in difference.added],
        "removed": [each.cbs_code for each in difference.removed],
        "renamed": [each.cbs_code for _, each in difference.renamed],
    }
    record(action="register.refresh", actor=actor, at=at, subject="register of municipalities", details=details)
    return difference


def _entry(item: dict[str, Any], place: int) -> RegisteredMunicipality:
    code, name = _one(item, "gemeentecode", place), _one(item, "officieleNaamExclSoort", place)
    provinces = [_PROVINCES.get(value, "") for value in _values(item, "ligtInProvincie", key="@id")]
    if not (code.isascii() and code.isdigit() and len(code) == 4):
        raise BadRegister(f"entry {place} has no CBS code of four digits")
    if len(name) > 100 or not name.isprintable():
        raise BadRegister(f"GM{code} has no name that can be")
    if len(provinces) != 1 or not provinces[0]:
        raise BadRegister(f"GM{code} lies in no province that there is")
    if item["@id"] != f"{_ID}gemeente/gm{code}":
        raise BadRegister(f"GM{code} has the address of another")
    entry = RegisteredMunicipality(cbs_code=f"GM{code}", name=name, province=provinces[0], tooi_uri=item["@id"])
    try:
        entry.schema_name  # noqa: B018 - raises
    except BadSchemaName as error:
        raise BadRegister(f"GM{code}: {error}") from None
    return entry


def _one(item: dict[str, Any], term: str, place: int) -> str:
    values = list(_values(item, term))
    if len(values) != 1 or not values[0].strip():
        raise BadRegister(f"entry {place} has no {term}, or more than one")
    return values[0].strip()


def _values(item: dict[str, Any], term: str, *, key: str = "@value") -> Iterator[str]:
    found = item.get(f"{_TERM}{term}")
    for each in found if isinstance(found, list) else []:
        if isinstance(each, dict) and isinstance(each.get(key), str):
            yield each[key]
