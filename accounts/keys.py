"""Keys of systems: made, found again by what a caller shows, given a new secret, and revoked.

A key is written `wak_<prefix>_<secret>`: 256 random bits, of which the database keeps SHA-256 alone. The pages of who
manages them (web) and the operations that they open (api) both come here.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django_tenants.utils import get_public_schema_name

from accounts.models import ApiKey
from accounts.scopes import BSP_SCOPES, TENANT_SCOPES
from audit.record import Actor, record

LAST_USED_EVERY = timedelta(minutes=1)
LONGEST_OVERLAP = timedelta(days=30)
LONGEST_NAME = 100
MOST_RANGES = 20
_FORM = re.compile(r"wak_([a-z2-7]{10})_([A-Za-z0-9_-]{43})")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_NOBODYS_HASH = bytes(32)


class UnknownScope(Exception):
    """A scope that does not exist on this side of the house."""


class NameTaken(Exception):
    """Another key that is not revoked has the name."""


class UnknownKey(Exception):
    """No key that is not revoked has the name, or the id."""


class InvalidRange(ValueError):
    """What is to be an address or range of addresses is none; the text says which."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made, with the only copy of its secret."""

    key: ApiKey
    secret: str


@transaction.atomic
def create_key(
    *,
    name: str,
    scopes: Collection[str],
    actor: Actor,
    at: datetime,
    expires_at: datetime | None = None,
    allowed_ranges: Collection[str] = (),
) -> NewKey:
    """Make a key in the schema that the connection is in. Audited.

    allowed_ranges: addresses and ranges (CIDR) from which it may be used; none: from anywhere.
    Raises UnknownScope, NameTaken, InvalidRange: nothing is made. ValueError: no name, no scope, or an end that has
    passed.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not scopes:
        raise ValueError("a key needs a name of at most 100 characters, and a scope")
    if expires_at is not None and expires_at <= at:
        raise ValueError("the key would have expired already")
    unknown = sorted(set(scopes) - scopes_here())
    if unknown:
        raise UnknownScope(f"{', '.join(unknown)}: choose from {', '.join(sorted(scopes_here()))}")
    prefix, secret = _new_secret()
    key = ApiKey(
        name=name.strip(),
        scopes=sorted(set(scopes)),
        prefix=prefix,
        secret_hash=_hash(secret),
        created_at=at,
        expires_at=expires_at,
        allowed_ranges=_ranges(allowed_ranges),
    )
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(f"a key named {name.strip()} exists: revoke it first, or choose another name") from error
    details = {"name": key.name, "prefix": prefix, "scopes": key.scopes, "ranges": key.allowed_ranges}
    record(action="api_key.create", actor=actor, at=at, subject=f"api key {key.id}", details=details)
    return NewKey(key=key, secret=secret)


def find_key(*, secret: str, at: datetime) -> ApiKey | None:
    """Return the key that a caller shows, or None when it opens nothing here (any more).

    Takes the same steps whether the prefix exists or not, so that nothing can be learned from how long it takes. The
    secret from before a rotation opens the same until its moment; `note_use` is told by `shows_previous`.
    """
    match = _FORM.fullmatch(secret)
    prefix = match[1] if match else ""
    key = ApiKey.objects.filter(Q(prefix=prefix) | Q(previous_prefix=prefix)).first()
    is_previous = key is not None and key.previous_prefix == prefix
    stored = _NOBODYS_HASH if key is None else key.previous_hash if is_previous else key.secret_hash
    fits = hmac.compare_digest(bytes(stored or _NOBODYS_HASH), _hash(secret))
    if key is None or not fits or key.revoked_at is not None:
        return None
    if is_previous and (key.previous_until is None or key.previous_until <= at):
        return None
    key.shows_previous = is_previous
    return None if key.expires_at is not None and key.expires_at <= at else key


def may_come_from(*, key: ApiKey, address: str) -> bool:
    """Return whether a key may be used from an address; what is no address is none of the allowed ones."""
    if not key.allowed_ranges:
        return True
    try:
        asked = ip_address(address)
    except ValueError:
        return False
    if isinstance(asked, IPv6Address) and asked.ipv4_mapped is not None:
        asked = asked.ipv4_mapped  # as a server that listens on both tells an IPv4 caller
    return any(asked in ip_network(each) for each in key.allowed_ranges)


def note_use(*, key: ApiKey, at: datetime) -> None:
    """Remember that a key was used, at most once a minute, so that a busy key is no hot row."""
    column = "previous_used_at" if key.shows_previous else "last_used_at"
    before = getattr(key, column)
    if before is None or abs(at - before) >= LAST_USED_EVERY:
        rows = ApiKey.objects.filter(id=key.id, **{column: before})
        if key.shows_previous:
            rows = rows.filter(previous_prefix=key.previous_prefix)  # it may have been rotated again meanwhile
        rows.update(**{column: at})


@transaction.atomic
def rotate_key(*, key_id: UUID, overlap: timedelta, actor: Actor, at: datetime) -> NewKey:
    """Give a key a new secret; the one that it has goes on to open the same for a while. Audited.

    overlap: from nothing to LONGEST_OVERLAP. A secret from an earlier rotation ends at once: there are at most two.
    Raises UnknownKey: there is none, it is revoked or has expired. ValueError: the overlap is too long.
    """
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise ValueError(f"the old secret may go on for at most {LONGEST_OVERLAP.days} days")
    key = ApiKey.objects.select_for_update().filter(id=key_id, revoked_at=None).first()
    if key is None or (key.expires_at is not None and key.expires_at <= at):
        raise UnknownKey("there is no such key")
    old = key.prefix
    if overlap:
        key.previous_prefix, key.previous_hash, key.previous_until = key.prefix, key.secret_hash, at + overlap
    else:
        key.previous_prefix = key.previous_hash = key.previous_until = None
    key.previous_used_at = None
    key.prefix, secret = _new_secret()
    key.secret_hash = _hash(secret)
    key.save()
    details = {
        "name": key.name,
        "prefix": key.prefix,
        "old_prefix": old,
        "overlap_minutes": overlap // timedelta(minutes=1),
    }
    record(action="api_key.rotate", actor=actor, at=at, subject=f"api key {key.id}", details=details)
    return NewKey(key=key, secret=secret)


def find_named(*, name: str) -> ApiKey:
    """Return the key of this name that is not revoked.  Raises UnknownKey."""
    key = ApiKey.objects.filter(name=name, revoked_at=None).first()
    if key is None:
        raise UnknownKey(f"there is no key named {name}")
    return key


@transaction.atomic
def revoke_key(*, key_id: UUID, actor: Actor, at: datetime) -> ApiKey:
    """Revoke a key, for good, with whatever secrets it has. Audited.  Raises UnknownKey."""
    key = ApiKey.objects.select_for_update().filter(id=key_id, revoked_at=None).first()
    if key is None:
        raise UnknownKey("there is no such key")
    key.revoked_at = at
    key.save(update_fields=["revoked_at"])
    record(action="api_key.revoke", actor=actor, at=at, subject=f"api key {key.id}", details={"prefix": key.prefix})
    return key


def keys() -> list[ApiKey]:
    """Return the keys of the schema that the connection is in: those that open something by name, then the others."""
    return sorted(
        ApiKey.objects.all(), key=lambda key: (key.revoked_at is not None, key.name.casefold(), key.created_at)
    )


def scopes_here() -> frozenset[str]:
    """Return the scopes that a key of the schema that the connection is in can have."""
    return BSP_SCOPES if connection.schema_name == get_public_schema_name() else TENANT_SCOPES  # type: ignore[attr-defined]


def _ranges(given: Collection[str]) -> list[str]:
    """Return addresses and ranges as they are kept: each once, an address as the range of itself."""
    found = []
    if len(given) > MOST_RANGES:
        raise InvalidRange(f"at most {MOST_RANGES} ranges")
    for each in given:
        try:
            found.append(str(ip_network(each.strip(), strict=False)))
        except ValueError:
            raise InvalidRange(each.strip()[:50]) from None
    return sorted(set(found))


def _new_secret() -> tuple[str, str]:
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return prefix, f"wak_{prefix}_{secrets.token_urlsafe(32)}"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
