"""The official register of Dutch municipalities that the product ships, and the schema names made from it.

Source: TOOI register "gemeenten compleet", version 4 (342 active municipalities, read 2026-11-22).
"""

import csv
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

REGISTER_VERSION = "TOOI gemeenten compleet, 4"
REGISTER_SOURCE = "https://repository.officiele-overheidspublicaties.nl/waardelijsten/rwc_gemeenten_compleet/"
REGISTER_DATE = date(2026, 11, 22)  # when it was read
REGISTER_FILE = Path(__file__).parent / "data" / "municipalities.csv"
RESERVED = frozenset({"public", "console", "www", "quarantine"})
# Good as a schema, as a host name label, and inside SQL that we compose: nothing in it ever needs quoting.
SCHEMA_NAME = re.compile(r"[a-z][a-z0-9]{1,62}")


class BadSchemaName(Exception):
    """The name cannot be both a schema and a host."""


@dataclass(frozen=True, slots=True)
class RegisteredMunicipality:
    """One municipality as the government registers it."""

    cbs_code: str
    name: str
    province: str
    tooi_uri: str

    @property
    def schema_name(self) -> str:
        """Return the schema name that belongs to the official name."""
        return schema_name_for(name=self.name)


def schema_name_for(*, name: str) -> str:
    """Return the schema name of an official name: accents folded, lower case, all but a-z and 0-9 dropped.

    Raises BadSchemaName: nothing usable is left, or the result is reserved.
    """
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return checked_schema_name(name="".join(re.findall(r"[a-z0-9]", folded)))


def checked_schema_name(*, name: str) -> str:
    """Return the name when it is good as a schema and as a host.  Raises BadSchemaName: it is not."""
    if name in RESERVED:
        raise BadSchemaName(f"'{name}' is reserved")
    if not SCHEMA_NAME.fullmatch(name) or name.startswith("pg"):
        raise BadSchemaName(
            f"'{name}' is no schema name: use 2 to 63 of a-z and 0-9, beginning with a letter, not with pg"
        )
    return name


@cache
def municipalities() -> dict[str, RegisteredMunicipality]:
    """Return the register that the product ships, by CBS code; tenants/editions.py has what is taken since."""
    with REGISTER_FILE.open(encoding="utf-8", newline="") as file:
        return {row["cbs_code"]: RegisteredMunicipality(**row) for row in csv.DictReader(file)}
