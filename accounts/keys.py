"""Keys: made, found again by what a caller shows, and revoked.

A key is written `wak_<prefix>_<secret>`: 256 random bits, of which the database keeps SHA-256 alone.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django_tenants.utils import get_public_schema_name

from accounts.models import ApiKey
from accounts.scopes import BSP_SCOPES, TENANT_SCOPES
from audit.record import Actor, record

LAST_USED_EVERY = timedelta(minutes=1)
_FORM = re.compile(r"wak_([a-z2-7]{10})_([A-Za-z0-9_-]{43})")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_NOBODYS_HASH = bytes(32)


class UnknownScope(Exception):
    """A scope that does not exist on this side of the house."""


class NameTaken(Exception):
    """Another key that is not revoked has the name."""


class UnknownKey(Exception):
    """No key that is not revoked has the name."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made, with the only copy of its secret."""

    key: ApiKey
    secret: str


@transaction.atomic
def create_key(
    *, name: str, scopes: Collection[str], actor: Actor, at: datetime, expires_at: datetime | None = None
) -> NewKey:
    """Make a key in the schema that the connection is in. Audited.

    Raises UnknownScope, NameTaken: nothing is made. ValueError: no name, no scope, or an end that has passed.
    """
    if not name.strip() or len(name) > 100 or not scopes:
        raise ValueError("a key needs a name of at most 100 characters, and a scope")
    if expires_at is not None and expires_at <= at:
        raise ValueError("the key would have expired already")
    known = BSP_SCOPES if connection.schema_name == get_public_schema_name() else TENANT_SCOPES  # type: ignore[attr-defined]
    unknown = sorted(set(scopes) - known)
    if unknown:
        raise UnknownScope(f"{', '.join(unknown)}: choose from {', '.join(sorted(known))}")
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    secret = f"wak_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        name=name.strip(),
        scopes=sorted(set(scopes)),
        prefix=prefix,
        secret_hash=_hash(secret),
        created_at=at,
        expires_at=expires_at,
    )
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(f"a key named {name.strip()} exists: revoke it first, or choose another name") from error
    details = {"name": key.name, "prefix": prefix, "scopes": key.scopes}
    record(action="api_key.create", actor=actor, at=at, subject=f"api key {key.id}", details=details)
    return NewKey(key=key, secret=secret)


def find_key(*, secret: str, at: datetime) -> ApiKey | None:
    """Return the key that a caller shows, or None when it opens nothing here (any more).

    Takes the same steps whether the prefix exists or not, so that nothing can be learned from how long it takes.
    """
    match = _FORM.fullmatch(secret)
    key = ApiKey.objects.filter(prefix=match[1] if match else "").first()
    stored = bytes(key.secret_hash) if key else _NOBODYS_HASH
    fits = hmac.compare_digest(stored, _hash(secret))
    if key is None or not fits or key.revoked_at is not None:
        return None
    return None if key.expires_at is not None and key.expires_at <= at else key


def note_use(*, key: ApiKey, at: datetime) -> None:
    """Remember that a key was used, at most once a minute, so that a busy key is no hot row."""
    if key.last_used_at is None or abs(at - key.last_used_at) >= LAST_USED_EVERY:
        ApiKey.objects.filter(id=key.id).filter(Q(last_used_at=None) | Q(last_used_at=key.last_used_at)).update(
            last_used_at=at
        )


@transaction.atomic
def revoke_key(*, name: str, actor: Actor, at: datetime) -> ApiKey:
    """Revoke the key of this name, for good. Audited.  Raises UnknownKey."""
    key = ApiKey.objects.select_for_update().filter(name=name, revoked_at=None).first()
    if key is None:
        raise UnknownKey(f"there is no key named {name}")
    key.revoked_at = at
    key.save(update_fields=["revoked_at"])
    record(action="api_key.revoke", actor=actor, at=at, subject=f"api key {key.id}", details={"prefix": key.prefix})
    return key


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
