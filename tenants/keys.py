"""Each municipality's own data key: made with it, kept in public, wrapped by FIELD_ENCRYPTION_KEYS."""

import secrets
from datetime import datetime

from tenants.encryption import decrypt, encrypt
from tenants.models import Municipality, TenantKey

KEY_BYTES = 32


class DataKeyMissing(Exception):
    """The municipality has no data key (any more): what was encrypted with it cannot be read."""


def make_data_key(*, municipality: Municipality, at: datetime) -> None:
    """Give a new municipality its data key."""
    TenantKey.objects.create(
        municipality=municipality, key_encrypted=encrypt(plain=secrets.token_bytes(KEY_BYTES)), made_at=at
    )


def data_key(*, schema_name: str) -> bytes:
    """Return the municipality's data key.  Raises DataKeyMissing; UnreadableSecret: no key opens it."""
    row = TenantKey.objects.filter(municipality__schema_name=schema_name).first()
    if row is None:
        raise DataKeyMissing(f"{schema_name} has no data key")
    return decrypt(encrypted=bytes(row.key_encrypted))
