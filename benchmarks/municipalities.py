"""The 342 municipalities of the register as real tenants, kept from run to run, because making them takes a minute.

They lie in a template database in var/bench; each run works on a copy. The template's name holds a hash of all that
shapes a tenant, so that another migration means another template.
"""

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.report import CannotMeasure
from config.local import databases, environment
from config.local.folders import ROOT
from config.local.instance import Instance

MAKERS = 2  # processes that make tenants side by side
ROOMS = ("audit", "tenants", "accounts", "billing", "messaging", "api")
TENANTS = """
    SELECT municipality.id, number.phone_number_id, number.waba_id, number.display_phone_number, schema_name
    FROM public.tenants_municipality AS municipality
    JOIN public.tenants_number AS number ON number.municipality_id = municipality.id
    ORDER BY municipality.schema_name
"""


@dataclass(frozen=True, slots=True)
class Tenant:
    """What a load generator must know of a municipality."""

    municipality_id: str
    phone_number_id: str
    waba_id: str
    display_phone_number: str
    schema_name: str


def give(*, instance: Instance, most: int | None = None) -> str:
    """Give an instance whose servers run a database with all municipalities; return in words how it came about.

    most: only so many, for what does not depend on how many there are.
    Raises CannotMeasure: they could not be made.
    """
    keys = _kept_keys(instance=instance)
    for values in (instance.values, instance.environ, instance.supervisor.environ):
        values["FIELD_ENCRYPTION_KEYS"] = keys
    server = instance.servers.server
    kind = "municipalities" if most is None else f"some{most}"
    template = f"{kind}_{_fingerprint(keys=keys)}"
    begun = time.monotonic()
    found = databases.listed(server=server)
    if template in found:
        how = "kept from an earlier run"
    else:
        for old in found:
            if old.startswith(f"{kind}_"):
                databases.drop(server=server, name=old)
        print(f"making {most or 342} municipalities; they are kept for the next runs", file=sys.stderr, flush=True)
        _make(instance=instance, most=most)
        databases.rename(server=server, name=databases.name_in(url=instance.values["DATABASE_URL"]), to=template)
        how = f"made in {time.monotonic() - begun:.0f} s"
    begun = time.monotonic()
    instance.make_database(template=template)
    return f"real tenants by tenants.provisioning ({how}), copied in {time.monotonic() - begun:.0f} s"


def read(*, database_url: str) -> list[Tenant]:
    """Return the municipalities of a database."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(TENANTS).fetchall()
    return [Tenant(str(row[0]), *row[1:]) for row in rows]


def _make(*, instance: Instance, most: int | None) -> None:
    instance.make_database()
    instance.migrate()
    command = [sys.executable, "-m", "benchmarks.municipalities"]
    makers = [
        subprocess.Popen(
            [*command, str(number), str(MAKERS), str(most or "")],
            cwd=ROOT,
            env=instance.environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(MAKERS)
    ]
    try:
        for maker in makers:
            _, said = maker.communicate()
            if maker.returncode != 0:
                raise CannotMeasure(f"the municipalities could not be made: {(said.strip() or '?').splitlines()[-1]}")
    finally:
        for maker in makers:
            maker.kill()
            maker.wait()


def _kept_keys(*, instance: Instance) -> str:
    """Return the keys with which the template's secrets are encrypted, made at the first run."""
    path = instance.folder / "template.env"
    values = environment.read(path=path)
    if not values:
        values = {"FIELD_ENCRYPTION_KEYS": instance.values["FIELD_ENCRYPTION_KEYS"]}
        environment.write(path=path, values=values)
    return values["FIELD_ENCRYPTION_KEYS"]


def _fingerprint(*, keys: str) -> str:
    digest = hashlib.sha256(keys.encode())
    for path in sorted(_what_shapes_a_tenant()):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _what_shapes_a_tenant() -> Iterator[Path]:
    yield Path(__file__)
    yield ROOT / "config" / "settings.py"
    yield ROOT / "tenants" / "script.py"
    yield from (ROOT / "tenants" / "data").glob("*.csv")
    yield from (ROOT / "messaging" / "core").glob("*.py")
    yield from (ROOT / "messaging" / "templates").glob("*.py")
    for room in ROOMS:
        for pattern in ("**/migrations/*.py", "**/models.py", "**/models/*.py", "**/provisioning.py", "**/apps.py"):
            yield from (ROOT / room).glob(pattern)


def provision(*, registered: Any) -> None:
    """Make one municipality of the register a tenant, in a process that Django runs in."""
    from audit.record import Actor
    from tenants import clock, provisioning

    digits = registered.cbs_code.removeprefix("GM")
    provisioning.create(
        schema_name=registered.schema_name,
        name=registered.name,
        cbs_code=registered.cbs_code,
        waba_id=f"2155893132{digits}",
        phone_number_id=f"1065403522{digits}",
        display_phone_number=f"+3197010{digits}00",
        access_token=f"token-of-{registered.schema_name}",
        actor=Actor.system("benchmarks"),
        at=clock.now(),
    )


def _provision(*, number: int, of: int, most: int | None) -> None:
    """Make every `of`th municipality of the register, from the `number`th on, in a process that Django runs in."""
    from tenants.register import municipalities

    for registered in list(municipalities().values())[:most][number::of]:
        provision(registered=registered)


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    _provision(number=int(sys.argv[1]), of=int(sys.argv[2]), most=int(sys.argv[3]) if sys.argv[3] else None)
